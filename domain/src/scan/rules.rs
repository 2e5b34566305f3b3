//! Which of the things that were found is meant.

use super::{MatchedBy, ScanMatch, code::Wanted};
use crate::item::Marked;

/// Each item once, by the most certain of its marks. Who has the very barcode of a carton on file does not mean what is in it.
pub(super) fn matches(wanted: &Wanted, found: Vec<Marked>) -> Vec<ScanMatch> {
    let mut matches: Vec<_> = found
        .into_iter()
        .map(|marked| judge(wanted, marked))
        .collect();
    if matches
        .iter()
        .any(|found| found.matched_by == MatchedBy::Barcode)
    {
        matches.retain(|found| found.matched_by != MatchedBy::Package);
    }
    // By item first, so that the surest mark of each stays.
    matches.sort_by_key(|found| (found.item.item.id, found.matched_by));
    matches.dedup_by_key(|found| found.item.item.id);
    matches.sort_by_key(|found| (found.item.item.archived_at.is_some(), found.matched_by));
    matches
}

fn judge(wanted: &Wanted, marked: Marked) -> ScanMatch {
    let Marked { item, mark, value } = marked;
    let matched_by = match mark.as_str() {
        "id" => MatchedBy::Id,
        "sku" => MatchedBy::Sku,
        _ if wanted.barcodes.contains(&value) => MatchedBy::Barcode,
        _ => MatchedBy::Package,
    };
    ScanMatch {
        matched_by,
        matched_code: value,
        item,
    }
}
