//! Posting entries: what every use case of the journal comes down to.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::{
    id::{AccountId, DimensionValueId, JournalEntryId, LocationId},
    journal_entry::Model as JournalEntry,
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, DatabaseTransaction, FromQueryResult, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Journal,
    fault::{self, Failure, Place},
    query,
    rules::{Entry, Line},
};
use crate::{
    audit::Actor,
    clock::new_id,
    error::{Code, Error, Refusal, Result},
    event::Kind as EventKind,
    idempotency::{Claim, Claimed, claim_in_tx},
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Most accounts that an event names; of an entry with more it names none, and concerns everybody.
const NAMED_MAX: usize = 1_000;
/// No location, nor entry, as arrays of nullable values do not bind.
const NO_ID: Uuid = Uuid::nil();
/// No amount in the shop's currency, likewise.
const NO_AMOUNT: Decimal = Decimal::NEGATIVE_ONE;

/// The one entry that was posted.
pub(super) fn single(mut posted: Vec<JournalEntry>) -> Result<JournalEntry> {
    let entry = posted.pop();
    entry.ok_or_else(|| Error::internal("an entry was posted and gave no row"))
}

impl Journal<'_> {
    /// Posts what is known in full, once for each key.
    pub(super) async fn write(
        &self,
        viewer: &Viewer,
        operation: &'static str,
        asked: &(impl Serialize + Sync),
        key: Option<&str>,
        entries: Vec<Entry>,
    ) -> Result<Vec<JournalEntry>> {
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, operation, asked, now).await? {
            Claimed::Before(kept) => return again_in_tx(&tx, kept).await,
            Claimed::Now(claim) => claim,
        };
        match write_in_tx(&tx, viewer, now, (operation, claim), entries).await {
            Ok(posted) => {
                self.domain.commit(tx).await?;
                Ok(posted)
            }
            Err(failure) => {
                tx.rollback().await?;
                Err(fault::explain(&self.domain.reads, failure).await)
            }
        }
    }
}

/// What is kept of an answer. Entries never change, so their ids are enough.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Kept {
    Ids(Vec<JournalEntryId>),
    /// As answers were kept once.
    Entries(Vec<JournalEntry>),
}

/// The answer that was given before: the entries in their order.
pub(super) async fn again_in_tx(tx: &DatabaseTransaction, kept: Kept) -> Result<Vec<JournalEntry>> {
    let ids = match kept {
        Kept::Ids(ids) => ids,
        Kept::Entries(entries) => return Ok(entries),
    };
    let posted = query::by_ids(tx, &ids).await?;
    if posted.len() < ids.len() {
        return Err(Error::internal("an entry that was posted is not there"));
    }
    Ok(in_order(posted, &ids))
}

fn in_order(mut entries: Vec<JournalEntry>, ids: &[JournalEntryId]) -> Vec<JournalEntry> {
    let order: HashMap<_, _> = ids.iter().zip(0..).collect();
    entries.sort_by_key(|entry| order.get(&entry.id).copied().unwrap_or(usize::MAX));
    entries
}

/// Writes the entries with their lines, the trail, the events and the answer that the claim is to keep: all in one statement, for whoever
/// comes after waits for the numbers from its beginning until the commit.
pub(crate) async fn write_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    asked: (&'static str, Claim),
    entries: Vec<Entry>,
) -> Result<Vec<JournalEntry>, Failure> {
    let ids = entries.iter().map(|_| JournalEntryId(new_id(now)));
    let ids = ids.collect();
    write_as_in_tx(tx, viewer, now, asked, (ids, entries)).await
}

/// The same under ids that are known beforehand.
pub(super) async fn write_as_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (operation, claim): (&'static str, Claim),
    (ids, entries): (Vec<JournalEntryId>, Vec<Entry>),
) -> Result<Vec<JournalEntry>, Failure> {
    let places: Vec<_> = ids
        .iter()
        .zip(&entries)
        .map(|(id, entry)| Place::of(id.0, entry))
        .collect();
    let posted = insert_in_tx(tx, viewer, now, (operation, claim), (&ids, entries)).await;
    let posted = match posted {
        Ok(posted) => posted,
        Err(error) => return Err(Failure::of(error, places)),
    };
    if posted.len() < ids.len() {
        return Err(no_fiscal_year(&posted, &places).into());
    }
    Ok(in_order(posted, &ids))
}

