//! Trial balances: what each account had before, what went to each side of it, and what it had afterwards.

use entity::id::AccountId;
use rust_decimal::Decimal;
use sea_orm::ConnectionTrait;

use super::{
    Column, Scope,
    figures::{self, Only, Sides},
    tree,
};
use crate::error::Result;

/// What an account had in a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrialCell {
    /// Before it, debited without credited.
    pub opening: Decimal,
    /// What went to each side in it.
    pub turnover: Sides,
}

impl TrialCell {
    /// After it, debited without credited.
    #[must_use]
    pub fn closing(&self) -> Decimal {
        self.opening + self.turnover.balance()
    }
}

/// An account of a trial balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialRow {
    /// Which account.
    pub account_id: AccountId,
    /// Its code.
    pub code: String,
    /// A commodity's code.
    pub commodity: String,
    /// Column by column.
    pub cells: Vec<TrialCell>,
}

/// By the codes of accounts and commodities.
pub(crate) async fn balance(
    db: &impl ConnectionTrait,
    columns: &[Column],
    scope: &Scope,
) -> Result<Vec<TrialRow>> {
    let ends = columns.iter().map(|column| Column {
        from: None,
        until: column.until,
    });
    let read: Vec<_> = columns.iter().copied().chain(ends).collect();
    let mut figures = figures::read(db, &read, scope, Only::default()).await?;
    let mut rows = Vec::new();
    for node in tree::nodes(db).await? {
        let first = (node.id, String::new());
        let found: Vec<_> = figures
            .range(first..)
            .take_while(|((account, _), _)| *account == node.id)
            .map(|(key, _)| key.clone())
            .collect();
        for key in found {
            let Some(sides) = figures.remove(&key) else {
                continue;
            };
            let (turnovers, ends) = sides.split_at(columns.len());
            let cells = turnovers.iter().zip(ends).map(|(turnover, end)| TrialCell {
                opening: end.balance() - turnover.balance(),
                turnover: *turnover,
            });
            rows.push(TrialRow {
                account_id: node.id,
                code: node.code.clone(),
                commodity: key.1,
                cells: cells.collect(),
            });
        }
    }
    Ok(rows)
}
