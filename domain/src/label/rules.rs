//! What can be asked of a sheet of labels.

use std::collections::HashSet;

use entity::id::ItemId;

use super::{LabelKind, LabelOptions, Selection};
use crate::error::{Code, Refusal, Refusals, Result};

/// Most items that can be named one by one.
pub const NAMED_MAX: usize = 1_000;
/// Most labels of one item.
pub const COPIES_MAX: i32 = 1_000;
/// Most labels of one request, and so most items too: a file of megabytes that a worker draws in seconds, and more than a box of sheets.
pub const LABELS_MAX: usize = 10_000;

/// What is wrong with a request, as far as it can be told without the database.
pub(super) fn check(selection: &Selection, options: &LabelOptions) -> Result<()> {
    let mut refusals = Refusals::default();
    match selection {
        Selection::Items(ids) => drop(refusals.take(check_named(ids.len()))),
        Selection::Filter(filter) => drop(refusals.take(filter.check())),
    }
    refusals.take(check_size(options));
    let last = options.layout.grid(options.kind).labels();
    refusals.take(check_range("startAt", options.start_at, last));
    refusals.take(check_range("copies", options.copies, COPIES_MAX));
    refusals.into_result(Some(()))
}

fn check_named(count: usize) -> Result<(), Refusal> {
    match count {
        0 => Err(Refusal::new(Code::NothingSelected, "itemIds")),
        1..=NAMED_MAX => Ok(()),
        _ => Err(Refusal::new(Code::TooMany, "itemIds").with("max", NAMED_MAX)),
    }
}

/// The least width and height of a label on which what it shows can be read, in micrometres.
fn least_size(kind: LabelKind) -> (i32, i32) {
    match kind {
        // A code of 10 mm, and as much room beside it.
        LabelKind::JewelleryTag => (25_000, 10_000),
        // Name, price and code.
        LabelKind::Shelf => (38_000, 21_000),
        // To be read from the ladder.
        LabelKind::Carton => (60_000, 25_000),
    }
}

fn check_size(options: &LabelOptions) -> Result<(), Refusal> {
    let (width, height) = options.layout.grid(options.kind).label;
    let least = least_size(options.kind);
    if width >= least.0 && height >= least.1 {
        return Ok(());
    }
    Err(Refusal::new(Code::LabelTooSmall, "layout"))
}

/// Each item is there, whether it is put away or not.
pub(super) fn check_known(ids: &[ItemId], known: &HashSet<ItemId>) -> Result<()> {
    let mut refusals = Refusals::default();
    for (index, _) in ids.iter().enumerate().filter(|(_, id)| !known.contains(id)) {
        refusals.push(Refusal::new(Code::NotFound, &format!("itemIds.{index}")));
    }
    refusals.into_result(Some(()))
}

/// Somebody passes the filter, and not too many do.
pub(super) fn check_found(count: usize) -> Result<(), Refusal> {
    match count {
        0 => Err(Refusal::new(Code::NothingSelected, "where")),
        1..=LABELS_MAX => Ok(()),
        _ => Err(Refusal::new(Code::TooMany, "where").with("max", LABELS_MAX)),
    }
}

/// How many labels there are to be: not too many together.
pub(super) fn count_labels(items: usize, copies: i32) -> Result<i32, Refusal> {
    let most = LABELS_MAX / items.max(1);
    let all = i32::try_from(items)
        .ok()
        .and_then(|items| items.checked_mul(copies));
    all.filter(|_| usize::try_from(copies).is_ok_and(|copies| copies <= most))
        .ok_or_else(|| {
            let refusal = Refusal::new(Code::OutOfRange, "copies").with("min", 1);
            refusal.with("max", most)
        })
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
        super::{LabelCode, Layout},
        *,
    };
    use crate::{code_batch::Level, error::Error, locale::Locale};

    fn options(start_at: i32, copies: i32) -> LabelOptions {
        LabelOptions {
            kind: LabelKind::Shelf,
            layout: Layout::A4L7160,
            start_at,
            copies,
            locale: Locale::Fa,
            code: LabelCode::Barcode,
            level: Level::M,
        }
    }

    fn items(count: usize) -> Selection {
        let id = |number: usize| ItemId(uuid::Uuid::from_u128(number as u128));
        Selection::Items((0..count).map(id).collect())
    }

    fn refused(selection: &Selection, options: &LabelOptions) -> Vec<(Code, String)> {
        match check(selection, options) {
            Err(Error::Refused(refusals)) => refusals
                .into_iter()
                .map(|refusal| (refusal.code, refusal.path.join(".")))
                .collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        assert_eq!(refused(&items(1), &options(1, 1)), []);
        assert_eq!(refused(&items(NAMED_MAX), &options(21, COPIES_MAX)), []);
        let (range, start, copies) = (Code::OutOfRange, "startAt".into(), "copies".into());
        assert_eq!(
            refused(&items(0), &options(22, 0)),
            [
                (Code::NothingSelected, "itemIds".into()),
                (range, start),
                (range, copies)
            ]
        );
        let many = refused(&items(NAMED_MAX + 1), &options(1, 1));
        assert_eq!(many, [(Code::TooMany, "itemIds".into())]);
    }

    #[test]
    fn what_has_no_room_for_what_it_shows_is_refused() {
        let too_small = |kind: LabelKind| {
            let is_refused = |layout: &Layout| {
                let options = LabelOptions {
                    kind,
                    layout: *layout,
                    ..options(1, 1)
                };
                refused(&items(1), &options) == [(Code::LabelTooSmall, "layout".to_owned())]
            };
            let all = Layout::ALL.iter().copied();
            all.filter(is_refused).collect::<Vec<_>>()
        };
        assert_eq!(too_small(LabelKind::JewelleryTag), []);
        assert_eq!(too_small(LabelKind::Shelf), [Layout::A4L4731]);
        assert_eq!(
            too_small(LabelKind::Carton),
            [Layout::A4L4731, Layout::A4L7651]
        );
    }

    #[test]
    fn all_labels_together_are_bounded() {
        assert_eq!(count_labels(1_000, 10), Ok(10_000));
        assert_eq!(count_labels(10, 1_000), Ok(10_000));
        assert_eq!(count_labels(10_000, 1), Ok(10_000));
        let refused = count_labels(1_000, 11);
        assert!(refused.is_err_and(|r| r.code == Code::OutOfRange && r.params["max"] == "10"));
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