/// Of a day that lies in no fiscal year nothing is written.
fn no_fiscal_year(posted: &[JournalEntry], places: &[Place]) -> Error {
    let there: BTreeSet<_> = posted.iter().map(|entry| entry.id.0).collect();
    let missing = places.iter().filter(|place| !there.contains(&place.id));
    let refusals = missing.map(|place| {
        let refusal = Refusal::new(Code::NoPeriod, &place.path("date"));
        refusal.with("date", place.date)
    });
    Error::Refused(refusals.take(fault::TOLD_MAX).collect())
}

/// The event of an entry: names the accounts that it concerns, when they are not too many.
fn told(operation: &str, entry: &Entry) -> serde_json::Value {
    event_payload(
        operation,
        &entry.lines.iter().map(|line| line.account).collect(),
    )
}

/// The payload of the event of an entry with lines of these accounts.
pub(super) fn event_payload(operation: &str, accounts: &BTreeSet<AccountId>) -> serde_json::Value {
    if accounts.len() > NAMED_MAX {
        json!({ "action": operation })
    } else {
        json!({ "action": operation, "accounts": accounts })
    }
}

const POST: &str = "WITH asked AS MATERIALIZED (
        SELECT * FROM unnest($1::uuid[], $2::date[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::int4[], $29::text[])
            WITH ORDINALITY AS a (id, date, kind, description, document_type, document_id, reverses, lines, told, place)
    ), numbered AS MATERIALIZED (
        SELECT a.*, y.fiscal_year_id, y.last_number + row_number() OVER (PARTITION BY y.fiscal_year_id ORDER BY a.place) AS number
        FROM asked a JOIN journal_numbers((SELECT array_agg(DISTINCT date) FROM asked)) y ON a.date BETWEEN y.starts_on AND y.ends_on
    ), rated AS MATERIALIZED (
        -- What is posted in other commodities than the shop's currency is valued by the rate of its day, where somebody has recorded one and the value
        -- is one that a column holds. A reversal has the values of what it undoes.
        SELECT d.commodity, d.date, r.numerator, r.denominator, r.denominator * 1000000000000000000 AS most,
               (SELECT currency_scale::integer FROM shop) AS places
        FROM (SELECT DISTINCT l.commodity, n.date
              FROM unnest($9::uuid[], $12::text[]) l (entry, commodity) JOIN numbered n ON n.id = l.entry
              WHERE l.commodity <> '' AND l.commodity <> (SELECT currency FROM shop)
                AND n.reverses = '00000000-0000-0000-0000-000000000000') d
        CROSS JOIN LATERAL commodity_rate(d.commodity, d.date, $18) r
    ), entry AS (
        INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, description, document_type, document_id, reverses_id, lines,
                                   recorded_at, actor_kind, actor_id, actor_name)
        SELECT id, fiscal_year_id, number, date, kind, NULLIF(description, ''), NULLIF(document_type, ''), NULLIF(document_id, ''),
               NULLIF(reverses, '00000000-0000-0000-0000-000000000000'), lines, $18, $19, $20, $21
        FROM numbered ORDER BY place
        RETURNING *
    ), posted AS (
        INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, base_amount, quantity, location_id, description,
                                  date, number, subsidiary_id, cost_center_id, project_id)
        SELECT n.id, l.line, l.account, COALESCE(NULLIF(l.commodity, ''), (SELECT currency FROM shop)), l.is_debit, l.amount,
               COALESCE(NULLIF(l.base_amount, -1),
                        CASE WHEN l.amount * r.numerator < r.most THEN round(l.amount * r.numerator / r.denominator, r.places) END),
               NULLIF(l.quantity, 0), NULLIF(l.location, '00000000-0000-0000-0000-000000000000'),
               NULLIF(l.description, ''), n.date, n.number, NULLIF(l.subsidiary, '00000000-0000-0000-0000-000000000000'),
               NULLIF(l.cost_center, '00000000-0000-0000-0000-000000000000'), NULLIF(l.project, '00000000-0000-0000-0000-000000000000')
        FROM numbered n
        JOIN unnest($9::uuid[], $10::int4[], $11::uuid[], $12::text[], $13::bool[], $14::numeric[], $15::numeric[], $16::numeric[], $17::uuid[],
                    $28::text[], $30::uuid[], $31::uuid[], $32::uuid[])
                l (entry, line, account, commodity, is_debit, amount, base_amount, quantity, location, description, subsidiary, cost_center,
                   project)
            ON l.entry = n.id
        LEFT JOIN rated r ON r.commodity = l.commodity AND r.date = n.date
    ), trail AS (
        INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
        SELECT $18, $19, $20, $21, $22, $23, 'journal_entry', id, to_jsonb(entry) FROM entry ORDER BY fiscal_year_id, number
    ), told AS (
        INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
        SELECT $24, $25, id, 1, told::jsonb, $22, $18 FROM numbered ORDER BY place
    ), kept AS (
        UPDATE idempotency SET answer = (SELECT jsonb_agg(id ORDER BY place) FROM numbered)
        WHERE actor = $26 AND key = $27
    )
    SELECT * FROM entry";

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (operation, claim): (&'static str, Claim),
    (ids, entries): (&[JournalEntryId], Vec<Entry>),
) -> Result<Vec<JournalEntry>, sea_orm::DbErr> {
    let told = entries
        .iter()
        .map(|entry| told(operation, entry).to_string());
    let columns = Columns::of(ids, &entries);
    let Actor {
        kind,
        id: actor,
        name,
    } = Actor::of(viewer);
    let (claimant, key) = claim.into_parts();
    let text = |read: fn(&Entry) -> Option<&str>| -> Value {
        let texts = entries
            .iter()
            .map(|entry| read(entry).unwrap_or_default().to_owned());
        texts.collect::<Vec<_>>().into()
    };
    let dates: Vec<_> = entries.iter().map(|entry| entry.date).collect();
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind.to_value()).collect();
    let reversed = entries
        .iter()
        .map(|entry| entry.reverses.map_or(NO_ID, |id| id.0));
    let counts = entries
        .iter()
        .map(|entry| i32::try_from(entry.lines.len()).unwrap_or(i32::MAX));
    let values: [Value; 32] = [
        uuids(ids),
        dates.into(),
        kinds.into(),
        text(|entry| entry.description.as_deref()),
        text(|entry| {
            entry
                .document
                .as_ref()
                .map(|document| document.kind.as_str())
        }),
        text(|entry| entry.document.as_ref().map(|document| document.id.as_str())),
        uuids(&reversed.collect::<Vec<_>>()),
        counts.collect::<Vec<_>>().into(),
        uuids(&columns.entries),
        columns.numbers.into(),
        uuids(&columns.accounts),
        columns.commodities.into(),
        columns.sides.into(),
        columns.amounts.into(),
        columns.base_amounts.into(),
        columns.quantities.into(),
        uuids(&columns.locations),
        now.into(),
        kind.into(),
        actor.into(),
        name.into(),
        viewer.request_id.clone().into(),
        operation.into(),
        EventKind::JournalPosted.as_str().into(),
        EventKind::JournalPosted.aggregate_type().into(),
        claimant.into(),
        key.into(),
        columns.descriptions.into(),
        told.collect::<Vec<_>>().into(),
        uuids(&columns.subsidiaries),
        uuids(&columns.cost_centers),
        uuids(&columns.projects),
    ];
    JournalEntry::find_by_statement(statement(POST, values))
        .all(tx)
        .await
}

