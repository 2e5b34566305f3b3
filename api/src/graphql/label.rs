//! Labels to print.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Permission, Refusal,
    label::{LabelCode, LabelKind, LabelOptions, LabelSheet as Row, Layout, Selection},
    locale::Locale,
};
use entity::id::{ItemId, JobId, LabelSheetId};

use super::{
    code_batch::CodeLevel,
    context::ContextExt,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item::filter::ItemWhere,
    item_import::visible_job,
    job::Job,
    payload::{UserError, settle},
};

/// What a label shows.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "LabelKind", name = "LabelKind")]
pub enum Kind {
    /// For a piece of jewellery: SKU, code, name, and what is known of its metal: gross, net and stone weight, fineness and HUID.
    JewelleryTag,
    /// For the edge of a shelf: name, price as it is when the label is drawn, code.
    Shelf,
    /// For a carton: name, SKU, a large code.
    Carton,
}

/// What labels are printed on.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Layout", name = "LabelLayout")]
pub enum LabelLayout {
    /// A4 with 7 × 27 labels of 25.4 × 10 mm, such as Avery L4731. Too small for shelves and cartons.
    #[graphql(name = "A4_L4731")]
    A4L4731,
    /// A4 with 3 × 7 labels of 63.5 × 38.1 mm, such as Avery L7160.
    #[graphql(name = "A4_L7160")]
    A4L7160,
    /// A4 with 2 × 7 labels of 99.1 × 38.1 mm, such as Avery L7163.
    #[graphql(name = "A4_L7163")]
    A4L7163,
    /// A4 with 5 × 13 labels of 38.1 × 21.2 mm, such as Avery L7651. Too small for cartons.
    #[graphql(name = "A4_L7651")]
    A4L7651,
    /// Letter with 3 × 10 labels of 2⅝ × 1 inch, such as Avery 5160.
    #[graphql(name = "LETTER_5160")]
    Letter5160,
    /// Letter with 2 × 5 labels of 4 × 2 inches, such as Avery 5163.
    #[graphql(name = "LETTER_5163")]
    Letter5163,
    /// A roll, one label a page: 72 × 12 mm with a tail for jewellery, 60 × 40 mm for shelves, 100 × 150 mm for cartons. Bars and modules
    /// are whole dots of printers with 203 dots per inch.
    Roll,
}

/// What scanners read on a label.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "LabelCode", name = "LabelCode")]
pub enum CodeKind {
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

/// Labels that somebody has asked for.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct LabelSheet {
    /// Opaque id.
    id: ID,
    /// What each label shows.
    kind: Kind,
    /// What they are printed on.
    layout: LabelLayout,
    /// Which label of the first page comes first, from 1.
    start_at: i32,
    /// How many labels each item gets.
    copies: i32,
    /// The language of the labels.
    locale: LabelLocale,
    /// What scanners read.
    code: CodeKind,
    /// How much of a QR code may be lost.
    level: CodeLevel,
    /// How many items get labels.
    item_count: i32,
    /// How many labels there are to be.
    label_count: i32,
    /// When they were asked for.
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    job_id: JobId,
}

impl LabelSheet {
    fn new(row: Row) -> Self {
        let Row {
            id,
            job_id,
            options,
            item_count,
            label_count,
            created_at,
        } = row;
        let LabelOptions {
            kind,
            layout,
            start_at,
            copies,
            locale,
            code,
            level,
        } = options;
        Self {
            id: id.encode(),
            kind: kind.into(),
            layout: layout.into(),
            start_at,
            copies,
            locale: locale.into(),
            code: code.into(),
            level: level.into(),
            item_count,
            label_count,
            created_at,
            job_id,
        }
    }
}

#[ComplexObject]
impl LabelSheet {
    /// The job that draws them, with its progress and, at the end, the files; null when you may not see jobs and it is not yours. The
    /// PDF is there unless no item was left to get a label; `notes.txt` says what is not as one may expect, if there is anything: items
    /// that were archived meanwhile and have no label, prices that cannot be told.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        visible_job(ctx, self.job_id).await
    }
}

/// Labels to be.
#[derive(InputObject)]
pub struct LabelSheetCreateInput {
    /// For these items, in this order; at most 1,000. Either this or `where`.
    item_ids: Option<Vec<ID>>,
    /// For the items that pass this filter now, by creation; refused when they are more than 10,000. Either this or `itemIds`.
    r#where: Option<ItemWhere>,
    /// What each label shows.
    kind: Kind,
    /// What they are printed on. A layout whose labels are too small for the kind is refused.
    layout: LabelLayout,
    /// Which label of the first page comes first, from 1, row by row, and in Persian from the right: for a sheet that was used in part.
    #[graphql(default = 1)]
    start_at: i32,
    /// How many labels each item gets, at most 1,000, and no more than 10,000 for all items together.
    #[graphql(default = 1)]
    copies: i32,
    /// The language of the labels; the viewer's without.
    locale: Option<LabelLocale>,
    /// What scanners read.
    #[graphql(default_with = "CodeKind::Barcode")]
    code: CodeKind,
    /// How much of a QR code may be lost. Higher levels make finer codes, which give way to bars on small labels.
    #[graphql(default_with = "CodeLevel::M")]
    level: CodeLevel,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for labels.
#[derive(SimpleObject)]
pub struct LabelSheetCreatePayload {
    /// The labels, which wait for a worker; null when it was refused.
    label_sheet: Option<LabelSheet>,
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
        let (found, user_errors) = settle(ctx, create(ctx, input).await)?;
        Ok(LabelSheetCreatePayload {
            label_sheet: found.map(LabelSheet::new),
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: LabelSheetCreateInput) -> domain::Result<Row> {
    let LabelSheetCreateInput {
        item_ids,
        r#where,
        kind,
        layout,
        start_at,
        copies,
        locale,
        code,
        level,
        idempotency_key,
    } = input;
    let viewer = ctx.viewer();
    let options = LabelOptions {
        kind: kind.into(),
        layout: layout.into(),
        start_at,
        copies,
        locale: locale.map_or(viewer.locale, Into::into),
        code: code.into(),
        level: level.into(),
    };
    let selection = selection(item_ids, r#where)?;
    let labels = ctx.domain().labels();
    labels
        .create_sheet(viewer, &selection, options, idempotency_key.as_deref())
        .await
}

fn selection(ids: Option<Vec<ID>>, filter: Option<ItemWhere>) -> Result<Selection, Refusal> {
    match (ids, filter) {
        (Some(ids), None) => Ok(Selection::Items(ItemId::parse_all("itemIds", &ids)?)),
        (None, Some(filter)) => Ok(Selection::Filter(Box::new(filter.parse()?))),
        (None, None) => Err(Refusal::new(Code::NothingSelected, "itemIds")),
        (Some(_), Some(_)) => Err(Refusal::new(Code::Exclusive, "where").with("other", "itemIds")),
    }
}

/// Queries about labels.
#[derive(Default)]
pub struct LabelQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl LabelQuery {
    /// Labels that somebody has asked for; null when there are none such. Needs `catalogue.read`.
    async fn label_sheet(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] id: ID,
    ) -> async_graphql::Result<Option<LabelSheet>> {
        let viewer = ctx.viewer();
        let id = LabelSheetId::parse_or_graphql(ctx, "id", &id)?;
        let found = ctx.domain().labels().find_sheet(viewer, id).await;
        Ok(found.or_graphql(viewer)?.map(LabelSheet::new))
    }
}
