use chrono::DateTime;
use entity::ltree::Ltree;
use sea_orm::Iterable as _;
use uuid::Uuid;

use super::*;

fn id(number: i64) -> LocationId {
    LocationId(Uuid::from_u128(number.unsigned_abs().into()))
}

fn location(number: i64, kind: Kind, path: &str) -> Location {
    Location {
        id: id(number),
        number,
        parent_id: None,
        path: Ltree(path.into()),
        code: number.to_string(),
        name: Translations::default(),
        kind,
        is_virtual: kind.is_virtual(),
        position: 0,
        negative_allowed: kind.is_virtual(),
        capacity: None,
        external_reference: None,
        archived_at: None,
        version: 1,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
    }
}

fn new(kind: Kind) -> NewLocation {
    NewLocation {
        parent_id: None,
        code: " tray-۷ ".into(),
        name: [("en".to_owned(), "Tray".to_owned())].into(),
        kind,
        negative_allowed: None,
        capacity: None,
        category_ids: Vec::new(),
        external_reference: None,
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> Vec<(Code, String)> {
    match result {
        Err(crate::Error::Refused(refused)) => refused
            .into_iter()
            .map(|refusal| (refusal.code, refusal.path.join(".")))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_location_takes_less_than_nothing_when_it_is_virtual() {
    for kind in Kind::iter() {
        let (facts, _) = parse_new(&new(kind)).unwrap();
        assert_eq!(facts.negative_allowed, kind.is_virtual(), "{kind:?}");
        assert_eq!(facts.code, "TRAY-7");
    }
}

#[test]
fn a_virtual_location_has_no_bounds() {
    let bounded = |kind| NewLocation {
        negative_allowed: Some(false),
        capacity: Some(Decimal::TEN),
        category_ids: vec![CategoryId(Uuid::nil())],
        ..new(kind)
    };
    assert!(parse_new(&bounded(Kind::Tray)).is_ok());
    let expected = ["negativeAllowed", "capacity", "categoryIds"]
        .map(|path| (Code::VirtualLocation, path.to_owned()));
    assert_eq!(refused(parse_new(&bounded(Kind::Supplier))), expected);

    let change = FactsChange {
        negative_allowed: Some(false),
        capacity: Patch::Set(Decimal::TEN),
        ..FactsChange::default()
    };
    let categories = [CategoryId(Uuid::nil())];
    let changed = |kind| check_change(&location(1, kind, "1"), &change, Some(&categories));
    assert!(changed(Kind::Tray).is_ok());
    assert_eq!(refused(changed(Kind::Loss)), expected);
}

#[test]
fn virtual_kinds_keep_to_themselves() {
    let to = |kind| FactsChange {
        kind: Some(kind),
        ..FactsChange::default()
    };
    for one in Kind::iter() {
        for other in Kind::iter() {
            let may = one == other || !one.is_virtual() && !other.is_virtual();
            let (row, above) = (location(1, one, "1"), location(2, other, "2"));
            assert_eq!(check_change(&row, &to(other), None).is_ok(), may);
            assert_eq!(check_below(one, Some(&above)).is_ok(), may);
            assert_eq!(check_move(&row, Some(&above)).is_ok(), may);
        }
        assert!(check_below(one, None).is_ok());
    }
}

#[test]
fn nothing_moves_below_itself() {
    let root = location(1, Kind::Shop, "1");
    let child = location(2, Kind::Safe, "1.2");
    for below in [&child, &root] {
        assert!(check_move(&root, Some(below)).is_err_and(|r| r.code == Code::Cycle));
    }
    assert!(check_move(&child, Some(&root)).is_ok() && check_move(&child, None).is_ok());
}

#[test]
fn what_every_shop_has_is_never_closed() {
    for seeded in LocationId::SEEDED {
        assert!(check_archive(&[id(1), seeded]).is_err_and(|r| r.code == Code::BuiltIn));
    }
    assert!(check_archive(&[id(1), id(2)]).is_ok());
}

#[test]
fn categories_are_named_once_and_there_are() {
    let [a, b] = [1, 2].map(|number| CategoryId(Uuid::from_u128(number)));
    assert_eq!(parse_categories(&[b, a, b]), Ok(vec![a, b]));
    assert!(parse_categories(&[a; CATEGORIES_MAX + 1]).is_err());
    assert!(check_categories(&[a, b], &[b, a]).is_ok());
    assert!(check_categories(&[a, b], &[b]).is_err_and(|r| r.code == Code::NotFound));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let wrong = NewLocation {
        code: "a b".into(),
        name: [].into(),
        capacity: Some(Decimal::ZERO),
        external_reference: Some(String::new()),
        ..new(Kind::Shop)
    };
    let told = refused(parse_new(&wrong));
    let paths: Vec<_> = told.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(paths, ["code", "name", "capacity", "externalReference"]);
}
