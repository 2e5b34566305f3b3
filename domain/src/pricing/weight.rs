//! Weight-based prices: metal, making charge, profit.

use entity::{
    item_metal::{MakingMode, Model as ItemMetal},
    metal_rate::Model as MetalRate,
};
use rust_decimal::Decimal;

use super::{Breakdown, Found, Problem, WeightBased, shown};
use crate::exact::Exact;

/// What one piece consists of.
pub(super) struct Parts {
    metal: Exact,
    making: Exact,
    profit: Exact,
    to_minimum: Exact,
}

impl Parts {
    /// Of so many pieces; none when a part is larger than can be shown.
    pub(super) fn times(&self, quantity: &Exact) -> Option<Breakdown> {
        let Self {
            metal,
            making,
            profit,
            to_minimum,
        } = self;
        let part = |part: &Exact| shown(&(part * quantity));
        Some(Breakdown {
            metal: part(metal)?,
            making: part(making)?,
            profit: part(profit)?,
            to_minimum: part(to_minimum)?,
        })
    }

    fn sum(&self) -> Exact {
        &(&self.metal + &self.making) + &(&self.profit + &self.to_minimum)
    }
}

pub(super) fn find(
    model: &WeightBased,
    metal: Option<&ItemMetal>,
    rate: Option<&MetalRate>,
) -> Result<Found, Problem> {
    let details = metal.ok_or(Problem::NoMetal)?;
    let value = metal_value(details, rate)?;
    let making = making(details, rate)?;
    let cost = &value + &making;
    let profit = &cost * &percent(model.profit_percent);
    let mut parts = Parts {
        metal: value,
        making,
        profit,
        to_minimum: Exact::zero(),
    };
    let minimum = model.minimum_price.map_or_else(Exact::zero, Exact::from);
    parts.to_minimum = (&minimum - &parts.sum()).max(Exact::zero());
    Ok(Found {
        price: parts.sum(),
        parts: Some(parts),
    })
}

/// Net weight x rate x fineness / reference fineness.
fn metal_value(details: &ItemMetal, rate: Option<&MetalRate>) -> Result<Exact, Problem> {
    let weight = details.net_weight.ok_or(Problem::NoWeight)?;
    let rate = rate.ok_or(Problem::NoRate)?;
    let price = &Exact::from(weight) * &rate.price_per_gram.into();
    let fine = &price * &details.fineness.into();
    // The database keeps no rate of no fineness.
    fine.checked_div(&rate.fineness.into())
        .ok_or(Problem::NoRate)
}

/// What the making of one piece costs; nothing, when no charge is known.
pub(super) fn making(details: &ItemMetal, rate: Option<&MetalRate>) -> Result<Exact, Problem> {
    let value = details.making_value.unwrap_or_default();
    match details.making_mode {
        None => Ok(Exact::zero()),
        Some(MakingMode::Fixed) => Ok(value.into()),
        Some(MakingMode::PerGram) => {
            let weight = details.net_weight.ok_or(Problem::NoWeight)?;
            Ok(&Exact::from(weight) * &value.into())
        }
        Some(MakingMode::Percent) => Ok(&metal_value(details, rate)? * &percent(value)),
    }
}

fn percent(percent: Decimal) -> Exact {
    &Exact::from(percent) * &Exact::from(Decimal::new(1, 2))
}
