//! Fineness: how much of an alloy is the noble metal ([ADR 8](../docs/adr/0008-fineness-as-written.md)).

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::{
    error::{Code, Refusal},
    written::{self, ambiguous, number},
};

/// Decimal places of parts per thousand.
const PLACES: u32 = 3;
/// Karats of the pure metal.
const PURE_KARATS: u32 = 24;

/// Parts of noble metal in a thousand, more than 0 and at most 1000, to the thousandth. As it was written: 22 karat are 916.667, and 916
/// stay 916.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fineness {
    parts_per_thousand: Decimal,
}

/// In which of its measures a fineness is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Karat,
    Percent,
    PerThousand,
    /// Of one.
    Fraction,
}

impl Fineness {
    /// So many parts in a thousand.
    ///
    /// # Errors
    /// When they are not more than 0 and at most 1000, or finer than a thousandth.
    pub fn new(path: &str, parts_per_thousand: Decimal) -> Result<Self, Refusal> {
        if parts_per_thousand <= Decimal::ZERO || parts_per_thousand > Decimal::ONE_THOUSAND {
            return Err(out_of_range(
                path,
                Decimal::new(1, PLACES),
                Decimal::ONE_THOUSAND,
            ));
        }
        let parts_per_thousand = parts_per_thousand.normalize();
        if parts_per_thousand.scale() > PLACES {
            return Err(Refusal::new(Code::TooFine, path).with("max", PLACES));
        }
        Ok(Self { parts_per_thousand })
    }

    /// As people write it: `18K`, `۱۸ عیار`, `750`, `75%`, `0.750`, `750/1000`. A bare number is a fraction up to 1, and parts per thousand
    /// above 100.
    ///
    /// # Errors
    /// [`Code::Ambiguous`] for a number between those two without a measure; the other codes when it is none, or out of its range.
    pub fn parse(path: &str, text: &str) -> Result<Self, Refusal> {
        let text = written::text(path, text)?;
        if let Some((thousandths, "1000")) = halves(&text) {
            return of_measure(path, number(path, thousandths)?, Measure::PerThousand);
        }
        for (mark, measure) in MARKS {
            if let Some(rest) = without(&text, mark) {
                return of_measure(path, number(path, rest)?, *measure);
            }
        }
        match without(&text, AYAR) {
            Some(rest) => of_ayar(path, &text, number(path, rest)?),
            None => of_number(path, &text, number(path, &text)?),
        }
    }

    /// Parts in a thousand.
    #[must_use]
    pub fn parts_per_thousand(self) -> Decimal {
        self.parts_per_thousand
    }

    /// From and to which fineness somebody who looks for this one would take it for the same: stamps are rounded up or down from karats,
    /// 14 karat are stamped 583 as well as 585, and what is 999 or finer is pure to everybody. All within such a range have this range.
    #[must_use]
    pub fn alike(self) -> (Self, Self) {
        let (min, max) = (1..=PURE_KARATS)
            .map(stamps)
            .find(|(min, max)| (*min..=*max).contains(&self.parts_per_thousand))
            .unwrap_or((self.parts_per_thousand, self.parts_per_thousand));
        let fineness = |parts_per_thousand| Self { parts_per_thousand };
        (fineness(min), fineness(max))
    }
}

/// Parts per thousand with their sign, which can be read again.
impl fmt::Display for Fineness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}‰", self.parts_per_thousand)
    }
}

/// What stands before or behind a number; no mark ends with one that comes later.
const MARKS: &[(&str, Measure)] = &[
    ("%", Measure::Percent),
    ("درصد", Measure::Percent),
    ("‰", Measure::PerThousand),
    ("در هزار", Measure::PerThousand),
    ("karats", Measure::Karat),
    ("karat", Measure::Karat),
    ("carats", Measure::Karat),
    ("carat", Measure::Karat),
    ("kt", Measure::Karat),
    ("ct", Measure::Karat),
    ("k", Measure::Karat),
    ("قیراط", Measure::Karat),
];