fn clear_if_all<T: PartialEq>(column: &mut Vec<T>, nothing: &T) {
    if column.iter().all(|value| value == nothing) {
        column.clear();
    }
}

/// The lines of all entries, column by column. A column in which no line says anything is empty.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) entries: Vec<JournalEntryId>,
    pub(super) numbers: Vec<i32>,
    pub(super) accounts: Vec<AccountId>,
    pub(super) commodities: Vec<String>,
    pub(super) sides: Vec<bool>,
    pub(super) amounts: Vec<Decimal>,
    pub(super) base_amounts: Vec<Decimal>,
    pub(super) quantities: Vec<Decimal>,
    pub(super) locations: Vec<LocationId>,
    pub(super) subsidiaries: Vec<DimensionValueId>,
    pub(super) cost_centers: Vec<DimensionValueId>,
    pub(super) projects: Vec<DimensionValueId>,
    pub(super) descriptions: Vec<String>,
}

impl Columns {
    pub(super) fn of(ids: &[JournalEntryId], entries: &[Entry]) -> Self {
        let mut columns = Self::default();
        for (id, entry) in ids.iter().zip(entries) {
            for (number, line) in (1..).zip(&entry.lines) {
                columns.push(*id, number, line);
            }
        }
        columns.drop_empty();
        columns
    }

