//! Decisions about views that need nothing but their arguments.

use serde::Serialize;
use serde_json::Value;

use super::{Asked, Content, NewSavedView, SavedViewChange};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    text::{self, NAME_MAX},
};

/// Most views that a user keeps of one list.
pub const VIEWS_MAX: i64 = 100;
/// Most views of one list that are shared.
pub const SHARED_MAX: i64 = 200;
/// Most columns of one view.
const COLUMNS_MAX: usize = 100;
/// Longest name of a column, in characters.
const COLUMN_MAX: usize = 100;
/// Most terms of an order.
const TERMS_MAX: usize = 10;

/// A view's values, valid.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) shared: bool,
    pub(super) content: DraftContent,
}

/// A change of them, valid.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DraftChange {
    pub(super) name: Option<String>,
    pub(super) shared: Option<bool>,
    pub(super) content: Option<DraftContent>,
}

/// What a view shows, valid.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DraftContent {
    pub(super) request: Value,
    pub(super) columns: Vec<String>,
}

/// How many views there are: the owner's, and the shared ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) own: i64,
    pub(super) shared: i64,
}

pub(super) fn parse_new(new: &NewSavedView) -> Result<Draft> {
    let NewSavedView {
        name,
        shared,
        content,
    } = new;
    let mut refusals = Refusals::default();
    let name = refusals.take(text::line("name", name, 1, NAME_MAX));
    let content = refusals.take(parse_content(content));
    let draft = name.zip(content).map(|(name, content)| Draft {
        name,
        shared: *shared,
        content,
    });
    refusals.into_result(draft)
}

pub(super) fn parse_change(change: &SavedViewChange) -> Result<DraftChange> {
    let SavedViewChange {
        name,
        shared,
        content,
    } = change;
    let mut refusals = Refusals::default();
    let name = name
        .as_ref()
        .map(|name| text::line("name", name, 1, NAME_MAX));
    let name = refusals.take(name.transpose());
    let content = refusals.take(content.as_ref().map(parse_content).transpose());
    let draft = name.zip(content).map(|(name, content)| DraftChange {
        name,
        shared: *shared,
        content,
    });
    refusals.into_result(draft)
}

fn parse_content(content: &Content) -> Result<DraftContent, Refusal> {
    let Content {
        asked,
        written,
        columns,
    } = content;
    match asked {
        Asked::Items { selection, order } => {
            selection.check()?;
            if order.len() > TERMS_MAX {
                return Err(Refusal::new(Code::TooMany, "orderBy").with("max", TERMS_MAX));
            }
        }
    }
    Ok(DraftContent {
        request: written.clone(),
        columns: parse_columns(columns)?,
    })
}

fn parse_columns(columns: &[String]) -> Result<Vec<String>, Refusal> {
    if columns.len() > COLUMNS_MAX {
        return Err(Refusal::new(Code::TooMany, "columns").with("max", COLUMNS_MAX));
    }
    let columns = columns.iter().enumerate();
    columns
        .map(|(index, column)| text::line(&format!("columns.{index}"), column, 1, COLUMN_MAX))
        .collect()
}

/// Whether there is room for one more view of the owner, or of everybody.
pub(super) fn check_room(counts: Counts, is_new: bool, is_shared: bool) -> Result<(), Refusal> {
    if is_new && counts.own >= VIEWS_MAX {
        return Err(Refusal::new(Code::TooMany, "").with("max", VIEWS_MAX));
    }
    if is_shared && counts.shared >= SHARED_MAX {
        return Err(Refusal::new(Code::TooMany, "shared").with("max", SHARED_MAX));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        let counts = |own, shared| Counts { own, shared };
        assert!(check_room(counts(99, 199), true, true).is_ok());
        assert!(check_room(counts(100, 0), true, false).is_err());
        assert!(check_room(counts(100, 200), false, false).is_ok());
        assert!(
            check_room(counts(0, 200), false, true)
                .is_err_and(|refusal| refusal.path == ["shared"])
        );
    }
}
