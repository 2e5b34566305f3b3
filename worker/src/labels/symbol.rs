//! What scanners read, as rectangles. Nothing is drawn so fine that a shop's printer would blur it.

use domain::{barcode, label::LabelCode};
use platform::{
    barcode::{QUIET_ZONE, bars, modules},
    pdf::Length,
    qr,
};

use super::Content;

/// The narrowest bar that a label printer with 203 dots per inch and a till's scanner manage: 7.5 mil.
const BAR_MIN: Length = 190;
/// The widest bar that is of any use.
const BAR_MAX: Length = 600;
/// The smallest module of a QR code: two dots at 300 dots per inch.
const MODULE_MIN: Length = 170;
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

/// The code that is wanted, or else the other one, in at most this much room; none when neither can be scanned at that size.
pub(super) fn symbol(
    content: &Content,
    wanted: LabelCode,
    bars: (Length, Length),
    square: Length,
) -> Option<Symbol> {
    let barcode = || barcode(&content.barcode, bars);
    let qr_code = || qr_code(&content.address, square);
    match wanted {
        LabelCode::Barcode => barcode().or_else(qr_code),
        LabelCode::Qr => qr_code().or_else(barcode),
    }
}

fn barcode(code: &str, (width, height): (Length, Length)) -> Option<Symbol> {
    let modules = modules(code, barcode::symbology(code)).ok()?;
    let count = length(modules.len() + 2 * QUIET_ZONE)?;
    let module = (width / count).min(BAR_MAX);
    if module < BAR_MIN || height <= 0 {
        return None;
    }
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

fn qr_code(content: &str, side: Length) -> Option<Symbol> {
    let rows = qr::modules(content).ok()?;
    let count = length(rows.len())? + 2 * QR_QUIET;
    let module = side / count;
    if module < MODULE_MIN {
        return None;
    }
    let place = |index: usize| Some((length(index)? + QR_QUIET) * module);
    let mut dark = Vec::new();
    for (index, row) in rows.iter().enumerate() {
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
