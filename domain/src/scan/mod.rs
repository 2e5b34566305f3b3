//! Scans: what is behind a code that somebody holds a scanner to, or types.

mod code;
mod gs1;
mod rules;

use entity::id::ItemId;

pub use code::{SCAN_MAX, Subject, address, reference};

use self::code::Other;

use crate::{
    Domain,
    error::Result,
    item::{self, ItemWithImage},
    location::Location,
    lot::Lot,
    permission::Permission,
    viewer::Viewer,
};

/// By what something was found. In this order, the most certain first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchedBy {
    /// By its id: a QR code that goldshop has printed, or a link.
    Id,
    /// By a barcode on file.
    Barcode,
    /// By its SKU.
    Sku,
    /// By the barcode of a carton: what was found is what is in it.
    Package,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanMatch {
    /// By what.
    pub matched_by: MatchedBy,
    /// The id, barcode or SKU by which it was found, as it is on file.
    pub matched_code: String,
    /// What was found.
    pub item: ItemWithImage,
}

/// What a code has led to.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Everything that it can mean, the most certain first; nothing when it is unknown.
    Items(Vec<ScanMatch>),
    /// The lot, or serial, that the code was printed for.
    Lot(Box<Lot>),
    /// The location that the code was printed for.
    Location(Box<Location>),
}

/// Scans of codes.
#[derive(Clone, Copy, Debug)]
pub struct Scans<'a> {
    pub(crate) domain: &'a Domain,
}

impl Scans<'_> {
    /// The lot or the location that one of our codes leads to; otherwise all that the code can mean, the most certain first; what is put
    /// away comes last. Nothing when it is unknown. `id` is the id that the caller has found in it, if there is one in a form that only
    /// the caller knows.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or stock and the code is that of a lot or a location, or the code is empty or longer
    /// than [`SCAN_MAX`].
    pub async fn find(&self, viewer: &Viewer, code: &str, id: Option<ItemId>) -> Result<Found> {
        viewer.require(Permission::CatalogueRead)?;
        let wanted = code::parse(code, id)?;
        // A label that was printed a moment ago is scanned by somebody else, at the till.
        let reads = self.domain.reads.newest();
        if let Some(other) = code::other(code) {
            return self.find_other(viewer, other).await;
        }
        let found = item::marked(reads, &wanted.marks()).await?;
        Ok(Found::Items(rules::matches(&wanted, found)))
    }

    async fn find_other(&self, viewer: &Viewer, other: Other) -> Result<Found> {
        let found = match other {
            Other::Lot(id) => {
                let lot = self.domain.lots().find(viewer, id).await?;
                lot.map(|lot| Found::Lot(Box::new(lot)))
            }
            Other::Location(id) => {
                let location = self.domain.locations().find(viewer, id).await?;
                location.map(|location| Found::Location(Box::new(location)))
            }
        };
        Ok(found.unwrap_or_else(|| Found::Items(Vec::new())))
    }
}
