use entity::{
    id::{ItemId, MetalRateId},
    item_metal::{MakingMode, Stones},
    metal_rate::Metal,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::pricing::Pricing;

fn refusal(formula: &str) -> Option<(Code, Option<String>)> {
    let refused = parse("text", formula).err()?;
    Some((refused.code, refused.params.get("value").cloned()))
}

/// What the formula makes of a ring of 4 g of gold, to four digits.
fn computed(formula: &str) -> Result<String, Problem> {
    let metal = ItemMetal {
        item_id: ItemId(uuid::Uuid::nil()),
        metal: Metal::Gold,
        fineness: Decimal::from(750),
        gross_weight: None,
        net_weight: Some(Decimal::from(4)),
        stone_weight: None,
        making_mode: Some(MakingMode::PerGram),
        making_value: Some(Decimal::new(25, 1)),
        stones: Stones::default(),
        huid: None,
        certificate_number: None,
    };
    let rate = MetalRate {
        id: MetalRateId(uuid::Uuid::nil()),
        metal: Metal::Gold,
        fineness: Decimal::from(1000),
        currency: "EUR".to_owned(),
        price_per_gram: Decimal::from(100),
        effective_at: chrono::DateTime::UNIX_EPOCH,
        source: String::new(),
        created_at: chrono::DateTime::UNIX_EPOCH,
    };
    let model = Formula {
        currency: "EUR".to_owned(),
        text: formula.to_owned(),
    };
    let facts = Facts {
        pricing: &Pricing::Formula(model.clone()),
        metal: Some(&metal),
        rate: Some(&rate),
        schema: &Schema::default(),
        attributes: &json!({"stones": 3, "carats": "0.25", "colour": "red", "length": 1.5, "long": "0.1234567890123456789012345678"}),
        quantity: Decimal::from(2),
        duration_hours: None,
    };
    let found = find(&model, &facts)?;
    Ok(found.round_half_up(4).unwrap().normalize().to_string())
}

fn result(formula: &str) -> String {
    computed(formula).unwrap_or_else(|problem| format!("{problem:?}"))
}

#[test]
fn whole_numbers_are_not_cut() {
    for (formula, expected) in [
        ("7 / 2", "3.5"),
        ("7/2*2", "7"),
        ("1 / 3 * 3", "1"),
        ("1/3 + 1/3 + 1/3", "1"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("0.1 + 0.2", "0.3"),
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("-7 / 2", "-3.5"),
        ("- (1 - 3)", "2"),
        ("+ 5", "5"),
        ("5", "5"),
        ("2.50", "2.5"),
        ("min(7 / 2, 3)", "3"),
        ("max(1, max(2, 5 / 2))", "2.5"),
        ("10 - 2 - 3", "5"),
        ("8 / 2 / 2", "2"),
    ] {
        assert_eq!(result(formula), expected, "{formula}");
    }
}

#[test]
fn names_stand_for_what_is_known_of_the_item() {
    for (formula, expected) in [
        (
            "net_weight * rate * fineness / reference_fineness + making",
            "310",
        ),
        ("stone_weight", "0"),
        ("quantity", "2"),
        ("attr_stones * attr_carats", "0.75"),
    ] {
        assert_eq!(result(formula), expected, "{formula}");
    }
}

#[test]
fn what_is_missing_has_a_reason() {
    for (formula, problem) in [
        ("gross_weight", Problem::NoWeight),
        ("duration_hours", Problem::NoDuration),
        ("attr_nothing", Problem::NoAttribute),
        ("attr_colour", Problem::NoAttribute),
        ("attr_length", Problem::NoAttribute),
        ("1 / (net_weight - 4)", Problem::FormulaFailed),
        ("nonsense", Problem::FormulaFailed),
        ("1 +", Problem::FormulaFailed),
    ] {
        assert_eq!(computed(formula), Err(problem), "{formula}");
    }
}

#[test]
fn a_formula_is_kept_on_one_line_with_digits_of_one_kind() {
    assert_eq!(
        parse("text", " net_weight\n * ۲ "),
        Ok("net_weight * 2".to_owned())
    );
}

#[test]
fn what_is_no_formula_is_refused_when_it_is_saved() {
    let at = |character: &str| Some((Code::InvalidFormula, Some(character.to_owned())));
    for (formula, expected) in [
        ("1 +", at("4")),
        ("(1", at("3")),
        ("net_weight rate", at("12")),
        ("net_weight; rate", at("11")),
        ("{ 1 }", at("1")),
        ("\"a\"", at("1")),
        ("`a`", at("1")),
        ("[1]", at("1")),
        ("#{}", at("1")),
        ("1 == 1", at("3")),
        ("rate % 2", at("6")),
        ("2 ** 100", at("3")),
        ("1 // 2", at("3")),
        ("1 /* 2", at("3")),
        ("1..2", at("2")),
        ("2 * 1e9", at("6")),
        ("0xff", at("2")),
        ("rate + 1_000", at("9")),
        ("2rate", at("2")),
        (".5", at("1")),
        ("1.2.3", at("4")),
        ("1 2", at("3")),
        ("rate ? 1", at("6")),
        ("1 / 0", Some((Code::InvalidFormula, None))),
        ("1 / (rate - rate)", Some((Code::InvalidFormula, None))),
    ] {
        assert_eq!(refusal(formula), expected, "{formula}");
    }
    for formula in [
        "let x",
        "while true",
        "loop",
        "for x in y",
        "if rate",
        "fn x()",
        "true",
        "this",
        "import x",
        "eval(rate)",
        "type_of(rate)",
        "return rate",
        "throw rate",
        "print(rate)",
        "Fn(rate)",
        "min",
        "min(1)",
        "min(1, 2, 3)",
        "()",
        "net_weight.rate",
        "rate()",
        "1.min(2)",
    ] {
        assert!(refusal(formula).is_some(), "{formula}");
    }
}

#[test]
fn unknown_names_are_named() {
    for (formula, name) in [
        ("net_wieght * rate", "net_wieght"),
        ("sqrt(rate)", "sqrt"),
        ("rate * Rate", "Rate"),
        ("attr_", "attr_"),
        ("abs(attr_stones)", "abs"),
    ] {
        let expected = Some((Code::UnknownName, Some(name.to_owned())));
        assert_eq!(refusal(formula), expected, "{formula}");
    }
    assert_eq!(refusal("attr_stones * attr_carats + rate"), None);
    let many: Vec<_> = (0..=ATTRIBUTES_MAX)
        .map(|number| format!("attr_{number}"))
        .collect();
    let expected = Some((Code::UnknownName, Some(format!("attr_{ATTRIBUTES_MAX}"))));
    assert_eq!(refusal(&many.join("+")), expected);
}

#[test]
fn size_depth_and_numbers_are_bounded() {
    let code = |formula: &str| refusal(formula).map(|(code, _)| code);
    assert_eq!(code(&"1+".repeat(300)), Some(Code::TooLong));
    assert_eq!(code(""), Some(Code::Required));
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(code(&nested(70)), Some(Code::InvalidFormula));
    assert_eq!(code(&nested(30)), None);
    assert_eq!(code(&"9".repeat(29)), Some(Code::TooLong));
    assert_eq!(code(&format!("0.{}", "1".repeat(28))), Some(Code::TooLong));
    assert_eq!(code(&"1".repeat(28)), None);
    // A sum of many terms is deep, too.
    let sum = |terms: usize| vec!["1"; terms].join("+");
    assert_eq!(result(&sum(60)), "60");
    assert_eq!(code(&sum(250)), Some(Code::InvalidFormula));
    for opening in ["-", "+", "- ", "-(", "(", "min(1,", "1+(", "1-", "1*-"] {
        let text: String = opening
            .repeat(500 / opening.len())
            .chars()
            .take(499)
            .collect();
        assert!(code(&format!("{text}1")).is_some(), "{opening}");
    }
    // What is longer than any price needs is given up, however it came about.
    let long = vec!["attr_long"; 15].join(" * ");
    assert_eq!(computed(&long), Err(Problem::FormulaFailed));
}

proptest! {
    #[test]
    fn nothing_that_is_written_makes_it_fall_over(formula in "[-+*/() .,0-9a-z_]{0,60}") {
        if let Ok(kept) = parse("text", &formula) {
            prop_assert_eq!(parse("text", &kept), Ok(kept.clone()));
            let _result_or_reason = computed(&kept);
        }
    }

    #[test]
    fn sums_and_products_are_exact(a in 0..=1_000_000_000_i64, b in 1..=1_000_000_000_i64, c in 0..=1_000_000_000_i64) {
        // a / b * b + c, written with whole numbers, is a + c.
        prop_assert_eq!(result(&format!("{a} / {b} * {b} + {c}")), (a + c).to_string());
    }
}
