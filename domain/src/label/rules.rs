//! What can be asked of a sheet of labels.

use std::collections::HashSet;

use entity::id::ItemId;

use super::{LabelSheet, Selection};
use crate::error::{Code, Refusal, Refusals, Result};

/// Most items of one request.
pub const ITEMS_MAX: usize = 1_000;
/// Most labels of one item.
pub const COPIES_MAX: i32 = 500;
/// Most labels of one request: what a worker can hold while it draws them.
pub const LABELS_MAX: usize = 5_000;

/// What is wrong with a request, as far as it can be told without the database.
pub(super) fn check(selection: &Selection, sheet: &LabelSheet) -> Result<()> {
    let mut refusals = Refusals::default();
    match selection {
        Selection::Items(ids) => drop(refusals.take(check_count(ids.len(), "itemIds"))),
        Selection::Filter(filter) => drop(refusals.take(filter.check())),
    }
    let last = sheet.layout.labels_a_sheet();
    refusals.take(check_range("startAt", sheet.start_at, last));
    refusals.take(check_range("copies", sheet.copies, COPIES_MAX));
    refusals.into_result(Some(()))
}

/// Somebody gets a label, and not too many do.
pub(super) fn check_count(count: usize, path: &str) -> Result<(), Refusal> {
    match count {
        0 => Err(Refusal::new(Code::NothingSelected, path)),
        1..=ITEMS_MAX => Ok(()),
        _ => Err(Refusal::new(Code::TooMany, path).with("max", ITEMS_MAX)),
    }
}

/// Each item is there, whether it is put away or not.
pub(super) fn check_known(ids: &[ItemId], known: &HashSet<ItemId>) -> Result<()> {
    let mut refusals = Refusals::default();
    for (index, _) in ids.iter().enumerate().filter(|(_, id)| !known.contains(id)) {
        refusals.push(Refusal::new(Code::NotFound, &format!("itemIds.{index}")));
    }
    refusals.into_result(Some(()))
}

/// All labels together are not too many.
pub(super) fn check_labels(items: usize, copies: i32) -> Result<(), Refusal> {
    let most = LABELS_MAX / items.max(1);
    if usize::try_from(copies).is_ok_and(|copies| copies <= most) {
        return Ok(());
    }
    let refusal = Refusal::new(Code::OutOfRange, "copies").with("min", 1);
    Err(refusal.with("max", most))
}

fn check_range(path: &str, number: i32, max: i32) -> Result<(), Refusal> {
    if (1..=max).contains(&number) {
        return Ok(());
    }
    let refusal = Refusal::new(Code::OutOfRange, path).with("min", 1);
    Err(refusal.with("max", max))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{LabelCode, Layout, Template},
        *,
    };
    use crate::{error::Error, locale::Locale};

    fn sheet(start_at: i32, copies: i32) -> LabelSheet {
        LabelSheet {
            template: Template::Shelf,
            layout: Layout::A4L7160,
            start_at,
            copies,
            locale: Locale::Fa,
            code: LabelCode::Barcode,
        }
    }

    fn items(count: usize) -> Selection {
        let id = |number: usize| ItemId(uuid::Uuid::from_u128(number as u128));
        Selection::Items((0..count).map(id).collect())
    }

    fn refused(selection: &Selection, sheet: &LabelSheet) -> Vec<(Code, String)> {
        match check(selection, sheet) {
            Err(Error::Refused(refusals)) => refusals
                .into_iter()
                .map(|refusal| (refusal.code, refusal.path.join(".")))
                .collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        assert_eq!(refused(&items(1), &sheet(1, 1)), []);
        assert_eq!(refused(&items(ITEMS_MAX), &sheet(21, COPIES_MAX)), []);
        let (range, start, copies) = (Code::OutOfRange, "startAt".into(), "copies".into());
        assert_eq!(
            refused(&items(0), &sheet(22, 0)),
            [
                (Code::NothingSelected, "itemIds".into()),
                (range, start),
                (range, copies)
            ]
        );
        let many = refused(&items(ITEMS_MAX + 1), &sheet(1, 1));
        assert_eq!(many, [(Code::TooMany, "itemIds".into())]);
    }

    #[test]
    fn all_labels_together_are_bounded() {
        assert!(check_labels(1_000, 5).is_ok());
        assert!(check_labels(10, 500).is_ok());
        let refused = check_labels(1_000, 6);
        assert!(refused.is_err_and(|r| r.code == Code::OutOfRange && r.params["max"] == "5"));
    }

    #[test]
    fn who_is_not_known_is_named() {
        let Selection::Items(ids) = items(3) else {
            return;
        };
        let known = [ids[0], ids[2]].into();
        let refused = check_known(&ids, &known);
        assert!(
            matches!(refused, Err(Error::Refused(all)) if all[0].path == ["itemIds", "1"] && all.len() == 1)
        );
    }
}
