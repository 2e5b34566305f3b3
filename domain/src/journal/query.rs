//! Reads of the journal.

use entity::{
    id::JournalEntryId, journal_entry::Model as JournalEntry, journal_line::Model as JournalLine,
};
use sea_orm::{ActiveEnum as _, ConnectionTrait, FromQueryResult};

use super::EntryFilter;
use crate::{
    error::Result,
    keyset::{Below, Column, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// The latest day comes first, and on it the highest number.
const LATEST_FIRST: Term = Term {
    column: Column {
        sql: "date",
        cast: "date",
    },
    descending: true,
};
const NUMBER: Column = Column {
    sql: "number",
    cast: "int8",
};
const LINE: Column = Column {
    sql: "line",
    cast: "int4",
};

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[JournalEntryId],
) -> Result<Vec<JournalEntry>> {
    let sql = "SELECT * FROM journal_entry WHERE id = ANY($1)";
    let entries = JournalEntry::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(entries.all(db).await?)
}

pub(super) async fn reversals_of(
    db: &impl ConnectionTrait,
    ids: &[JournalEntryId],
) -> Result<Vec<JournalEntry>> {
    let sql = "SELECT * FROM journal_entry WHERE reverses_id = ANY($1)";
    let entries = JournalEntry::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(entries.all(db).await?)
}

pub(super) async fn entries(
    db: &impl ConnectionTrait,
    filter: &EntryFilter,
    args: &PageArgs,
) -> Result<Page<JournalEntry>> {
    let list = List {
        columns: "*",
        from: "journal_entry e",
        order: Order::new(vec![LATEST_FIRST], NUMBER),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|entry: &JournalEntry| {
            Cursor(vec![entry.date.to_string(), entry.number.to_string()])
        },
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &EntryFilter) {
    let EntryFilter {
        from,
        until,
        fiscal_year_id,
        number,
        kinds,
        document,
        account_id,
        known_at,
        dimension_value_id,
    } = filter;
    sql.push("true");
    if let Some(from) = from {
        sql.push(" AND date >= ").bind(*from);
    }
    if let Some(until) = until {
        sql.push(" AND date <= ").bind(*until);
    }
    if let Some(id) = fiscal_year_id {
        sql.push(" AND fiscal_year_id = ").bind(*id);
    }
    if let Some(number) = number {
        sql.push(" AND number = ").bind(*number);
    }
    if let Some(kinds) = kinds {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_value()).collect();
        sql.push(" AND kind = ANY(").bind(kinds).push("::text[])");
    }
    if let Some(document) = document {
        sql.push(" AND document_type = ")
            .bind(document.kind.as_str());
        sql.push(" AND document_id = ").bind(document.id.as_str());
    }
    if let Some(known) = known_at {
        sql.push(" AND recorded_at <= ").bind(*known);
    }
    if let Some(id) = account_id {
        sql.push(
            " AND EXISTS (SELECT FROM journal_line l WHERE l.entry_id = e.id AND l.account_id = ",
        )
        .bind(*id)
        .push(")");
    }
    if let Some(id) = dimension_value_id {
        sql.push(" AND EXISTS (SELECT FROM journal_line l WHERE l.entry_id = e.id AND ")
            .bind(*id)
            .push(" IN (l.subsidiary_id, l.cost_center_id, l.project_id))");
    }
}

/// Of each of these entries a page of its lines: one statement.
pub(super) async fn lines_of(
    db: &impl ConnectionTrait,
    entries: &[JournalEntryId],
    args: &PageArgs,
) -> Result<Vec<Page<JournalLine>>> {
    let below = Below {
        parents: uuids(entries),
        count: entries.len(),
        rows: "SELECT * FROM journal_line WHERE entry_id = w.parent",
        order: Order::new(Vec::new(), LINE),
    };
    let cursor = |line: &JournalLine| Cursor(vec![line.line.to_string()]);
    below.pages(db, args, cursor).await
}
