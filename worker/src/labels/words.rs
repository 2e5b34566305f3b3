//! What labels say in each language.

use domain::{item::ItemMetal, locale::Locale};
use rust_decimal::Decimal;

/// Currencies that have a name in Persian which everybody uses.
const CURRENCIES: [(&str, &str); 4] = [
    ("IRR", "ریال"),
    ("EUR", "یورو"),
    ("USD", "دلار"),
    ("AED", "درهم"),
];

/// The title of the document.
pub(super) fn title(locale: Locale) -> &'static str {
    match locale {
        Locale::En => "Labels",
        Locale::Fa => "برچسب‌ها",
    }
}

/// A price with its currency: with all the digits of the currency's small coins, or with none.
pub(super) fn price(locale: Locale, amount: Decimal, currency: &str) -> String {
    let is_whole = amount.fract().is_zero();
    let amount = written(locale, if is_whole { amount.trunc() } else { amount });
    let name = CURRENCIES.iter().find(|(code, _)| *code == currency);
    match (locale, name) {
        (Locale::Fa, Some((_, name))) => format!("{amount} {name}"),
        (Locale::En | Locale::Fa, _) => format!("{amount} {currency}"),
    }
}

/// The facts that a jeweller's label tells, as far as they are known, in the trade's order.
pub(super) fn facts(locale: Locale, metal: Option<&ItemMetal>, huid: Option<&str>) -> Vec<String> {
    let is_persian = locale == Locale::Fa;
    let named = |english: &str, persian: &str, value: &str| {
        format!("{} {value}", if is_persian { persian } else { english })
    };
    let grams = |weight: Decimal| {
        let unit = if is_persian { "گرم" } else { "g" };
        format!("{} {unit}", number(locale, weight))
    };
    let gross = metal.and_then(|metal| metal.gross_weight).map(grams);
    let net = metal.and_then(|metal| metal.net_weight).map(grams);
    let stone = metal.and_then(|metal| metal.stone_weight).map(grams);
    let fineness = metal.map(|metal| number(locale, metal.fineness));
    let facts = [
        gross.map(|weight| named("Gross", "وزن کل", &weight)),
        net.map(|weight| named("Net", "خالص", &weight)),
        stone.map(|weight| named("Stone", "سنگ", &weight)),
        fineness.map(|fineness| named("Fineness", "عیار", &fineness)),
        huid.map(|huid| named("HUID", "کد شناسایی", huid)),
    ];
    facts.into_iter().flatten().collect()
}

/// A number without zeros that say nothing.
fn number(locale: Locale, number: Decimal) -> String {
    written(locale, number.normalize())
}

/// A number as people write it: thousands in groups, and in Persian with Persian digits.
fn written(locale: Locale, number: Decimal) -> String {
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = whole.trim_start_matches('-');
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if whole.starts_with('-') { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    let text = format!("{sign}{grouped}{point}{fraction}");
    match locale {
        Locale::En => text,
        Locale::Fa => text.chars().map(persian).collect(),
    }
}

fn persian(c: char) -> char {
    match c {
        ',' => '٬',
        '.' => '٫',
        digit => digit
            .to_digit(10)
            .and_then(|value| char::from_u32(u32::from('۰') + value))
            .unwrap_or(digit),
    }
}

#[cfg(test)]
mod tests {
    use domain::{item::Stones, metal_rate::Metal};
    use entity::id::ItemId;

    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        for (plain, english, persian) in [
            ("0", "0", "۰"),
            ("12500000.50", "12,500,000.5", "۱۲٬۵۰۰٬۰۰۰٫۵"),
            ("999", "999", "۹۹۹"),
            ("1000.000", "1,000", "۱٬۰۰۰"),
            ("-1234.5", "-1,234.5", "-۱٬۲۳۴٫۵"),
        ] {
            let decimal = plain.parse().unwrap_or_default();
            assert_eq!(number(Locale::En, decimal), english);
            assert_eq!(number(Locale::Fa, decimal), persian);
        }
        let million = Decimal::from(1_000_000);
        assert_eq!(price(Locale::Fa, million, "IRR"), "۱٬۰۰۰٬۰۰۰ ریال");
        let coins = Decimal::new(123_450, 2);
        assert_eq!(price(Locale::En, coins, "EUR"), "1,234.50 EUR");
        assert_eq!(price(Locale::En, Decimal::new(800, 2), "IRR"), "8 IRR");
        assert_eq!(price(Locale::Fa, million, "CHF"), "۱٬۰۰۰٬۰۰۰ CHF");
        assert_eq!(price(Locale::En, million, "IRR"), "1,000,000 IRR");
    }

    #[test]
    fn only_what_is_known_is_told() {
        let metal = ItemMetal {
            item_id: ItemId(uuid::Uuid::nil()),
            metal: Metal::Gold,
            fineness: Decimal::new(750_000, 3),
            gross_weight: Some(Decimal::new(4_250, 3)),
            net_weight: Some(Decimal::new(3_900_000, 6)),
            stone_weight: None,
            making_mode: None,
            making_value: None,
            stones: Stones::default(),
            huid: None,
            certificate_number: None,
        };
        assert_eq!(
            facts(Locale::En, Some(&metal), Some("AB12CD")),
            ["Gross 4.25 g", "Net 3.9 g", "Fineness 750", "HUID AB12CD"]
        );
        assert_eq!(
            facts(Locale::Fa, Some(&metal), None),
            ["وزن کل ۴٫۲۵ گرم", "خالص ۳٫۹ گرم", "عیار ۷۵۰"]
        );
        assert_eq!(facts(Locale::Fa, None, None), [""; 0]);
    }
}
