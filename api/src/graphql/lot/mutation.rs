//! What clients can do to lots.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    Permission,
    lot::{Lot as Row, LotChange},
};
use entity::id::LotId;

use super::{Lot, LotState};
use crate::graphql::{
    category::patch,
    context::ContextExt,
    date::Date,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
};

/// What is to be different about a lot. What is not given stays; null clears.
#[derive(InputObject)]
pub struct LotUpdateInput {
    /// Which lot.
    id: ID,
    /// Last day on which it is good.
    expires_on: MaybeUndefined<Date>,
    /// Number of its certificate.
    certificate_number: MaybeUndefined<String>,
    /// Hallmark id: six letters and digits, unique. Of serials only.
    huid: MaybeUndefined<String>,
    /// Whether it may be sold.
    state: Option<LotState>,
    /// Refuse when the lot's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of changing a lot.
#[derive(SimpleObject)]
pub struct LotUpdatePayload {
    /// The lot; null when it was refused.
    lot: Option<Lot>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of lots.
#[derive(Default)]
pub struct LotMutation;

#[Object(guard = "Needs(Permission::StockWrite)")]
impl LotMutation {
    /// Changes what is known of a lot, or puts it into quarantine or back. Needs `stock.write`.
    async fn lot_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lot, and what is to be different.")] input: LotUpdateInput,
    ) -> async_graphql::Result<LotUpdatePayload> {
        let (row, user_errors) = settle(ctx, update(ctx, input).await)?;
        Ok(LotUpdatePayload {
            lot: row.map(Lot::new),
            user_errors,
        })
    }
}

async fn update(ctx: &Context<'_>, input: LotUpdateInput) -> domain::Result<Row> {
    let LotUpdateInput {
        id,
        expires_on,
        certificate_number,
        huid,
        state,
        expected_version,
        idempotency_key,
    } = input;
    let id = LotId::parse("id", &id)?;
    let change = LotChange {
        expires_on: patch(expires_on.map_value(|Date(day)| day)),
        certificate_number: patch(certificate_number),
        huid: patch(huid),
        state: state.map(Into::into),
    };
    let lots = ctx.domain().lots();
    lots.update(
        ctx.viewer(),
        id,
        change,
        expected_version,
        idempotency_key.as_deref(),
    )
    .await
}
