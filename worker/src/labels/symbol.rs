//! What scanners read, as rectangles. Nothing is drawn so fine that a shop's printer would blur it.

use domain::{
    barcode::{self, Symbology},
    label::{LabelCode, LabelOptions, Layout},
};
use platform::{
    barcode::{QUIET_ZONE, bars, modules},
    pdf::Length,
    qr::{Level, Qr},
};

use super::Content;
use crate::codes;

/// The narrowest bars of EAN and UPC: four fifths of their nominal size (GS1 General Specifications, section 5.2.3).
const EAN_MIN: Length = 264;
/// The narrowest bars of other barcodes: 7.5 mil, which a till's scanner manages.
const BAR_MIN: Length = 190;
/// The widest bar that is of any use.
const BAR_MAX: Length = 600;
/// The smallest module of a QR code that telephones read from paper.
const MODULE_MIN: Length = 200;
/// A dot of the printers that rolls go through, with 203 dots an inch: what is no whole number of dots comes out uneven.
const DOT: Length = 125;
/// The light margin around a QR code, in modules.
const QR_QUIET: Length = 4;

/// A code with its quiet zone, as rectangles from its upper left corner.
#[derive(Debug)]
pub(super) struct Symbol {
    pub(super) dark: Vec<[Length; 4]>,
    pub(super) width: Length,
    pub(super) height: Length,
    /// Whether it is a barcode, under which people read what it says.
    pub(super) is_barcode: bool,
}

/// The code that is wanted, or else the other one, in at most this much room: width and height for bars, the side of a square for a QR
/// code. None when neither can be scanned at that size.
pub(super) fn symbol(
    content: &Content,
    options: &LabelOptions,
    bars: (Length, Length),
    square: Length,
) -> Option<Symbol> {
    let barcode = || barcode(&content.barcode, options.layout, bars);
    let level = codes::level(options.level);
    let qr_code = || qr_code(&content.address, level, options.layout, square);
    match options.code {
        LabelCode::Barcode => barcode().or_else(qr_code),
        LabelCode::Qr => qr_code().or_else(barcode),
    }
}

/// The widest module with which so many of them fit, unless it is narrower than the least.
fn module(room: Length, count: Length, least: Length, layout: Layout) -> Option<Length> {
    let step = match layout {
        Layout::Roll => DOT,
        Layout::A4L4731
        | Layout::A4L7160
        | Layout::A4L7163
        | Layout::A4L7651
        | Layout::Letter5160
        | Layout::Letter5163 => 1,
    };
    let module = (room / count).min(BAR_MAX) / step * step;
    (module >= least).then_some(module)
}

fn barcode(code: &str, layout: Layout, (width, height): (Length, Length)) -> Option<Symbol> {
    let symbology = barcode::symbology(code);
    let modules = modules(code, symbology).ok()?;
    let count = length(modules.len() + 2 * QUIET_ZONE)?;
    let least = match symbology {
        Symbology::Ean8 | Symbology::UpcA | Symbology::Ean13 => EAN_MIN,
        Symbology::Itf14 | Symbology::Code128 => BAR_MIN,
    };
    let module = module(width, count, least, layout).filter(|_| height > 0)?;
    let quiet = length(QUIET_ZONE)? * module;
    let dark = bars(&modules).map(|(start, width)| {
        Some([
            quiet + length(start)? * module,
            0,
            length(width)? * module,
            height,
        ])
    });
    Some(Symbol {
        dark: dark.collect::<Option<_>>()?,
        width: count * module,
        height,
        is_barcode: true,
    })
}

fn qr_code(content: &str, level: Level, layout: Layout, side: Length) -> Option<Symbol> {
    let code = Qr::new(content, level).ok()?;
    let count = length(code.rows().len())? + 2 * QR_QUIET;
    let module = module(side, count, MODULE_MIN, layout)?;
    let place = |index: usize| Some((length(index)? + QR_QUIET) * module);
    let mut dark = Vec::new();
    for (index, row) in code.rows().enumerate() {
        for (start, width) in bars(row) {
            dark.push([
                place(start)?,
                place(index)?,
                length(width)? * module,
                module,
            ]);
        }
    }
    Some(Symbol {
        dark,
        width: count * module,
        height: count * module,
        is_barcode: false,
    })
}

fn length(count: usize) -> Option<Length> {
    Length::try_from(count).ok()
}
