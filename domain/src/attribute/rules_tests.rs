use std::{collections::HashSet, sync::Arc};

use entity::{
    id::UnitOfMeasureId,
    unit_of_measure::{Dimension, Model as UnitOfMeasure},
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Map, json};
use uuid::Uuid;

use super::*;
use crate::{
    Error,
    attribute::schema::Schema,
    error::{Code, Refusal},
    unit_of_measure::UnitTable,
};

fn unit(number: u128, code: &str, dimension: Dimension, factor: (i64, i64)) -> UnitOfMeasure {
    let mut unit = serde_json::from_value::<UnitOfMeasure>(json!({
        "id": Uuid::from_u128(number), "code": code, "name": {"en": code}, "dimension": dimension,
        "numerator": "1", "denominator": "1", "spellings": [], "version": 1,
    }))
    .unwrap();
    unit.numerator = Decimal::from(factor.0);
    unit.denominator = Decimal::from(factor.1);
    unit
}

const GRAM: u128 = 1;
const TOLA: u128 = 2;
const METRE: u128 = 3;

fn units() -> Units {
    Units(Arc::new(UnitTable::from(vec![
        unit(GRAM, "gram", Dimension::Mass, (1, 1)),
        unit(TOLA, "tola", Dimension::Mass, (116_638_038, 10_000_000)),
        unit(METRE, "metre", Dimension::Length, (1, 1)),
    ])))
}

fn id(number: u128) -> UnitOfMeasureId {
    UnitOfMeasureId(Uuid::from_u128(number))
}

fn new(name: &str, kind: Kind) -> NewAttribute {
    NewAttribute {
        category_id: Uuid::nil().into(),
        name: name.into(),
        label: [("en".to_owned(), name.to_owned())].into(),
        kind,
        unit_id: None,
        refers_to: None,
        required: false,
        is_unique: false,
        searchable: false,
        facet: false,
        initial: None,
        min: None,
        max: None,
        pattern: None,
        options: Vec::new(),
        position: None,
    }
}

fn options(values: &[&str]) -> Vec<NewOption> {
    let option = |value: &&str| NewOption {
        value: (*value).to_owned(),
        label: [("fa".to_owned(), format!("{value}-fa"))].into(),
    };
    values.iter().map(option).collect()
}

/// The row that a declaration becomes.
fn row(new: &NewAttribute) -> Attribute {
    let declared = parse_new(new, &units()).unwrap();
    let (min, max, initial) = (
        declared.min.clone(),
        declared.max.clone(),
        declared.initial.clone(),
    );
    let key = declared.name.clone();
    Attribute {
        key,
        min,
        max,
        initial,
        ..shape(&declared)
    }
}

fn codes(result: Result<Declared>) -> Vec<(Code, String)> {
    match result {
        Ok(_) => Vec::new(),
        Err(Error::Refused(refused)) => refused
            .into_iter()
            .map(|refusal| (refusal.code, refusal.path.join(".")))
            .collect(),
        Err(other) => panic!("{other:?}"),
    }
}

fn schema(attributes: &[NewAttribute]) -> Schema {
    Schema::from_declarations(attributes.iter().map(row), &units())
}

fn kept(schema: &Schema, written: Value) -> Result<Map<String, Value>, Vec<Refusal>> {
    schema
        .check(written.as_object().unwrap(), None)
        .map(|checked| checked.values)
}

