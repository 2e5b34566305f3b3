use entity::item::Tracking;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::stock::line::Place;

const RING: ItemId = ItemId(Uuid::from_u128(1));
const BAR: ItemId = ItemId(Uuid::from_u128(2));
const TRAY: LocationId = LocationId(Uuid::from_u128(10));

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn facts(tolerance: &str) -> HashMap<ItemId, ItemFacts> {
    let facts = ItemFacts {
        tracking: Tracking::None,
        is_weighed: true,
        weight_tolerance: decimal(tolerance),
        fineness: Some(decimal("750")),
    };
    [
        (RING, facts),
        (
            BAR,
            ItemFacts {
                fineness: None,
                ..facts
            },
        ),
    ]
    .into()
}

fn line(list: &'static str, item: ItemId, quantity: &str, weight: Option<&str>) -> Line {
    let place = Place::new(list, 0);
    let (from, to) = match list {
        "outputs" => (LocationId::PRODUCTION, TRAY),
        "inputs" => (TRAY, LocationId::PRODUCTION),
        "received" => (LocationId::SUPPLIER, TRAY),
        _ => (TRAY, LocationId::CUSTOMER),
    };
    Line {
        quantity: Some(decimal(quantity)),
        weight: weight.map(decimal),
        ..Line::new(place, item, from, to)
    }
}

fn there(balances: &[(ItemId, &str, &str, &str)]) -> Balances {
    let balances = balances.iter().map(|(item, quantity, weight, fine)| {
        let balance = Balance {
            quantity: decimal(quantity),
            weight: decimal(weight),
            fine_weight: decimal(fine),
        };
        ((*item, None, TRAY), balance)
    });
    Balances(balances.collect())
}

fn weighed(
    lines: Vec<Line>,
    balances: &mut Balances,
    tolerance: &str,
) -> Vec<(String, String, String)> {
    let lines = weigh(
        lines,
        &facts(tolerance),
        &HashMap::new(),
        balances,
        Decimal::ZERO,
    )
    .unwrap();
    let shown = lines.iter().map(|line| {
        let weight = line.weight.unwrap_or_default();
        (
            line.pieces().normalize().to_string(),
            weight.normalize().to_string(),
            line.fine_weight.normalize().to_string(),
        )
    });
    shown.collect()
}

fn refused(lines: Vec<Line>, balances: &mut Balances, tolerance: &str) -> Code {
    match weigh(
        lines,
        &facts(tolerance),
        &HashMap::new(),
        balances,
        Decimal::ZERO,
    ) {
        Err(crate::Error::Refused(refusals)) => refusals[0].code,
        other => panic!("{other:?}"),
    }
}

fn row(quantity: &str, weight: &str, fine: &str) -> (String, String, String) {
    (quantity.into(), weight.into(), fine.into())
}

#[test]
fn what_comes_in_is_as_fine_as_its_metal_to_the_microgram() {
    let came = vec![line("received", RING, "3", Some("10.000001"))];
    assert_eq!(
        weighed(came, &mut there(&[(RING, "0", "0", "0")]), "0"),
        [row("3", "10.000001", "7.500001")]
    );
    let unweighed = vec![line("received", RING, "3", None)];
    assert_eq!(
        refused(unweighed, &mut there(&[(RING, "0", "0", "0")]), "0"),
        Code::Required
    );
}

#[test]
fn three_of_ten_rings_leave_both_quantities_right() {
    let mut tray = there(&[(RING, "10", "52.1", "39.075")]);
    let sold = vec![line("lines", RING, "3", Some("15.7"))];
    assert_eq!(weighed(sold, &mut tray, "0"), [row("3", "15.7", "11.775")]);
    let left = tray.0[&(RING, None, TRAY)];
    assert_eq!(
        (left.quantity, left.weight, left.fine_weight),
        (decimal("7"), decimal("36.4"), decimal("27.3"))
    );
}

#[test]
fn the_last_takes_what_is_left_and_a_scale_may_err_a_little() {
    let balance = [(RING, "1", "5.02", "3.765")];
    assert_eq!(
        weighed(
            vec![line("lines", RING, "1", None)],
            &mut there(&balance),
            "0"
        ),
        [row("1", "5.02", "3.765")]
    );
    let over = weighed(
        vec![line("lines", RING, "1", Some("5"))],
        &mut there(&balance),
        "0.05",
    );
    assert_eq!(over, [row("1", "5", "3.75"), row("0", "0.02", "0.015")]);
    let missing = weighed(
        vec![line("lines", RING, "1", Some("5.04"))],
        &mut there(&balance),
        "0.05",
    );
    assert_eq!(
        missing,
        [row("1", "5.04", "3.78"), row("0", "0.02", "0.015")]
    );
    assert_eq!(
        refused(
            vec![line("lines", RING, "1", Some("4.9"))],
            &mut there(&balance),
            "0.05"
        ),
        Code::WeightLeft
    );
}

#[test]
fn melted_metal_comes_out_or_is_lost_as_far_as_it_may() {
    let balances = [(RING, "2", "10", "7.5"), (BAR, "0", "0", "0")];
    let melt = |fineness: Option<&str>, max_loss: &str| {
        let mut bar = line("outputs", BAR, "1", Some("9.9"));
        bar.fineness = fineness.map(decimal);
        let lines = vec![line("inputs", RING, "2", None), bar];
        weigh(
            lines,
            &facts("0"),
            &HashMap::new(),
            &mut there(&balances),
            decimal(max_loss),
        )
    };
    let all = melt(None, "0").unwrap();
    assert_eq!(all[1].fine_weight, decimal("7.5"));
    let assayed = melt(Some("750"), "0.1").unwrap();
    assert_eq!(assayed[1].fine_weight, decimal("7.425"));
    assert_eq!(
        (assayed[2].to, assayed[2].fine_weight),
        (LocationId::LOSS, decimal("0.075"))
    );
    let code = |result: Result<Vec<Line>>| match result {
        Err(crate::Error::Refused(refusals)) => refusals[0].code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(melt(Some("750"), "0.07")), Code::FineWeightLost);
    assert_eq!(code(melt(Some("800"), "1")), Code::FineWeightGained);
}

proptest! {
    /// However a tray of rings is sold, piece by piece, its metal is all gone with the last piece, and none before.
    #[test]
    fn no_metal_is_made_or_lost(weights in prop::collection::vec(1_i64..100_000_000, 1..20), fine_parts in 1_i64..1000) {
        let whole: i64 = weights.iter().sum();
        let weight = Decimal::new(whole, 6);
        let fine = fine_weight(weight, Decimal::from(fine_parts)).unwrap();
        let balance = Balance { quantity: Decimal::from(weights.len()), weight, fine_weight: fine };
        let mut tray = Balances([((RING, None, TRAY), balance)].into());
        let mut sold = Decimal::ZERO;
        for weight in &weights {
            let mut one = line("lines", RING, "1", None);
            one.weight = Some(Decimal::new(*weight, 6));
            let lines = weigh(vec![one], &facts("0"), &HashMap::new(), &mut tray, Decimal::ZERO).unwrap();
            prop_assert!(lines.iter().all(|line| line.fine_weight >= Decimal::ZERO));
            sold += lines.iter().map(|line| line.fine_weight).sum::<Decimal>();
        }
        prop_assert_eq!(sold, fine);
        prop_assert_eq!(tray.0[&(RING, None, TRAY)], Balance::default());
    }
}
