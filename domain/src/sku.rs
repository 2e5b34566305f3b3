//! Stock-keeping units.

use crate::{
    error::{Code, Refusal},
    text::ascii_digits,
};

/// Longest SKU, in characters.
pub const SKU_MAX: usize = 64;

/// A stock-keeping unit: upper case, ASCII digits whatever script they were typed in, no blanks inside.
///
/// # Errors
/// When it is empty, too long, or holds other than letters, digits, `-`, `_`, `.`, `/`, `+` and `#`.
pub fn parse(path: &str, text: &str) -> Result<String, Refusal> {
    let sku = ascii_digits(text.trim()).to_uppercase();
    if sku.is_empty() {
        return Err(Refusal::new(Code::Required, path));
    }
    if sku.chars().count() > SKU_MAX {
        return Err(Refusal::new(Code::TooLong, path).with("max", SKU_MAX));
    }
    if sku
        .chars()
        .all(|c| c.is_alphanumeric() || "-_./+#".contains(c))
    {
        Ok(sku)
    } else {
        Err(Refusal::new(Code::InvalidFormat, path).with("value", text.trim()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Code, SKU_MAX, parse};

    proptest! {
        #[test]
        fn a_sku_is_parsed_once_and_for_ever(text in prop_oneof![any::<String>(), "[a-zA-Z0-9۰-۹ßğ_./+# -]{0,70}"]) {
            if let Ok(sku) = parse("sku", &text) {
                prop_assert!(sku.chars().count() <= SKU_MAX && !sku.contains(char::is_whitespace));
                prop_assert_eq!(parse("sku", &sku), Ok(sku.clone()));
            }
        }

        #[test]
        fn capitals_and_blanks_around_it_make_no_other_sku(sku in "[A-Z0-9_./+#-]{1,64}") {
            prop_assert_eq!(parse("sku", &format!(" {}\n", sku.to_lowercase())), Ok(sku));
        }
    }

    #[test]
    fn equal_skus_are_equal_however_they_are_typed() {
        assert_eq!(parse("sku", " gr-۱۸k-۰۰۱ "), Ok("GR-18K-001".into()));
    }

    #[test]
    fn blanks_and_control_characters_are_refused() {
        for (text, code) in [
            ("", Code::Required),
            ("a b", Code::InvalidFormat),
            ("a\u{0}", Code::InvalidFormat),
        ] {
            assert!(
                parse("sku", text).is_err_and(|r| r.code == code),
                "{text:?}"
            );
        }
        assert!(parse("sku", &"A".repeat(SKU_MAX + 1)).is_err_and(|r| r.code == Code::TooLong));
    }
}
