//! What the tests through the front door cannot reach, and what must hold of any order of things.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::id::StockEntryId;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::model::{In, Key, Method, Out, State, Worth};

const ITEM: Uuid = Uuid::from_u128(1);

fn state(method: Method) -> State {
    State {
        item: ITEM,
        method,
        scale: 2,
        total: Worth::default(),
        unit_cost: Decimal::ZERO,
        queue: BTreeMap::new(),
        places: HashMap::new(),
        lots: HashMap::new(),
    }
}

fn key(entry: u128) -> Key {
    Key {
        entry: StockEntryId(Uuid::from_u128(entry)),
        line: 1,
    }
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn incoming(entry: u32, amount: i64, value: Option<Decimal>) -> In {
    In {
        key: key(entry.into()),
        lot: None,
        layer: Uuid::from_u128(1_000_000 + u128::from(entry)),
        amount: amount.into(),
        value,
        landed: Decimal::ZERO,
        unit_cost: value.map(|value| value / Decimal::from(amount)),
    }
}

fn bring(state: &mut State, entry: u32, amount: i64, value: Option<Decimal>) -> Decimal {
    let incoming = incoming(entry, amount, value);
    let changes = state.bring(at(entry.into()), &[incoming]).unwrap();
    changes.iter().map(|change| change.worth.value).sum()
}

fn take(state: &mut State, entry: u32, amount: i64) -> Decimal {
    let out = Out {
        key: key(entry.into()),
        lot: None,
        amount: amount.into(),
        mirrors: None,
    };
    let changes = state.take(&[out], None).unwrap();
    changes.iter().map(|change| -change.worth.value).sum()
}

fn dollars(number: i64) -> Decimal {
    number.into()
}

#[test]
fn what_was_taken_before_it_came_costs_what_came_first() {
    let mut state = state(Method::Fifo);
    bring(&mut state, 1, 1, Some(dollars(10)));
    assert_eq!(take(&mut state, 2, 3), dollars(30), "as the last one did");
    assert_eq!(state.total.amount, dollars(-2));
    // One of the two that are missing costs 16 and not 10.
    assert_eq!(bring(&mut state, 3, 1, Some(dollars(16))), dollars(10));
    assert_eq!(bring(&mut state, 4, 2, Some(dollars(40))), dollars(30));
    assert_eq!(state.total.value, dollars(20));
    assert_eq!(take(&mut state, 5, 1), dollars(20));
    assert!(state.total.is_nothing());
    assert!(state.queue.is_empty() && state.lots[&ITEM].is_nothing());
}

#[test]
fn what_was_taken_before_it_came_bears_its_share_of_the_freight() {
    for (method, amount, more) in [
        (Method::Average, 10, 50),
        (Method::Average, 4, 0),
        (Method::Fifo, 10, 50),
        (Method::Fifo, 4, 0),
        (Method::Specific, 10, 100),
    ] {
        let mut state = state(method);
        if method != Method::Specific {
            take(&mut state, 1, 5);
        }
        let freight = In {
            landed: dollars(100),
            ..incoming(2, amount, Some(dollars(120)))
        };
        let kept = state.landed(at(2), &[freight]).unwrap();
        assert_eq!(kept[&key(2)], dollars(more), "{amount} {method:?}");
        let without = bring(&mut state.clone(), 2, amount, Some(dollars(120)));
        let changes = state.bring(at(2), &[freight]).unwrap();
        let with: Decimal = changes.iter().map(|change| change.worth.value).sum();
        assert_eq!(with - without, dollars(more), "{amount} {method:?}");
    }
}

proptest! {
    /// As much as comes and goes: never is nothing worth anything, and what is there is worth the sum of its parts.
    #[test]
    fn nothing_is_worth_nothing(
        method in prop_oneof![Just(Method::Average), Just(Method::Fifo), Just(Method::Specific)],
        steps in prop::collection::vec((1_i64..20, prop::option::of(0_i64..100_000), any::<bool>()), 1..60),
    ) {
        let mut state = state(method);
        for (entry, (amount, cents, is_in)) in (1_u32..).zip(steps) {
            if is_in {
                bring(&mut state, entry, amount, cents.map(|cents| Decimal::new(cents, 2)));
            } else if method != Method::Specific || state.total.amount >= amount.into() {
                // There is never less than nothing of a lot.
                take(&mut state, entry, amount);
            }
            prop_assert!(!state.total.amount.is_zero() || state.total.value.is_zero(), "{:?}", state.total);
            prop_assert_eq!(state.total.value, state.total.value.round_dp(2));
            if method != Method::Average {
                let mut parts = Worth::default();
                state.queue.values().for_each(|layer| parts.add(layer.worth));
                state.lots.values().for_each(|worth| parts.add(*worth));
                prop_assert_eq!(parts, state.total);
            }
        }
    }
}
