//! The proof that the books are what their lines make them, whoever wrote them and with which rights.

use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::{error::Result, sql::statement};

/// Most differences that are told.
pub const DIFFERENCES_MAX: i64 = 1_000;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Difference {
    /// What sort of thing: `lines`, `balance`, `line`, `numbers`, `fiscal_year`, `reversal`, `turnover`, `period`, `stock`, `stock_booked`,
    /// `stock_landed_cost` or `revaluation`.
    pub kind: String,
    /// Of what.
    pub subject: String,
    /// What it should be.
    pub expected: Option<String>,
    /// What it is.
    pub actual: Option<String>,
}

/// One statement: it sees one moment, and reads every line.
pub(super) async fn differences(db: &impl ConnectionTrait) -> Result<Vec<Difference>> {
    let sql = "SELECT kind, subject, expected, actual FROM (SELECT * FROM journal_verify() UNION ALL SELECT * FROM stock_books_verify()
                                                            UNION ALL SELECT * FROM revaluation_verify()) d
                ORDER BY kind, subject LIMIT $1";
    let rows = Difference::find_by_statement(statement(sql, [DIFFERENCES_MAX.into()]));
    Ok(rows.all(db).await?)
}
