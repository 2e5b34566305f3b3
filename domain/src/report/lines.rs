//! The lines behind a figure, in pages.

use entity::{account::Kind, id::AccountId, journal_line::Model as JournalLine};
use sea_orm::{ActiveEnum as _, ConnectionTrait, FromQueryResult};

use super::{Column, Scope};
use crate::{
    account::parse_commodity,
    error::Result,
    keyset::{Column as KeyColumn, Cursor, Order, Term},
    page::{Page, PageArgs},
    sql::Sql,
};

/// Which lines. All that is given must hold.
#[derive(Clone, Debug)]
pub struct LinesOf {
    /// Of this account, or of all below this group; of any without.
    pub account_id: Option<AccountId>,
    /// Of accounts of one of these kinds; of any without.
    pub kinds: Option<Vec<Kind>>,
    /// Of this commodity; of any without.
    pub commodity: Option<String>,
    /// Of these days.
    pub column: Column,
    /// Where, and as known when.
    pub scope: Scope,
    /// Without entries that end fiscal years, and what undoes such.
    pub except_closing: bool,
}

/// By day, by number, by line. A day lies in one fiscal year, and numbers are unique in it.
fn order() -> Order {
    let term = |sql, cast| Term {
        column: KeyColumn { sql, cast },
        descending: false,
    };
    let line = KeyColumn {
        sql: "line",
        cast: "int4",
    };
    Order::new(vec![term("date", "date"), term("number", "int8")], line)
}

/// A page: of each account as many lines as the page has, over the account's own index, and of these the first.
pub(super) async fn page(
    db: &impl ConnectionTrait,
    of: &LinesOf,
    args: &PageArgs,
) -> Result<Page<JournalLine>> {
    let window = args.window()?;
    let after = args.after.as_deref();
    let after = after
        .map(|text| order().parse_cursor("after", text))
        .transpose()?;
    let commodity = of.commodity.as_deref();
    let commodity = commodity
        .map(|code| parse_commodity("commodity", code))
        .transpose()?;
    let limit = i64::from(window.size) + 1;
    let mut sql = Sql::new("SELECT f.* FROM account a ");
    match &commodity {
        Some(code) => {
            sql.push("CROSS JOIN (SELECT ")
                .bind(code.as_str())
                .push("::text AS code) c");
        }
        None => {
            sql.push("CROSS JOIN LATERAL (SELECT DISTINCT commodity AS code FROM account_turnover WHERE account_id = a.id) c");
        }
    }
    sql.push(" CROSS JOIN LATERAL (SELECT l.* FROM journal_line l WHERE l.account_id = a.id AND l.commodity = c.code");
    push_conditions(&mut sql, of);
    if let Some(after) = &after {
        sql.push(" AND ");
        order().push_beyond(&mut sql, after, false);
    }
    order().push_order_by(&mut sql, false);
    sql.push(" LIMIT ")
        .bind(limit)
        .push(") f WHERE NOT a.is_group");
    if let Some(account) = of.account_id {
        sql.push(" AND a.path <@ (SELECT path FROM account WHERE id = ")
            .bind(account)
            .push(")");
    }
    if let Some(kinds) = &of.kinds {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_value()).collect();
        sql.push(" AND a.kind = ANY(").bind(kinds).push(")");
    }
    sql.push(" ORDER BY f.date, f.number, f.line LIMIT ")
        .bind(limit);
    let mut lines = JournalLine::find_by_statement(sql.build()).all(db).await?;
    let has_next = lines.len() > window.rows();
    lines.truncate(window.rows());
    let edges = lines.into_iter().map(|line| {
        let cursor = Cursor(vec![
            line.date.to_string(),
            line.number.to_string(),
            line.line.to_string(),
        ]);
        (cursor.encode(), line)
    });
    Ok(Page {
        edges: edges.collect(),
        has_next,
        has_previous: after.is_some(),
    })
}

fn push_conditions(sql: &mut Sql, of: &LinesOf) {
    if let Some(from) = of.column.from {
        sql.push(" AND l.date >= ").bind(from);
    }
    sql.push(" AND l.date <= ").bind(of.column.until);
    of.scope.push_all(sql);
    if of.except_closing {
        sql.push(" AND NOT EXISTS (SELECT FROM journal_entry e WHERE e.id = l.entry_id AND e.kind = 'closing')");
        sql.push(
            " AND NOT EXISTS (SELECT FROM journal_entry e JOIN journal_entry c ON c.id = e.reverses_id
                              WHERE e.id = l.entry_id AND c.kind = 'closing')",
        );
    }
}
