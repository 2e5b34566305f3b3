//! Time-based prices: so much for each unit of time that has begun.

use entity::item_pricing::TimeUnit;
use rust_decimal::Decimal;

use super::TimeBased;
use crate::exact::Exact;

/// What the time costs. Without a duration it is the shortest that can be charged: the minimum, or else one step, or else one unit.
pub(super) fn find(model: &TimeBased, duration_hours: Option<Decimal>) -> Exact {
    let shortest = model.minimum_duration.or(model.step);
    let asked = duration_hours.map_or_else(
        || shortest.unwrap_or(Decimal::ONE).into(),
        |hours| in_units(hours, model.unit),
    );
    let minimum = model.minimum_duration.map_or_else(Exact::zero, Exact::from);
    let charged = in_steps(asked.max(minimum), model.step);
    &charged * &model.rate.into()
}

/// A step that has begun counts as a whole.
fn in_steps(duration: Exact, step: Option<Decimal>) -> Exact {
    let step = step.map(Exact::from);
    let steps = step
        .as_ref()
        .and_then(|step| Some((duration.checked_div(step)?, step)));
    match steps {
        Some((steps, step)) => &steps.ceil() * step,
        None => duration,
    }
}

fn in_units(hours: Decimal, unit: TimeUnit) -> Exact {
    let hours = Exact::from(hours);
    match unit {
        TimeUnit::Minute => &hours * &Exact::from(60),
        TimeUnit::Hour => hours,
        // Dividing by 24 cannot fail.
        TimeUnit::Day => hours.checked_div(&Exact::from(24)).unwrap_or(hours),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(unit: TimeUnit, minimum: &str, step: &str, hours: &str) -> String {
        let number = |text: &str| text.parse::<Decimal>().ok();
        let model = TimeBased {
            currency: "EUR".to_owned(),
            rate: Decimal::from(60),
            unit,
            minimum_duration: number(minimum),
            step: number(step),
        };
        let found = find(&model, number(hours)).round_half_up(4).unwrap();
        found.normalize().to_string()
    }

    #[test]
    fn a_step_that_has_begun_is_charged_as_a_whole() {
        assert_eq!(costs(TimeUnit::Hour, "", "", "1.3"), "78");
        assert_eq!(costs(TimeUnit::Hour, "", "0.5", "1.3"), "90");
        assert_eq!(costs(TimeUnit::Hour, "", "0.5", "1.5"), "90");
        assert_eq!(costs(TimeUnit::Hour, "", "0.5", "0"), "0");
    }

    #[test]
    fn the_minimum_is_charged_in_any_case_and_in_whole_steps() {
        assert_eq!(costs(TimeUnit::Hour, "1", "", "0.25"), "60");
        assert_eq!(costs(TimeUnit::Hour, "1", "0.75", "0.25"), "90");
        assert_eq!(costs(TimeUnit::Hour, "1", "0.75", "0"), "90");
    }

    #[test]
    fn without_a_duration_it_is_the_shortest() {
        assert_eq!(costs(TimeUnit::Hour, "2", "0.5", ""), "120");
        assert_eq!(costs(TimeUnit::Hour, "", "0.5", ""), "30");
        assert_eq!(costs(TimeUnit::Day, "", "", ""), "60");
    }

    #[test]
    fn hours_are_turned_into_units_exactly() {
        assert_eq!(costs(TimeUnit::Minute, "", "", "0.5"), "1800");
        assert_eq!(costs(TimeUnit::Day, "", "", "8"), "20");
        // A third of a day is no decimal number, and three of them are a day.
        assert_eq!(costs(TimeUnit::Day, "", "", "1"), "2.5");
    }
}