/// The Persian word for fineness: of karats as well as of parts per thousand.
const AYAR: &str = "عیار";

/// The rest of a text that begins or ends with this mark.
fn without<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.strip_suffix(mark)
        .or_else(|| text.strip_prefix(mark))
        .map(str::trim)
}

/// What is in front of the last slash, and behind it.
fn halves(text: &str) -> Option<(&str, &str)> {
    let (above, below) = text.rsplit_once('/')?;
    Some((above.trim_end(), below.trim_start()))
}

fn of_number(path: &str, text: &str, value: Decimal) -> Result<Fineness, Refusal> {
    if value <= Decimal::ONE {
        of_measure(path, value, Measure::Fraction)
    } else if value > Decimal::ONE_HUNDRED {
        of_measure(path, value, Measure::PerThousand)
    } else if value <= Decimal::from(PURE_KARATS) {
        Err(ambiguous(
            path,
            text,
            &[format!("{value}K"), format!("{value}%")],
        ))
    } else {
        Err(ambiguous(
            path,
            text,
            &[format!("{value}%"), format!("{value}‰")],
        ))
    }
}

/// The word says that it is no fraction of one and no percentage.
fn of_ayar(path: &str, text: &str, value: Decimal) -> Result<Fineness, Refusal> {
    if (Decimal::ONE..=Decimal::from(PURE_KARATS)).contains(&value) {
        of_measure(path, value, Measure::Karat)
    } else {
        of_number(path, text, value)
    }
}

fn of_measure(path: &str, value: Decimal, measure: Measure) -> Result<Fineness, Refusal> {
    let max = match measure {
        Measure::Karat => PURE_KARATS.into(),
        Measure::Percent => Decimal::ONE_HUNDRED,
        Measure::PerThousand => Decimal::ONE_THOUSAND,
        Measure::Fraction => Decimal::ONE,
    };
    if value <= Decimal::ZERO || value > max {
        return Err(out_of_range(path, Decimal::ZERO, max));
    }
    // Within these bounds nothing overflows, and a fraction of one is finer than what is kept before its digits run out.
    let parts = value * Decimal::ONE_THOUSAND / max;
    let parts = match measure {
        Measure::Karat => {
            parts.round_dp_with_strategy(PLACES, RoundingStrategy::MidpointNearestEven)
        }
        Measure::Percent | Measure::PerThousand | Measure::Fraction => parts,
    };
    Fineness::new(path, parts)
}

fn out_of_range(path: &str, min: Decimal, max: Decimal) -> Refusal {
    Refusal::new(Code::OutOfRange, path)
        .with("min", min)
        .with("max", max)
}

