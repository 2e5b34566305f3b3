//! What is behind a code.

use async_graphql::{Context, Enum, ID, Interface, Object, SimpleObject};
use domain::{
    Permission,
    scan::{Found, MatchedBy, ScanMatch, reference},
};
use entity::id::ItemId;

use super::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item::{Item, query::prefetch},
    location::Location,
    lot::Lot,
};

/// Things that a code usually means.
const USUAL: usize = 2;

/// By what something was found.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "MatchedBy", name = "ScanMatchedBy")]
pub enum ScanMatchedBy {
    /// By its id: a QR code that goldshop has printed, or a link.
    Id,
    /// By a barcode on file. A GTIN is the same with and without zeros in front.
    Barcode,
    /// By its SKU.
    Sku,
    /// By the GTIN of a carton: what was found is what is in it, not the carton.
    Package,
}

/// Something that was found behind a code. What it is, its type tells.
#[expect(
    clippy::large_enum_variant,
    reason = "a few of these live for one answer"
)]
#[derive(Interface)]
#[graphql(
    field(
        name = "matched_by",
        ty = "&ScanMatchedBy",
        desc = "By what it was found."
    ),
    field(
        name = "matched_code",
        ty = "&String",
        desc = "The id, barcode or SKU by which it was found, as it is on file."
    )
)]
pub enum ScanResult {
    /// An item.
    Item(ScannedItem),
    /// A lot, or a serial.
    Lot(ScannedLot),
    /// A location.
    Location(ScannedLocation),
}

/// An item that was found behind a code.
#[derive(SimpleObject)]
pub struct ScannedItem {
    /// By what it was found.
    matched_by: ScanMatchedBy,
    /// The id, barcode or SKU by which it was found, as it is on file.
    matched_code: String,
    /// The item. It may be archived.
    item: Item,
}

/// A lot, or a serial, that was found behind a code of goldshop's.
#[derive(SimpleObject)]
pub struct ScannedLot {
    /// By what it was found: its id.
    matched_by: ScanMatchedBy,
    /// Its id.
    matched_code: String,
    /// The lot.
    lot: Lot,
}

/// A location that was found behind a code of goldshop's.
#[derive(SimpleObject)]
pub struct ScannedLocation {
    /// By what it was found: its id.
    matched_by: ScanMatchedBy,
    /// Its id.
    matched_code: String,
    /// The location. It may be closed.
    location: Location,
}

/// Scans.
#[derive(Default)]
pub struct ScanQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl ScanQuery {
    /// What is behind a code that was scanned or typed: a QR code that goldshop has printed, an id, a barcode (also inside a GS1 element
    /// string, or of a carton) or a SKU. The most certain first, and what is archived last; several when the code is ambiguous, none
    /// when it is unknown. Needs `catalogue.read`, and `stock.read` for codes that goldshop has printed for lots and locations.
    #[graphql(complexity = "cost::STATEMENT + cost::rows(USUAL, child_complexity)")]
    async fn scan(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "As the scanner sends it, in digits of any script; at most 1,024 characters."
        )]
        code: String,
    ) -> async_graphql::Result<Vec<ScanResult>> {
        let viewer = ctx.viewer();
        let id = ItemId::parse("code", &ID::from(reference(&code))).ok();
        let found = ctx.domain().scans().find(viewer, &code, id).await;
        let found = match found.or_graphql(viewer)? {
            Found::Items(found) => found,
            Found::Lot(lot) => return Ok(vec![ScanResult::Lot(ScannedLot::new(*lot))]),
            Found::Location(location) => {
                let location = ScannedLocation::new(ctx, *location);
                return Ok(vec![ScanResult::Location(location)]);
            }
        };
        let rows = found.iter().map(|found| &found.item);
        prefetch(ctx, ctx.look_ahead().field("item"), rows).await?;
        Ok(found.into_iter().map(|found| result(ctx, found)).collect())
    }
}

impl ScannedLot {
    fn new(row: domain::lot::Lot) -> Self {
        let lot = Lot::new(row);
        Self {
            matched_by: ScanMatchedBy::Id,
            matched_code: lot.id.0.clone(),
            lot,
        }
    }
}

impl ScannedLocation {
    fn new(ctx: &Context<'_>, row: domain::location::Location) -> Self {
        let location = Location::new(ctx, row);
        Self {
            matched_by: ScanMatchedBy::Id,
            matched_code: location.id.0.clone(),
            location,
        }
    }
}

fn result(ctx: &Context<'_>, found: ScanMatch) -> ScanResult {
    let ScanMatch {
        matched_by,
        matched_code,
        item,
    } = found;
    let item = Item::new(ctx, item);
    // Clients know ids in another form than the database does.
    let matched_code = match matched_by {
        MatchedBy::Id => item.id.0.clone(),
        MatchedBy::Barcode | MatchedBy::Sku | MatchedBy::Package => matched_code,
    };
    ScanResult::Item(ScannedItem {
        matched_by: matched_by.into(),
        matched_code,
        item,
    })
}
