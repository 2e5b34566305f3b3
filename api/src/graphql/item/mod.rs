//! Items: the object and its pictures.

pub mod duplicate;
pub mod facet;
pub mod filter;
pub mod history;
pub mod input;
pub mod metal;
pub mod mutation;
pub mod price;
pub mod pricing;
pub mod query;
pub mod tag;
pub mod variant;

use async_graphql::{ComplexObject, Context, Enum, ID, Json, SimpleObject};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    item::{HistoryOf, Item as Row, ItemImage as ImageRow, ItemWithImage},
    pricing::Pricing,
};
use entity::id::{CategoryId, ItemId, ItemImageId, UnitOfMeasureId};

use history::ItemChange;
use metal::ItemMetal;
pub use mutation::ItemMutation;
use price::{Asked, ItemPrice, Priced};
use pricing::ItemPricing;
pub use query::ItemQuery;
pub use variant::ItemVariantMutation;
use variant::{ItemOption, ItemVariantConnection};

use super::{
    attribute::value::{self, AttributeValue},
    barcode::BarcodeImage,
    category::Category,
    context::ContextExt,
    cost,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{
        BarcodesOf, ImagesOf, MetalOf, OptionsOf, PricingOf, SchemaOf, StockOf, StockingOf,
        ValueOf, VariantCountOf, VariantsOf, load,
    },
    money::Money,
    page::Connection,
    stock::{ItemStock, ItemStocking},
    translation::{self, Translation},
    unit_of_measure::UnitOfMeasure,
    value::StockValue,
};

/// What sort of thing an item is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item::Kind", name = "ItemKind")]
pub enum ItemKind {
    /// A thing that is stocked and sold.
    Goods,
    /// Work that is sold.
    Service,
    /// A file, a licence, a voucher.
    Digital,
    /// A thing that is used up in the business itself.
    Consumable,
}

/// How single pieces of an item are told apart in stock.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item::Tracking", name = "ItemTracking")]
pub enum ItemTracking {
    /// All pieces are alike.
    None,
    /// By lot, such as a batch with an expiry date.
    Lot,
    /// Each piece by its serial number.
    Serial,
}

/// Where a picture is on its way from upload to display.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item::ImageState", name = "ItemImageState")]
pub enum ItemImageState {
    /// Uploaded; its renditions are being made.
    Processing,
    /// Its renditions can be shown.
    Ready,
    /// It could not be read.
    Failed,
}

/// One size and format of a picture.
#[derive(SimpleObject)]
pub struct ImageRendition {
    /// `thumbnail`, `small`, `medium` or `large`: at most 160, 320, 800 or 1600 pixels on the longer side. Or `square`: cut out around the
    /// focus, at most 320 pixels.
    size: String,
    /// `webp` or `jpeg`.
    format: String,
    /// Pixels.
    width: u32,
    /// Pixels.
    height: u32,
    /// Bytes.
    bytes: u64,
    /// Where it can be fetched. Never changes.
    url: String,
}

/// The point of a picture that stays to be seen when a part is cut off.
#[derive(SimpleObject)]
pub struct ImageFocus {
    /// Percent of the width, from the left.
    x: i32,
    /// Percent of the height, from the top.
    y: i32,
}

/// A picture of an item.
#[derive(SimpleObject)]
pub struct ItemImage {
    /// Opaque id.
    id: ID,
    /// Where it is on its way.
    state: ItemImageState,
    /// Why it failed, as a code of `UserErrorCode`; none unless it did.
    failure: Option<String>,
    /// Media type of the upload, found in its content.
    media_type: String,
    /// Pixels of the upload.
    width: i32,
    /// Pixels of the upload.
    height: i32,
    /// What can be shown; empty until `state` is `READY`.
    renditions: Vec<ImageRendition>,
    /// A blur to show until a rendition is there: a [ThumbHash](https://evanw.github.io/thumbhash/) of at most 32 bytes, in base64. Null
    /// until it is rendered.
    thumb_hash: Option<String>,
    /// The colour of which there is most, but white, such as `#d4af37`. Null until it is rendered.
    dominant_color: Option<String>,
    /// What stays to be seen when a part is cut off.
    focus: ImageFocus,
    /// When it was uploaded.
    created_at: DateTime<Utc>,
}

