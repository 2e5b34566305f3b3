//! What is said once for the whole shop, as clients see it and change it.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{
    Permission,
    shop::{Shop as Row, ShopChange},
};

use super::{
    context::ContextExt,
    error::OrGraphql,
    guard::Needs,
    payload::{UserError, settle},
};

/// What is said once for the whole shop.
#[derive(SimpleObject)]
pub struct Shop {
    /// In which everything in stock is valued: an ISO 4217 code.
    currency: String,
    /// How many digits behind the point its smallest unit has: values are in whole smallest units.
    currency_scale: i32,
    /// Where its days begin and end: an IANA name such as `Asia/Tehran`.
    time_zone: String,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
}

impl Shop {
    fn new(row: Row) -> Self {
        let Row {
            singleton: _,
            currency,
            currency_scale,
            time_zone,
            version,
            updated_at: _,
        } = row;
        Self {
            currency,
            currency_scale: i32::from(currency_scale),
            time_zone,
            version,
        }
    }
}

/// Queries about the shop.
#[derive(Default)]
pub struct ShopQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl ShopQuery {
    /// What is said once for the whole shop. Needs `catalogue.read`.
    async fn shop(&self, ctx: &Context<'_>) -> async_graphql::Result<Shop> {
        let viewer = ctx.viewer();
        let row = ctx.domain().shop().get(viewer).await;
        Ok(Shop::new(row.or_graphql(viewer)?))
    }
}

/// What is to be said for the whole shop. What is not given stays.
#[derive(InputObject)]
pub struct ShopSetInput {
    /// ISO 4217 code of the currency in which stock is valued. Cannot change any more once something in stock has a value.
    currency: Option<String>,
    /// IANA name of the time zone in which days begin and end, such as `Asia/Tehran`. In another one the days of time series are made anew.
    time_zone: Option<String>,
    /// Refuse when the version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of it.
#[derive(SimpleObject)]
pub struct ShopSetPayload {
    /// The shop; null when it was refused.
    shop: Option<Shop>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of the shop.
#[derive(Default)]
pub struct ShopMutation;

#[Object(guard = "Needs(Permission::ShopManage)")]
impl ShopMutation {
    /// Says in which currency stock is valued, and where days begin and end. Needs `shop.manage`.
    async fn shop_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be said.")] input: ShopSetInput,
    ) -> async_graphql::Result<ShopSetPayload> {
        let ShopSetInput {
            currency,
            time_zone,
            expected_version,
            idempotency_key,
        } = input;
        let change = ShopChange {
            currency,
            time_zone,
        };
        let shop = ctx.domain().shop();
        let key = idempotency_key.as_deref();
        let set = shop.set(ctx.viewer(), change, expected_version, key).await;
        let (row, user_errors) = settle(ctx, set)?;
        Ok(ShopSetPayload {
            shop: row.map(Shop::new),
            user_errors,
        })
    }
}
