//! Barcodes: what a scanner reads off a thing.

use crate::{
    error::{Code, Refusal},
    text::ascii_digits,
};

/// Longest barcode, in characters: what a Code 128 label can reasonably carry.
pub const BARCODE_MAX: usize = 80;

/// A barcode. Eight, twelve, thirteen or fourteen digits are a GTIN, whose last digit must fit the others
/// (GS1 General Specifications, section 7.9); anything else is taken as it is.
///
/// # Errors
/// When it is empty, too long, holds other than printable ASCII, or is a GTIN with a wrong check digit.
pub fn parse(path: &str, text: &str) -> Result<String, Refusal> {
    let code = ascii_digits(text.trim());
    if code.is_empty() {
        return Err(Refusal::new(Code::Required, path));
    }
    if code.len() > BARCODE_MAX {
        return Err(Refusal::new(Code::TooLong, path).with("max", BARCODE_MAX));
    }
    if !code.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(Refusal::new(Code::InvalidFormat, path).with("value", text.trim()));
    }
    if looks_like_gtin(&code) && !check_digit_fits(&code) {
        return Err(Refusal::new(Code::InvalidCheckDigit, path).with("value", code));
    }
    Ok(code)
}

fn looks_like_gtin(code: &str) -> bool {
    matches!(code.len(), 8 | 12 | 13 | 14) && code.bytes().all(|b| b.is_ascii_digit())
}

/// From the right, digits weigh 1, 3, 1, 3, …; the weighted sum must be a multiple of ten.
fn check_digit_fits(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::{Code, parse};

    #[test]
    fn real_gtins_pass_and_each_single_wrong_digit_is_found() {
        for gtin in [
            "4006381333931",
            "96385074",
            "036000291452",
            "10012345678902",
        ] {
            assert_eq!(parse("barcode", gtin).as_deref(), Ok(gtin));
            for position in 0..gtin.len() {
                let mut wrong = gtin.as_bytes().to_vec();
                wrong[position] = if wrong[position] == b'9' {
                    b'0'
                } else {
                    wrong[position] + 1
                };
                let wrong = String::from_utf8_lossy(&wrong).into_owned();
                assert!(
                    parse("barcode", &wrong).is_err_and(|r| r.code == Code::InvalidCheckDigit),
                    "{wrong}"
                );
            }
        }
    }

    #[test]
    fn other_codes_are_taken_as_they_are() {
        assert_eq!(parse("barcode", "RING-0001"), Ok("RING-0001".into()));
        assert_eq!(parse("barcode", "۱۲۳"), Ok("123".into()));
        assert!(parse("barcode", "طلا").is_err());
    }
}