impl ItemImage {
    /// As clients see it. Where the upload itself is stays our secret: it may carry where it was taken.
    #[must_use]
    pub fn new(ctx: &Context<'_>, row: ImageRow) -> Self {
        let ImageRow {
            id,
            item_id: _,
            position: _,
            state,
            failure,
            original_key: _,
            media_type,
            width,
            height,
            byte_size: _,
            renditions,
            thumb_hash,
            dominant_color,
            focus_x,
            focus_y,
            rendered_at: _,
            created_at,
        } = row;
        let renditions = renditions
            .0
            .into_iter()
            .map(|rendition| ImageRendition::new(ctx, rendition))
            .collect();
        Self {
            id: id.encode(),
            state: state.into(),
            failure,
            media_type,
            width,
            height,
            renditions,
            thumb_hash: thumb_hash.map(|hash| BASE64_STANDARD.encode(hash)),
            dominant_color: dominant_color.map(|color| format!("#{color:06x}")),
            focus: ImageFocus {
                x: focus_x.into(),
                y: focus_y.into(),
            },
            created_at,
        }
    }
}

impl ImageRendition {
    fn new(ctx: &Context<'_>, rendition: domain::item::Rendition) -> Self {
        let domain::item::Rendition {
            size,
            format,
            width,
            height,
            bytes,
            key,
        } = rendition;
        Self {
            size,
            format,
            width,
            height,
            bytes,
            url: media_url(ctx, &key),
        }
    }
}

fn media_url(ctx: &Context<'_>, key: &str) -> String {
    format!("{}{key}", ctx.addresses().media)
}

/// An item's QR code, ready to print.
#[derive(SimpleObject)]
pub struct ItemCode {
    /// As SVG.
    svg_url: String,
    /// As PNG.
    png_url: String,
}

/// What is sold or kept.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Item {
    /// Opaque id.
    pub id: ID,
    /// What sort of thing it is.
    kind: ItemKind,
    /// Stock-keeping unit: unique.
    sku: String,
    /// Name in the viewer's language.
    name: String,
    /// Description in the viewer's language; empty when there is none.
    description: String,
    /// How its pieces are told apart.
    tracking: ItemTracking,
    /// Price of one unit; none when it has no fixed price: see `currentPrice`.
    price: Option<Money>,
    /// Free labels.
    tags: Vec<String>,
    /// Its QR code; none until it is drawn, a moment after the item was created.
    qr_code: Option<ItemCode>,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// Whether it has options, and stands for its variants. A template itself is neither stocked nor sold.
    is_template: bool,
    /// Since when it is put away; none while it is in use.
    archived_at: Option<DateTime<Utc>>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    primary: Primary,
    #[graphql(skip)]
    row_id: ItemId,
    #[graphql(skip)]
    category_id: CategoryId,
    #[graphql(skip)]
    unit_id: UnitOfMeasureId,
    #[graphql(skip)]
    names: entity::translations::Translations,
    #[graphql(skip)]
    descriptions: entity::translations::Translations,
    #[graphql(skip)]
    facts: serde_json::Value,
    #[graphql(skip)]
    template_id: Option<ItemId>,
    #[graphql(skip)]
    chosen: Option<serde_json::Value>,
}

/// The picture that an item shows first.
enum Primary {
    /// It was read with the item, or there is none.
    Read(Option<ImageRow>),
    /// It is this one, and is read when somebody asks for it.
    Unread(ItemImageId),
}

impl Item {
    /// As the viewer sees it.
    #[must_use]
    pub fn new(ctx: &Context<'_>, row: ItemWithImage) -> Self {
        let ItemWithImage {
            item,
            primary_image,
        } = row;
        Self::with_primary(ctx, item, Primary::Read(primary_image))
    }

    /// The same, of a row that came without its picture.
    #[must_use]
    pub fn without_image(ctx: &Context<'_>, item: Row) -> Self {
        let primary = item
            .primary_image_id
            .map_or(Primary::Read(None), Primary::Unread);
        Self::with_primary(ctx, item, primary)
    }

    fn with_primary(ctx: &Context<'_>, item: Row, primary: Primary) -> Self {
        let Row {
            id,
            kind,
            sku,
            name,
            description,
            category_id,
            unit_id,
            tracking,
            price_amount,
            price_currency,
            attributes,
            tags,
            primary_image_id: _,
            qr_svg_key,
            qr_png_key,
            external_reference,
            is_template,
            template_id,
            variant_options,
            archived_at,
            version,
            created_at,
            updated_at,
        } = item;
        let locale = ctx.viewer().locale.as_str();
        Self {
            id: id.encode(),
            kind: kind.into(),
            sku,
            name: name.in_locale(locale).to_owned(),
            description: description.in_locale(locale).to_owned(),
            tracking: tracking.into(),
            price: money(price_amount, price_currency),
            tags,
            qr_code: code(ctx, qr_svg_key, qr_png_key),
            external_reference,
            is_template,
            archived_at,
            version,
            created_at,
            updated_at,
            primary,
            row_id: id,
            category_id,
            unit_id,
            names: name,
            descriptions: description,
            facts: attributes,
            template_id,
            chosen: variant_options,
        }
    }
}

