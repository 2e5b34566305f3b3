//! Currencies: their codes, and how fine their coins are.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::{Code, Refusal};

/// An ISO 4217 code: three letters in upper case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// From what somebody typed, whatever the case.
    ///
    /// # Errors
    /// When it is not three letters.
    pub fn parse(path: &str, text: &str) -> Result<Self, Refusal> {
        let code = <[u8; 3]>::try_from(text.trim().to_ascii_uppercase().as_bytes());
        match code {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(Refusal::new(Code::InvalidFormat, path).with("value", text)),
        }
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Three ASCII letters are always UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many digits behind the point its smallest unit has, after ISO 4217.
    #[must_use]
    pub fn minor_unit(&self) -> u32 {
        minor_unit(self.as_str())
    }
}

/// How many digits behind the point the smallest unit of the currency with this code has; two for one that the table does not name.
#[must_use]
pub fn minor_unit(code: &str) -> u32 {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Currency};

    #[test]
    fn a_code_is_three_letters() {
        assert!(Currency::parse("currency", " irr ").is_ok_and(|code| code.as_str() == "IRR"));
        for text in ["", "EU", "EURO", "E1R", "یور", "€"] {
            let refused = Currency::parse("currency", text);
            assert!(
                refused.is_err_and(|refusal| refusal.code == Code::InvalidFormat),
                "{text}"
            );
        }
    }

    #[test]
    fn coins_are_as_fine_as_iso_4217_says() {
        let places = |code| Currency::parse("currency", code).map(|code| code.minor_unit());
        assert_eq!(places("IRR"), Ok(2));
        assert_eq!(places("EUR"), Ok(2));
        assert_eq!(places("JPY"), Ok(0));
        assert_eq!(places("KWD"), Ok(3));
    }
}
