//! Barcodes as pictures.

use async_graphql::{Context, Enum, Object, SimpleObject};
use domain::{Code, Permission, Refusal, barcode::Symbology};

use super::{context::ContextExt, error::OrGraphql, guard::Needs};

/// In which pattern of bars a barcode is drawn.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Symbology", name = "BarcodeSymbology")]
pub enum BarcodeSymbology {
    /// EAN-8: a GTIN of eight digits.
    #[graphql(name = "EAN_8")]
    Ean8,
    /// UPC-A: a GTIN of twelve digits.
    UpcA,
    /// EAN-13: a GTIN of thirteen digits.
    #[graphql(name = "EAN_13")]
    Ean13,
    /// ITF-14: a GTIN of fourteen digits, on cartons.
    #[graphql(name = "ITF_14")]
    Itf14,
    /// Code 128: anything else.
    #[graphql(name = "CODE_128")]
    Code128,
}

/// A barcode, ready to print.
#[derive(SimpleObject)]
pub struct BarcodeImage {
    /// What a scanner reads.
    code: String,
    /// The pattern that it is drawn in: the one that is made for a GTIN of this length, or Code 128.
    symbology: BarcodeSymbology,
    /// An SVG document with quiet zones, and the code below the bars. It scales to any size; less than 16 KiB.
    svg: String,
}

impl BarcodeImage {
    /// Draws a barcode that is valid.
    ///
    /// # Errors
    /// When it cannot be drawn: then it was not valid.
    pub fn draw(ctx: &Context<'_>, code: String) -> async_graphql::Result<Self> {
        let symbology = domain::barcode::symbology(&code);
        let svg = platform::barcode::svg(&code, symbology)
            .map_err(|_undrawable| Refusal::new(Code::InvalidFormat, "code").with("value", &code))
            .map_err(Into::into)
            .or_graphql(ctx.viewer())?;
        Ok(Self {
            code,
            symbology: symbology.into(),
            svg,
        })
    }
}

/// Queries about barcodes.
#[derive(Default)]
pub struct BarcodeQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl BarcodeQuery {
    /// Draws a barcode, whether an item has it or not. Needs `catalogue.read`.
    async fn barcode_render(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "What a scanner is to read: printable ASCII, at most 80 characters; a GTIN needs the right check digit."
        )]
        code: String,
    ) -> async_graphql::Result<BarcodeImage> {
        let code = domain::barcode::parse("code", &code)
            .map_err(Into::into)
            .or_graphql(ctx.viewer())?;
        BarcodeImage::draw(ctx, code)
    }
}
