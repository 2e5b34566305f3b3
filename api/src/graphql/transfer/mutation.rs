//! What clients can do to transfers.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Permission, Refusal,
    transfer::{LineStep, NewTransfer, WantedLine, WholeTransfer},
};
use entity::id::{ItemId, LocationId, LotId, StockTransferId};

use super::StockTransfer;
use crate::graphql::{
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
};

/// Something that is wanted.
#[derive(InputObject)]
pub struct StockTransferLineInput {
    /// Which item.
    item_id: ID,
    /// Of which lot or serial; it can be left to whoever picks.
    lot_id: Option<ID>,
    /// How many, in the item's unit: above 0, with at most 6 decimal places.
    quantity: Decimal,
}

/// A transfer to be.
#[derive(InputObject)]
pub struct StockTransferCreateInput {
    /// From where: a place in the shop.
    from_id: ID,
    /// To where: another place in the shop.
    to_id: ID,
    /// What: at most 1,000 lines.
    lines: Vec<StockTransferLineInput>,
    /// The paper behind it.
    document: Option<String>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What is picked of one line.
#[derive(InputObject)]
pub struct StockTransferPickLineInput {
    /// Which line, from 1.
    line: i32,
    /// Of which lot or serial; the one that was asked for without.
    lot_id: Option<ID>,
    /// How many: from 0 to what is wanted; all of that without.
    quantity: Option<Decimal>,
}

/// Goods to lay ready.
#[derive(InputObject)]
pub struct StockTransferPickInput {
    /// Which transfer.
    id: ID,
    /// What is picked otherwise than as it is wanted. Lines of which nothing is said are picked whole.
    #[graphql(default)]
    lines: Vec<StockTransferPickLineInput>,
    /// Refuse when the transfer's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What one line weighs.
#[derive(InputObject)]
pub struct StockTransferSendLineInput {
    /// Which line, from 1.
    line: i32,
    /// What all of it weighs, without stones, in grams. Of an item that is weighed; without, all that is there, when all pieces go.
    weight: Decimal,
}

/// Goods to send.
#[derive(InputObject)]
pub struct StockTransferSendInput {
    /// Which transfer.
    id: ID,
    /// What lines weigh.
    #[graphql(default)]
    lines: Vec<StockTransferSendLineInput>,
    /// Refuse when the transfer's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What has arrived of one line.
#[derive(InputObject)]
pub struct StockTransferReceiveLineInput {
    /// Which line, from 1.
    line: i32,
    /// How many: from 0 to what is on its way; all of that without.
    quantity: Option<Decimal>,
    /// What those weigh, without stones, in grams. Of an item that is weighed, when not all of it arrives at once; what arrives whole weighs
    /// what was sent, and if a scale says otherwise, that is adjusted afterwards.
    weight: Option<Decimal>,
}

/// Goods that arrive.
#[derive(InputObject)]
pub struct StockTransferReceiveInput {
    /// Which transfer.
    id: ID,
    /// What arrives otherwise than whole. Lines of which nothing is said arrive whole.
    #[graphql(default)]
    lines: Vec<StockTransferReceiveLineInput>,
    /// Whether nothing more will come: what has not arrived by now is missing, and is written off as lost.
    #[graphql(default)]
    is_last: bool,
    /// Refuse when the transfer's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A transfer to call off.
#[derive(InputObject)]
pub struct StockTransferCancelInput {
    /// Which transfer.
    id: ID,
    /// Refuse when the transfer's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! transfer_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The transfer; null when it was refused.
            transfer: Option<StockTransfer>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: Outcome) -> async_graphql::Result<Self> {
                let (whole, user_errors) = settle(ctx, result)?;
                let transfer = whole.map(|whole| StockTransfer::new(whole.transfer));
                Ok(Self { transfer, user_errors })
            }
        }
    )+};
}

transfer_payloads! {
    /// What became of asking for a transfer.
    StockTransferCreatePayload,
    /// What became of picking.
    StockTransferPickPayload,
    /// What became of sending.
    StockTransferSendPayload,
    /// What became of receiving.
    StockTransferReceivePayload,
    /// What became of calling a transfer off.
    StockTransferCancelPayload,
}

/// Mutations of transfers.
#[derive(Default)]
pub struct TransferMutation;

