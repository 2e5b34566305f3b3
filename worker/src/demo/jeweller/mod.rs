//! The jeweller: pieces composed from tables of types, alloys and stones, then coins and bars, loose stones, and
//! the catalogue lines around them. Weights are whole milligrams until they are written as grams.

mod alloy;
mod bullion;
mod certificate;
mod loose;
mod piece;
mod pricing;
mod stone;

use rust_decimal::Decimal;

use super::branch::Draft;
use super::lines;

pub(super) fn drafts() -> impl Iterator<Item = Draft> {
    piece::drafts()
        .chain(bullion::drafts())
        .chain(loose::drafts())
        .chain(lines::drafts(lines::JEWELLER))
}

/// Milligrams as grams with three decimals.
fn grams(milligrams: i64) -> Decimal {
    Decimal::new(milligrams, 3)
}
