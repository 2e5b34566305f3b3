//! What accounts have, what is available of it, and what they may not fall below.

use async_graphql::{ComplexObject, Context, ID, SimpleObject};
use chrono::{DateTime, Utc};
use domain::account::{AccountBalance as Row, AccountFloor as FloorRow};
use entity::id::DimensionValueId;

use super::AccountSide;
use crate::graphql::{
    decimal::Decimal, dimension::DimensionValue, id::GlobalId, journal::dimension_value,
};

/// What an account has of a commodity, or all accounts of a group together.
#[derive(SimpleObject)]
pub struct AccountBalance {
    /// Of what: a commodity's code.
    commodity: String,
    /// How much was debited altogether.
    debit: Decimal,
    /// How much was credited altogether.
    credit: Decimal,
    /// What it has: debited without credited, so negative on the credit side.
    balance: Decimal,
    /// How much is going to be debited: what is held now, whatever day is asked about.
    pending_debit: Decimal,
    /// How much is going to be credited: what is held now, whatever day is asked about.
    pending_credit: Decimal,
    /// What of it is available, counted on the account's usual side: without what is going to be taken away.
    available: Decimal,
}

impl AccountBalance {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        Self {
            balance: Decimal::shown(row.balance()),
            available: Decimal::shown(row.available()),
            commodity: row.commodity,
            debit: Decimal::shown(row.debit),
            credit: Decimal::shown(row.credit),
            pending_debit: Decimal::shown(row.pending_debit),
            pending_credit: Decimal::shown(row.pending_credit),
        }
    }
}

/// What an account, or one of its subsidiary accounts, may not fall below, with what is held against it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AccountFloor {
    /// Opaque id.
    id: ID,
    /// Of what: a commodity's code.
    commodity: String,
    /// On which side it is counted.
    side: AccountSide,
    /// The least that is there. Negative: the most on the other side, such as a credit limit.
    amount: Decimal,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    subsidiary_id: Option<DimensionValueId>,
}

impl AccountFloor {
    /// As clients see it.
    #[must_use]
    pub fn new(row: FloorRow) -> Self {
        let FloorRow {
            id,
            account_id: _,
            subsidiary_id,
            commodity,
            side,
            amount,
            version,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            commodity,
            side: side.into(),
            amount: Decimal::shown(amount),
            version,
            updated_at,
            subsidiary_id,
        }
    }
}

#[ComplexObject]
impl AccountFloor {
    /// Of which subsidiary account; null when it is about all of them together.
    async fn subsidiary(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DimensionValue>> {
        dimension_value(ctx, self.subsidiary_id).await
    }
}
