//! What is read as a weight. The real table of units is asked in `tests/it/unit_of_measure`.

use entity::{
    id::UnitOfMeasureId, translations::Translations, unit_of_measure::Model as UnitOfMeasure,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn unit(code: &str, dimension: Dimension, factor: (i64, i64), spellings: &[&str]) -> UnitOfMeasure {
    UnitOfMeasure {
        id: UnitOfMeasureId(Uuid::nil()),
        code: code.to_owned(),
        name: Translations(
            [
                ("en".to_owned(), code.to_owned()),
                ("fa".to_owned(), format!("{code} fa")),
            ]
            .into(),
        ),
        dimension,
        numerator: factor.0.into(),
        denominator: factor.1.into(),
        spellings: spellings.iter().map(|text| (*text).to_owned()).collect(),
        version: 1,
    }
}

fn units() -> UnitTable {
    use Dimension::{Length, Mass};
    vec![
        unit("gram", Mass, (1, 1), &["g", "gr", "grams", "گرم"]),
        unit("grain", Mass, (6_479_891, 100_000_000), &["grain", "gr"]),
        unit("kilogram", Mass, (1000, 1), &["kg", "کیلوگرم"]),
        unit("tola", Mass, (116_638_038, 10_000_000), &["tola", "توله"]),
        unit(
            "troy_ounce",
            Mass,
            (311_034_768, 10_000_000),
            &["ozt", "troy ounce", "اونس"],
        ),
        unit("milligram", Mass, (1, 1000), &["mg", "میلی‌گرم"]),
        unit("metre", Length, (1, 1), &["m"]),
    ]
    .into()
}

fn parse(text: &str) -> Result<ParsedWeight, Refusal> {
    Weight::parse("text", text, &units(), Locale::En)
}

#[test]
fn weights_are_read_in_any_unit_and_script() {
    for (text, expected, exact) in [
        ("5", "5", true),
        ("2.50", "2.5", true),
        ("10 tola", "116.638038", true),
        ("۱۰ توله", "116.638038", true),
        // A tola has seven decimal places in grams.
        ("2 tola", "23.327608", false),
        ("10 ozt", "311.034768", true),
        ("0.5 Oz.T.", "15.551738", false),
        ("۱۰ اونس", "311.034768", true),
        ("۲٫۵ گرم", "2.5", true),
        ("۲٫۵گرم", "2.5", true),
        ("١٢ كيلو‌گرم", "12000", true),
        ("1,234.5 g", "1234.5", true),
        ("۱٬۲۳۴ گرم", "1234", true),
        ("0", "0", true),
        ("-0 g", "0", true),
        ("500 میلی گرم", "0.5", true),
        ("999999999999.999999 g", "999999999999.999999", true),
    ] {
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.weight.grams().to_string(), expected, "{text}");
        assert_eq!(parsed.exact, exact, "{text}");
    }
}

#[test]
fn what_is_finer_than_a_microgram_is_rounded_half_to_even_and_says_so() {
    for (text, expected) in [
        ("0.0000015 g", "0.000002"),
        ("0.0000025 g", "0.000002"),
        ("0.0000035 g", "0.000004"),
        ("1 grain", "0.064799"),
        ("1.0000000000000000001", "1"),
    ] {
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.weight.grams().to_string(), expected, "{text}");
        assert!(!parsed.exact, "{text}");
    }
}

#[test]
fn what_cannot_be_a_weight_is_refused() {
    for (text, code) in [
        ("", Code::Required),
        ("g", Code::InvalidFormat),
        ("two g", Code::InvalidFormat),
        ("-1 g", Code::OutOfRange),
        ("0.0000001 g", Code::OutOfRange),
        ("0.0000005 g", Code::OutOfRange),
        ("1000000000000 g", Code::OutOfRange),
        ("9999999999999999999999999999 kg", Code::OutOfRange),
        ("1,5 g", Code::Ambiguous),
        ("۲/۵ گرم", Code::Ambiguous),
        ("5 gr", Code::Ambiguous),
        ("5 m", Code::IncompatibleUnits),
        ("5 stone", Code::UnknownUnit),
        ("2 tola 3 g", Code::UnknownUnit),
    ] {
        let refused = parse(text).unwrap_err();
        assert_eq!(
            (refused.code, &refused.path[..]),
            (code, &["text".to_owned()][..]),
            "{text}"
        );
    }
}

#[test]
fn the_choices_are_named_in_the_language_of_who_asks() {
    assert_eq!(parse("5 gr").unwrap_err().params["choices"], "gram, grain");
    let refused = Weight::parse("text", "5 gr", &units(), Locale::Fa).unwrap_err();
    assert_eq!(refused.params["choices"], "gram fa، grain fa");
    assert_eq!(refused.params["value"], "gr");
}

proptest! {
    #[test]
    fn what_is_printed_is_read_again(micrograms in 0..=MICROGRAMS_MAX) {
        let weight = Weight::new("x", Decimal::new(micrograms, PLACES)).unwrap();
        prop_assert_eq!(parse(&weight.to_string()), Ok(ParsedWeight { weight, exact: true }));
    }

    #[test]
    fn nothing_that_is_written_makes_it_fail(text in any::<String>(), marked in "[-0-9.,/۰-۹٫]{0,30} ?(tola|kg|gr|گرم|m)?") {
        for text in [text, marked] {
            if let Ok(parsed) = parse(&text) {
                prop_assert!(Weight::new("x", parsed.weight.grams()).is_ok());
            }
        }
    }

    #[test]
    fn rounding_is_off_by_half_a_microgram_at_most(count in 1_u64..1_000_000_000, scale in 0_u32..12) {
        let count = Decimal::from_i128_with_scale(count.into(), scale);
        if let Ok(parsed) = parse(&format!("{count} grain")) {
            let off = (parsed.weight.grams() - count * Decimal::new(6_479_891, 8)).abs();
            prop_assert!(off <= Decimal::new(5, 7));
            prop_assert_eq!(parsed.exact, off.is_zero());
        }
    }
}
