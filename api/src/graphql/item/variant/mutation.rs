//! What clients can do to templates.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Permission,
    item::{
        Choice, Item as Row, NewOption, VariantOverride, VariantRow, VariantsOutcome,
        VariantsRequest,
    },
};
use entity::id::{CategoryId, ItemId};

use super::super::{Item, query::prefetch};
use crate::graphql::{
    attribute::value::AttributeValue,
    context::ContextExt,
    cost,
    guard::Needs,
    id::GlobalId,
    loader::{SchemaOf, load, load_all},
    money::Money,
    payload::{UserError, settle},
};

/// An attribute in which the variants shall differ.
#[derive(InputObject)]
pub struct ItemOptionInput {
    /// Name of an attribute of the item's category: one with a plain value that is not unique.
    attribute: String,
    /// What there is to choose, in order: 1 to 100 values, as people write them.
    values: Vec<String>,
}

/// The options of an item.
#[derive(InputObject)]
pub struct ItemOptionsSetInput {
    /// Which item.
    id: ID,
    /// All its options, at most 5 with 1,000 combinations; none makes it an item without variants again. As long as there are variants the
    /// attributes stay, and values that variants have.
    options: Vec<ItemOptionInput>,
    /// Refuse when the item's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A value of one option.
#[derive(InputObject)]
pub struct ItemChoiceInput {
    /// Name of the attribute.
    attribute: String,
    /// One of the template's values, as people write it.
    value: String,
}

/// What is different about one of the variants to be.
#[derive(InputObject)]
pub struct ItemVariantOverrideInput {
    /// Which one: a value of each option.
    options: Vec<ItemChoiceInput>,
    /// Its SKU; one that is made of the template's and the values without.
    sku: Option<String>,
    /// What scanners read; nothing without.
    barcodes: Option<Vec<String>>,
    /// Its fixed price; priced like the template without.
    price: Option<Money>,
}

/// Which variants are to be created, and how.
#[derive(InputObject)]
pub struct ItemVariantsGenerateInput {
    /// Of which template.
    template_id: ID,
    /// Only combinations that have all values of one of these lists, which need not name every option; all combinations without.
    only: Option<Vec<Vec<ItemChoiceInput>>>,
    /// What is different about some of them.
    #[graphql(default)]
    overrides: Vec<ItemVariantOverrideInput>,
    /// What stands between the parts of a SKU: one to three of `-_./+#`; `-` without.
    sku_separator: Option<String>,
    /// Only tell what would be created.
    #[graphql(default)]
    dry_run: bool,
    /// Refuse when the template's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of setting options.
#[derive(SimpleObject)]
pub struct ItemOptionsSetPayload {
    /// The item; null when it was refused.
    item: Option<Item>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// A combination of the values of all options, and its variant.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ItemCombination {
    /// SKU of the variant, there or to be.
    sku: String,
    /// Whether the variant was not there before.
    is_new: bool,
    #[graphql(skip)]
    id: Option<ItemId>,
    #[graphql(skip)]
    category: CategoryId,
    #[graphql(skip)]
    chosen: serde_json::Map<String, serde_json::Value>,
}

#[ComplexObject]
impl ItemCombination {
    /// The values; empty when you may not see the catalogue.
    #[graphql(complexity = "cost::rows(3, child_complexity)")]
    async fn options(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AttributeValue>> {
        if ctx.viewer().require(Permission::CatalogueRead).is_err() {
            return Ok(Vec::new());
        }
        let schema = load(ctx, SchemaOf(self.category)).await?;
        Ok(AttributeValue::all(
            &schema.unwrap_or_default(),
            &self.chosen,
        ))
    }

    /// The variant; null when it was only told about, or when you may not see the catalogue.
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        match self.id {
            Some(id) if ctx.viewer().require(Permission::CatalogueRead).is_ok() => {
                Ok(load(ctx, id).await?.map(|row| Item::new(ctx, row)))
            }
            Some(_) | None => Ok(None),
        }
    }
}

/// What became of creating variants.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ItemVariantsGeneratePayload {
    /// The template; null when it was refused.
    template: Option<Item>,
    /// How many variants were created, or would be.
    created: usize,
    /// How many of the combinations were there already, archived ones included; these are as they were.
    existing: usize,
    /// Why it was refused; empty when it was done. The path of what is about a single combination begins with `combinations` and its
    /// index, or with `overrides`.
    user_errors: Vec<UserError>,
    #[graphql(skip)]
    category: Option<CategoryId>,
    #[graphql(skip)]
    rows: Vec<VariantRow>,
}

impl ItemVariantsGeneratePayload {
    fn of(
        ctx: &Context<'_>,
        result: domain::Result<VariantsOutcome>,
    ) -> async_graphql::Result<Self> {
        let (outcome, user_errors) = settle(ctx, result)?;
        let (template, rows) = outcome.map_or((None, Vec::new()), |outcome| {
            (Some(outcome.template), outcome.combinations)
        });
        let created = rows.iter().filter(|row| row.is_new).count();
        Ok(Self {
            category: template.as_ref().map(|row| row.category_id),
            template: template.map(|row| Item::without_image(ctx, row)),
            created,
            existing: rows.len() - created,
            user_errors,
            rows,
        })
    }
}

#[ComplexObject]
impl ItemVariantsGeneratePayload {
    /// The combinations that were asked for, in the order of the options.
    #[graphql(complexity = "cost::rows(100, child_complexity)")]
    async fn combinations(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ItemCombination>> {
        let Some(category) = self.category else {
            return Ok(Vec::new());
        };
        let selected = ctx.look_ahead().field("item");
        if ctx.viewer().require(Permission::CatalogueRead).is_ok() && selected.exists() {
            let items = load_all(ctx, self.rows.iter().filter_map(|row| row.item_id)).await?;
            prefetch(ctx, selected, items.values()).await?;
        }
        let rows = self.rows.iter().map(|row| ItemCombination {
            sku: row.sku.clone(),
            is_new: row.is_new,
            id: row.item_id,
            category,
            chosen: row.options.clone(),
        });
        Ok(rows.collect())
    }
}

/// Mutations of templates.
#[derive(Default)]
pub struct ItemVariantMutation;

#[Object(guard = "Needs(Permission::CatalogueWrite)")]
impl ItemVariantMutation {
    /// Makes an item a template whose variants differ in some attributes, or changes what there is to choose. Needs `catalogue.write`.
    async fn item_options_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which item, and its options.")] input: ItemOptionsSetInput,
    ) -> async_graphql::Result<ItemOptionsSetPayload> {
        let (row, user_errors) = settle(ctx, set_options(ctx, input).await)?;
        Ok(ItemOptionsSetPayload {
            item: row.map(|row| Item::without_image(ctx, row)),
            user_errors,
        })
    }

