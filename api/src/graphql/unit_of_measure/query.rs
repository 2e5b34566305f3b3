//! What quantities are in other units, and what people mean by what they write.

use async_graphql::{Context, ID, Object, OneofObject, SimpleObject};
use domain::{Permission, Refusal, fineness, unit_of_measure as rules, weight};
use entity::id::UnitOfMeasureId;

use super::UnitOfMeasure;
use crate::graphql::{
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, answered},
};

/// How to name one unit: by exactly one of these.
#[derive(OneofObject)]
pub enum UnitOfMeasureBy {
    /// Its id.
    Id(ID),
    /// Its stable name for programs, such as `troy_ounce`.
    Code(String),
}

impl UnitOfMeasureBy {
    fn parse(self, path: &str) -> Result<rules::UnitOfMeasureBy, Refusal> {
        Ok(match self {
            Self::Id(id) => {
                rules::UnitOfMeasureBy::Id(UnitOfMeasureId::parse(&format!("{path}.id"), &id)?)
            }
            Self::Code(code) => rules::UnitOfMeasureBy::Code(code),
        })
    }
}

/// A quantity in another unit.
#[derive(SimpleObject)]
pub struct ConvertedQuantity {
    /// How many of `unit`.
    value: Decimal,
    /// Whether it is that exactly; if not, no decimal number is, and it was rounded half to even at 12 decimal places.
    exact: bool,
    /// The unit that `value` counts.
    unit: UnitOfMeasure,
}

/// A weight that was read.
#[derive(SimpleObject)]
pub struct ParsedWeight {
    /// The weight in grams, with at most 6 decimal places.
    grams: Decimal,
    /// Whether it is what was written; if not, that was finer than a microgram, and was rounded half to even.
    exact: bool,
}

impl From<weight::ParsedWeight> for ParsedWeight {
    fn from(weight::ParsedWeight { weight, exact }: weight::ParsedWeight) -> Self {
        Self {
            grams: Decimal(weight.grams()),
            exact,
        }
    }
}

/// How much of an alloy is the noble metal.
#[derive(SimpleObject)]
pub struct Fineness {
    /// Parts of noble metal in a thousand, with at most 3 decimal places, as it was written: 916.667 for 22 karat, 916 for 916.
    parts_per_thousand: Decimal,
    /// What somebody who looks for it takes for the same.
    alike: FinenessRange,
}

/// From one fineness to another, both included.
#[derive(SimpleObject)]
pub struct FinenessRange {
    /// The lowest, in parts per thousand.
    min: Decimal,
    /// The highest, in parts per thousand.
    max: Decimal,
}

impl From<fineness::Fineness> for Fineness {
    fn from(fineness: fineness::Fineness) -> Self {
        let parts = |fineness: fineness::Fineness| Decimal(fineness.parts_per_thousand());
        let (min, max) = fineness.alike();
        Self {
            parts_per_thousand: parts(fineness),
            alike: FinenessRange {
                min: parts(min),
                max: parts(max),
            },
        }
    }
}

macro_rules! results {
    ($($(#[$doc:meta])+ $name:ident { $(#[$field_doc:meta])+ $field:ident: $kind:ty }),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            $(#[$field_doc])+
            $field: Option<$kind>,
            /// Why there is none; empty when there is one.
            user_errors: Vec<UserError>,
        }
    )+};
}

results! {
    /// What became of a conversion.
    UnitConvertResult {
        /// The quantity in the other unit; null when it was refused.
        converted: ConvertedQuantity
    },
    /// What a text says as a weight.
    WeightParseResult {
        /// The weight; null when the text is none.
        weight: ParsedWeight
    },
    /// What a text says as a fineness.
    FinenessParseResult {
        /// The fineness; null when the text is none.
        fineness: Fineness
    },
}

/// Queries that calculate and read, and list nothing.
#[derive(Default)]
pub struct MeasureQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl MeasureQuery {
    /// A quantity in another unit of the same dimension, exactly where a decimal number can hold it.
    async fn unit_convert(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many of `from`.")] value: Decimal,
        #[graphql(desc = "The unit that `value` counts.")] from: UnitOfMeasureBy,
        #[graphql(desc = "The unit that is wanted.")] to: UnitOfMeasureBy,
    ) -> async_graphql::Result<UnitConvertResult> {
        let (done, user_errors) = answered(ctx, convert(ctx, value, from, to).await)?;
        let converted = done.map(
            |(rules::Converted { value, exact }, unit)| ConvertedQuantity {
                value: Decimal(value),
                exact,
                unit: UnitOfMeasure::new(ctx, unit),
            },
        );
        Ok(UnitConvertResult {
            converted,
            user_errors,
        })
    }

    /// The weight that a text says, in any script: `2 tola`, `0.5 ozt`, `۲٫۵ گرم`. A number alone is grams. What can be read in several
    /// ways (`1,5`, `5 oz`) is refused as `AMBIGUOUS`, with the readings in the message.
    async fn weight_parse(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What somebody wrote; at most 60 characters.")] text: String,
    ) -> async_graphql::Result<WeightParseResult> {
        let parsed = ctx.domain().units_of_measure();
        let parsed = parsed.parse_weight(ctx.viewer(), &text).await;
        let (weight, user_errors) = answered(ctx, parsed)?;
        Ok(WeightParseResult {
            weight: weight.map(Into::into),
            user_errors,
        })
    }

    /// The fineness that a text says, in any script: `18K`, `۱۸ عیار`, `750`, `75%`, `0.750`, `750/1000`. A number alone is a fraction up to
    /// 1 and parts per thousand above 100; between them it is refused as `AMBIGUOUS`, with the readings in the message.
    async fn fineness_parse(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What somebody wrote; at most 60 characters.")] text: String,
    ) -> async_graphql::Result<FinenessParseResult> {
        let parsed = ctx.domain().units_of_measure();
        let parsed = parsed.parse_fineness(ctx.viewer(), &text);
        let (fineness, user_errors) = answered(ctx, parsed)?;
        Ok(FinenessParseResult {
            fineness: fineness.map(Into::into),
            user_errors,
        })
    }
}

async fn convert(
    ctx: &Context<'_>,
    value: Decimal,
    from: UnitOfMeasureBy,
    to: UnitOfMeasureBy,
) -> domain::Result<(rules::Converted, rules::UnitOfMeasure)> {
    let (from, to) = (from.parse("from")?, to.parse("to")?);
    let units = ctx.domain().units_of_measure();
    units.convert(ctx.viewer(), value.0, &from, &to).await
}
