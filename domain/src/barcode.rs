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
        let refusal = Refusal::new(Code::InvalidCheckDigit, path).with("value", &code);
        return Err(refusal.with("digit", check_digit(&code)));
    }
    Ok(code)
}

/// In which pattern of bars a barcode is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symbology {
    /// A GTIN of eight digits, for small packages.
    Ean8,
    /// A GTIN of twelve digits, usual in North America.
    UpcA,
    /// A GTIN of thirteen digits, usual elsewhere.
    Ean13,
    /// A GTIN of fourteen digits, on cartons.
    Itf14,
    /// Any printable ASCII.
    Code128,
}

/// The pattern that a barcode on file is drawn in: a GTIN in the one that is made for its length, anything else as Code 128.
#[must_use]
pub fn symbology(code: &str) -> Symbology {
    if !is_gtin(code) {
        return Symbology::Code128;
    }
    match code.len() {
        8 => Symbology::Ean8,
        12 => Symbology::UpcA,
        13 => Symbology::Ean13,
        _ => Symbology::Itf14,
    }
}

/// Every way in which this GTIN can be on file: with fourteen digits, and without the zeros that shorter ones lack in front. Nothing
/// when it is none.
pub(crate) fn forms(code: &str) -> Vec<String> {
    if !is_gtin(code) {
        return Vec::new();
    }
    let longest = format!("{code:0>14}");
    let shorter = [8, 12, 13].into_iter().filter_map(|length| {
        let (zeros, rest) = longest.split_at(14 - length);
        zeros.bytes().all(|b| b == b'0').then(|| rest.to_owned())
    });
    shorter.chain([longest.clone()]).collect()
}

/// The GTIN of thirteen digits of what is in a carton with this GTIN. The carton's first digit counts sizes of cartons, from 1 to 8
/// (GS1 General Specifications, section 2.1.7); with 9, pieces differ in weight and the code says nothing of a single one.
pub(crate) fn unit_of(carton: &str) -> Option<String> {
    if carton.len() != 14 || !is_gtin(carton) || !matches!(carton.as_bytes()[0], b'1'..=b'8') {
        return None;
    }
    let unit = &carton[1..13];
    Some(format!("{unit}{}", check_digit(&format!("{unit}0"))))
}

fn is_gtin(code: &str) -> bool {
    looks_like_gtin(code) && check_digit_fits(code)
}

fn looks_like_gtin(code: &str) -> bool {
    matches!(code.len(), 8 | 12 | 13 | 14) && code.bytes().all(|b| b.is_ascii_digit())
}

fn check_digit_fits(digits: &str) -> bool {
    digits.bytes().last().map(|digit| u32::from(digit - b'0')) == Some(check_digit(digits))
}

/// What the last of these digits must be, whatever it is. From the right, the others weigh 3, 1, 3, 1, …; with the last digit their sum
/// is a multiple of ten.
fn check_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .skip(1)
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{Code, Symbology, forms, parse, symbology, unit_of};

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
    fn a_wrong_check_digit_is_told_with_the_right_one() {
        let refused = parse("barcode", "4006381333937");
        assert!(refused.is_err_and(|refusal| refusal.params["digit"] == "1"));
    }

    #[test]
    fn a_gtin_is_drawn_in_the_pattern_of_its_length() {
        for (code, expected) in [
            ("96385074", Symbology::Ean8),
            ("036000291452", Symbology::UpcA),
            ("4006381333931", Symbology::Ean13),
            ("10012345678902", Symbology::Itf14),
            ("4006381333932", Symbology::Code128),
            ("123", Symbology::Code128),
            ("RING-0001", Symbology::Code128),
        ] {
            assert_eq!(symbology(code), expected, "{code}");
        }
    }

    #[test]
    fn zeros_in_front_make_no_other_gtin() {
        let upc = ["036000291452", "0036000291452", "00036000291452"];
        for code in upc {
            assert_eq!(forms(code), upc, "{code}");
        }
        assert_eq!(
            forms("96385074"),
            [
                "96385074",
                "000096385074",
                "0000096385074",
                "00000096385074"
            ]
        );
        assert_eq!(forms("10012345678902"), ["10012345678902"]);
        assert_eq!(forms("96385075"), [""; 0]);
        assert_eq!(forms("RING-1"), [""; 0]);
    }

    #[test]
    fn a_carton_leads_to_what_is_in_it() {
        assert_eq!(unit_of("14006381333938").as_deref(), Some("4006381333931"));
        for none in ["4006381333931", "04006381333931", "94006381333934", "x"] {
            assert_eq!(unit_of(none), None, "{none}");
        }
    }

    #[test]
    fn other_codes_are_taken_as_they_are() {
        assert_eq!(parse("barcode", "RING-0001"), Ok("RING-0001".into()));
        assert_eq!(parse("barcode", "۱۲۳"), Ok("123".into()));
        assert!(parse("barcode", "طلا").is_err());
    }
}
