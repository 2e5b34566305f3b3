//! What went to each side of each account in each column of a report: one statement, whatever the columns are.
//!
//! Of all lines it is read from turnovers, and what was recorded after the moment that is asked for is taken away again: that is little
//! when the moment is not long ago, and exact always. At a location, or for a cost centre, it is read from lines.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::id::AccountId;
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{
    Column, Scope,
    span::{Piece, Spans},
};
use crate::{error::Result, sql::Sql};

/// What went to each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// How much was debited.
    pub debit: Decimal,
    /// How much was credited.
    pub credit: Decimal,
}

impl Sides {
    /// What there is: debited without credited.
    #[must_use]
    pub fn balance(self) -> Decimal {
        self.debit - self.credit
    }

    pub(super) fn add(&mut self, other: Self) {
        self.debit += other.debit;
        self.credit += other.credit;
    }
}

/// By account and commodity, what went to each side in each column.
pub(super) type Figures = BTreeMap<(AccountId, String), Vec<Sides>>;

/// What is left out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Only {
    /// Entries that end a fiscal year do not count.
    pub(super) except_closing: bool,
    /// Nothing but metals.
    pub(super) metals: bool,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    account_id: AccountId,
    commodity: String,
    interval: i32,
    debit: Decimal,
    credit: Decimal,
}

/// Reads the figures.
pub(super) async fn read(
    db: &impl ConnectionTrait,
    columns: &[Column],
    scope: &Scope,
    only: Only,
) -> Result<Figures> {
    let spans = Spans::of(columns);
    let mut sql = Sql::new(
        "SELECT t.account_id, t.commodity, t.interval, sum(t.debit) AS debit, sum(t.credit) AS credit FROM (",
    );
    if scope.is_of_lines() {
        push_lines(&mut sql, &spans, scope, only);
    } else {
        push_turnovers(&mut sql, &spans, scope, only);
    }
    sql.push(") t");
    if only.metals {
        sql.push(" JOIN commodity m ON m.code = t.commodity AND m.kind = 'metal'");
    }
    sql.push(
        " GROUP BY t.account_id, t.commodity, t.interval HAVING sum(t.debit) <> 0 OR sum(t.credit) <> 0",
    );
    let rows = Row::find_by_statement(sql.build()).all(db).await?;
    Ok(summed(&spans, columns.len(), rows))
}

fn push_turnovers(sql: &mut Sql, spans: &Spans, scope: &Scope, only: Only) {
    sql.push("SELECT o.account_id, o.commodity, p.interval, o.debit, o.credit FROM ");
    push_pieces(sql, &spans.pieces());
    sql.push(
        " CROSS JOIN LATERAL (SELECT account_id, commodity, debit, credit FROM account_turnover
                              WHERE span = p.span AND since >= p.since AND since <= p.until OFFSET 0) o",
    );
    if let Some(known) = scope.known_at {
        push_taken_away(sql, spans);
        sql.push(" WHERE e.recorded_at > ").bind(known);
    }
    if only.except_closing {
        push_taken_away(sql, spans);
        // And what undoes such an entry, when its year is opened again.
        sql.push(
            " WHERE e.id = ANY (ARRAY(SELECT id FROM journal_entry WHERE kind = 'closing' UNION ALL
                                      SELECT r.id FROM journal_entry c JOIN journal_entry r ON r.reverses_id = c.id WHERE c.kind = 'closing'))",
        );
        scope.push_known(sql);
    }
}

/// Lines of entries that are to be taken away from the turnovers again: which ones, the condition behind it says.
fn push_taken_away(sql: &mut Sql, spans: &Spans) {
    sql.push(
        " UNION ALL
         SELECT l.account_id, l.commodity, p.interval, CASE WHEN l.is_debit THEN -l.amount ELSE 0 END, CASE WHEN l.is_debit THEN 0 ELSE -l.amount END
         FROM journal_entry e JOIN ",
    );
    push_intervals(sql, spans);
    sql.push(
        " ON e.date >= p.since AND e.date <= p.until JOIN journal_line l ON l.entry_id = e.id",
    );
}

fn push_lines(sql: &mut Sql, spans: &Spans, scope: &Scope, only: Only) {
    sql.push(
        "SELECT l.account_id, l.commodity, p.interval, CASE WHEN l.is_debit THEN l.amount ELSE 0 END AS debit,
                CASE WHEN l.is_debit THEN 0 ELSE l.amount END AS credit
         FROM journal_line l JOIN ",
    );
    push_intervals(sql, spans);
    sql.push(" ON l.date >= p.since AND l.date <= p.until");
    if scope.known_at.is_some() || only.except_closing {
        sql.push(" JOIN journal_entry e ON e.id = l.entry_id");
    }
    sql.push(" WHERE true");
    scope.push_lines(sql);
    scope.push_known(sql);
    if only.except_closing {
        sql.push(
            " AND e.kind <> 'closing'
              AND NOT EXISTS (SELECT FROM journal_entry c WHERE c.id = e.reverses_id AND c.kind = 'closing')",
        );
    }
}

/// The turnovers that make up intervals, as `p (interval, span, since, until)`.
pub(super) fn push_pieces(sql: &mut Sql, pieces: &[Piece]) {
    let places: Vec<_> = pieces.iter().map(|piece| place(piece.interval)).collect();
    let names = pieces.iter().map(|piece| piece.span.as_str().to_owned());
    let since: Vec<_> = pieces.iter().map(|piece| piece.since).collect();
    let until: Vec<_> = pieces.iter().map(|piece| piece.until).collect();
    sql.push("unnest(");
    sql.bind(places).push("::int4[], ");
    sql.bind(names.collect::<Vec<_>>()).push("::text[], ");
    sql.bind(since).push("::date[], ");
    sql.bind(until)
        .push("::date[]) p (interval, span, since, until)");
}

/// The days of the intervals, as `p (interval, since, until)`.
pub(super) fn push_intervals(sql: &mut Sql, spans: &Spans) {
    let needed = spans.needed();
    let places: Vec<_> = needed
        .iter()
        .map(|(interval, _)| place(*interval))
        .collect();
    let since: Vec<_> = needed.iter().map(|(_, days)| days.since).collect();
    let until: Vec<NaiveDate> = needed.iter().map(|(_, days)| days.until).collect();
    sql.push("unnest(");
    sql.bind(places).push("::int4[], ");
    sql.bind(since).push("::date[], ");
    sql.bind(until).push("::date[]) p (interval, since, until)");
}

fn place(interval: usize) -> i32 {
    i32::try_from(interval).unwrap_or(i32::MAX)
}

fn summed(spans: &Spans, columns: usize, rows: Vec<Row>) -> Figures {
    let mut figures = Figures::new();
    for row in rows {
        let Row {
            account_id,
            commodity,
            interval,
            debit,
            credit,
        } = row;
        let cells = figures.entry((account_id, commodity));
        let cells = cells.or_insert_with(|| vec![Sides::default(); columns]);
        let interval = usize::try_from(interval).unwrap_or(usize::MAX);
        for column in spans.columns_of(interval) {
            if let Some(cell) = cells.get_mut(column) {
                cell.add(Sides { debit, credit });
            }
        }
    }
    figures
}
