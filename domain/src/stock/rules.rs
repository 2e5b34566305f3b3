//! What entries may be like.

use chrono::{DateTime, Utc};
use entity::{
    id::LocationId,
    stock_entry::{Kind, Reason},
};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{EntryFilter, LINES_MAX, LevelFilter, Particulars, line::Line};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    filter::{CONDITIONS_MAX, check_text},
    text,
};

/// Longest name of a document, in characters.
pub(crate) const DOCUMENT_MAX: usize = 200;
/// Longest note, in characters.
const NOTE_MAX: usize = 2_000;
/// How far ahead an entry's time may be: clocks differ.
const AHEAD_MAX: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

macro_rules! reasons {
    ($(#[$doc:meta])+ $name:ident: $($(#[$variant_doc:meta])+ $variant:ident => $location:ident),+ $(,)?) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum $name { $($(#[$variant_doc])+ $variant),+ }

        impl $name {
            /// As entries keep it.
            pub(super) fn reason(self) -> Reason {
                match self { $(Self::$variant => Reason::$variant),+ }
            }

            /// The other side of the movements.
            pub(super) fn location(self) -> LocationId {
                match self { $(Self::$variant => LocationId::$location),+ }
            }
        }
    };
}

reasons! {
    /// Why goods came in.
    ReceiveReason:
    /// Bought from a supplier.
    Purchased => SUPPLIER,
    /// Brought back by a customer.
    Returned => CUSTOMER,
    /// Made in the workshop.
    Produced => PRODUCTION,
}

reasons! {
    /// Why goods left.
    IssueReason:
    /// Sold to a customer.
    Sold => CUSTOMER,
    /// Sent back to their supplier.
    ReturnedToSupplier => SUPPLIER,
    /// Used up in the workshop.
    Used => PRODUCTION,
    /// Nobody knows where they are.
    Lost => LOSS,
    /// Somebody took them.
    Stolen => LOSS,
    /// They are broken.
    Damaged => LOSS,
    /// Their time is over.
    Expired => LOSS,
}

reasons! {
    /// Why there is more or less than was known.
    AdjustReason:
    /// It was there when goldshop began.
    Opening => ADJUSTMENT,
    /// More was found.
    Found => ADJUSTMENT,
    /// Another number was counted.
    Counted => ADJUSTMENT,
    /// Another weight was found.
    Weighed => ADJUSTMENT,
    /// Something was written down wrongly.
    Corrected => ADJUSTMENT,
    /// Nobody knows where it is.
    Lost => LOSS,
    /// Somebody took it.
    Stolen => LOSS,
    /// It is broken.
    Damaged => LOSS,
    /// Its time is over.
    Expired => LOSS,
}

reasons! {
    /// What was made of what.
    TransformReason:
    /// Metal was melted.
    Melted => PRODUCTION,
    /// One lot became several.
    Split => PRODUCTION,
    /// Several lots became one.
    Merged => PRODUCTION,
    /// Parts became a whole.
    Assembled => PRODUCTION,
    /// A whole became parts.
    Disassembled => PRODUCTION,
}

/// An entry to be: all that can be known of it before the database is asked.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) reason: Reason,
    pub(super) document: Option<String>,
    pub(super) note: Option<String>,
    /// When it happened; now without.
    pub(super) effective_at: Option<DateTime<Utc>>,
    pub(super) lines: Vec<Line>,
    /// How many grams of pure metal may be lost.
    pub(super) max_loss: Decimal,
}

/// The entry with these lines.
pub(super) fn plan(
    kind: Kind,
    reason: Reason,
    particulars: &Particulars,
    lines: Vec<Line>,
) -> Result<Plan> {
    let Particulars {
        document,
        note,
        effective_at,
    } = particulars;
    let mut refusals = Refusals::default();
    let document = refusals.take(parse_document(document.as_deref()));
    let note = refusals.take(parse_note(note.as_deref()));
    let plan = document.zip(note).map(|(document, note)| Plan {
        kind,
        reason,
        document,
        note,
        effective_at: *effective_at,
        lines,
        max_loss: Decimal::ZERO,
    });
    refusals.into_result(plan)
}

/// What somebody has to say about something.
pub(crate) fn parse_note(note: Option<&str>) -> Result<Option<String>, Refusal> {
    note.map(|note| text::line("note", note, 1, NOTE_MAX))
        .transpose()
}

/// The paper behind something.
pub(crate) fn parse_document(document: Option<&str>) -> Result<Option<String>, Refusal> {
    document
        .map(|document| text::line("document", document, 1, DOCUMENT_MAX))
        .transpose()
}

/// When it happened, if that was in the past: nothing happens before its time. What is a little ahead, as clocks differ, happens now.
pub(crate) fn past(
    effective_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Refusal> {
    let max = now + AHEAD_MAX;
    match effective_at {
        Some(at) if at > max => Err(Refusal::new(Code::TimeOutOfRange, "effectiveAt")
            .with("min", DateTime::UNIX_EPOCH.to_rfc3339())
            .with("max", max.to_rfc3339())),
        Some(at) if at >= now => Ok(None),
        at => Ok(at),
    }
}

/// There are some lines, and no more than we take.
pub(crate) fn check_lines(path: &str, lines: usize) -> Result<(), Refusal> {
    match lines {
        0 => Err(Refusal::new(Code::Required, path)),
        1..=LINES_MAX => Ok(()),
        _ => Err(Refusal::new(Code::TooMany, path).with("max", LINES_MAX)),
    }
}

/// Bounds what a client can make us compare.
pub(super) fn check_level_filter(filter: &LevelFilter, is_past: bool) -> Result<(), Refusal> {
    let LevelFilter {
        item_ids,
        location_ids,
        within: _,
        in_stock,
        available,
    } = filter;
    // Of the past those levels are listed that were not empty, and what was held then is not known.
    for (given, path) in [(in_stock, "where.inStock"), (available, "where.available")] {
        if is_past && given.is_some() {
            return Err(Refusal::new(Code::Exclusive, path).with("other", "asOf"));
        }
    }
    check_conditions(
        item_ids.as_ref().map_or(0, Vec::len) + location_ids.as_ref().map_or(0, Vec::len),
    )
}

/// Bounds what a client can make us compare.
pub(super) fn check_entry_filter(filter: &EntryFilter) -> Result<(), Refusal> {
    let EntryFilter {
        kinds,
        reasons,
        document,
        from: _,
        until: _,
    } = filter;
    document.as_deref().map_or(Ok(()), check_text)?;
    check_conditions(kinds.as_ref().map_or(0, Vec::len) + reasons.as_ref().map_or(0, Vec::len))
}

pub(crate) fn check_conditions(conditions: usize) -> Result<(), Refusal> {
    if conditions > CONDITIONS_MAX {
        return Err(Refusal::new(Code::TooMany, "where").with("max", CONDITIONS_MAX));
    }
    Ok(())
}
