//! Decisions about the category tree that need nothing but their arguments.

use std::collections::{HashMap, HashSet};

use entity::{category::Model as Category, id::CategoryId, translations::Translations};

use super::{CategoryChange, NewCategory};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    patch::Patch,
    text,
};

/// Longest icon name, in characters.
const ICON_MAX: usize = 100;
/// Most names of a path.
const PATH_MAX: usize = 100;

/// What a category looks like, valid.
#[derive(Clone, Debug)]
pub(super) struct Face {
    pub(super) name: Translations,
    pub(super) icon: Option<String>,
    pub(super) colour: Option<String>,
    pub(super) external_reference: Option<String>,
}

/// A change of that, valid.
#[derive(Clone, Debug)]
pub(super) struct FaceChange {
    pub(super) name: Option<Translations>,
    pub(super) icon: Patch<String>,
    pub(super) colour: Patch<String>,
    pub(super) external_reference: Patch<String>,
}

pub(super) fn parse_new(new: &NewCategory) -> Result<Face> {
    let NewCategory {
        parent_id: _,
        name,
        icon,
        colour,
        external_reference,
    } = new;
    let mut refusals = Refusals::default();
    let name = text::take_all(&mut refusals, text::name("name", name));
    let icon = refusals.take(icon.as_deref().map(parse_icon).transpose());
    let colour = refusals.take(colour.as_deref().map(parse_colour).transpose());
    let reference = refusals.take(
        external_reference
            .as_deref()
            .map(text::external_reference)
            .transpose(),
    );
    let face = (|| {
        Some(Face {
            name: name?,
            icon: icon?,
            colour: colour?,
            external_reference: reference?,
        })
    })();
    refusals.into_result(face)
}

pub(super) fn parse_change(change: &CategoryChange) -> Result<FaceChange> {
    let CategoryChange {
        name,
        icon,
        colour,
        external_reference,
    } = change.clone();
    let mut refusals = Refusals::default();
    let name = text::take_all(
        &mut refusals,
        name.map(|name| text::name("name", &name)).transpose(),
    );
    let icon = refusals.take(icon.try_map(|icon| parse_icon(&icon)));
    let colour = refusals.take(colour.try_map(|colour| parse_colour(&colour)));
    let reference =
        refusals.take(external_reference.try_map(|reference| text::external_reference(&reference)));
    let change = (|| {
        Some(FaceChange {
            name: name?,
            icon: icon?,
            colour: colour?,
            external_reference: reference?,
        })
    })();
    refusals.into_result(change)
}

fn parse_icon(icon: &str) -> Result<String, Refusal> {
    text::line("icon", icon, 1, ICON_MAX)
}

fn parse_colour(colour: &str) -> Result<String, Refusal> {
    let colour = colour.trim().to_ascii_lowercase();
    let digits = colour.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(colour)
    } else {
        Err(Refusal::new(Code::InvalidFormat, "colour").with("value", colour))
    }
}

/// The order of all siblings: those in use as given, which must name each of them once, then those that are put away.
pub(super) fn complete_order(
    siblings: &[Category],
    order: &[CategoryId],
) -> Result<Vec<CategoryId>, Refusal> {
    let (in_use, archived): (Vec<_>, Vec<_>) = siblings
        .iter()
        .partition(|sibling| sibling.archived_at.is_none());
    check_order(&in_use, order)?;
    Ok(order
        .iter()
        .copied()
        .chain(archived.iter().map(|sibling| sibling.id))
        .collect())
}

fn check_order(siblings: &[&Category], order: &[CategoryId]) -> Result<(), Refusal> {
    let expected: HashSet<_> = siblings.iter().map(|sibling| sibling.id).collect();
    let named: HashSet<_> = order.iter().copied().collect();
    if let Some(index) = order.iter().position(|id| !expected.contains(id)) {
        return Err(Refusal::new(Code::NotFound, &format!("order.{index}")));
    }
    if named.len() < order.len() {
        return Err(Refusal::new(Code::InvalidFormat, "order"));
    }
    if named.len() < expected.len() {
        return Err(Refusal::new(Code::Required, "order"));
    }
    Ok(())
}

