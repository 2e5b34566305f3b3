//! Scans: what is behind a code that somebody holds a scanner to, or types.

mod code;
mod gs1;
mod rules;

use entity::id::ItemId;

pub use code::{SCAN_MAX, address, reference};

use crate::{
    Domain,
    error::Result,
    item::{self, ItemWithImage},
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

/// Scans of codes.
#[derive(Clone, Copy, Debug)]
pub struct Scans<'a> {
    pub(crate) domain: &'a Domain,
}

impl Scans<'_> {
    /// All that the code can mean, the most certain first; what is put away comes last. Nothing when it is unknown. `id` is the id that
    /// the caller has found in it, if there is one in a form that only the caller knows.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or the code is empty or longer than [`SCAN_MAX`].
    pub async fn find(
        &self,
        viewer: &Viewer,
        code: &str,
        id: Option<ItemId>,
    ) -> Result<Vec<ScanMatch>> {
        viewer.require(Permission::CatalogueRead)?;
        let wanted = code::parse(code, id)?;
        let found = item::marked(&self.domain.reads, &wanted.marks()).await?;
        Ok(rules::matches(&wanted, found))
    }
}
