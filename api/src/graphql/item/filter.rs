//! Which items, in which order, as clients ask for them.

use async_graphql::{Enum, ID, InputObject};
use domain::{Refusal, item as rules};
use entity::id::{CategoryId, ItemId};

use super::ItemKind;
use crate::graphql::{
    decimal::Decimal,
    filter::StringFilter,
    id::{GlobalId, decode},
};

/// A condition on an exact number. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct DecimalFilter {
    /// Between these, both included.
    range: Option<DecimalRange>,
    /// Missing, or not.
    is_null: Option<bool>,
}

/// Bounds; without one it is open on that side.
#[derive(InputObject, Clone, Debug, Default)]
pub struct DecimalRange {
    /// Not less.
    min: Option<Decimal>,
    /// Not more.
    max: Option<Decimal>,
    /// Less.
    below: Option<Decimal>,
}

/// A condition on the values of one attribute, written as people write them: numbers in the attribute's unit or with a unit (`2 tola`), days
/// as `YYYY-MM-DD`, options by value or label, a row by its id. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct AttributeFilter {
    /// Name of the attribute. Several categories may declare attributes of this name: then it is about each of them. Where no category
    /// does, it is about what items without declared attributes have under this name.
    name: String,
    /// Equal; of several options, among them.
    eq: Option<String>,
    /// Equal to one of these. An empty list matches nothing.
    r#in: Option<Vec<String>>,
    /// Between these. Of numbers and days.
    range: Option<TextRange>,
    /// Anywhere inside, whatever the case. Of texts.
    contains: Option<String>,
    /// At the beginning. Of texts.
    starts_with: Option<String>,
    /// Missing, or not.
    is_null: Option<bool>,
}

/// Bounds as people write them; without one it is open on that side.
#[derive(InputObject, Clone, Debug, Default)]
pub struct TextRange {
    /// Not less.
    min: Option<String>,
    /// Not more.
    max: Option<String>,
    /// Less.
    below: Option<String>,
}

/// A condition on the sort of thing.
#[derive(InputObject, Clone, Debug)]
pub struct ItemKindFilter {
    /// One of these. An empty list matches nothing.
    r#in: Vec<ItemKind>,
}

/// A condition on the category.
#[derive(InputObject, Clone, Debug, Default)]
pub struct CategoryFilter {
    /// One of these. An empty list matches nothing.
    r#in: Option<Vec<ID>>,
    /// This one or any below it.
    descendant_of: Option<ID>,
}

/// A condition on the labels. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct TagFilter {
    /// All of these. An empty list matches nothing.
    all: Option<Vec<String>>,
    /// One of these at least. An empty list matches nothing.
    any: Option<Vec<String>>,
    /// None of these. An empty list leaves nothing out.
    none: Option<Vec<String>>,
}

/// A condition on the template.
#[derive(InputObject, Clone, Debug, Default)]
pub struct ItemTemplateFilter {
    /// A variant of one of these. An empty list matches nothing.
    r#in: Option<Vec<ID>>,
    /// No variant of anything, or a variant.
    is_null: Option<bool>,
}

/// Which items. All that is given must hold; archived ones are left out unless `archived` says otherwise.
#[derive(InputObject, Clone, Debug, Default)]
pub struct ItemWhere {
    /// By SKU.
    sku: Option<StringFilter>,
    /// By name in any language.
    name: Option<StringFilter>,
    /// By key in somebody else's system.
    external_reference: Option<StringFilter>,
    /// By the sort of thing.
    kind: Option<ItemKindFilter>,
    /// By category.
    category: Option<CategoryFilter>,
    /// By labels.
    tags: Option<TagFilter>,
    /// By amount of the price, whatever the currency.
    price: Option<DecimalFilter>,
    /// By values of attributes: all of these must hold.
    attributes: Option<Vec<AttributeFilter>>,
    /// With or without a picture.
    has_image: Option<bool>,
    /// Templates, or items without variants of their own.
    is_template: Option<bool>,
    /// By the template whose variants they are.
    template: Option<ItemTemplateFilter>,
    /// Put away, or in use.
    archived: Option<bool>,
    /// All of these as well.
    #[graphql(name = "AND")]
    and: Option<Vec<ItemWhere>>,
    /// At least one of these as well. An empty list matches nothing.
    #[graphql(name = "OR")]
    or: Option<Vec<ItemWhere>>,
    /// Not this.
    #[graphql(name = "NOT")]
    not: Option<Box<ItemWhere>>,
}

