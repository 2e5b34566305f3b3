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
    use super::{Code, SKU_MAX, parse};

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
