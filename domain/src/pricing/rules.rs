//! Decisions about pricing that need nothing but their arguments.

use rust_decimal::Decimal;

use super::{Draft, Formula, Pricing, TimeBased, WeightBased, formula};
use crate::{
    currency::Currency,
    decimal::within,
    error::{Code, Refusal, Refusals},
    money::{self, Money},
    patch::Patch,
};

/// Highest amount: what the columns hold.
const AMOUNT_MAX: Decimal = super::AMOUNT_MAX;
/// Highest profit, in percent.
const PERCENT_MAX: Decimal = Decimal::from_parts(100_000, 0, 0, false, 0);
/// Longest duration, in any unit; more of an item than anybody asks for at once.
const COUNT_MAX: Decimal = Decimal::from_parts(999_999_999, 0, 0, false, 0);
/// The least of anything that is not nothing.
const MILLIONTH: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

/// Valid pricing, when nothing of it is refused.
pub(crate) fn parse(refusals: &mut Refusals, pricing: &Pricing) -> Option<Draft> {
    match pricing {
        Pricing::Fixed(price) => {
            let price = refusals.take(money::price("pricing.fixed", price))?;
            Some(Draft(Pricing::Fixed(price)))
        }
        Pricing::WeightBased(model) => parse_weight_based(refusals, model),
        Pricing::TimeBased(model) => parse_time_based(refusals, model),
        Pricing::Formula(model) => parse_formula(refusals, model),
    }
}

fn parse_weight_based(refusals: &mut Refusals, model: &WeightBased) -> Option<Draft> {
    let WeightBased {
        currency,
        profit_percent,
        minimum_price,
    } = model;
    let path = |field: &str| format!("pricing.weightBased.{field}");
    let currency = refusals.take(Currency::parse(&path("currency"), currency));
    let bounds = (Decimal::ZERO, PERCENT_MAX);
    let profit = refusals.take(within(&path("profitPercent"), *profit_percent, bounds, 6));
    let minimum = minimum_price.map(|price| {
        let bounds = (Decimal::ZERO, AMOUNT_MAX);
        within(&path("minimumPrice"), price, bounds, 6)
    });
    let minimum = refusals.take(minimum.transpose());
    Some(Draft(Pricing::WeightBased(WeightBased {
        currency: currency?.to_string(),
        profit_percent: profit?,
        minimum_price: minimum?,
    })))
}

fn parse_time_based(refusals: &mut Refusals, model: &TimeBased) -> Option<Draft> {
    let TimeBased {
        currency,
        rate,
        unit,
        minimum_duration,
        step,
    } = model;
    let path = |field: &str| format!("pricing.timeBased.{field}");
    let duration = |field: &str, value: &Option<Decimal>| {
        let check = |value| within(&path(field), value, (MILLIONTH, COUNT_MAX), 6);
        value.map(check).transpose()
    };
    let currency = refusals.take(Currency::parse(&path("currency"), currency));
    let bounds = (Decimal::ZERO, AMOUNT_MAX);
    let rate = refusals.take(within(&path("rate"), *rate, bounds, 6));
    let minimum = refusals.take(duration("minimumDuration", minimum_duration));
    let step = refusals.take(duration("step", step));
    Some(Draft(Pricing::TimeBased(TimeBased {
        currency: currency?.to_string(),
        rate: rate?,
        unit: *unit,
        minimum_duration: minimum?,
        step: step?,
    })))
}

fn parse_formula(refusals: &mut Refusals, model: &Formula) -> Option<Draft> {
    let Formula { currency, text } = model;
    let currency = refusals.take(Currency::parse("pricing.formula.currency", currency));
    let text = refusals.take(formula::parse("pricing.formula.text", text));
    Some(Draft(Pricing::Formula(Formula {
        currency: currency?.to_string(),
        text: text?,
    })))
}

/// What prices can be asked for.
pub(super) fn check_asked(
    quantity: Decimal,
    duration_hours: Option<Decimal>,
) -> Result<(), Refusal> {
    within("quantity", quantity, (MILLIONTH, COUNT_MAX), 6)?;
    if let Some(hours) = duration_hours {
        within("durationHours", hours, (Decimal::ZERO, COUNT_MAX), 6)?;
    }
    Ok(())
}

/// What becomes of the fixed price and of the model, which an item never has both of.
pub(crate) fn settle(
    price: Patch<Money>,
    pricing: Patch<Draft>,
) -> Result<(Patch<Money>, Patch<Draft>), Refusal> {
    match (price, pricing) {
        (Patch::Set(price), Patch::Keep) => Ok((Patch::Set(price), Patch::Clear)),
        (price, Patch::Keep) => Ok((price, Patch::Keep)),
        (Patch::Keep, Patch::Clear) => Ok((Patch::Clear, Patch::Clear)),
        (Patch::Keep, Patch::Set(draft)) => Ok(match draft.split() {
            Ok(price) => (Patch::Set(price), Patch::Clear),
            Err(model) => (Patch::Clear, Patch::Set(model)),
        }),
        (Patch::Clear | Patch::Set(_), Patch::Clear | Patch::Set(_)) => {
            Err(Refusal::new(Code::Exclusive, "pricing").with("other", "price"))
        }
    }
}
