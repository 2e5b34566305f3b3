//! Numbers and words as people write them: in Persian, Arabic or Latin digits, with the separators of either language.
//!
//! What two people would read differently is refused, never guessed: a wrong guess about a comma is wrong by a factor of ten.

use rust_decimal::Decimal;

use crate::{
    error::{Code, Refusal},
    text::ascii_digits,
};

/// Longest text that is read as a number, a weight or a fineness, in characters.
pub(crate) const WRITTEN_MAX: usize = 60;

/// The Persian and Arabic decimal separator, U+066B, as in ۲٫۵.
const DECIMAL: char = '٫';
/// The Persian and Arabic thousands separator, U+066C, as in ۱٬۲۳۴.
const THOUSANDS: char = '٬';

/// A text to be read, folded.
///
/// # Errors
/// When it is empty or longer than [`WRITTEN_MAX`].
pub(crate) fn text(path: &str, text: &str) -> Result<String, Refusal> {
    if text.chars().count() > WRITTEN_MAX {
        return Err(Refusal::new(Code::TooLong, path).with("max", WRITTEN_MAX));
    }
    let folded = fold(text);
    if folded.is_empty() {
        return Err(Refusal::new(Code::Required, path));
    }
    Ok(folded)
}

/// The text in lower case and ASCII digits, with one form of each Persian letter and sign, single blanks, and without what cannot be
/// seen: whoever types `ك` or `ک`, with or without a zero-width non-joiner, means the same.
pub(crate) fn fold(text: &str) -> String {
    let visible: String = ascii_digits(text).chars().filter_map(folded).collect();
    let lower = visible.to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn folded(c: char) -> Option<char> {
    let is_invisible = matches!(c,
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{0}'
        // The line that stretches a word, and marks above and below letters.
        | '\u{0640}' | '\u{064B}'..='\u{0655}' | '\u{0670}');
    (!is_invisible).then_some(match c {
        'ي' | 'ى' => 'ی',
        'ك' => 'ک',
        'ة' | 'ۀ' => 'ه',
        'أ' | 'إ' | 'ٱ' => 'ا',
        '٪' => '%',
        '؉' => '‰',
        '،' => ',',
        '−' => '-',
        other => other,
    })
}

/// Whether a number may hold this character, in a folded text.
pub(crate) fn is_of_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | ',' | '/' | '-' | '+' | DECIMAL | THOUSANDS)
}

/// The number that a folded text is.
///
/// # Errors
/// [`Code::Ambiguous`] for a single comma and for a slash, which is a decimal sign in Iran and a fraction elsewhere;
/// [`Code::InvalidFormat`] when it is no number, or one of more than 28 digits.
pub(crate) fn number(path: &str, text: &str) -> Result<Decimal, Refusal> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let wrong = || Refusal::new(Code::InvalidFormat, path).with("value", text);
    if let Some((above, below)) = digits.split_once('/') {
        let can_be_read = is_digits(above) && is_digits(below);
        let readings = [
            format!("{sign}{above}.{below}"),
            format!("{sign}{above}÷{below}"),
        ];
        return Err(if can_be_read {
            ambiguous(path, text, &readings)
        } else {
            wrong()
        });
    }
    let (whole, fraction) = match digits.split_once([DECIMAL, '.']) {
        Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
        Some(_) => return Err(wrong()),
        None => (digits, ""),
    };
    let whole = match whole.split_once(',') {
        Some((left, right)) if fraction.is_empty() && is_digits(left) && is_digits(right) => {
            let readings = [
                format!("{sign}{left}.{right}"),
                format!("{sign}{left}{right}"),
            ];
            return Err(ambiguous(path, text, &readings));
        }
        _ => ungrouped(whole).ok_or_else(wrong)?,
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(wrong());
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let whole = if whole.is_empty() { "0" } else { &whole };
    Decimal::from_str_exact(&format!("{sign}{whole}{point}{fraction}"))
        .map(|number| number.normalize())
        .map_err(|_too_long| wrong())
}

