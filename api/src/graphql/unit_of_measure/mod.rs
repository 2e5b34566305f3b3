//! Units of measure: the object and the list of all. What is converted and read is in [`query`].

pub mod mutation;
pub mod query;

use async_graphql::{ComplexObject, Context, Enum, ID, Object, SimpleObject};
use domain::{Permission, unit_of_measure::UnitOfMeasure as Row};

pub use mutation::UnitOfMeasureMutation;
pub use query::MeasureQuery;

use super::{
    context::ContextExt,
    cost,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    translation::{self, Translation},
};

/// What a unit measures. Conversion is possible inside one dimension only.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::unit_of_measure::Dimension", name = "UnitDimension")]
pub enum Dimension {
    /// Pieces.
    Count,
    /// Base unit: gram.
    Mass,
    /// Base unit: metre.
    Length,
    /// Base unit: square metre.
    Area,
    /// Base unit: litre.
    Volume,
    /// Base unit: second.
    Time,
}

/// A unit in which quantities are counted or measured.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct UnitOfMeasure {
    /// Opaque id.
    pub id: ID,
    /// Stable name for programs, such as `gram`.
    code: String,
    /// Name in the viewer's language.
    name: String,
    /// What it measures.
    dimension: Dimension,
    /// One unit is numerator / denominator base units of its dimension, exactly.
    numerator: Decimal,
    /// See `numerator`.
    denominator: Decimal,
    /// As people write it behind a number: abbreviations and words, in any language. One that two units have is refused as `AMBIGUOUS`
    /// wherever it is read.
    spellings: Vec<String>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    #[graphql(skip)]
    names: entity::translations::Translations,
}

impl UnitOfMeasure {
    /// As the viewer sees it.
    #[must_use]
    pub fn new(ctx: &Context<'_>, row: Row) -> Self {
        let Row {
            id,
            code,
            name,
            dimension,
            numerator,
            denominator,
            spellings,
            version,
        } = row;
        let in_locale = name.in_locale(ctx.viewer().locale.as_str()).to_owned();
        Self {
            id: id.encode(),
            code,
            name: in_locale,
            dimension: dimension.into(),
            numerator: Decimal(numerator),
            denominator: Decimal(denominator),
            spellings,
            version,
            names: name,
        }
    }
}

#[ComplexObject]
impl UnitOfMeasure {
    /// Name in every language there is.
    async fn name_translations(&self) -> Vec<Translation> {
        translation::output(&self.names)
    }
}

/// Queries about units.
#[derive(Default)]
pub struct UnitOfMeasureQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl UnitOfMeasureQuery {
    /// All units of measure, by dimension and code.
    #[graphql(complexity = "cost::rows(30, child_complexity)")]
    async fn units_of_measure(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<UnitOfMeasure>> {
        let units = ctx
            .domain()
            .units_of_measure()
            .all(ctx.viewer())
            .await
            .or_graphql(ctx.viewer())?;
        Ok(units
            .into_iter()
            .map(|row| UnitOfMeasure::new(ctx, row))
            .collect())
    }
}