/// Trailing zeros are the column's, not the price's.
fn money(amount: Option<rust_decimal::Decimal>, currency: Option<String>) -> Option<Money> {
    Some(Money {
        amount: Decimal(amount?.normalize()),
        currency: currency?,
    })
}

fn code(ctx: &Context<'_>, svg_key: Option<String>, png_key: Option<String>) -> Option<ItemCode> {
    Some(ItemCode {
        svg_url: media_url(ctx, &svg_key?),
        png_url: media_url(ctx, &png_key?),
    })
}

#[ComplexObject]
impl Item {
    /// Name in every language there is.
    async fn name_translations(&self) -> Vec<Translation> {
        translation::output(&self.names)
    }

    /// Description in every language there is.
    async fn description_translations(&self) -> Vec<Translation> {
        translation::output(&self.descriptions)
    }

    /// Values of its category's attributes by their names, as they can be written again: decimals are texts in the attribute's unit. Where no
    /// attributes are declared, whatever was written.
    async fn attributes(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Json<serde_json::Value>> {
        let schema = load(ctx, SchemaOf(self.category_id))
            .await?
            .unwrap_or_default();
        Ok(Json(match self.facts.as_object() {
            Some(kept) => value::output(&schema, kept),
            None => self.facts.clone(),
        }))
    }

    /// Values of its category's attributes, in the order of these. Empty where no attributes are declared.
    #[graphql(complexity = "cost::rows(10, child_complexity)")]
    async fn attribute_values(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<AttributeValue>> {
        let schema = load(ctx, SchemaOf(self.category_id))
            .await?
            .unwrap_or_default();
        let kept = self.facts.as_object();
        Ok(kept.map_or_else(Vec::new, |kept| AttributeValue::all(&schema, kept)))
    }

    /// Where it stands in the catalogue.
    async fn category(&self, ctx: &Context<'_>) -> async_graphql::Result<Category> {
        let row = load(ctx, self.category_id).await?;
        let row = row.ok_or_else(|| missing(ctx, "an item's category"))?;
        Ok(Category::new(ctx, row))
    }

    /// In what it is counted or measured.
    async fn unit(&self, ctx: &Context<'_>) -> async_graphql::Result<UnitOfMeasure> {
        let row = load(ctx, self.unit_id).await?;
        let row = row.ok_or_else(|| missing(ctx, "an item's unit"))?;
        Ok(UnitOfMeasure::new(ctx, row))
    }

    /// What scanners read, in order.
    async fn barcodes(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<String>> {
        Ok(load(ctx, BarcodesOf(self.row_id))
            .await?
            .unwrap_or_default())
    }

    /// Its barcodes as pictures, in order.
    #[graphql(complexity = "cost::rows(5, child_complexity)")]
    async fn barcode_images(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<BarcodeImage>> {
        let codes = load(ctx, BarcodesOf(self.row_id))
            .await?
            .unwrap_or_default();
        let codes = codes.into_iter();
        codes.map(|code| BarcodeImage::draw(ctx, code)).collect()
    }

    /// The picture shown first; none when it has no picture.
    async fn primary_image(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<ItemImage>> {
        let row = match &self.primary {
            Primary::Read(row) => row.clone(),
            Primary::Unread(id) => {
                let rows = load(ctx, ImagesOf(self.row_id)).await?.unwrap_or_default();
                rows.into_iter().find(|row| row.id == *id)
            }
        };
        Ok(row.map(|row| ItemImage::new(ctx, row)))
    }

    /// What is known of its metal; none when it is of none.
    async fn metal(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<ItemMetal>> {
        let row = load(ctx, MetalOf(self.row_id)).await?.flatten();
        Ok(row.map(ItemMetal::new))
    }

    /// How its price is found; none when it has no price.
    async fn pricing(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<ItemPricing>> {
        Ok(self.find_pricing(ctx).await?.map(ItemPricing::new))
    }

    /// What it costs now; none when it has no price.
    #[graphql(complexity = "5 + child_complexity")]
    async fn current_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How much of it, in its unit; 1 without.")] quantity: Option<Decimal>,
        #[graphql(
            desc = "For how many hours. Without, a time-based price is that of the shortest time: the minimum, or one step, or one unit."
        )]
        duration_hours: Option<Decimal>,
    ) -> async_graphql::Result<Option<ItemPrice>> {
        let asked = Asked {
            quantity,
            duration_hours,
        };
        match self.find_pricing(ctx).await? {
            Some(pricing) => {
                let priced = Priced {
                    id: self.row_id,
                    category_id: self.category_id,
                    attributes: &self.facts,
                    pricing: &pricing,
                };
                price::current(ctx, priced, asked).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// The item whose variant it is; none when it is none.
    async fn template(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let Some(id) = self.template_id else {
            return Ok(None);
        };
        let row = load(ctx, id).await?;
        let row = row.ok_or_else(|| missing(ctx, "an item's template"))?;
        Ok(Some(Item::new(ctx, row)))
    }

    /// In what its variants differ, and what there is to choose; empty unless it is a template.
    #[graphql(complexity = "cost::rows(3, child_complexity)")]
    async fn options(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ItemOption>> {
        if !self.is_template {
            return Ok(Vec::new());
        }
        let rows = load(ctx, OptionsOf(self.row_id)).await?.unwrap_or_default();
        let schema = load(ctx, SchemaOf(self.category_id))
            .await?
            .unwrap_or_default();
        Ok(rows
            .into_iter()
            .map(|row| ItemOption::new(&schema, row))
            .collect())
    }

    /// What it has of the options of its template; empty unless it is a variant.
    #[graphql(complexity = "cost::rows(3, child_complexity)")]
    async fn variant_options(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<AttributeValue>> {
        let Some(chosen) = self.chosen.as_ref().and_then(|chosen| chosen.as_object()) else {
            return Ok(Vec::new());
        };
        let schema = load(ctx, SchemaOf(self.category_id))
            .await?
            .unwrap_or_default();
        Ok(AttributeValue::all(&schema, chosen))
    }

    /// How many variants it has that are in use.
    async fn variant_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i64> {
        if !self.is_template {
            return Ok(0);
        }
        let count = load(ctx, VariantCountOf(self.row_id)).await?.flatten();
        Ok(count.unwrap_or(0))
    }

    /// Its variants that are in use, by creation, in pages. Those that are put away are found by `items`.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    async fn variants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<ItemVariantConnection> {
        let key = VariantsOf {
            parent: self.row_id,
            first,
            after,
        };
        let page = load(ctx, key).await?.unwrap_or_default();
        Ok(ItemVariantConnection::new(ctx, page))
    }

    /// All its pictures, in order.
    #[graphql(complexity = "cost::rows(10, child_complexity)")]
    async fn images(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ItemImage>> {
        let rows = load(ctx, ImagesOf(self.row_id)).await?.unwrap_or_default();
        Ok(rows
            .into_iter()
            .map(|row| ItemImage::new(ctx, row))
            .collect())
    }

    /// What has become of it: who changed what and when, the newest change first. Needs `audit.read`.
    #[graphql(
        guard = "Needs(Permission::AuditRead)",
        complexity = "cost::page(first, None, child_complexity)"
    )]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the newest, or from `after`; at most 100.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor, which is older.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<ItemChange>> {
        let part = HistoryOf::parse(self.row_id, first, after);
        let part = part.map_err(Into::into).or_graphql(ctx.viewer())?;
        history::page(ctx, part, self.category_id).await
    }

    /// What there is of it in the shop altogether; `stockLevels` tells where. Needs `stock.read`.
    #[graphql(guard = "Needs(Permission::StockRead)")]
    async fn stock(&self, ctx: &Context<'_>) -> async_graphql::Result<ItemStock> {
        let row = load(ctx, StockOf(self.row_id)).await?.flatten();
        Ok(ItemStock::new(row))
    }

    /// What it has cost that there is of it; null as long as none has ever come in. Needs `cost.read`.
    #[graphql(guard = "Needs(Permission::CostRead)")]
    async fn stock_value(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<StockValue>> {
        let row = load(ctx, ValueOf(self.row_id)).await?.flatten();
        Ok(row.map(|row| StockValue::new(row, None)))
    }

    /// How it is kept in stock. Needs `stock.read`.
    #[graphql(guard = "Needs(Permission::StockRead)")]
    async fn stocking(&self, ctx: &Context<'_>) -> async_graphql::Result<ItemStocking> {
        let row = load(ctx, StockingOf(self.row_id)).await?.flatten();
        Ok(ItemStocking::new(row))
    }
}

impl Item {
    /// A fixed price is on the item itself.
    async fn find_pricing(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Pricing>> {
        match &self.price {
            Some(price) => Ok(Some(Pricing::Fixed(price.clone().into()))),
            None => Ok(load(ctx, PricingOf(self.row_id)).await?.flatten()),
        }
    }
}

/// A foreign key leads nowhere: the database does not allow that.
fn missing(ctx: &Context<'_>, what: &'static str) -> async_graphql::Error {
    let fault: domain::error::Fault = format!("{what} does not exist").into();
    super::error::internal(ctx.viewer(), &*fault)
}
