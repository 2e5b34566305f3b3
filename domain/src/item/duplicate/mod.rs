//! Items that may be one and the same: named alike, or with one GTIN in several forms.
//!
//! Names are compared in the form that the table `item_name_form` keeps of items in use: without case, spaces, and the differences between
//! Persian and Arabic letters and digits. Names that are nearly alike have the same digits: what differs in those is another size.

mod group;
mod like;

pub(super) use group::page;
pub use group::{Alike, DuplicateGroup};
pub use like::{Candidate, Duplicates, Likeness};
pub(super) use like::{of_candidate, of_item};

/// Names in one category that are compared with each other, or with one that is new. Of more, some are not looked at, and it is said so.
const NEAR_MAX: i64 = 20_000;

/// From here on names are taken to be nearly alike, as `similarity` of pg_trgm has it.
const NEAR_FROM: &str = "0.5";

/// The digits of a form, as SQL.
fn digits(form: &str) -> String {
    format!("regexp_replace({form}, '[^0-9]', '', 'g')")
}
