//! The content of the demo shop: a jeweller, a pharmacy, a workshop, a restaurant and a public product
//! taxonomy, as plain values without a database. Everything is the same on every run: no clock, seeded randomness.

mod attribute;
mod branch;
mod category;
mod generated;
mod item;
mod jeweller;
mod lines;
mod persian;
mod pharmacy;
pub mod pictures;
mod table;
#[cfg(test)]
mod tests;

pub use attribute::{DemoAttribute, DemoAttributeKind, attributes};
pub use category::{DemoCategory, categories};
pub use generated::generated;
pub use item::{CURRENCY, DemoItem, Kind, Tracking};

use branch::Branch;

/// All items of the four demo businesses, in a fixed order: jeweller, pharmacy, workshop, restaurant.
///
/// Numbers are given in the order of the tables, so a reference stays the same as long as rows are only appended.
pub fn items() -> impl Iterator<Item = DemoItem> {
    let jeweller = Branch::JEWELLER.number(jeweller::drafts());
    let pharmacy = Branch::PHARMACY.number(pharmacy::drafts());
    let workshop = Branch::WORKSHOP.number(lines::drafts(lines::WORKSHOP));
    let restaurant = Branch::RESTAURANT.number(lines::drafts(lines::RESTAURANT));
    jeweller.chain(pharmacy).chain(workshop).chain(restaurant)
}
