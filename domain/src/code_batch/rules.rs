//! What can be asked of a batch of codes.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{CodeOptions, Level, NewCodeBatch, Selection};
use crate::error::{Code, Refusal, Refusals, Result};

/// Most codes of a batch.
pub const CODES_MAX: usize = 1_000;
/// Longest picture in the middle, in bytes as it is sent.
pub const LOGO_MAX: usize = 512 * 1024;
/// The least level at which a picture may cover the middle.
const LOGO_LEVEL: Level = Level::Q;

/// How the codes are made, when nothing is wrong with what was asked, as far as it can be told without the database.
pub(super) fn options(new: &NewCodeBatch) -> Result<CodeOptions> {
    let mut refusals = Refusals::default();
    match &new.selection {
        Selection::Filter(filter) => drop(refusals.take(filter.check())),
        named => drop(refusals.take(check_named(named))),
    }
    let level = refusals.take(level(new.level, new.logo.is_some()));
    if let Some(logo) = &new.logo {
        refusals.take(check_logo(logo.len()));
    }
    let options = level.map(|level| CodeOptions {
        subject: new.selection.subject(),
        format: new.format,
        level,
    });
    refusals.into_result(options)
}

/// The level that was asked for, or what is usual.
fn level(asked: Option<Level>, has_logo: bool) -> Result<Level, Refusal> {
    match (asked, has_logo) {
        (None, false) => Ok(Level::M),
        (None, true) => Ok(Level::H),
        (Some(level), true) if level < LOGO_LEVEL => Err(Refusal::new(Code::LevelTooLow, "level")),
        (Some(level), _) => Ok(level),
    }
}

fn check_named(selection: &Selection) -> Result<(), Refusal> {
    let Some((path, ids)) = selection.named() else {
        return Ok(());
    };
    match ids.len() {
        0 => Err(Refusal::new(Code::NothingSelected, path)),
        1..=CODES_MAX => Ok(()),
        _ => Err(Refusal::new(Code::TooMany, path).with("max", CODES_MAX)),
    }
}

fn check_logo(bytes: usize) -> Result<(), Refusal> {
    match bytes {
        0 => Err(Refusal::new(Code::Unreadable, "logo")),
        1..=LOGO_MAX => Ok(()),
        _ => Err(Refusal::new(Code::TooLarge, "logo").with("max", LOGO_MAX)),
    }
}

/// Each of them is there.
pub(super) fn check_known(path: &str, ids: &[Uuid], known: &HashMap<Uuid, String>) -> Result<()> {
    let mut refusals = Refusals::default();
    let unknown = ids.iter().enumerate();
    for (index, _) in unknown.filter(|(_, id)| !known.contains_key(id)) {
        refusals.push(Refusal::new(Code::NotFound, &format!("{path}.{index}")));
    }
    refusals.into_result(Some(()))
}

/// Somebody passes the filter, and not too many do.
pub(super) fn check_found(count: usize) -> Result<(), Refusal> {
    match count {
        0 => Err(Refusal::new(Code::NothingSelected, "where")),
        1..=CODES_MAX => Ok(()),
        _ => Err(Refusal::new(Code::TooMany, "where").with("max", CODES_MAX)),
    }
}

/// What is named twice has one code, in the first place.
pub(super) fn each_once(ids: Vec<Uuid>) -> Vec<Uuid> {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

#[cfg(test)]
mod tests {
    use entity::id::LotId;

    use super::{
        super::{Format, Picture, Subject},
        *,
    };
    use crate::error::Error;

    fn lots(count: u128) -> NewCodeBatch {
        let id = |number| LotId(Uuid::from_u128(number));
        NewCodeBatch {
            selection: Selection::Lots((0..count).map(id).collect()),
            format: Format::Zip(Picture::Svg),
            level: None,
            logo: None,
        }
    }

    fn refused(new: &NewCodeBatch) -> Vec<(Code, String)> {
        match options(new) {
            Err(Error::Refused(refusals)) => refusals
                .into_iter()
                .map(|refusal| (refusal.code, refusal.path.join(".")))
                .collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        assert_eq!(refused(&lots(1)), []);
        assert_eq!(refused(&lots(1_000)), []);
        let wrong = NewCodeBatch {
            level: Some(Level::M),
            logo: Some(vec![0; LOGO_MAX + 1]),
            ..lots(0)
        };
        assert_eq!(
            refused(&wrong),
            [
                (Code::NothingSelected, "lotIds".into()),
                (Code::LevelTooLow, "level".into()),
                (Code::TooLarge, "logo".into())
            ]
        );
        assert_eq!(refused(&lots(1_001)), [(Code::TooMany, "lotIds".into())]);
        assert!(check_found(1_000).is_ok() && check_found(1_001).is_err());
    }

    #[test]
    fn a_picture_wants_a_high_level() {
        let made = |level, logo: Option<Vec<u8>>| {
            let new = NewCodeBatch {
                level,
                logo,
                ..lots(1)
            };
            options(&new)
                .map(|options| (options.subject, options.level))
                .ok()
        };
        assert_eq!(made(None, None), Some((Subject::Lot, Level::M)));
        assert_eq!(made(Some(Level::L), None), Some((Subject::Lot, Level::L)));
        let logo = || Some(vec![0; LOGO_MAX]);
        assert_eq!(made(None, logo()), Some((Subject::Lot, Level::H)));
        for (level, is_taken) in [
            (Level::L, false),
            (Level::M, false),
            (Level::Q, true),
            (Level::H, true),
        ] {
            assert_eq!(made(Some(level), logo()).is_some(), is_taken, "{level:?}");
        }
    }

    #[test]
    fn each_has_one_code_in_its_first_place() {
        let [a, b] = [1, 2].map(Uuid::from_u128);
        assert_eq!(each_once(vec![b, a, b, b]), [b, a]);
    }
}