#[Object(guard = "Needs(Permission::StockWrite)")]
impl TransferMutation {
    /// Asks another place for goods. Nothing is held or moved yet. Needs `stock.write`.
    async fn stock_transfer_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is wanted, from where and to where.")]
        input: StockTransferCreateInput,
    ) -> async_graphql::Result<StockTransferCreatePayload> {
        StockTransferCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Lays goods ready: they are held where they lie. Needs `stock.write`.
    async fn stock_transfer_pick(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which transfer, and what of it.")] input: StockTransferPickInput,
    ) -> async_graphql::Result<StockTransferPickPayload> {
        StockTransferPickPayload::of(ctx, pick(ctx, input).await)
    }

    /// Sends what was picked: it is in transit from now on. Needs `stock.write`.
    async fn stock_transfer_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which transfer, and what it weighs.")] input: StockTransferSendInput,
    ) -> async_graphql::Result<StockTransferSendPayload> {
        StockTransferSendPayload::of(ctx, send(ctx, input).await)
    }

    /// Takes in what has arrived: all, or a part; and writes off what is missing. Needs `stock.write`.
    async fn stock_transfer_receive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which transfer, and what of it.")] input: StockTransferReceiveInput,
    ) -> async_graphql::Result<StockTransferReceivePayload> {
        StockTransferReceivePayload::of(ctx, receive(ctx, input).await)
    }

    /// Calls a transfer off that is not on its way yet. Needs `stock.write`.
    async fn stock_transfer_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which transfer.")] input: StockTransferCancelInput,
    ) -> async_graphql::Result<StockTransferCancelPayload> {
        StockTransferCancelPayload::of(ctx, cancel(ctx, input).await)
    }
}

type Outcome = domain::Result<WholeTransfer>;

async fn create(ctx: &Context<'_>, input: StockTransferCreateInput) -> Outcome {
    let StockTransferCreateInput {
        from_id,
        to_id,
        lines,
        document,
        note,
        idempotency_key,
    } = input;
    let lines = lines.into_iter().enumerate().map(|(row, line)| {
        let StockTransferLineInput {
            item_id,
            lot_id,
            quantity,
        } = line;
        let lot = lot_id.map(|id| LotId::parse(&format!("lines.{row}.lotId"), &id));
        Ok(WantedLine {
            item_id: ItemId::parse(&format!("lines.{row}.itemId"), &item_id)?,
            lot_id: lot.transpose()?,
            quantity: quantity.0,
        })
    });
    let new = NewTransfer {
        from_id: LocationId::parse("fromId", &from_id)?,
        to_id: LocationId::parse("toId", &to_id)?,
        lines: lines.collect::<Result<_, Refusal>>()?,
        document,
        note,
    };
    let transfers = ctx.domain().transfers();
    transfers
        .create(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn pick(ctx: &Context<'_>, input: StockTransferPickInput) -> Outcome {
    let StockTransferPickInput {
        id,
        lines,
        expected_version,
        idempotency_key,
    } = input;
    let steps = lines.into_iter().enumerate().map(|(row, line)| {
        let StockTransferPickLineInput {
            line,
            lot_id,
            quantity,
        } = line;
        let lot = lot_id.map(|id| LotId::parse(&format!("lines.{row}.lotId"), &id));
        Ok(LineStep {
            line,
            lot_id: lot.transpose()?,
            quantity: quantity.map(|Decimal(quantity)| quantity),
            weight: None,
        })
    });
    let id = StockTransferId::parse("id", &id)?;
    let steps = steps.collect::<Result<_, Refusal>>()?;
    let key = idempotency_key.as_deref();
    let transfers = ctx.domain().transfers();
    transfers
        .pick(ctx.viewer(), id, steps, expected_version, key)
        .await
}

async fn send(ctx: &Context<'_>, input: StockTransferSendInput) -> Outcome {
    let StockTransferSendInput {
        id,
        lines,
        expected_version,
        idempotency_key,
    } = input;
    let steps = lines.into_iter().map(|line| {
        let StockTransferSendLineInput { line, weight } = line;
        LineStep {
            line,
            lot_id: None,
            quantity: None,
            weight: Some(weight.0),
        }
    });
    let id = StockTransferId::parse("id", &id)?;
    let key = idempotency_key.as_deref();
    let transfers = ctx.domain().transfers();
    transfers
        .send(ctx.viewer(), id, steps.collect(), expected_version, key)
        .await
}

async fn receive(ctx: &Context<'_>, input: StockTransferReceiveInput) -> Outcome {
    let StockTransferReceiveInput {
        id,
        lines,
        is_last,
        expected_version,
        idempotency_key,
    } = input;
    let steps = lines.into_iter().map(|line| {
        let StockTransferReceiveLineInput {
            line,
            quantity,
            weight,
        } = line;
        LineStep {
            line,
            lot_id: None,
            quantity: quantity.map(|Decimal(quantity)| quantity),
            weight: weight.map(|Decimal(weight)| weight),
        }
    });
    let id = StockTransferId::parse("id", &id)?;
    let key = idempotency_key.as_deref();
    let transfers = ctx.domain().transfers();
    transfers
        .receive(
            ctx.viewer(),
            id,
            steps.collect(),
            is_last,
            expected_version,
            key,
        )
        .await
}

async fn cancel(ctx: &Context<'_>, input: StockTransferCancelInput) -> Outcome {
    let StockTransferCancelInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = StockTransferId::parse("id", &id)?;
    let key = idempotency_key.as_deref();
    let transfers = ctx.domain().transfers();
    transfers
        .cancel(ctx.viewer(), id, expected_version, key)
        .await
}
