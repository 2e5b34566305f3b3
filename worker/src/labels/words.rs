//! What labels say in each language.

use domain::locale::Locale;
use rust_decimal::Decimal;

/// The facts that a jeweller's label tells, by the name of their attribute: in English, in Persian, and whether it is a weight.
const FACTS: [(&str, &str, &str, bool); 5] = [
    ("gross_weight", "Gross", "وزن کل", true),
    ("net_weight", "Net", "خالص", true),
    ("stone_weight", "Stone", "سنگ", true),
    ("fineness", "Fineness", "عیار", false),
    ("huid", "HUID", "کد شناسایی", false),
];

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

/// What became of the items that have got no label, each named as people know it.
#[must_use]
pub fn skipped(locale: Locale, archived: &[String], missing: &[String]) -> String {
    let (of_archived, of_missing) = match locale {
        Locale::En => (
            "No label, because it is archived: ",
            "No label, because it does not exist any more: ",
        ),
        Locale::Fa => (
            "بدون برچسب، چون بایگانی شده است: ",
            "بدون برچسب، چون دیگر وجود ندارد: ",
        ),
    };
    let lines = archived.iter().map(|name| format!("{of_archived}{name}\n"));
    lines
        .chain(missing.iter().map(|name| format!("{of_missing}{name}\n")))
        .collect()
}

/// A price with its currency.
pub(super) fn price(locale: Locale, amount: Decimal, currency: &str) -> String {
    let amount = number(locale, amount);
    let name = CURRENCIES.iter().find(|(code, _)| *code == currency);
    match (locale, name) {
        (Locale::Fa, Some((_, name))) => format!("{amount} {name}"),
        (Locale::En | Locale::Fa, _) => format!("{amount} {currency}"),
    }
}

/// The facts that are known, in the trade's order.
pub(super) fn facts(locale: Locale, known: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let fact = |(name, english, persian, is_weight): &(&str, &str, &str, bool)| {
        let value = known(name)?;
        let value = match (value.parse::<Decimal>(), is_weight, locale) {
            (Ok(grams), true, Locale::En) => format!("{} g", number(locale, grams)),
            (Ok(grams), true, Locale::Fa) => format!("{} گرم", number(locale, grams)),
            (Ok(value), false, _) => number(locale, value),
            (Err(_not_a_number), ..) => value,
        };
        let label = match locale {
            Locale::En => english,
            Locale::Fa => persian,
        };
        Some(format!("{label} {value}"))
    };
    FACTS.iter().filter_map(fact).collect()
}

/// A number as people write it: thousands in groups, no zeros that say nothing, and in Persian with Persian digits.
fn number(locale: Locale, number: Decimal) -> String {
    let text = number.normalize().to_string();
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
        assert_eq!(price(Locale::Fa, million, "CHF"), "۱٬۰۰۰٬۰۰۰ CHF");
        assert_eq!(price(Locale::En, million, "IRR"), "1,000,000 IRR");
    }

    #[test]
    fn only_what_is_known_is_told() {
        let known = |name: &str| match name {
            "huid" => Some("AB12CD".to_owned()),
            "net_weight" => Some("3.900".to_owned()),
            "fineness" => Some("750.000".to_owned()),
            "stone_weight" => Some("two small ones".to_owned()),
            _ => None,
        };
        let english = [
            "Net 3.9 g",
            "Stone two small ones",
            "Fineness 750",
            "HUID AB12CD",
        ];
        assert_eq!(facts(Locale::En, known), english);
        assert_eq!(facts(Locale::Fa, known)[0..1], ["خالص ۳٫۹ گرم".to_owned()]);
        assert_eq!(facts(Locale::Fa, |_| None), [""; 0]);
    }
}