#[test]
fn what_contradicts_itself_is_no_attribute() {
    let wrong = [
        (
            NewAttribute {
                name: "Gold Colour".into(),
                ..new("x", Kind::Text)
            },
            Code::InvalidFormat,
            "name",
        ),
        (
            NewAttribute {
                name: "1st".into(),
                ..new("x", Kind::Text)
            },
            Code::InvalidFormat,
            "name",
        ),
        (new("x", Kind::Enum), Code::Required, "options"),
        (
            NewAttribute {
                options: options(&["a"]),
                ..new("x", Kind::Text)
            },
            Code::InvalidFormat,
            "options",
        ),
        (
            NewAttribute {
                options: options(&["a", "a"]),
                ..new("x", Kind::Enum)
            },
            Code::AlreadyTaken,
            "options.1.value",
        ),
        (
            NewAttribute {
                options: options(&["a|b"]),
                ..new("x", Kind::Enum)
            },
            Code::InvalidFormat,
            "options.0.value",
        ),
        (new("x", Kind::Reference), Code::Required, "refersTo"),
        (
            NewAttribute {
                unit_id: Some(id(GRAM)),
                ..new("x", Kind::Number)
            },
            Code::InvalidFormat,
            "unitId",
        ),
        (
            NewAttribute {
                unit_id: Some(id(9)),
                ..new("x", Kind::Decimal)
            },
            Code::NotFound,
            "unitId",
        ),
        (
            NewAttribute {
                is_unique: true,
                ..new("x", Kind::Boolean)
            },
            Code::InvalidFormat,
            "unique",
        ),
        (
            NewAttribute {
                pattern: Some("a)|(b".into()),
                ..new("x", Kind::Text)
            },
            Code::InvalidFormat,
            "pattern",
        ),
        // Written to be slow: it compiles to more than is taken.
        (
            NewAttribute {
                pattern: Some("(a{1000}){1000}".into()),
                ..new("x", Kind::Text)
            },
            Code::InvalidFormat,
            "pattern",
        ),
        (
            NewAttribute {
                pattern: Some("a".into()),
                ..new("x", Kind::Date)
            },
            Code::InvalidFormat,
            "pattern",
        ),
        (
            NewAttribute {
                min: Some("2".into()),
                max: Some("1".into()),
                ..new("x", Kind::Number)
            },
            Code::OutOfRange,
            "max",
        ),
        (
            NewAttribute {
                min: Some("soon".into()),
                ..new("x", Kind::Date)
            },
            Code::WrongType,
            "min",
        ),
        (
            NewAttribute {
                min: Some("1".into()),
                ..new("x", Kind::Boolean)
            },
            Code::InvalidFormat,
            "min",
        ),
        (
            NewAttribute {
                min: Some("1001".into()),
                ..new("x", Kind::Text)
            },
            Code::OutOfRange,
            "min",
        ),
        (
            NewAttribute {
                max: Some("5".into()),
                initial: Some(json!(6)),
                ..new("x", Kind::Number)
            },
            Code::OutOfRange,
            "default",
        ),
        (
            NewAttribute {
                is_unique: true,
                initial: Some(json!("a")),
                ..new("x", Kind::Text)
            },
            Code::InvalidFormat,
            "default",
        ),
    ];
    for (declaration, code, path) in wrong {
        let found = codes(parse_new(&declaration, &units()));
        assert_eq!(found, [(code, path.to_owned())], "{declaration:?}");
    }
}

#[test]
fn values_are_kept_in_one_form_however_they_are_written() {
    let schema = schema(&[
        new("model", Kind::Text),
        new("pieces", Kind::Number),
        NewAttribute {
            unit_id: Some(id(TOLA)),
            ..new("weight", Kind::Decimal)
        },
        new("certified", Kind::Boolean),
        new("made", Kind::Date),
        NewAttribute {
            options: options(&["yellow", "white"]),
            ..new("colour", Kind::Enum)
        },
        NewAttribute {
            options: options(&["a", "b", "c"]),
            ..new("features", Kind::MultiEnum)
        },
    ]);
    let expected = json!({
        "model": "XY-1", "pieces": 12, "weight": "23.3276076", "certified": true, "made": "2026-03-21",
        "colour": "white", "features": ["a", "c"],
    });
    for written in [
        json!({"model": " XY-1 ", "pieces": 12, "weight": "2", "certified": true, "made": "2026-03-21",
               "colour": "white", "features": ["c", "a", "c"]}),
        json!({"model": "XY-1", "pieces": "۱۲", "weight": "2.000 tola", "certified": "yes", "made": "۲۰۲۶-۰۳-۲۱",
               "colour": "white-FA", "features": "c|a"}),
        json!({"model": "XY-1", "pieces": "12", "weight": {"value": "23.3276076", "unit": "gram"}, "certified": "بله",
               "made": "2026-03-21", "colour": "WHITE", "features": ["a", "c-fa"]}),
    ] {
        assert_eq!(
            kept(&schema, written),
            Ok(expected.as_object().unwrap().clone())
        );
    }
}

