//! Writes of drafts.

use chrono::{DateTime, Utc};
use entity::id::{AccountId, DimensionValueId, JournalDraftId, JournalEntryId, LocationId};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult, Value};
use uuid::Uuid;

use super::{
    JournalDraft, State,
    rules::{DraftLine, Facts},
};
use crate::{
    audit::{self, Actor, Change},
    clock::new_id,
    error::{Error, Result},
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Nothing, as arrays of nullable values do not bind.
const NO_ID: Uuid = Uuid::nil();
const NO_AMOUNT: Decimal = Decimal::NEGATIVE_ONE;

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    facts: &Facts,
    lines: &[DraftLine],
) -> Result<JournalDraft> {
    let sql = "INSERT INTO journal_draft (id, date, kind, description, document_type, document_id, lines, created_at, updated_at, actor_kind,
                                          actor_id, actor_name)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11) RETURNING *";
    let Actor { kind, id, name } = Actor::of(viewer);
    let (document_type, document_id) = document(facts);
    let values = [
        new_id(now).into(),
        facts.date.into(),
        facts.kind.to_value().into(),
        facts.description.clone().into(),
        document_type.into(),
        document_id.into(),
        count(lines).into(),
        now.into(),
        kind.into(),
        id.into(),
        name.into(),
    ];
    let draft = JournalDraft::find_by_statement(statement(sql, values));
    let draft = one(draft.one(tx).await?)?;
    write_lines_in_tx(tx, draft.id, lines).await?;
    Ok(draft)
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: &JournalDraft,
    facts: &Facts,
    lines: Option<&[DraftLine]>,
) -> Result<JournalDraft> {
    let sql = "UPDATE journal_draft SET date = $2, kind = $3, description = $4, document_type = $5, document_id = $6, lines = $7, updated_at = $8,
                                        version = version + 1
               WHERE id = $1 RETURNING *";
    let (document_type, document_id) = document(facts);
    let values = [
        before.id.into(),
        facts.date.into(),
        facts.kind.to_value().into(),
        facts.description.clone().into(),
        document_type.into(),
        document_id.into(),
        lines.map_or(before.lines, count).into(),
        now.into(),
    ];
    let draft = JournalDraft::find_by_statement(statement(sql, values));
    let draft = one(draft.one(tx).await?)?;
    if let Some(lines) = lines {
        write_lines_in_tx(tx, draft.id, lines).await?;
    }
    Ok(draft)
}

fn document(facts: &Facts) -> (Option<String>, Option<String>) {
    let document = facts.document.as_ref();
    document
        .map(|document| (document.kind.clone(), document.id.clone()))
        .unzip()
}

fn count(lines: &[DraftLine]) -> i32 {
    i32::try_from(lines.len()).unwrap_or(i32::MAX)
}

fn one(draft: Option<JournalDraft>) -> Result<JournalDraft> {
    draft.ok_or_else(|| Error::internal("a draft was written and gave no row"))
}