    /// What no line says is sent as an empty array, of which `unnest` makes nulls: columns are most of what it costs to read lines.
    fn drop_empty(&mut self) {
        let nothing = DimensionValueId(NO_ID);
        clear_if_all(&mut self.commodities, &String::new());
        clear_if_all(&mut self.base_amounts, &NO_AMOUNT);
        clear_if_all(&mut self.quantities, &Decimal::ZERO);
        clear_if_all(&mut self.locations, &LocationId(NO_ID));
        clear_if_all(&mut self.subsidiaries, &nothing);
        clear_if_all(&mut self.cost_centers, &nothing);
        clear_if_all(&mut self.projects, &nothing);
        clear_if_all(&mut self.descriptions, &String::new());
    }

    fn push(&mut self, entry: JournalEntryId, number: i32, line: &Line) {
        let Line {
            account,
            commodity,
            is_debit,
            amount,
            base_amount,
            quantity,
            location,
            subsidiary,
            cost_center,
            project,
            description,
        } = line;
        let value = |id: &Option<DimensionValueId>| id.unwrap_or(DimensionValueId(NO_ID));
        self.entries.push(entry);
        self.numbers.push(number);
        self.accounts.push(*account);
        self.commodities.push(commodity.clone().unwrap_or_default());
        self.sides.push(*is_debit);
        self.amounts.push(*amount);
        self.base_amounts.push(base_amount.unwrap_or(NO_AMOUNT));
        self.quantities.push(quantity.unwrap_or_default());
        self.locations.push(location.unwrap_or(LocationId(NO_ID)));
        self.subsidiaries.push(value(subsidiary));
        self.cost_centers.push(value(cost_center));
        self.projects.push(value(project));
        self.descriptions
            .push(description.clone().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::journal::Kind;

    fn entry(commodity: Option<&str>, quantities: [Option<Decimal>; 2]) -> Entry {
        let lines = quantities.map(|quantity| Line {
            account: AccountId(NO_ID),
            commodity: commodity.map(str::to_owned),
            is_debit: quantity.is_some(),
            amount: Decimal::ONE,
            base_amount: None,
            quantity,
            location: None,
            subsidiary: None,
            cost_center: None,
            project: None,
            description: None,
        });
        Entry {
            prefix: String::new(),
            date: NaiveDate::default(),
            kind: Kind::General,
            description: None,
            document: None,
            reverses: None,
            lines: lines.into(),
        }
    }

    #[test]
    fn a_column_is_sent_whole_or_not_at_all() {
        let ids = [1, 2].map(|id| JournalEntryId(Uuid::from_u128(id)));
        let plain = entry(None, [None, None]);
        let columns = Columns::of(&ids, &[plain, entry(None, [Some(Decimal::TEN), None])]);
        assert_eq!(columns.entries, [ids[0], ids[0], ids[1], ids[1]]);
        assert_eq!(columns.numbers, [1, 2, 1, 2]);
        let (none, ten) = (Decimal::ZERO, Decimal::TEN);
        assert_eq!(columns.quantities, [none, none, ten, none]);
        assert!(columns.commodities.is_empty() && columns.base_amounts.is_empty());
        assert!(columns.locations.is_empty() && columns.descriptions.is_empty());
        assert!(columns.subsidiaries.is_empty() && columns.cost_centers.is_empty());
        assert!(columns.projects.is_empty());
        let dollars = Columns::of(&ids[..1], &[entry(Some("USD"), [None, None])]);
        assert_eq!(dollars.commodities, ["USD", "USD"]);
        assert!(dollars.quantities.is_empty());
    }
}
