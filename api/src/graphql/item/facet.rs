//! Facets as clients ask for them and read them.

use async_graphql::{
    Context, Enum, InputObject, Object, OneofObject, SimpleObject, resolver_utils::EnumType as _,
};
use domain::{
    attribute::Kind,
    item::{Facet, FacetIs, FacetOf, FacetRange, FacetRequest, FacetValue},
};

use super::{ItemKind, filter::TextRange};
use crate::graphql::{
    attribute::{Attribute, value},
    context::ContextExt,
    cost,
    id::GlobalId,
    loader::{load, preload},
};

/// What items can be counted by beside attributes.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemFacetField {
    /// The categories just below the one in `where.category.descendantOf`, each with everything below it; the roots without one.
    Category,
    /// The sort of thing.
    Kind,
    /// Amount of the fixed price, whatever the currency.
    Price,
    /// Labels.
    Tag,
}

/// By what items are counted: exactly one of these.
#[derive(OneofObject, Clone, Debug)]
pub enum ItemFacetBy {
    /// One of the fields that all items have.
    Field(ItemFacetField),
    /// The values of the attribute with this name.
    Attribute(String),
}

/// A facet that is asked for.
#[derive(InputObject, Clone, Debug)]
pub struct ItemFacetInput {
    /// By what.
    by: ItemFacetBy,
    /// Into which ranges, at most 50; they may overlap. Without, numbers with a unit and prices fall into ranges of a round scale, and days
    /// into years.
    ranges: Option<Vec<TextRange>>,
    /// How many values at most, those that most items have; 1 to 100, 20 without.
    first: Option<i32>,
}

impl From<ItemFacetInput> for FacetRequest {
    fn from(ItemFacetInput { by, ranges, first }: ItemFacetInput) -> Self {
        Self {
            of: match by {
                ItemFacetBy::Attribute(name) => FacetOf::Attribute(name),
                ItemFacetBy::Field(ItemFacetField::Category) => FacetOf::Category,
                ItemFacetBy::Field(ItemFacetField::Kind) => FacetOf::Kind,
                ItemFacetBy::Field(ItemFacetField::Price) => FacetOf::Price,
                ItemFacetBy::Field(ItemFacetField::Tag) => FacetOf::Tag,
            },
            ranges: ranges.into_iter().flatten().map(Into::into).collect(),
            first,
        }
    }
}

/// How many of the selected items have which value.
pub struct ItemFacet(pub(super) Facet);

/// How many of the selected items have which value.
#[Object]
impl ItemFacet {
    /// By which field; none when it is by an attribute.
    async fn field(&self) -> Option<ItemFacetField> {
        match self.0.of {
            FacetOf::Category => Some(ItemFacetField::Category),
            FacetOf::Kind => Some(ItemFacetField::Kind),
            FacetOf::Price => Some(ItemFacetField::Price),
            FacetOf::Tag => Some(ItemFacetField::Tag),
            FacetOf::Attribute(_) => None,
        }
    }

    /// Name of the attribute; none when it is by a field.
    async fn attribute_name(&self) -> Option<&str> {
        match &self.0.of {
            FacetOf::Attribute(name) => Some(name),
            _ => None,
        }
    }

    /// The attribute; none when it is by a field, or nobody declares the attribute.
    async fn attribute(&self, ctx: &Context<'_>) -> Option<Attribute> {
        let row = self.0.attribute.as_ref()?;
        Some(Attribute::new(ctx, row, &self.0.units))
    }

    /// Single values, those that most items have first; ranges in their own order.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn values(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ItemFacetValue>> {
        let mut shown = Vec::with_capacity(self.0.values.len());
        for value in &self.0.values {
            shown.push(self.value(ctx, value).await?);
        }
        Ok(shown)
    }

    /// How many items have no value.
    async fn missing(&self) -> u64 {
        self.0.missing
    }

    /// Whether all items were counted. Of more than about 80,000 some are counted, and the numbers extrapolated.
    async fn exact(&self) -> bool {
        self.0.exact
    }
}

