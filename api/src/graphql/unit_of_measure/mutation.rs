//! What clients can do to units.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Permission,
    unit_of_measure::{NewUnitOfMeasure, UnitOfMeasure as Row, UnitOfMeasureChange},
};
use entity::id::UnitOfMeasureId;

use super::{Dimension, UnitOfMeasure};
use crate::graphql::{
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
    translation::{self, Translation},
};

/// A unit to be.
#[derive(InputObject)]
pub struct UnitOfMeasureCreateInput {
    /// Stable name for programs: unique; lower case letters, digits and `_`.
    code: String,
    /// Name, in at least one language.
    name: Vec<Translation>,
    /// What it measures.
    dimension: Dimension,
    /// One unit is numerator / denominator base units of its dimension: whole, from 1 to 10^18.
    numerator: Decimal,
    /// See `numerator`.
    #[graphql(default_with = "Decimal(1.into())")]
    denominator: Decimal,
    /// As people write it behind a number; at most 50, each of at most 40 characters.
    #[graphql(default)]
    spellings: Vec<String>,
    /// Take spellings that another unit has as well: wherever one of them is read, it is refused as `AMBIGUOUS`.
    #[graphql(default)]
    allow_ambiguous_spellings: bool,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A change of a unit. What is not given stays; its code always does.
#[derive(InputObject)]
pub struct UnitOfMeasureUpdateInput {
    /// Which unit.
    id: ID,
    /// Its name in all languages.
    name: Option<Vec<Translation>>,
    /// What it measures. Refused once an item is counted or an attribute told in it.
    dimension: Option<Dimension>,
    /// One unit is numerator / denominator base units of its dimension. Refused once an item is counted or an attribute told in it.
    numerator: Option<Decimal>,
    /// See `numerator`.
    denominator: Option<Decimal>,
    /// All its spellings.
    spellings: Option<Vec<String>>,
    /// Take spellings that another unit has as well: wherever one of them is read, it is refused as `AMBIGUOUS`.
    #[graphql(default)]
    allow_ambiguous_spellings: bool,
    /// Refuse when the unit's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! unit_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The unit; null when it was refused.
            unit_of_measure: Option<UnitOfMeasure>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: domain::Result<Row>) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                Ok(Self { unit_of_measure: row.map(|row| UnitOfMeasure::new(ctx, row)), user_errors })
            }
        }
    )+};
}

unit_payloads! {
    /// What became of creating a unit.
    UnitOfMeasureCreatePayload,
    /// What became of changing a unit.
    UnitOfMeasureUpdatePayload,
}

/// Mutations of units.
#[derive(Default)]
pub struct UnitOfMeasureMutation;

#[Object(guard = "Needs(Permission::CatalogueWrite)")]
impl UnitOfMeasureMutation {
    /// Creates a unit. Needs `catalogue.write`.
    async fn unit_of_measure_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The unit to be.")] input: UnitOfMeasureCreateInput,
    ) -> async_graphql::Result<UnitOfMeasureCreatePayload> {
        UnitOfMeasureCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Changes a unit. What it is worth stays once an item is counted or an attribute told in it, and that of base units always. Needs
    /// `catalogue.write`.
    async fn unit_of_measure_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which unit, and what is to be different.")]
        input: UnitOfMeasureUpdateInput,
    ) -> async_graphql::Result<UnitOfMeasureUpdatePayload> {
        UnitOfMeasureUpdatePayload::of(ctx, update(ctx, input).await)
    }
}

async fn create(ctx: &Context<'_>, input: UnitOfMeasureCreateInput) -> domain::Result<Row> {
    let UnitOfMeasureCreateInput {
        code,
        name,
        dimension,
        numerator,
        denominator,
        spellings,
        allow_ambiguous_spellings,
        idempotency_key,
    } = input;
    let new = NewUnitOfMeasure {
        code,
        name: translation::input("name", name)?,
        dimension: dimension.into(),
        numerator: numerator.0,
        denominator: denominator.0,
        spellings,
        allow_ambiguous_spellings,
    };
    ctx.domain()
        .units_of_measure()
        .create(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn update(ctx: &Context<'_>, input: UnitOfMeasureUpdateInput) -> domain::Result<Row> {
    let UnitOfMeasureUpdateInput {
        id,
        name,
        dimension,
        numerator,
        denominator,
        spellings,
        allow_ambiguous_spellings,
        expected_version,
        idempotency_key,
    } = input;
    let id = UnitOfMeasureId::parse("id", &id)?;
    let change = UnitOfMeasureChange {
        name: name
            .map(|name| translation::input("name", name))
            .transpose()?,
        dimension: dimension.map(Into::into),
        numerator: numerator.map(|numerator| numerator.0),
        denominator: denominator.map(|denominator| denominator.0),
        spellings,
        allow_ambiguous_spellings,
    };
    ctx.domain()
        .units_of_measure()
        .update(
            ctx.viewer(),
            id,
            change,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}