#[test]
fn values_of_another_type_unit_or_range_are_refused_at_their_field() {
    let schema = schema(&[
        NewAttribute {
            pattern: Some("[A-Z0-9]{6}".into()),
            ..new("huid", Kind::Text)
        },
        NewAttribute {
            min: Some("1".into()),
            max: Some("9".into()),
            ..new("pieces", Kind::Number)
        },
        NewAttribute {
            unit_id: Some(id(GRAM)),
            max: Some("1 tola".into()),
            ..new("weight", Kind::Decimal)
        },
        NewAttribute {
            min: Some("2020-01-01".into()),
            ..new("made", Kind::Date)
        },
        new("certified", Kind::Boolean),
        NewAttribute {
            options: options(&["yellow"]),
            ..new("colour", Kind::Enum)
        },
        NewAttribute {
            required: true,
            ..new("model", Kind::Text)
        },
    ]);
    for (written, code, path) in [
        (json!({"huid": "A1B2C3D"}), Code::InvalidFormat, "huid"),
        (json!({"huid": 5}), Code::WrongType, "huid"),
        (json!({"pieces": 10}), Code::OutOfRange, "pieces"),
        (json!({"pieces": "many"}), Code::WrongType, "pieces"),
        (json!({"pieces": 1.5}), Code::WrongType, "pieces"),
        (json!({"weight": "11.6638039"}), Code::OutOfRange, "weight"),
        (
            json!({"weight": "2 metre"}),
            Code::IncompatibleUnits,
            "weight",
        ),
        (json!({"weight": "2 stone"}), Code::UnknownUnit, "weight"),
        (json!({"weight": 1.5}), Code::WrongType, "weight"),
        (
            json!({"weight": "0.0000000000001"}),
            Code::TooFine,
            "weight",
        ),
        (json!({"weight": "1,5"}), Code::Ambiguous, "weight"),
        (json!({"made": "2019-12-31"}), Code::OutOfRange, "made"),
        (json!({"made": "2026-02-30"}), Code::WrongType, "made"),
        (json!({"made": "1"}), Code::WrongType, "made"),
        (
            json!({"certified": "perhaps"}),
            Code::WrongType,
            "certified",
        ),
        (json!({"colour": "green"}), Code::NotAnOption, "colour"),
        (json!({"colr": "yellow"}), Code::UnknownAttribute, "colr"),
        (json!({"model": null}), Code::Required, "model"),
        (json!({"model": " "}), Code::Required, "model"),
    ] {
        let mut written = written.as_object().unwrap().clone();
        if !written.contains_key("model") {
            written.insert("model".into(), json!("M"));
        }
        let refused = schema.check(&written, None).unwrap_err();
        assert_eq!(refused.len(), 1, "{written:?}: {refused:?}");
        assert_eq!(
            (refused[0].code, refused[0].path.join(".")),
            (code, format!("attributes.{path}"))
        );
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let schema = schema(&[new("pieces", Kind::Number), new("made", Kind::Date)]);
    let refused = kept(&schema, json!({"pieces": "a", "made": "b", "other": 1})).unwrap_err();
    assert_eq!(refused.len(), 3);
}

#[test]
fn where_nothing_is_declared_everything_is_taken() {
    let written = json!({"any": {"thing": [1, "2"]}});
    assert_eq!(
        kept(&Schema::default(), written.clone()),
        Ok(written.as_object().unwrap().clone())
    );
}

#[test]
fn an_initial_value_is_that_of_new_items_only() {
    let schema = schema(&[NewAttribute {
        initial: Some(json!("7")),
        ..new("pieces", Kind::Number)
    }]);
    assert_eq!(
        kept(&schema, json!({})),
        Ok(Map::from_iter([("pieces".into(), json!(7))]))
    );
    let before = Map::new();
    assert!(
        schema
            .check(&before, Some(&before))
            .unwrap()
            .values
            .is_empty()
    );
}

#[test]
fn a_retired_attribute_keeps_its_values_and_takes_none() {
    let mut attribute = row(&new("pieces", Kind::Number));
    attribute.retired_at = Some(chrono::DateTime::UNIX_EPOCH);
    let schema = Schema::from_declarations([attribute, row(&new("model", Kind::Text))], &units());
    let before = json!({"pieces": 3, "model": "M"})
        .as_object()
        .unwrap()
        .clone();
    let written = json!({"model": "N"}).as_object().unwrap().clone();
    let checked = schema.check(&written, Some(&before)).unwrap();
    assert_eq!(
        Value::Object(checked.values),
        json!({"pieces": 3, "model": "N"})
    );
    assert_eq!(Value::Object(schema.shown(&before)), json!({"model": "M"}));
    assert!(kept(&schema, json!({"pieces": 4})).is_err());
}

#[test]
fn a_declaration_below_may_only_be_stricter() {
    let upper = NewAttribute {
        min: Some("1".into()),
        max: Some("10".into()),
        unit_id: Some(id(GRAM)),
        ..new("weight", Kind::Decimal)
    };
    let check = |upper: &NewAttribute, lower: &NewAttribute| {
        check_narrower(&row(upper), &row(lower), &units()).err()
    };
    let narrower = NewAttribute {
        min: Some("2".into()),
        required: true,
        ..upper.clone()
    };
    assert_eq!(check(&upper, &narrower), None);
    assert_eq!(check(&narrower, &upper), Some("required"));
    let wider = NewAttribute {
        max: Some("1 tola".into()),
        ..upper.clone()
    };
    assert_eq!(check(&upper, &wider), Some("max"));
    let boundless = NewAttribute {
        max: None,
        ..upper.clone()
    };
    assert_eq!(check(&upper, &boundless), Some("max"));
    let longer = NewAttribute {
        unit_id: Some(id(METRE)),
        ..upper.clone()
    };
    assert_eq!(check(&upper, &longer), Some("unitId"));
    let in_tolas = NewAttribute {
        unit_id: Some(id(TOLA)),
        min: Some("0.5".into()),
        max: Some("0.8".into()),
        ..upper.clone()
    };
    assert_eq!(check(&upper, &in_tolas), None);
    let colours = NewAttribute {
        options: options(&["yellow", "white"]),
        ..new("colour", Kind::Enum)
    };
    let fewer = NewAttribute {
        options: options(&["white"]),
        ..colours.clone()
    };
    let others = NewAttribute {
        options: options(&["white", "rose"]),
        ..colours.clone()
    };
    assert_eq!(check(&colours, &fewer), None);
    assert_eq!(check(&colours, &others), Some("options"));
    assert_eq!(check(&colours, &new("colour", Kind::Text)), Some("type"));
}

#[test]
fn a_change_keeps_bounds_however_the_unit_changes() {
    let new = NewAttribute {
        unit_id: Some(id(TOLA)),
        max: Some("1".into()),
        initial: Some(json!("0.5")),
        ..new("weight", Kind::Decimal)
    };
    let before = row(&new);
    let change = AttributeChange {
        unit_id: Patch::Set(id(GRAM)),
        ..AttributeChange::default()
    };
    let after = parse_change(&before, &change, &units()).unwrap();
    assert_eq!(after.max.as_deref(), Some("11.6638038"));
    assert_eq!(after.initial, Some(json!("5.8319019")));
    let change = AttributeChange {
        unit_id: Patch::Set(id(METRE)),
        ..AttributeChange::default()
    };
    assert_eq!(
        codes(parse_change(&before, &change, &units())),
        [(Code::InvalidFormat, "unitId".into())]
    );
}

#[test]
fn a_key_is_nobody_elses() {
    let taken: HashSet<_> = ["colour", "colour_2"].into();
    assert_eq!(new_key("size", &taken), "size");
    assert_eq!(new_key("colour", &taken), "colour_3");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        "\\PC{0,12}".prop_map(Value::String),
        "[0-9۰-۹]{1,4}([.٫][0-9]{1,14})?( ?(tola|gram|metre|x))?".prop_map(Value::String),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("value|unit|id|[a-z]{1,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever is written: what is taken is in its kept form, is shown so that it can be written again, and means the same then.
    #[test]
    fn what_is_taken_can_be_shown_and_written_again(value in any_json()) {
        let kinds = [Kind::Text, Kind::Number, Kind::Decimal, Kind::Boolean, Kind::Date, Kind::Enum, Kind::MultiEnum];
        for kind in kinds {
            let chooses = matches!(kind, Kind::Enum | Kind::MultiEnum);
            let schema = schema(&[NewAttribute {
                unit_id: (kind == Kind::Decimal).then(|| id(TOLA)),
                options: if chooses { options(&["a", "b"]) } else { Vec::new() },
                ..new("it", kind)
            }]);
            let written = Map::from_iter([("it".to_owned(), value.clone())]);
            let Ok(checked) = schema.check(&written, None) else { continue };
            let fits = schema.check_kept(&checked.values).map(|again| again.values);
            prop_assert_eq!(fits, Ok(checked.values.clone()));
            let shown = schema.shown(&checked.values);
            let again = schema.check(&shown, None).map(|again| again.values);
            prop_assert_eq!(again, Ok(checked.values), "{:?} shown as {:?}", value, shown);
        }
    }
}
