//! A place in what PostgreSQL has written ahead: all that was committed before it is before it.

use std::{fmt, str::FromStr};

/// A place in the write-ahead log. A later one is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u64);

/// It is no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position")]
pub struct NotAPosition;

impl Position {
    /// Reads it as PostgreSQL writes it: `16/B374D848`.
    pub(crate) fn of_postgres(text: &str) -> Option<Self> {
        let (high, low) = text.split_once('/')?;
        let half = |digits| u32::from_str_radix(digits, 16).ok();
        Some(Self((u64::from(half(high)?) << 32) | u64::from(half(low)?)))
    }
}

/// Sixteen hexadecimal digits: texts are in the order of their positions.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let number = u64::from_str_radix(text, 16).ok();
        let number = number.filter(|_| text.len() == 16);
        number.map(Self).ok_or(NotAPosition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_in_the_order_of_the_log() {
        let texts = [
            "0/0",
            "0/A",
            "0/FFFFFFFF",
            "1/0",
            "16/B374D848",
            "FFFFFFFF/0",
        ];
        let read = texts.map(|text| Position::of_postgres(text).unwrap());
        assert!(read.is_sorted());
        assert_eq!(read[4], Position(0x16_b374_d848));
    }

    #[test]
    fn what_was_written_down_is_read_again_and_in_the_same_order() {
        let texts = [0, 0xa, 0x16_b374_d848, u64::MAX].map(|number| Position(number).to_string());
        assert!(texts.is_sorted());
        assert_eq!(texts[2].parse(), Ok(Position(0x16_b374_d848)));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "0", "0/", "/0", "0/100000000", "0/x"] {
            assert_eq!(Position::of_postgres(text), None, "{text}");
        }
        for text in [
            "",
            "a",
            "00000000000000000",
            "000000000000000g",
            "16/B374D848",
        ] {
            assert_eq!(text.parse::<Position>(), Err(NotAPosition), "{text}");
        }
    }
}
