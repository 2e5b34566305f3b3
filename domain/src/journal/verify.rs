//! The proof that the books are what their lines make them, whoever wrote them and with which rights.

use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    sql::statement,
};

/// Most differences that are told.
pub const DIFFERENCES_MAX: i64 = 1_000;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What sort of thing: `lines`, `balance`, `line`, `numbers`, `fiscal_year`, `reversal`, `turnover`, `subsidiary`,
    /// `subsidiary_turnover`, `hold`, `closing`, `period`, `stock`, `stock_booked`, `stock_landed_cost` or `revaluation`.
    pub kind: String,
    /// Of what.
    pub subject: String,
    /// What it should be.
    pub expected: Option<String>,
    /// What it is.
    pub actual: Option<String>,
}

/// What was found.
pub(super) struct Found {
    /// How many differences there are.
    pub(super) count: i64,
    /// The first of them, by kind and subject.
    pub(super) first: Vec<Difference>,
}

#[derive(FromQueryResult)]
struct Row {
    count: i64,
    kind: Option<String>,
    subject: Option<String>,
    expected: Option<String>,
    actual: Option<String>,
}

/// One statement: it sees one moment, and reads every line.
const PROOF: &str = "
    WITH wrong AS MATERIALIZED (
        SELECT * FROM journal_verify() UNION ALL SELECT * FROM stock_books_verify() UNION ALL SELECT * FROM revaluation_verify()
    )
    SELECT (SELECT count(*) FROM wrong) AS count, w.kind, w.subject, w.expected, w.actual
    FROM (VALUES (1)) one (row) LEFT JOIN LATERAL (SELECT * FROM wrong ORDER BY kind, subject LIMIT $1) w ON true
    ORDER BY w.kind, w.subject";

pub(super) async fn find(db: &impl ConnectionTrait) -> Result<Found> {
    let rows = Row::find_by_statement(statement(PROOF, [DIFFERENCES_MAX.into()]));
    let rows = rows.all(db).await?;
    let count = rows.first().map(|row| row.count);
    Ok(Found {
        count: count.ok_or_else(|| Error::internal("a proof without a row"))?,
        first: rows.into_iter().filter_map(difference).collect(),
    })
}

/// None where there is none.
fn difference(row: Row) -> Option<Difference> {
    Some(Difference {
        kind: row.kind?,
        subject: row.subject?,
        expected: row.expected,
        actual: row.actual,
    })
}
