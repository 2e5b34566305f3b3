//! Barcodes as bars: for print as SVG, and for whoever draws them otherwise.

use barcoders::sym::{code128::Code128, ean8::EAN8, ean13::EAN13, tf::TF};
use domain::barcode::Symbology;

/// The light margin on each side, in modules. EAN-13 asks for the widest, eleven; no pattern is harmed by it.
pub const QUIET_ZONE: usize = 11;

/// Units of an SVG's natural size for one module.
const MODULE: usize = 2;
/// Height of the bars, in modules.
const BAR_HEIGHT: usize = 60;
/// Height of the line below them that people read, in modules.
const TEXT_HEIGHT: usize = 14;
/// Size of its letters, in modules.
const TEXT_SIZE: usize = 11;
/// Fewest digits that are worth changing to the half as wide digits of Code 128: at either end of the code, and inside.
const DIGITS: (usize, usize) = (4, 6);

/// The code cannot be drawn in this pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the code cannot be drawn in this pattern of bars")]
pub struct Undrawable;

/// The bars of a code from left to right, one entry a module: dark where it is true. The quiet zone is not among them.
///
/// # Errors
/// When the pattern cannot hold the code.
pub fn modules(code: &str, symbology: Symbology) -> Result<Vec<bool>, Undrawable> {
    let modules = match symbology {
        Symbology::Ean8 => EAN8::new(code).map(|code| code.encode()),
        Symbology::UpcA => EAN13::new(format!("0{code}")).map(|code| code.encode()),
        Symbology::Ean13 => EAN13::new(code).map(|code| code.encode()),
        Symbology::Itf14 => TF::interleaved(code).map(|code| code.encode()),
        Symbology::Code128 => Code128::new(in_sets(code)).map(|code| code.encode()),
    };
    let modules = modules.or(Err(Undrawable))?;
    Ok(modules.into_iter().map(|module| module == 1).collect())
}

/// The dark bars among modules: where each begins, and how wide it is.
pub fn bars(modules: &[bool]) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    modules.chunk_by(|a, b| a == b).filter_map(move |run| {
        let begin = start;
        start += run.len();
        run[0].then_some((begin, run.len()))
    })
}

/// The code as an SVG document with quiet zones, and what it says below the bars. It scales to any size.
///
/// # Errors
/// When the pattern cannot hold the code.
pub fn svg(code: &str, symbology: Symbology) -> Result<String, Undrawable> {
    let modules = modules(code, symbology)?;
    let width = modules.len() + 2 * QUIET_ZONE;
    let height = BAR_HEIGHT + TEXT_HEIGHT;
    let bars: String = bars(&modules)
        .map(|(start, width)| format!("M{} 0h{width}v{BAR_HEIGHT}h-{width}z", QUIET_ZONE + start))
        .collect();
    let (natural_width, natural_height) = (width * MODULE, height * MODULE);
    let (middle, baseline) = (width / 2, BAR_HEIGHT + TEXT_SIZE);
    let text = escaped(code);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{natural_width}\" height=\"{natural_height}\" \
         viewBox=\"0 0 {width} {height}\"><path fill=\"#fff\" d=\"M0 0h{width}v{height}h-{width}z\"/>\
         <path shape-rendering=\"crispEdges\" d=\"{bars}\"/><text x=\"{middle}\" y=\"{baseline}\" \
         font-family=\"monospace\" font-size=\"{TEXT_SIZE}\" text-anchor=\"middle\" xml:space=\"preserve\" \
         direction=\"ltr\">{text}</text></svg>"
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The code with the changes between character sets that make it shortest: set B for everything, set C for pairs of digits.
fn in_sets(code: &str) -> String {
    const B: char = '\u{181}';
    const C: char = '\u{106}';
    let mut text = String::with_capacity(code.len() + 8);
    let mut set = None;
    let mut change = |text: &mut String, to: char| {
        if set.replace(to) != Some(to) {
            text.push(to);
        }
    };
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let is_at_an_end = rest.len() == code.len() || digits == rest.len();
        let least = if is_at_an_end { DIGITS.0 } else { DIGITS.1 };
        let is_only_a_pair = digits == 2 && code.len() == 2;
        if digits >= least || is_only_a_pair {
            // Of an odd number the one digit that is left over stays with what is beside it.
            let lone = digits % 2;
            let (alone, paired) = if rest.len() == code.len() {
                (0, digits - lone)
            } else {
                (lone, digits - lone)
            };
            if alone == 1 {
                change(&mut text, B);
                text.push_str(&rest[..1]);
            }
            change(&mut text, C);
            text.push_str(&rest[alone..alone + paired]);
            rest = &rest[alone + paired..];
        } else {
            change(&mut text, B);
            let length = digits.max(first.len_utf8());
            text.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    text
}

#[cfg(test)]
mod tests;
