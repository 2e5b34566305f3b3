//! What a piece of precious metal costs: metal, making charge, profit and stones, without tax.

use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Rials for one gram of the pure metal; zero for an unknown one.
fn rate(metal: &str) -> Decimal {
    Decimal::from(match metal {
        "gold" => 140_000_000,
        "platinum" => 72_000_000,
        "silver" => 2_650_000,
        _ => 0,
    })
}

/// Value of `net` grams at a fineness per mille, in rials.
pub(super) fn metal_value(metal: &str, fineness: Decimal, net: Decimal) -> Decimal {
    net * fineness / Decimal::ONE_THOUSAND * rate(metal)
}

/// How the work on a piece is charged.
#[derive(Clone, Copy)]
pub(super) enum Making {
    /// Percent of the metal's value.
    Percent(i64),
    /// Rials for each gram of net weight.
    PerGram(i64),
    /// Rials for the piece.
    Fixed(i64),
}

impl Making {
    /// Rials for a piece of `net` grams whose metal is worth `metal`.
    pub(super) fn charge(self, metal: Decimal, net: Decimal) -> Decimal {
        match self {
            Self::Percent(percent) => metal * Decimal::new(percent, 2),
            Self::PerGram(rials) => net * Decimal::from(rials),
            Self::Fixed(rials) => Decimal::from(rials),
        }
    }

    /// The attribute: kind, and value as a decimal string.
    pub(super) fn attribute(self) -> Value {
        let (kind, value) = match self {
            Self::Percent(value) => ("percent", value),
            Self::PerGram(value) => ("per_gram", value),
            Self::Fixed(value) => ("fixed", value),
        };
        json!({ "type": kind, "value": Decimal::from(value).to_string() })
    }
}

/// Metal and making charge with 7 % profit, and stones, rounded to ten thousand rials.
pub(super) fn price(metal: Decimal, making: Decimal, stones: Decimal) -> Decimal {
    rounded((metal + making) * Decimal::new(107, 2) + stones)
}

/// Rounded to ten thousand rials.
pub(super) fn rounded(price: Decimal) -> Decimal {
    let step = Decimal::from(10_000);
    ((price / step).round() * step).normalize()
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::{Making, metal_value, price};

    #[test]
    fn a_ring_costs_metal_making_profit_and_stones() {
        let net = Decimal::new(2_000, 3);
        let metal = metal_value("gold", Decimal::from(750), net);
        assert_eq!(metal, Decimal::from(210_000_000));
        let making = Making::Percent(10).charge(metal, net);
        assert_eq!(making, Decimal::from(21_000_000));
        assert_eq!(
            price(metal, making, Decimal::from(1_000_000)),
            Decimal::from(248_170_000)
        );
        assert_eq!(
            Making::PerGram(500).charge(metal, net),
            Decimal::from(1_000)
        );
        assert_eq!(Making::Fixed(700).charge(metal, net), Decimal::from(700));
    }
}
