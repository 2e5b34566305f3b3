//! Reads of the journal.

use entity::{
    id::JournalEntryId, journal_entry::Model as JournalEntry, journal_line::Model as JournalLine,
};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DbErr, FromQueryResult, QueryResult};

use super::EntryFilter;
use crate::{
    error::Result,
    keyset::{Column, Cursor, List, Order, Reading, Term},
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

/// A line, and for which of several pages it was read.
struct Placed {
    place: i64,
    row: JournalLine,
}

impl FromQueryResult for Placed {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            place: row.try_get(prefix, "place")?,
            row: JournalLine::from_query_result(row, prefix)?,
        })
    }
}

/// Of each of these entries a page of its lines: one statement.
pub(super) async fn lines_of(
    db: &impl ConnectionTrait,
    entries: &[JournalEntryId],
    args: &PageArgs,
) -> Result<Vec<Page<JournalLine>>> {
    let window = args.window()?;
    let order = Order::new(Vec::new(), LINE);
    let after = args.after.as_deref();
    let after = after
        .map(|text| order.parse_cursor("after", text))
        .transpose()?;
    let mut sql = Sql::new("SELECT w.place, l.* FROM unnest(");
    sql.bind(uuids(entries)).push(
        "::uuid[]) WITH ORDINALITY AS w (entry, place) CROSS JOIN LATERAL (SELECT * FROM journal_line WHERE entry_id = w.entry",
    );
    if let Some(after) = &after {
        sql.push(" AND ");
        order.push_beyond(&mut sql, after, false);
    }
    order.push_order_by(&mut sql, false);
    sql.push(" LIMIT ")
        .bind(i64::from(window.size) + 1)
        .push(") l ORDER BY w.place, l.line");
    let rows = Placed::find_by_statement(sql.build()).all(db).await?;
    let empty = || Page {
        has_previous: after.is_some(),
        ..Page::default()
    };
    let mut pages: Vec<_> = entries.iter().map(|_| empty()).collect();
    for Placed { place, row } in rows {
        let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
        let Some(page) = pages.get_mut(place) else {
            continue;
        };
        if page.edges.len() == window.rows() {
            page.has_next = true;
        } else {
            let cursor = Cursor(vec![row.line.to_string()]);
            page.edges.push((cursor.encode(), row));
        }
    }
    Ok(pages)
}
