//! What holds for every tree.

use std::collections::HashMap;

use chrono::DateTime;
use entity::ltree::Ltree;
use proptest::{collection::vec, option, prelude::*, sample::Index};
use uuid::Uuid;

use super::*;
use crate::tree::{check_move, place_before};

/// The category with this number.
fn category(number: usize, parent: Option<&Category>, position: i32) -> Category {
    let label = number.to_string();
    let path = parent.map_or_else(
        || label.clone(),
        |parent| format!("{}.{label}", parent.path.0),
    );
    Category {
        id: CategoryId(Uuid::from_u128(number as u128 + 1)),
        number: i64::try_from(number).unwrap(),
        parent_id: parent.map(|parent| parent.id),
        path: Ltree(path),
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

/// Any forest, each parent in front of its children.
fn forests() -> impl Strategy<Value = Vec<Category>> {
    vec((option::of(any::<Index>()), 0..5), 1..40).prop_map(|nodes| {
        let mut rows: Vec<Category> = Vec::new();
        for (number, (parent, position)) in nodes.into_iter().enumerate() {
            let parent = parent
                .filter(|_| number > 0)
                .map(|parent| parent.get(&rows).clone());
            rows.push(category(number, parent.as_ref(), position));
        }
        rows
    })
}

/// Whether `row` is `top` or below it, found by climbing.
fn is_below(rows: &[Category], row: &Category, top: &Category) -> bool {
    let parent = rows.iter().find(|parent| Some(parent.id) == row.parent_id);
    row.id == top.id || parent.is_some_and(|parent| is_below(rows, parent, top))
}

proptest! {
    #[test]
    fn a_tree_comes_out_parents_first_whatever_order_its_rows_came_in(
        (forest, shuffled) in forests().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let sorted = depth_first(shuffled);
        prop_assert_eq!(sorted.len(), forest.len());
        let places: HashMap<_, _> = sorted.iter().enumerate().map(|(place, row)| (row.id, place)).collect();
        prop_assert_eq!(places.len(), forest.len());
        for row in &forest {
            let below = forest.iter().filter(|other| is_below(&forest, other, row));
            let mut below: Vec<_> = below.map(|other| places[&other.id]).collect();
            below.sort_unstable();
            let expected: Vec<_> = (places[&row.id]..).take(below.len()).collect();
            prop_assert_eq!(below, expected, "a subtree stands together, its root first");
        }
        for (one, next) in sorted.iter().flat_map(|one| sorted.iter().map(move |next| (one, next))) {
            if one.parent_id == next.parent_id && (one.position, one.number) < (next.position, next.number) {
                prop_assert!(places[&one.id] < places[&next.id], "siblings are in their order");
            }
        }
    }

    #[test]
    fn a_move_is_refused_if_and_only_if_it_would_close_a_circle(
        forest in forests(), moved: Index, parent: Index,
    ) {
        let (moved, parent) = (moved.get(&forest), parent.get(&forest));
        prop_assert_eq!(check_move(moved, Some(parent)).is_err(), is_below(&forest, parent, moved));
        prop_assert!(check_move(moved, None).is_ok());
    }

    #[test]
    fn a_place_among_siblings_is_in_front_of_the_one_named(
        count in 1_usize..20, moved in 0_usize..21, before: Index,
    ) {
        let siblings: Vec<_> = (0..count).map(|number| category(number, None, 0)).collect();
        let (moved, before) = (category(moved, None, 0).id, before.get(&siblings).id);
        let others: Vec<_> = siblings.iter().map(|row| row.id).filter(|id| *id != moved).collect();
        match place_before(&siblings, moved, Some(before)) {
            Ok(order) => {
                let place = order.iter().position(|id| *id == moved).unwrap();
                prop_assert_eq!(order.get(place + 1), Some(&before));
                let rest: Vec<_> = order.into_iter().filter(|id| *id != moved).collect();
                prop_assert_eq!(rest, others);
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.code, Code::NotFound);
                prop_assert_eq!(moved, before, "nothing stands in front of itself");
            }
        }
    }
}