pub(super) fn check_path(names: &[String]) -> Result<(), Refusal> {
    if names.is_empty() {
        return Err(Refusal::new(Code::Required, "path"));
    }
    if names.len() > PATH_MAX {
        return Err(Refusal::new(Code::TooMany, "path").with("max", PATH_MAX));
    }
    for (index, name) in names.iter().enumerate() {
        text::line(&format!("path.{index}"), name, 1, text::NAME_MAX)?;
    }
    Ok(())
}

/// Parents before their children, siblings in their order. Rows whose parent is not among them are taken as roots.
pub(super) fn depth_first(rows: Vec<Category>) -> Vec<Category> {
    let present: HashSet<_> = rows.iter().map(|row| row.id).collect();
    let mut below: HashMap<Option<CategoryId>, Vec<usize>> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        below
            .entry(row.parent_id.filter(|parent| present.contains(parent)))
            .or_default()
            .push(index);
    }
    for siblings in below.values_mut() {
        siblings.sort_unstable_by_key(|index| (rows[*index].position, rows[*index].number));
    }
    let mut rows: Vec<_> = rows.into_iter().map(Some).collect();
    let mut sorted = Vec::with_capacity(rows.len());
    // Last sibling first: the stack hands them out the other way round.
    let mut waiting: Vec<_> = below
        .remove(&None)
        .unwrap_or_default()
        .into_iter()
        .rev()
        .collect();
    while let Some(row) = waiting.pop().and_then(|index| rows[index].take()) {
        waiting.extend(
            below
                .remove(&Some(row.id))
                .unwrap_or_default()
                .into_iter()
                .rev(),
        );
        sorted.push(row);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::ltree::Ltree;
    use uuid::Uuid;

    use super::*;

    fn category(number: i64, parent: Option<i64>, path: &str, position: i32) -> Category {
        let id = |number: i64| CategoryId(Uuid::from_u128(number.unsigned_abs().into()));
        Category {
            id: id(number),
            number,
            parent_id: parent.map(id),
            path: Ltree(path.into()),
            name: Translations::default(),
            position,
            icon: None,
            colour: None,
            external_reference: None,
            archived_at: None,
            version: 1,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_tree_comes_out_parents_first_and_siblings_in_order() {
        let rows = vec![
            category(4, Some(2), "1.2.4", 0),
            category(3, Some(1), "1.3", 0),
            category(2, Some(1), "1.2", 1),
            category(5, None, "5", 0),
            category(1, None, "1", 0),
        ];
        let order: Vec<_> = depth_first(rows).iter().map(|row| row.number).collect();
        assert_eq!(order, [1, 3, 2, 4, 5]);
    }

    #[test]
    fn an_order_names_each_sibling_once() {
        let siblings = [category(1, None, "1", 0), category(2, None, "2", 1)];
        let (a, b, other) = (
            siblings[0].id,
            siblings[1].id,
            CategoryId(Uuid::from_u128(9)),
        );
        assert_eq!(complete_order(&siblings, &[b, a]), Ok(vec![b, a]));
        for wrong in [vec![a], vec![a, a], vec![a, b, other], vec![a, b, b]] {
            assert!(complete_order(&siblings, &wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_put_away_needs_no_place_in_an_order() {
        let mut siblings = [category(1, None, "1", 0), category(2, None, "2", 1)];
        siblings[0].archived_at = Some(DateTime::UNIX_EPOCH);
        let (away, used) = (siblings[0].id, siblings[1].id);
        assert_eq!(complete_order(&siblings, &[used]), Ok(vec![used, away]));
        assert!(complete_order(&siblings, &[used, away]).is_err());
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let new = NewCategory {
            colour: Some("red".into()),
            ..NewCategory::default()
        };
        let refused = match parse_new(&new) {
            Err(crate::Error::Refused(refused)) => refused,
            other => panic!("{other:?}"),
        };
        let paths: Vec<_> = refused.iter().map(|r| r.path.join(".")).collect();
        assert_eq!(paths, ["name", "colour"]);
    }
}

#[cfg(test)]
#[path = "rules_properties.rs"]
mod properties;
