//! Templates and their variants, as clients see them.

pub mod mutation;

use std::sync::Arc;

use async_graphql::{
    Context, Json, Lookahead, Object, SimpleObject,
    connection::{Edge, EmptyFields, PageInfo},
};
use domain::{
    attribute::Schema,
    item::{Item as Row, ItemOption as OptionRow, ItemWithImage},
    page::Page,
};
use futures_util::future::BoxFuture;

pub use mutation::ItemVariantMutation;

use super::{Item, query};
use crate::graphql::{
    attribute::{Attribute, value},
    context::ContextExt,
    loader::{OptionsOf, VariantCountOf, VariantsOf, load_all, preload},
};

/// One of the values that variants may have of an option.
#[derive(SimpleObject)]
pub struct ItemOptionValue {
    /// The value as it can be written again.
    value: Json<serde_json::Value>,
    /// The value as people read it, in the viewer's language.
    label: String,
}

/// An attribute in which the variants of a template differ.
pub struct ItemOption {
    schema: Arc<Schema>,
    row: OptionRow,
}

impl ItemOption {
    /// The schema is that of the template's category.
    #[must_use]
    pub fn new(schema: &Arc<Schema>, row: OptionRow) -> Self {
        let schema = Arc::clone(schema);
        Self { schema, row }
    }

    fn row(&self) -> Option<&domain::attribute::Attribute> {
        self.schema.keyed(&self.row.key).map(|it| &it.attribute)
    }
}

/// An attribute in which the variants of a template differ.
#[Object]
impl ItemOption {
    /// Which attribute; null when the template's category does not have it any more.
    async fn attribute(&self, ctx: &Context<'_>) -> Option<Attribute> {
        self.row()
            .map(|row| Attribute::new(ctx, row, self.schema.units()))
    }

    /// Name of the attribute.
    async fn attribute_name(&self) -> &str {
        self.row().map_or(&self.row.key, |row| &row.name)
    }

    /// What there is to choose, in order.
    async fn values(&self, ctx: &Context<'_>) -> Vec<ItemOptionValue> {
        let locale = ctx.viewer().locale;
        let kept = self.row.choices.as_array().into_iter().flatten();
        let values = kept.map(|kept| match self.row() {
            Some(row) => ItemOptionValue {
                value: Json(self.schema.units().shown(row, kept)),
                label: value::text(&self.schema, row, kept, locale),
            },
            None => ItemOptionValue {
                value: Json(kept.clone()),
                label: domain::attribute::cell(kept),
            },
        });
        values.collect()
    }
}

/// A page of the variants of an item.
pub struct ItemVariantConnection {
    edges: Vec<Edge<String, Item, EmptyFields>>,
    has_previous: bool,
    has_next: bool,
}

impl ItemVariantConnection {
    /// As clients see it.
    #[must_use]
    pub fn new(ctx: &Context<'_>, page: Page<ItemWithImage>) -> Self {
        let Page {
            edges,
            has_next,
            has_previous,
        } = page;
        let edges = edges.into_iter();
        Self {
            edges: edges
                .map(|(cursor, row)| Edge::new(cursor, Item::new(ctx, row)))
                .collect(),
            has_previous,
            has_next,
        }
    }
}

/// A page of the variants of an item, after the Relay specification.
#[Object]
impl ItemVariantConnection {
    /// Which part of the list this is.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
        }
    }

    /// The variants, each with its cursor.
    async fn edges(&self) -> &[Edge<String, Item, EmptyFields>] {
        &self.edges
    }

    /// The variants alone.
    async fn nodes(&self) -> Vec<&Item> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }
}

/// Loads what the selected fields about templates and variants need, and what these in their turn are asked for.
pub(super) async fn prefetch(
    ctx: &Context<'_>,
    selected: &Lookahead<'_>,
    rows: &[&Row],
) -> async_graphql::Result<()> {
    let templates = || rows.iter().filter(|row| row.is_template).map(|row| row.id);
    if selected.field("options").exists() {
        preload(ctx, templates().map(OptionsOf)).await?;
    }
    if selected.field("variantCount").exists() {
        preload(ctx, templates().map(VariantCountOf)).await?;
    }
    if selected.field("template").exists() {
        let found = load_all(ctx, rows.iter().filter_map(|row| row.template_id)).await?;
        below(ctx, selected.field("template"), found.values()).await?;
    }
    if selected.field("variants").exists() {
        prefetch_variants(ctx, selected, rows).await?;
    }
    Ok(())
}

async fn prefetch_variants(
    ctx: &Context<'_>,
    selected: &Lookahead<'_>,
    rows: &[&Row],
) -> async_graphql::Result<()> {
    let selected = selected.field("variants");
    let keys = VariantsOf::selected(&selected, rows.iter().map(|row| row.id))?;
    let pages = load_all(ctx, keys).await?;
    for selected in [
        selected.field("edges").field("node"),
        selected.field("nodes"),
    ] {
        let rows = pages.values().flat_map(|page| &page.edges);
        below(ctx, selected, rows.map(|(_, row)| row)).await?;
    }
    Ok(())
}

/// The same for items that are read with others; boxed, for these may ask for others again.
fn below<'a, 'b: 'a, 'c: 'a>(
    ctx: &'a Context<'b>,
    selected: Lookahead<'c>,
    rows: impl Iterator<Item = &'a ItemWithImage>,
) -> BoxFuture<'a, async_graphql::Result<()>> {
    let rows: Vec<_> = rows.collect();
    Box::pin(async move {
        if selected.exists() {
            query::prefetch(ctx, selected, rows).await?;
        }
        Ok(())
    })
}