/// The draft has these lines and no others. Those that stay as they are are not written again: the trail keeps every change.
const LINES: &str = "WITH gone AS (
        DELETE FROM journal_draft_line WHERE draft_id = $1 AND line > cardinality($2::int4[])
    )
    INSERT INTO journal_draft_line AS d (draft_id, line, account_id, commodity, is_debit, amount, quantity, location_id, subsidiary_id,
                                         cost_center_id, project_id, description)
    SELECT $1, l.line, NULLIF(l.account, '00000000-0000-0000-0000-000000000000'), NULLIF(l.commodity, ''),
           CASE WHEN l.amount > 0 THEN l.is_debit END, NULLIF(l.amount, -1), NULLIF(l.quantity, 0),
           NULLIF(l.location, '00000000-0000-0000-0000-000000000000'), NULLIF(l.subsidiary, '00000000-0000-0000-0000-000000000000'),
           NULLIF(l.cost_center, '00000000-0000-0000-0000-000000000000'), NULLIF(l.project, '00000000-0000-0000-0000-000000000000'),
           NULLIF(l.description, '')
    FROM unnest($2::int4[], $3::uuid[], $4::text[], $5::bool[], $6::numeric[], $7::numeric[], $8::uuid[], $9::uuid[], $10::uuid[], $11::uuid[],
                $12::text[])
        l (line, account, commodity, is_debit, amount, quantity, location, subsidiary, cost_center, project, description)
    ON CONFLICT (draft_id, line) DO UPDATE
    SET account_id = EXCLUDED.account_id, commodity = EXCLUDED.commodity, is_debit = EXCLUDED.is_debit, amount = EXCLUDED.amount,
        quantity = EXCLUDED.quantity, location_id = EXCLUDED.location_id, subsidiary_id = EXCLUDED.subsidiary_id,
        cost_center_id = EXCLUDED.cost_center_id, project_id = EXCLUDED.project_id, description = EXCLUDED.description
    WHERE d.* IS DISTINCT FROM EXCLUDED.*";

async fn write_lines_in_tx(
    tx: &DatabaseTransaction,
    draft: JournalDraftId,
    lines: &[DraftLine],
) -> Result<()> {
    let texts = |read: fn(&DraftLine) -> &Option<String>| -> Vec<String> {
        let texts = lines.iter().map(|line| read(line).clone());
        texts.map(Option::unwrap_or_default).collect()
    };
    let values = |read: fn(&DraftLine) -> Option<DimensionValueId>| {
        let ids = lines.iter().map(read);
        let ids: Vec<_> = ids
            .map(|id| id.unwrap_or(DimensionValueId(NO_ID)))
            .collect();
        uuids(&ids)
    };
    let accounts = lines.iter().map(|line| line.account);
    let accounts: Vec<_> = accounts.map(|id| id.unwrap_or(AccountId(NO_ID))).collect();
    let locations = lines.iter().map(|line| line.location);
    let locations: Vec<_> = locations
        .map(|id| id.unwrap_or(LocationId(NO_ID)))
        .collect();
    let sides = lines
        .iter()
        .map(|line| line.side.is_some_and(|side| side.0));
    let amounts = lines
        .iter()
        .map(|line| line.side.map_or(NO_AMOUNT, |side| side.1));
    let quantities = lines.iter().map(|line| line.quantity.unwrap_or_default());
    let written: [Value; 12] = [
        draft.into(),
        (1..=count(lines)).collect::<Vec<_>>().into(),
        uuids(&accounts),
        texts(|line| &line.commodity).into(),
        sides.collect::<Vec<_>>().into(),
        amounts.collect::<Vec<_>>().into(),
        quantities.collect::<Vec<_>>().into(),
        uuids(&locations),
        values(|line| line.subsidiary),
        values(|line| line.cost_center),
        values(|line| line.project),
        texts(|line| &line.description).into(),
    ];
    tx.execute_raw(statement(LINES, written)).await?;
    Ok(())
}

pub(super) fn new_entry_id(now: DateTime<Utc>) -> JournalEntryId {
    JournalEntryId(new_id(now))
}

pub(super) async fn end_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    id: JournalDraftId,
    state: State,
    entry: Option<JournalEntryId>,
) -> Result<JournalDraft> {
    let sql = "UPDATE journal_draft SET state = $2, ended_at = $3, updated_at = $3, entry_id = $4, version = version + 1 WHERE id = $1
               RETURNING *";
    let entry = entry.map(|entry| entry.0);
    let values = [id.into(), state.to_value().into(), now.into(), entry.into()];
    let ended = JournalDraft::find_by_statement(statement(sql, values));
    one(ended.one(tx).await?)
}

/// The trail of a change of a draft; of its lines, the database keeps it.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&JournalDraft>,
    after: &JournalDraft,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "journal_draft",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