    /// Creates the variants of a template that are not there yet: items of their own with the template's values. Needs `catalogue.write`.
    async fn item_variants_generate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which template, and which.")] input: ItemVariantsGenerateInput,
    ) -> async_graphql::Result<ItemVariantsGeneratePayload> {
        ItemVariantsGeneratePayload::of(ctx, generate(ctx, input).await)
    }
}

async fn set_options(ctx: &Context<'_>, input: ItemOptionsSetInput) -> domain::Result<Row> {
    let ItemOptionsSetInput {
        id,
        options,
        expected_version,
        idempotency_key,
    } = input;
    let id = ItemId::parse("id", &id)?;
    let options: Vec<_> = options
        .into_iter()
        .map(|ItemOptionInput { attribute, values }| NewOption { attribute, values })
        .collect();
    let (items, key) = (ctx.domain().items(), idempotency_key.as_deref());
    items
        .set_options(ctx.viewer(), id, &options, expected_version, key)
        .await
}

async fn generate(
    ctx: &Context<'_>,
    input: ItemVariantsGenerateInput,
) -> domain::Result<VariantsOutcome> {
    let ItemVariantsGenerateInput {
        template_id,
        only,
        overrides,
        sku_separator,
        dry_run,
        expected_version,
        idempotency_key,
    } = input;
    let request = VariantsRequest {
        template_id: ItemId::parse("templateId", &template_id)?,
        only: only.map(|only| only.into_iter().map(choices).collect()),
        overrides: overrides.into_iter().map(different).collect(),
        sku_separator,
        dry_run,
    };
    let (items, key) = (ctx.domain().items(), idempotency_key.as_deref());
    items
        .generate_variants(ctx.viewer(), &request, expected_version, key)
        .await
}

fn choices(choices: Vec<ItemChoiceInput>) -> Vec<Choice> {
    let choices = choices.into_iter();
    choices
        .map(|ItemChoiceInput { attribute, value }| Choice { attribute, value })
        .collect()
}

fn different(it: ItemVariantOverrideInput) -> VariantOverride {
    let ItemVariantOverrideInput {
        options,
        sku,
        barcodes,
        price,
    } = it;
    VariantOverride {
        options: choices(options),
        sku,
        barcodes,
        price: price.map(Into::into),
    }
}
