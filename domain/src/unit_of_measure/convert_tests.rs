//! What holds for every conversion, and the figures that shops know by heart.

use entity::{
    id::UnitOfMeasureId,
    translations::Translations,
    unit_of_measure::{Dimension, Model as UnitOfMeasure},
};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn unit(code: &str, numerator: i64, denominator: i64) -> UnitOfMeasure {
    UnitOfMeasure {
        id: UnitOfMeasureId(Uuid::nil()),
        code: code.to_owned(),
        name: Translations::default(),
        dimension: Dimension::Mass,
        numerator: numerator.into(),
        denominator: denominator.into(),
        spellings: Vec::new(),
        version: 1,
    }
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn exact(text: &str) -> Result<Converted, Refusal> {
    Ok(Converted {
        value: number(text),
        exact: true,
    })
}

fn known() -> [UnitOfMeasure; 7] {
    [
        unit("gram", 1, 1),
        unit("milligram", 1, 1000),
        unit("carat", 1, 5),
        unit("mesghal", 46_083, 10_000),
        unit("tola", 116_638_038, 10_000_000),
        unit("troy_ounce", 311_034_768, 10_000_000),
        unit("ounce", 28_349_523_125, 1_000_000_000),
    ]
}

#[test]
fn definitions_come_out_to_the_last_digit() {
    let [gram, _, carat, mesghal, tola, troy_ounce, ounce] = known();
    let one = Decimal::ONE;
    assert_eq!(convert(one, &tola, &gram), exact("11.6638038"));
    assert_eq!(convert(one, &troy_ounce, &gram), exact("31.1034768"));
    assert_eq!(convert(one, &ounce, &gram), exact("28.349523125"));
    assert_eq!(convert(one, &mesghal, &gram), exact("4.6083"));
    assert_eq!(convert(one, &troy_ounce, &carat), exact("155.517384"));
    assert_eq!(convert(8.into(), &tola, &troy_ounce), exact("3"));
    assert_eq!(convert(number("-0.5"), &carat, &gram), exact("-0.1"));
    assert_eq!(convert(number("0.00"), &tola, &ounce), exact("0"));
}

#[test]
fn what_no_decimal_holds_is_rounded_half_to_even_and_says_so() {
    let [gram, .., troy_ounce, _] = known();
    let in_ounces = convert(Decimal::ONE, &gram, &troy_ounce).unwrap();
    assert_eq!(in_ounces.value, number("0.032150746569"));
    assert!(!in_ounces.exact);
    // The exact results have more places than a decimal number, and end in a half of the last place that is kept.
    let tiny = unit("tiny", 1, FACTOR_MAX);
    for (count, expected) in [
        ("5", "0"),
        ("15", "0.000000000002"),
        ("25", "0.000000000002"),
    ] {
        let exact = number(count) / Decimal::from(10_000_000);
        let in_half_places = ratio(exact) * ratio(number("0.000001"));
        assert_eq!(
            rounded(&in_half_places, PLACES),
            Some(number(expected)),
            "{count}"
        );
        assert_eq!(
            rounded(&-in_half_places, PLACES),
            Some(-number(expected)),
            "-{count}"
        );
    }
    let vanished = convert(number("0.0000000000000000000000000001"), &tiny, &gram).unwrap();
    assert_eq!(vanished, inexact(Decimal::ZERO));
}

#[test]
fn what_cannot_be_is_refused() {
    let [gram, milligram, ..] = known();
    let metre = UnitOfMeasure {
        dimension: Dimension::Length,
        ..unit("metre", 1, 1)
    };
    let refused = convert(Decimal::ONE, &gram, &metre).unwrap_err();
    assert_eq!(refused.code, Code::IncompatibleUnits);
    assert_eq!(refused.params["from"], "gram");
    assert_eq!(refused.params["to"], "metre");
    let refused = convert(Decimal::MAX, &gram, &milligram).unwrap_err();
    assert_eq!(
        (refused.code, refused.path),
        (Code::OutOfRange, vec!["value".to_owned()])
    );
}

#[test]
fn a_factor_is_made_of_whole_numbers_from_one_to_its_limit() {
    let max = Decimal::from(FACTOR_MAX);
    assert!(Factor::new(max, Decimal::ONE).is_ok());
    for wrong in ["0", "-1", "1.5", "1000000000000000001"] {
        let (wrong, one) = (number(wrong), Decimal::ONE);
        assert!(Factor::new(wrong, one).is_err_and(|r| r.path == ["numerator"]));
        assert!(Factor::new(one, wrong).is_err_and(|r| r.path == ["denominator"]));
    }
}

fn decimals() -> impl Strategy<Value = Decimal> {
    (any::<i128>(), 0_u32..=28)
        .prop_map(|(mantissa, scale)| Decimal::from_i128_with_scale(mantissa >> 32, scale))
}

/// What a shop weighs: up to a tonne, to the microgram.
fn weights() -> impl Strategy<Value = Decimal> {
    (0_i64..=1_000_000_000_000).prop_map(|micrograms| Decimal::new(micrograms, 6))
}

fn units() -> impl Strategy<Value = UnitOfMeasure> {
    let whole = || prop_oneof![1..=20_i64, 1..=FACTOR_MAX];
    (whole(), whole()).prop_map(|(numerator, denominator)| unit("any", numerator, denominator))
}

fn known_units() -> impl Strategy<Value = UnitOfMeasure> {
    proptest::sample::select(known().to_vec())
}

proptest! {
    #[test]
    fn an_exact_way_there_leads_back(value in decimals(), from in units(), to in units()) {
        if let Ok(Converted { value: there, exact: true }) = convert(value, &from, &to) {
            let back = convert(there, &to, &from);
            prop_assert_eq!(back, Ok(Converted { value: value.normalize(), exact: true }));
        }
    }

    #[test]
    fn a_way_round_is_as_long(value in weights(), from in known_units(), over in known_units(), to in known_units()) {
        let direct = convert(value, &from, &to).unwrap();
        let half_way = convert(value, &from, &over).unwrap();
        if half_way.exact {
            prop_assert_eq!(convert(half_way.value, &over, &to), Ok(direct));
        }
    }

    #[test]
    fn all_that_is_weighed_is_known_in_grams_exactly(value in weights(), from in known_units()) {
        let gram = unit("gram", 1, 1);
        let there = convert(value, &from, &gram).unwrap();
        prop_assert!(there.exact);
        prop_assert_eq!(convert(there.value, &gram, &from).unwrap().value, value.normalize());
    }

    #[test]
    fn rounding_is_off_by_half_a_place_at_most(value in decimals(), from in units(), to in units()) {
        if let Ok(Converted { value: there, exact }) = convert(value, &from, &to) {
            let wanted = ratio(value) * Factor::of(&from).unwrap().ratio() / Factor::of(&to).unwrap().ratio();
            let off = wanted - ratio(there);
            let half = BigRational::new(1.into(), power_of_ten(PLACES) * 2);
            prop_assert!(off <= half && off >= -half);
            prop_assert_eq!(exact, off == BigRational::from(BigInt::ZERO));
        }
    }

    #[test]
    fn a_unit_is_itself(value in decimals(), unit in units()) {
        prop_assert_eq!(convert(value, &unit, &unit), Ok(Converted { value: value.normalize(), exact: true }));
    }
}
