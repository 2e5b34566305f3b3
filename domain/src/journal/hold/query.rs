//! Reads of holds.

use chrono::{DateTime, Utc};
use entity::id::JournalHoldId;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};

use super::{HoldFilter, JournalHold, JournalHoldLine, State, rules::at};
use crate::{
    error::Result,
    keyset::{Column, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// How many lines of a hold are shown.
const LINES_SHOWN: i32 = 100;

const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[JournalHoldId],
    now: DateTime<Utc>,
) -> Result<Vec<JournalHold>> {
    let sql = "SELECT * FROM journal_hold WHERE id = ANY($1)";
    let found = JournalHold::find_by_statement(statement(sql, [uuids(ids)]));
    let found = found.all(db).await?.into_iter();
    Ok(found.map(|hold| at(hold, now)).collect())
}

pub(super) async fn lines_of(
    db: &impl ConnectionTrait,
    holds: &[JournalHoldId],
) -> Result<Vec<JournalHoldLine>> {
    let sql = "SELECT * FROM journal_hold_line WHERE hold_id = ANY($1) AND line <= $2 ORDER BY hold_id, line";
    let values = [uuids(holds), LINES_SHOWN.into()];
    let lines = JournalHoldLine::find_by_statement(statement(sql, values));
    Ok(lines.all(db).await?)
}

pub(super) async fn lines_in_tx(
    tx: &DatabaseTransaction,
    hold: JournalHoldId,
) -> Result<Vec<JournalHoldLine>> {
    let sql = "SELECT * FROM journal_hold_line WHERE hold_id = $1 ORDER BY line";
    let lines = JournalHoldLine::find_by_statement(statement(sql, [hold.into()]));
    Ok(lines.all(tx).await?)
}

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &HoldFilter,
    args: &PageArgs,
    now: DateTime<Utc>,
) -> Result<Page<JournalHold>> {
    let list = List {
        columns: "*",
        from: "journal_hold h",
        order: Order::newest_first(ID),
        filter: &|sql| push_filter(sql, filter, now),
        cursor: &|hold: &JournalHold| Cursor(vec![hold.id.to_string()]),
        reading: Reading::Any,
    };
    let mut page = list.page(db, args).await?;
    for (_, hold) in &mut page.edges {
        *hold = at(hold.clone(), now);
    }
    Ok(page)
}

fn push_filter(sql: &mut Sql, filter: &HoldFilter, now: DateTime<Utc>) {
    let HoldFilter {
        states,
        document,
        account_id,
        subsidiary_id,
    } = filter;
    sql.push("true");
    if let Some(states) = states {
        let codes: Vec<_> = states.iter().map(State::to_value).collect();
        sql.push(" AND CASE WHEN state = 'pending' AND expires_at <= ")
            .bind(now)
            .push(" THEN 'expired' ELSE state END = ANY(")
            .bind(codes)
            .push("::text[])");
    }
    if let Some(document) = document {
        sql.push(" AND document_type = ")
            .bind(document.kind.as_str());
        sql.push(" AND document_id = ").bind(document.id.as_str());
    }
    let named = [
        ("account_id", account_id.map(|id| id.0)),
        ("subsidiary_id", subsidiary_id.map(|id| id.0)),
    ];
    for (column, id) in named {
        if let Some(id) = id {
            sql.push(" AND EXISTS (SELECT FROM journal_hold_line l WHERE l.hold_id = h.id AND l.")
                .push(column)
                .push(" = ")
                .bind(id)
                .push(")");
        }
    }
}
