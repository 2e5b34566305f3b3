//! Reads of drafts.

use entity::id::{AccountId, JournalDraftId};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};
use uuid::Uuid;

use super::{DraftFilter, JournalDraft, JournalDraftLine, rules::DraftLine};
use crate::{
    error::{Code, Error, Refusal, Result},
    journal::fault::TOLD_MAX,
    keyset::{Below, Column, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};
const LINE: Column = Column {
    sql: "line",
    cast: "int4",
};

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[JournalDraftId],
) -> Result<Vec<JournalDraft>> {
    let sql = "SELECT * FROM journal_draft WHERE id = ANY($1)";
    let drafts = JournalDraft::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(drafts.all(db).await?)
}

pub(in crate::journal) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: JournalDraftId,
) -> Result<Option<JournalDraft>> {
    let sql = "SELECT * FROM journal_draft WHERE id = $1 FOR NO KEY UPDATE";
    let draft = JournalDraft::find_by_statement(statement(sql, [id.into()]));
    Ok(draft.one(tx).await?)
}

pub(super) async fn lines_in_tx(
    tx: &DatabaseTransaction,
    draft: JournalDraftId,
) -> Result<Vec<JournalDraftLine>> {
    let sql = "SELECT * FROM journal_draft_line WHERE draft_id = $1 ORDER BY line";
    let lines = JournalDraftLine::find_by_statement(statement(sql, [draft.into()]));
    Ok(lines.all(tx).await?)
}

/// The accounts of lines are known. What they take is asked when the draft is posted.
pub(super) async fn check_accounts_in_tx(
    tx: &DatabaseTransaction,
    lines: &[DraftLine],
) -> Result<()> {
    let none = AccountId(Uuid::nil());
    let accounts = lines.iter().map(|line| line.account.unwrap_or(none));
    let accounts: Vec<_> = accounts.collect();
    let sql = "SELECT l.place FROM unnest($1::uuid[]) WITH ORDINALITY l (account, place)
               WHERE l.account <> '00000000-0000-0000-0000-000000000000' AND NOT EXISTS (SELECT FROM account a WHERE a.id = l.account)
               ORDER BY l.place LIMIT $2";
    let most = i64::try_from(TOLD_MAX).unwrap_or(i64::MAX);
    let values = [uuids(&accounts), most.into()];
    let unknown = tx.query_all_raw(statement(sql, values)).await?;
    if unknown.is_empty() {
        return Ok(());
    }
    let refusals = unknown.iter().map(|row| {
        let place: i64 = row.try_get("", "place")?;
        let path = format!("lines.{}.accountId", place - 1);
        Ok(Refusal::new(Code::NotFound, &path))
    });
    Err(Error::Refused(refusals.collect::<Result<_>>()?))
}

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &DraftFilter,
    args: &PageArgs,
) -> Result<Page<JournalDraft>> {
    let list = List {
        columns: "*",
        from: "journal_draft d",
        order: Order::newest_first(ID),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|draft: &JournalDraft| Cursor(vec![draft.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &DraftFilter) {
    let DraftFilter {
        states,
        document,
        account_id,
    } = filter;
    sql.push("true");
    if let Some(states) = states {
        let states: Vec<_> = states.iter().map(|state| state.to_value()).collect();
        sql.push(" AND state = ANY(").bind(states).push("::text[])");
    }
    if let Some(document) = document {
        sql.push(" AND document_type = ")
            .bind(document.kind.as_str());
        sql.push(" AND document_id = ").bind(document.id.as_str());
    }
    if let Some(id) = account_id {
        sql.push(" AND EXISTS (SELECT FROM journal_draft_line l WHERE l.draft_id = d.id AND l.account_id = ")
            .bind(*id)
            .push(")");
    }
}

/// Of each of these drafts a page of its lines: one statement.
pub(super) async fn lines_of(
    db: &impl ConnectionTrait,
    drafts: &[JournalDraftId],
    args: &PageArgs,
) -> Result<Vec<Page<JournalDraftLine>>> {
    let below = Below {
        parents: uuids(drafts),
        count: drafts.len(),
        rows: "SELECT * FROM journal_draft_line WHERE draft_id = w.parent",
        order: Order::new(Vec::new(), LINE),
    };
    let cursor = |line: &JournalDraftLine| Cursor(vec![line.line.to_string()]);
    below.pages(db, args, cursor).await
}