/// The digits of a whole number whose groups of three may be set apart, all by the same sign. Nothing at all is no digits.
fn ungrouped(whole: &str) -> Option<String> {
    let separator = if whole.contains(THOUSANDS) {
        THOUSANDS
    } else {
        ','
    };
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !(1..=3).contains(&first.len()) || first.starts_with('0') {
            return None;
        }
        digits.push_str(group);
    }
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The refusal of what can be read in these ways.
pub(crate) fn ambiguous(path: &str, value: &str, readings: &[String]) -> Refusal {
    Refusal::new(Code::Ambiguous, path)
        .with("value", value)
        .with("choices", readings.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, Code> {
        number("x", &fold(text))
            .map(|number| number.to_string())
            .map_err(|refusal| refusal.code)
    }

    fn choices(text: &str) -> String {
        let refused = number("x", &fold(text)).unwrap_err();
        assert_eq!(refused.code, Code::Ambiguous, "{text}");
        refused.params["choices"].clone()
    }

    #[test]
    fn numbers_are_read_in_either_script() {
        for (text, expected) in [
            ("12", "12"),
            ("0.50", "0.5"),
            (".750", "0.75"),
            ("007", "7"),
            ("0.0000000000000000000000000000", "0"),
            ("+7", "7"),
            ("-7", "-7"),
            ("−۷", "-7"),
            ("۲٫۵", "2.5"),
            ("٢٫٥", "2.5"),
            ("۱٬۲۳۴٫۵", "1234.5"),
            ("۱٬۲۳۴", "1234"),
            ("1,234.5", "1234.5"),
            ("1,234,567", "1234567"),
            ("۱،۲۳۴٫۵", "1234.5"),
            (
                "1234567890123456789012345.678",
                "1234567890123456789012345.678",
            ),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_two_people_would_read_differently_is_refused_with_both_readings() {
        assert_eq!(choices("1,5"), "1.5, 15");
        assert_eq!(choices("۱,۲۳۴"), "1.234, 1234");
        assert_eq!(choices("-0,500"), "-0.500, -0500");
        assert_eq!(choices("2/5"), "2.5, 2÷5");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "5.",
            "1.2.3",
            "1.234,5",
            "1,23,456",
            "1,234٬567",
            "0,123,456",
            ",123",
            "1,,000",
            "1e5",
            "½",
            "--1",
            "1/2/3",
            "1/",
            "/2",
            "٫",
            "1٬5",
            "99999999999999999999999999999",
        ] {
            assert_eq!(read(text), Err(Code::InvalidFormat), "{text}");
        }
    }

    #[test]
    fn letters_that_look_alike_are_alike() {
        for text in [
            "كيلوگرم",
            "کیلو\u{200C}گرم",
            "کیلوـگرم",
            "\u{200F}کیلوگرم\u{200E} ",
        ] {
            assert_eq!(fold(text), "کیلوگرم");
        }
        assert_eq!(fold("  Troy\u{A0}\u{2009} OZ "), "troy oz");
        assert_eq!(text("x", " \u{200C} ").unwrap_err().code, Code::Required);
        assert_eq!(
            text("x", &"a".repeat(WRITTEN_MAX + 1)).unwrap_err().code,
            Code::TooLong
        );
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_makes_it_fail(text in any::<String>(), numeric in "[-+0-9.,/٫٬۰-۹]{0,40}") {
            for text in [text, numeric] {
                let folded = fold(&text);
                prop_assert_eq!(fold(&folded), folded.clone());
                let _either = number("x", &folded);
            }
        }

        #[test]
        fn a_number_is_read_as_it_was_written(mantissa in any::<i64>(), scale in 0_u32..=28) {
            let written = Decimal::from_i128_with_scale(mantissa.into(), scale);
            prop_assert_eq!(number("x", &fold(&written.to_string())), Ok(written.normalize()));
        }
    }
}
