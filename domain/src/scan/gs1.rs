//! What GS1 codes hold beside a plain number: symbology identifiers, element strings and links.

use crate::barcode;

/// Ends an element of variable length.
const SEPARATOR: char = '\u{1D}';
/// Digits of a GTIN in an element string.
const GTIN: usize = 14;

/// Without the symbology identifier that scanners can put in front (ISO/IEC 15424): `]C1`, `]d2`, `]E0` and so on, and without a
/// separator behind it.
pub(super) fn without_identifier(text: &str) -> &str {
    let mut chars = text.chars();
    let is_one = chars.next() == Some(']')
        && chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = if is_one { chars.as_str() } else { text };
    rest.trim_start_matches(SEPARATOR)
}

/// The GTIN in an element string, in brackets or as scanners send it, or in a GS1 Digital Link.
pub(super) fn gtin(text: &str) -> Option<String> {
    after(text, "(01)")
        .or_else(|| after(text, "/01/"))
        .or_else(|| element(text))
        .map(|digits| format!("{digits:0>GTIN$}"))
        .filter(|digits| !barcode::forms(digits).is_empty())
}

/// The digits that follow, as many as there are, up to fourteen.
fn after(text: &str, label: &str) -> Option<String> {
    let (_, rest) = text.split_once(label)?;
    let digits = rest.chars().take_while(char::is_ascii_digit).take(GTIN);
    Some(digits.collect::<String>()).filter(|digits| !digits.is_empty())
}

/// The value of the element `01`, wherever it stands.
fn element(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some(label) = rest.get(..2) {
        if label == "01" {
            let digits = rest.get(2..2 + GTIN)?;
            return digits
                .bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| digits.to_owned());
        }
        rest = match length(label) {
            Some(length) => rest.get(length..)?,
            None => rest.split_once(SEPARATOR)?.1,
        };
        rest = rest.trim_start_matches(SEPARATOR);
    }
    None
}

/// How long an element is with its label, when that follows from the label's first two digits (GS1 General Specifications, figure
/// 7.8.5-2). All others end at a separator.
fn length(label: &str) -> Option<usize> {
    match label {
        "00" => Some(20),
        "02" | "03" => Some(16),
        "04" => Some(18),
        "11" | "12" | "13" | "14" | "15" | "16" | "17" | "18" | "19" => Some(8),
        "20" => Some(4),
        "31" | "32" | "33" | "34" | "35" | "36" => Some(10),
        "41" => Some(16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_taken_off_once() {
        for (text, rest) in [
            ("]C10104006381333931", "0104006381333931"),
            ("]d2\u{1D}01", "01"),
            ("]C1]C1", "]C1"),
            ("]", "]"),
            ("]C", "]C"),
            ("]گ1x", "]گ1x"),
            ("RING", "RING"),
        ] {
            assert_eq!(without_identifier(text), rest, "{text}");
        }
    }

    #[test]
    fn the_gtin_is_found_wherever_it_stands() {
        for text in [
            "0104006381333931",
            "01040063813339311726123110ABC",
            "172612310104006381333931",
            "10ABC\u{1D}0104006381333931",
            "3103001250\u{1D}0104006381333931",
            "(10)ABC(01)04006381333931",
            "https://shop.example/01/4006381333931",
        ] {
            assert_eq!(gtin(text).as_deref(), Some("04006381333931"), "{text}");
        }
    }

    #[test]
    fn what_is_no_element_string_has_no_gtin() {
        for text in [
            "",
            "0",
            "01",
            "0104006381333932",
            "01طلا",
            "10ABC",
            "17261231",
            "(01)",
            "RING-0104",
        ] {
            assert_eq!(gtin(text), None, "{text}");
        }
    }
}
