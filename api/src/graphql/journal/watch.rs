//! What accounts have, whenever it changes, as clients hear of it.

use async_graphql::{ComplexObject, Context, ID, SimpleObject};
use domain::{
    event::Event,
    journal::{Watched, WatchedBalance},
};
use entity::id::AccountId;

use crate::graphql::{
    account::Account,
    context::ContextExt,
    decimal::Decimal,
    error::OrGraphql,
    event::EventPosition,
    id::GlobalId,
    loader::{load, preload},
};

/// Something was posted to accounts that are watched.
#[derive(SimpleObject)]
pub struct AccountBalanceChangedEvent {
    /// Place in the sequence of the event after which it is so. What several entries have changed meanwhile is told together, and once.
    position: EventPosition,
    /// The accounts, by their codes: those that were posted to.
    changes: Vec<AccountBalanceChange>,
}

/// What an account has by now.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AccountBalanceChange {
    /// Of what, by the codes of commodities: each that was ever posted to the account.
    balances: Vec<CommodityBalance>,
    #[graphql(skip)]
    account_id: AccountId,
}

/// What an account has of a commodity, of whatever day it is.
#[derive(SimpleObject)]
pub struct CommodityBalance {
    /// A commodity's code.
    commodity: String,
    /// How much was debited altogether.
    debit: Decimal,
    /// How much was credited altogether.
    credit: Decimal,
    /// What it has: debited without credited, so negative on the credit side.
    balance: Decimal,
}

#[ComplexObject]
impl AccountBalanceChange {
    /// Which account: no group.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Account>> {
        let row = load(ctx, self.account_id).await?;
        Ok(row.map(|row| Account::new(ctx, row)))
    }
}

/// The accounts and groups with these ids.
///
/// # Errors
/// The domain's error, translated.
pub async fn watched(ctx: &Context<'_>, ids: &[ID]) -> async_graphql::Result<Watched> {
    let viewer = ctx.viewer();
    let accounts = ids.iter().enumerate();
    let accounts = accounts.map(|(place, id)| AccountId::parse(&format!("accountIds.{place}"), id));
    let accounts: Result<Vec<_>, _> = accounts.collect();
    let accounts = accounts.map_err(Into::into).or_graphql(viewer)?;
    let watched = ctx.domain().journal().watch(viewer, &accounts).await;
    watched.or_graphql(viewer)
}

/// What these events have changed, told once, at the position of the last.
///
/// # Errors
/// The domain's error, translated.
pub async fn balances(
    ctx: &Context<'_>,
    watched: &Watched,
    events: Vec<Event>,
) -> async_graphql::Result<Vec<AccountBalanceChangedEvent>> {
    let last = events.last().and_then(|event| event.position);
    let Some((position, touched)) = last.zip(watched.touched(&events)) else {
        return Ok(Vec::new());
    };
    let viewer = ctx.viewer();
    let rows = ctx.domain().journal();
    let rows = rows.watched_balances(viewer, watched, &touched).await;
    let rows = rows.or_graphql(viewer)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    preload(ctx, rows.iter().map(|row| row.account_id)).await?;
    let of_accounts = rows.chunk_by(|one, next| one.account_id == next.account_id);
    let changes = of_accounts.filter_map(|rows| {
        Some(AccountBalanceChange {
            account_id: rows.first()?.account_id,
            balances: rows.iter().map(CommodityBalance::new).collect(),
        })
    });
    Ok(vec![AccountBalanceChangedEvent {
        position: EventPosition(position),
        changes: changes.collect(),
    }])
}

impl CommodityBalance {
    fn new(row: &WatchedBalance) -> Self {
        Self {
            commodity: row.commodity.clone(),
            debit: Decimal::shown(row.debit),
            credit: Decimal::shown(row.credit),
            balance: Decimal::shown(row.balance()),
        }
    }
}
