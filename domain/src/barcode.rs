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
    use proptest::{collection::vec, prelude::*};

    use super::{Code, parse};

    /// The digits as text, each counted from this one: `'0'`, or a zero of another script.
    fn written(digits: &[u8], zero: char) -> String {
        let digits = digits.iter();
        digits
            .filter_map(|digit| char::from_u32(u32::from(zero) + u32::from(*digit)))
            .collect()
    }

    /// The digits of any GTIN without its check digit.
    fn digits() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![Just(7), Just(11), Just(12), Just(13)]
            .prop_flat_map(|length: usize| vec(0_u8..10, length))
    }

    /// The one digit with which these are a GTIN.
    fn completed(mut digits: Vec<u8>) -> Vec<u8> {
        let fits = |check: &u8| {
            parse("barcode", &written(&[&digits[..], &[*check]].concat(), '0')).is_ok()
        };
        let fitting: Vec<_> = (0..10).filter(fits).collect();
        assert_eq!(fitting.len(), 1, "{digits:?}: {fitting:?}");
        digits.extend(fitting);
        digits
    }

    proptest! {
        #[test]
        fn one_check_digit_fits_and_any_single_wrong_digit_is_found(
            gtin in digits().prop_map(completed),
            position: prop::sample::Index,
            difference in 1_u8..10,
        ) {
            let mut wrong = gtin;
            let position = position.index(wrong.len());
            wrong[position] = (wrong[position] + difference) % 10;
            let refused = parse("barcode", &written(&wrong, '0'));
            prop_assert!(refused.is_err_and(|refusal| refusal.code == Code::InvalidCheckDigit));
        }

        #[test]
        fn a_gtin_is_the_same_in_every_script(gtin in digits().prop_map(completed)) {
            let latin = written(&gtin, '0');
            for zero in ['\u{06F0}', '\u{0660}'] {
                prop_assert_eq!(parse("barcode", &written(&gtin, zero)), Ok(latin.clone()));
            }
        }

        #[test]
        fn a_barcode_is_parsed_once_and_for_ever(text in any::<String>()) {
            if let Ok(code) = parse("barcode", &text) {
                prop_assert_eq!(parse("barcode", &code), Ok(code.clone()));
            }
        }
    }

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