/// Loads the rows whose names the values of these facets tell: a statement for all of them.
pub(super) async fn preload_named(
    ctx: &Context<'_>,
    facets: &[Facet],
) -> async_graphql::Result<()> {
    let values = || facets.iter().flat_map(|facet| &facet.values);
    let categories = values().filter_map(|value| match value.is {
        FacetIs::Category(id) => Some(id),
        _ => None,
    });
    preload(ctx, categories.collect::<Vec<_>>()).await?;
    let items = values().filter_map(|value| match value.is {
        FacetIs::Item(id) => Some(id),
        _ => None,
    });
    preload(ctx, items.collect::<Vec<_>>()).await
}

impl ItemFacet {
    async fn value(
        &self,
        ctx: &Context<'_>,
        FacetValue { is, count }: &FacetValue,
    ) -> async_graphql::Result<ItemFacetValue> {
        let locale = ctx.viewer().locale.as_str();
        let (value, label) = match is {
            FacetIs::Category(id) => {
                let row = load(ctx, *id).await?;
                (
                    id.encode().0,
                    row.map(|row| row.name.in_locale(locale).to_owned()),
                )
            }
            FacetIs::Item(id) => {
                let row = load(ctx, *id).await?;
                (
                    id.encode().0,
                    row.map(|row| row.item.name.in_locale(locale).to_owned()),
                )
            }
            FacetIs::Kind(kind) => (name_of(ItemKind::from(*kind)), None),
            FacetIs::Term(term) => (term.clone(), self.label(ctx, term)),
            FacetIs::Range(range) => {
                return Ok(ItemFacetValue {
                    value: None,
                    label: range_label(range),
                    range: Some(range.clone().into()),
                    count: *count,
                });
            }
        };
        Ok(ItemFacetValue {
            label: label.unwrap_or_else(|| value.clone()),
            value: Some(value),
            range: None,
            count: *count,
        })
    }

    /// How people read a value; none when as it is.
    fn label(&self, ctx: &Context<'_>, term: &str) -> Option<String> {
        let row = self.0.attribute.as_ref()?;
        let locale = ctx.viewer().locale;
        match row.kind {
            Kind::Enum | Kind::MultiEnum => Some(value::label(row, locale.as_str(), term)),
            Kind::Boolean => Some(value::yes_or_no(locale, term == "true").to_owned()),
            _ => None,
        }
    }
}

/// The name of an enum's value in GraphQL.
fn name_of(kind: ItemKind) -> String {
    let items = ItemKind::items().iter();
    let mut named = items.filter(|item| item.value == kind);
    named
        .next()
        .map_or_else(String::new, |item| item.name.to_owned())
}

/// `10 – 20`: numerals need no language.
fn range_label(FacetRange { min, max, below }: &FacetRange) -> String {
    let bound = |bound: Option<&String>| bound.map_or("…", String::as_str).to_owned();
    let upper = max.as_ref().or(below.as_ref());
    format!("{} – {}", bound(min.as_ref()), bound(upper))
}

/// One value, or one range of values, and how many items have it.
#[derive(SimpleObject)]
pub struct ItemFacetValue {
    /// The value as a filter takes it; none for a range.
    value: Option<String>,
    /// The value as people read it, in the viewer's language.
    label: String,
    /// The bounds as a filter takes them; none for a single value.
    range: Option<ItemFacetRange>,
    /// How many items have it.
    count: u64,
}

/// Bounds as a filter takes them; without one it is open on that side.
#[derive(SimpleObject)]
pub struct ItemFacetRange {
    /// Not less.
    min: Option<String>,
    /// Not more.
    max: Option<String>,
    /// Less.
    below: Option<String>,
}

impl From<FacetRange> for ItemFacetRange {
    fn from(FacetRange { min, max, below }: FacetRange) -> Self {
        Self { min, max, below }
    }
}
