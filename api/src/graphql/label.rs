//! Labels to print.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::{
    Code, Permission, Refusal,
    job::Job as Row,
    label::{LabelCode, LabelSheet, Layout, Selection, Template},
    locale::Locale,
};
use entity::id::ItemId;

use super::{
    context::ContextExt,
    guard::Needs,
    id::GlobalId,
    item::filter::ItemWhere,
    job::Job,
    payload::{UserError, settle},
};

/// What a label shows.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Template", name = "LabelTemplate")]
pub enum LabelTemplate {
    /// For a piece of jewellery: SKU and code on one half; name, and on the other half the attributes `gross_weight`, `net_weight`,
    /// `stone_weight` (grams), `fineness` and `huid`, as far as it has them.
    Jewellery,
    /// For the edge of a shelf: name, price, code.
    Shelf,
    /// For a carton: name, SKU, a large code.
    Carton,
}

/// What labels are printed on.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Layout", name = "LabelLayout")]
pub enum LabelLayout {
    /// A4 with 3 × 7 labels of 63.5 × 38.1 mm, such as Avery L7160.
    #[graphql(name = "A4_L7160")]
    A4L7160,
    /// A4 with 5 × 13 labels of 38.1 × 21.2 mm, such as Avery L7651.
    #[graphql(name = "A4_L7651")]
    A4L7651,
    /// Letter with 3 × 10 labels of 2⅝ × 1 inch, such as Avery 5160.
    #[graphql(name = "LETTER_5160")]
    Letter5160,
    /// A roll, one label a page: 72 × 12 mm with a tail for jewellery, 60 × 40 mm for shelves, 100 × 150 mm for cartons.
    Roll,
}

/// What scanners read on a label.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "LabelCode", name = "LabelCodeKind")]
pub enum LabelCodeKind {
    /// The item's first barcode, or its SKU when it has none. Where bars would be too fine to be scanned, a QR code takes their place.
    Barcode,
    /// The QR code that leads to the item.
    Qr,
}

/// A language that labels can be in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Locale", name = "LabelLocale")]
pub enum LabelLocale {
    /// English.
    En,
    /// Persian: from right to left, with Persian digits.
    Fa,
}

/// Labels to be.
#[derive(InputObject)]
pub struct LabelSheetCreateInput {
    /// For these items, in this order; at most 1,000. Either this or `where`.
    item_ids: Option<Vec<ID>>,
    /// For the items that pass this filter now, by creation; refused when they are more than 1,000. Either this or `itemIds`.
    r#where: Option<ItemWhere>,
    /// What each label shows.
    template: LabelTemplate,
    /// What they are printed on.
    layout: LabelLayout,
    /// Which label of the first sheet comes first, from 1, row by row: for a sheet that was used in part.
    #[graphql(default = 1)]
    start_at: i32,
    /// How many labels each item gets, at most 500, and no more than 5,000 for all items together.
    #[graphql(default = 1)]
    copies: i32,
    /// The language of the labels; the viewer's without.
    locale: Option<LabelLocale>,
    /// What scanners read.
    #[graphql(default_with = "LabelCodeKind::Barcode")]
    code: LabelCodeKind,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for labels.
#[derive(SimpleObject)]
pub struct LabelSheetCreatePayload {
    /// The job that draws them; null when it was refused. Once it has succeeded its `files` hold the PDF, and a list of the items that
    /// were skipped because they had been archived meanwhile, if there are any.
    job: Option<Job>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations that print labels.
#[derive(Default)]
pub struct LabelMutation;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl LabelMutation {
    /// Asks for a file with labels for items, drawn in the background. It changes nothing of the items. Needs `catalogue.read`.
    async fn label_sheet_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which labels.")] input: LabelSheetCreateInput,
    ) -> async_graphql::Result<LabelSheetCreatePayload> {
        let (row, user_errors) = settle(ctx, create(ctx, input).await)?;
        Ok(LabelSheetCreatePayload {
            job: row.map(Job::new),
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: LabelSheetCreateInput) -> domain::Result<Row> {
    let LabelSheetCreateInput {
        item_ids,
        r#where,
        template,
        layout,
        start_at,
        copies,
        locale,
        code,
        idempotency_key,
    } = input;
    let viewer = ctx.viewer();
    let sheet = LabelSheet {
        template: template.into(),
        layout: layout.into(),
        start_at,
        copies,
        locale: locale.map_or(viewer.locale, Into::into),
        code: code.into(),
    };
    let selection = selection(item_ids, r#where)?;
    let labels = ctx.domain().labels();
    labels
        .create_sheet(viewer, &selection, sheet, idempotency_key.as_deref())
        .await
}

fn selection(ids: Option<Vec<ID>>, filter: Option<ItemWhere>) -> Result<Selection, Refusal> {
    match (ids, filter) {
        (Some(ids), None) => Ok(Selection::Items(ItemId::parse_all("itemIds", &ids)?)),
        (None, Some(filter)) => Ok(Selection::Filter(Box::new(filter.parse()?))),
        (None, None) => Err(Refusal::new(Code::NothingSelected, "itemIds")),
        (Some(_), Some(_)) => Err(Refusal::new(Code::Ambiguous, "where")),
    }
}
