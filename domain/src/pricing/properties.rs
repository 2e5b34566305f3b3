//! What holds for every weight-based price, checked against whole numbers alone.

use entity::{
    id::{ItemId, MetalRateId},
    item_metal::{MakingMode, Stones},
    metal_rate::Metal,
};
use num_bigint::BigInt;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// All that a weight-based price depends on, in the smallest units: micrograms, millionths, thousandths of a per mille.
#[derive(Clone, Debug)]
struct Case {
    net: i64,
    price: i64,
    fineness: i64,
    reference: i64,
    making: Option<(MakingMode, i64)>,
    profit: i64,
    quantity: i64,
    currency: &'static str,
}

fn cases() -> impl Strategy<Value = Case> {
    let making = prop_oneof![
        Just(MakingMode::Fixed),
        Just(MakingMode::PerGram),
        Just(MakingMode::Percent)
    ];
    (
        1..=1_000_000_000_i64,
        1..=999_999_999_999_i64,
        1..=1_000_000_i64,
        1..=1_000_000_i64,
        proptest::option::of((making, 0..=1_000_000_000_i64)),
        0..=100_000_000_i64,
        1..=1_000_000_i64,
        prop_oneof![Just("IRR"), Just("JPY"), Just("KWD")],
    )
        .prop_map(
            |(net, price, fineness, reference, making, profit, quantity, currency)| Case {
                net,
                price,
                fineness,
                reference,
                making,
                profit,
                quantity,
                currency,
            },
        )
}

fn millionths(number: i64) -> Decimal {
    Decimal::new(number, 6)
}

impl Case {
    fn price(&self) -> ItemPrice {
        let pricing = Pricing::WeightBased(WeightBased {
            currency: self.currency.to_owned(),
            profit_percent: millionths(self.profit),
            minimum_price: None,
        });
        let metal = ItemMetal {
            item_id: ItemId(uuid::Uuid::nil()),
            metal: Metal::Gold,
            fineness: Decimal::new(self.fineness, 3),
            gross_weight: None,
            net_weight: Some(millionths(self.net)),
            stone_weight: None,
            making_mode: self.making.map(|(mode, _)| mode),
            making_value: self.making.map(|(_, value)| millionths(value)),
            stones: Stones::default(),
            huid: None,
            certificate_number: None,
        };
        let rate = MetalRate {
            id: MetalRateId(uuid::Uuid::nil()),
            metal: Metal::Gold,
            fineness: Decimal::new(self.reference, 3),
            currency: self.currency.to_owned(),
            price_per_gram: millionths(self.price),
            effective_at: chrono::DateTime::UNIX_EPOCH,
            source: String::new(),
            created_at: chrono::DateTime::UNIX_EPOCH,
        };
        let facts = Facts {
            pricing: &pricing,
            metal: Some(&metal),
            rate: Some(&rate),
            schema: &Schema::default(),
            attributes: &json!({}),
            quantity: millionths(self.quantity),
            duration_hours: None,
        };
        price(&facts).unwrap()
    }

    /// The same in whole numbers: everything over one denominator, rounded once.
    fn expected(&self, places: u32) -> BigInt {
        let ten = |exponent: u32| BigInt::from(10).pow(exponent);
        let (net, reference) = (BigInt::from(self.net), BigInt::from(self.reference));
        // In units of 10^-20 and over `reference`: micrograms x millionths, and eight digits more for a percentage.
        let metal = &net * self.price * self.fineness * ten(8);
        let making = self
            .making
            .map_or_else(BigInt::default, |(mode, value)| match mode {
                MakingMode::Fixed => BigInt::from(value) * ten(14) * &reference,
                MakingMode::PerGram => BigInt::from(value) * &net * ten(8) * &reference,
                MakingMode::Percent => &net * self.price * self.fineness * value,
            });
        // The profit brings eight digits more, the quantity six.
        let total = (metal + making) * (ten(8) + self.profit) * self.quantity;
        let denominator = ten(20 + 8 + 6) * reference;
        (total * ten(places) * 2 + &denominator) / (denominator * 2)
    }
}

proptest! {
    #[test]
    fn a_price_is_what_whole_numbers_say(case in cases()) {
        let places = minor_unit(case.currency);
        let expected = case.expected(places);
        let too_much = BigInt::from(AMOUNT_MAX.mantissa()) * BigInt::from(10).pow(places);
        match case.price().amount {
            Ok(amount) => {
                prop_assert_eq!(amount.rounded.scale(), places);
                prop_assert_eq!(BigInt::from(amount.rounded.mantissa()), expected);
                prop_assert!((amount.exact - amount.rounded).abs() <= Decimal::new(5, places + 1));
            }
            Err(problem) => {
                prop_assert_eq!(problem, Problem::OutOfRange);
                prop_assert!(expected > too_much);
            }
        }
    }

    #[test]
    fn a_higher_rate_never_makes_a_lower_price(case in cases(), more in 0..=1_000_000_i64) {
        let higher = Case { price: case.price + more, ..case.clone() };
        if let (Ok(low), Ok(high)) = (case.price().amount, higher.price().amount) {
            prop_assert!(low.rounded <= high.rounded && low.exact <= high.exact);
        }
    }

    #[test]
    fn the_parts_are_the_whole(case in cases()) {
        let price = case.price();
        if let (Ok(amount), Some(parts)) = (price.amount, price.breakdown) {
            let sum = parts.metal + parts.making + parts.profit + parts.to_minimum;
            // Each part is rounded to ten digits by itself.
            prop_assert!((sum - amount.exact).abs() <= Decimal::new(2, EXACT_PLACES));
        }
    }
}