impl From<DecimalFilter> for rules::DecimalFilter {
    fn from(DecimalFilter { range, is_null }: DecimalFilter) -> Self {
        let DecimalRange { min, max, below } = range.unwrap_or_default();
        Self {
            min: min.map(|min| min.0),
            max: max.map(|max| max.0),
            below: below.map(|below| below.0),
            is_null,
        }
    }
}

impl From<TextRange> for rules::FacetRange {
    fn from(TextRange { min, max, below }: TextRange) -> Self {
        Self { min, max, below }
    }
}

impl From<AttributeFilter> for domain::attribute::AttributeFilter {
    fn from(
        AttributeFilter {
            name,
            eq,
            r#in,
            range,
            contains,
            starts_with,
            is_null,
        }: AttributeFilter,
    ) -> Self {
        let TextRange { min, max, below } = range.unwrap_or_default();
        Self {
            name,
            eq: eq.map(row_or_text),
            any_of: r#in.map(|texts| texts.into_iter().map(row_or_text).collect()),
            min,
            max,
            below,
            contains,
            starts_with,
            is_null,
        }
    }
}

/// The id of a row as the domain knows it; other texts as they are.
fn row_or_text(text: String) -> String {
    let id = ID(text);
    decode(&id).map_or(id.0, |(_, uuid)| uuid.to_string())
}

impl ItemWhere {
    /// As the domain takes it.
    ///
    /// # Errors
    /// The first id that is none.
    pub(in crate::graphql) fn parse(self) -> Result<rules::ItemFilter, Refusal> {
        let Self {
            sku,
            name,
            external_reference,
            kind,
            category,
            tags,
            price,
            attributes,
            has_image,
            is_template,
            template,
            archived,
            and,
            or,
            not,
        } = self;
        let ItemTemplateFilter {
            r#in: templates,
            is_null: template_is_null,
        } = template.unwrap_or_default();
        let CategoryFilter {
            r#in: categories,
            descendant_of,
        } = category.unwrap_or_default();
        let TagFilter { all, any, none } = tags.unwrap_or_default();
        Ok(rules::ItemFilter {
            sku: sku.map(Into::into),
            name: name.map(Into::into),
            external_reference: external_reference.map(Into::into),
            kind_in: kind.map(|kind| kind.r#in.into_iter().map(Into::into).collect()),
            category_in: categories
                .map(|ids| CategoryId::parse_all("where.category.in", &ids))
                .transpose()?,
            category_descendant_of: descendant_of
                .map(|id| CategoryId::parse("where.category.descendantOf", &id))
                .transpose()?,
            tags_all: all,
            tags_any: any,
            tags_none: none,
            price: price.map(Into::into),
            attributes: attributes.into_iter().flatten().map(Into::into).collect(),
            has_image,
            is_template,
            template_in: templates
                .map(|ids| ItemId::parse_all("where.template.in", &ids))
                .transpose()?,
            template_is_null,
            archived,
            and: and.map(parse_all).transpose()?,
            or: or.map(parse_all).transpose()?,
            not: not.map(|part| part.parse().map(Box::new)).transpose()?,
        })
    }
}

fn parse_all(parts: Vec<ItemWhere>) -> Result<Vec<rules::ItemFilter>, Refusal> {
    parts.into_iter().map(ItemWhere::parse).collect()
}

/// What stands for several items of a list.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemGroupBy {
    /// The template, for all its variants.
    Template,
}

/// What items can be ordered by.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "rules::OrderField")]
pub enum ItemOrderField {
    /// When they were created.
    CreatedAt,
    /// Name in the viewer's language, as that language sorts.
    Name,
    /// Amount of the fixed price, whatever the currency; items without one come last, whichever end comes first.
    Price,
    /// How well they fit the words that are looked for. Where there are none, or more than about 10,000 items fit, it says nothing.
    Relevance,
    /// SKU, by code point.
    Sku,
    /// When they last changed.
    UpdatedAt,
}

/// Which end of an order comes first.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderDirection {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// One term of an order; ties are broken by the next one, and at last by id.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct ItemOrder {
    /// By what.
    field: ItemOrderField,
    /// Which end first.
    direction: OrderDirection,
}

impl From<ItemOrder> for rules::OrderTerm {
    fn from(ItemOrder { field, direction }: ItemOrder) -> Self {
        Self {
            field: field.into(),
            descending: direction == OrderDirection::Desc,
        }
    }
}