/// From and to which figure so many karats are stamped, both included.
fn stamps(karats: u32) -> (Decimal, Decimal) {
    match karats {
        14 => (Decimal::from(583), Decimal::new(585_999, PLACES)),
        PURE_KARATS => (Decimal::from(999), Decimal::ONE_THOUSAND),
        _ => {
            let exact = Decimal::from(karats * 1000) / Decimal::from(PURE_KARATS);
            (exact.floor(), exact.ceil())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, Code> {
        Fineness::parse("x", text)
            .map(|fineness| fineness.parts_per_thousand().to_string())
            .map_err(|refusal| refusal.code)
    }

    #[test]
    fn every_way_to_write_it_is_read() {
        for (text, expected) in [
            ("18K", "750"),
            ("18 kt", "750"),
            ("18 karat", "750"),
            ("18ct", "750"),
            ("۱۸ عیار", "750"),
            ("عیار ۱۸", "750"),
            ("۱۸عیار", "750"),
            ("عيار ۷۵۰", "750"),
            ("750", "750"),
            ("750‰", "750"),
            ("75%", "750"),
            ("۷۵٪", "750"),
            ("٪۷۵", "750"),
            ("75 درصد", "750"),
            ("0.750", "750"),
            (".750", "750"),
            ("۰٫۷۵", "750"),
            ("750/1000", "750"),
            ("۷۵۰ / 1000", "750"),
            ("1", "1000"),
            ("100%", "1000"),
            ("91.6%", "916"),
            ("22K", "916.667"),
            ("916", "916"),
            ("14 K", "583.333"),
            ("21.6k", "900"),
            ("999.9", "999.9"),
            ("0.9999", "999.9"),
            ("24 عیار", "1000"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_number_that_can_be_two_things_is_refused_with_both() {
        for (text, choices) in [
            ("22", "22K, 22%"),
            ("۱٫۵", "1.5K, 1.5%"),
            ("75", "75%, 75‰"),
            ("100", "100%, 100‰"),
            ("عیار ۷۵", "75%, 75‰"),
            ("0/750", "0.750, 0÷750"),
            ("18/24", "18.24, 18÷24"),
            ("0,750", "0.750, 0750"),
        ] {
            let refused = Fineness::parse("x", text).unwrap_err();
            assert_eq!(refused.code, Code::Ambiguous, "{text}");
            assert_eq!(refused.params["choices"], choices, "{text}");
        }
    }

    #[test]
    fn what_is_no_fineness_is_refused() {
        for text in [
            "0",
            "0K",
            "-18K",
            "25K",
            "101%",
            "1001",
            "1001/1000",
            "-1",
            "9999",
        ] {
            assert_eq!(read(text), Err(Code::OutOfRange), "{text}");
        }
        for text in ["gold", "K", "18 K K", "18%K", "750 g", "/1000", "%"] {
            assert_eq!(read(text), Err(Code::InvalidFormat), "{text}");
        }
        for text in ["0.99999999", "999.9999"] {
            assert_eq!(read(text), Err(Code::TooFine), "{text}");
        }
    }

    fn alike(text: &str) -> (String, String) {
        let (min, max) = Fineness::parse("x", text).unwrap().alike();
        (min.to_string(), max.to_string())
    }

    #[test]
    fn who_looks_for_a_karat_finds_its_stamps() {
        for (texts, min, max) in [
            (&["22K", "916", "917", "91.6%", "916.7"][..], "916‰", "917‰"),
            (&["14K", "583", "585", "585.5"], "583‰", "585.999‰"),
            (&["24K", "999", "999.9"], "999‰", "1000‰"),
            (&["18K", "750"], "750‰", "750‰"),
            (&["21K", "875"], "875‰", "875‰"),
            (&["925"], "925‰", "925‰"),
            (&["586"], "586‰", "586‰"),
            (&["998.999"], "998.999‰", "998.999‰"),
        ] {
            for text in texts {
                assert_eq!(alike(text), (min.to_owned(), max.to_owned()), "{text}");
            }
        }
    }

    fn finenesses() -> impl Strategy<Value = Fineness> {
        (1_i64..=1_000_000)
            .prop_map(|millionths| Fineness::new("x", Decimal::new(millionths, PLACES)).unwrap())
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(fineness in finenesses()) {
            prop_assert_eq!(Fineness::parse("x", &fineness.to_string()), Ok(fineness));
        }

        #[test]
        fn all_that_are_alike_have_the_same_range(fineness in finenesses(), other in finenesses()) {
            let (min, max) = fineness.alike();
            prop_assert!(min <= fineness && fineness <= max);
            prop_assert_eq!(min.alike(), (min, max));
            prop_assert_eq!(max.alike(), (min, max));
            let is_within = (min..=max).contains(&other);
            prop_assert_eq!(other.alike() == (min, max), is_within);
        }

        #[test]
        fn nothing_that_is_written_makes_it_fail(text in any::<String>(), marked in "[-0-9.,/۰-۹٫]{0,30} ?(k|%|‰|عیار|/1000)?") {
            for text in [text, marked] {
                if let Ok(fineness) = Fineness::parse("x", &text) {
                    prop_assert!(Fineness::new("x", fineness.parts_per_thousand()).is_ok());
                }
            }
        }
    }
}
