//! Random operations with lots of gold against a model in whole micrograms: none is made and none is lost, whatever is divided, joined and
//! melted. Half as many as `STOCK_OPERATIONS` says, and others with another `STOCK_SEED`.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::{Shop, bought, random::operations, sold, text};

/// What lies of a lot at a place: pieces, and micrograms of metal and of pure gold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Amount {
    pieces: i128,
    weight: i128,
    fine: i128,
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.pieces += other.pieces;
        self.weight += other.weight;
        self.fine += other.fine;
    }

    fn take(&mut self, other: Self) {
        self.pieces -= other.pieces;
        self.weight -= other.weight;
        self.fine -= other.fine;
    }
}

/// Halves up, as at a named step.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator) / (2 * denominator)
}

/// Micrograms as grams.
fn grams(micrograms: i128) -> String {
    format!("{}.{:06}", micrograms / 1_000_000, micrograms % 1_000_000)
}

struct Workshop {
    shop: Shop,
    gold: String,
    places: Vec<String>,
    /// By lot and place.
    there: BTreeMap<(String, usize), Amount>,
    came: i128,
    went: i128,
    lots: usize,
    random: StdRng,
}

impl Workshop {
    fn number(&mut self) -> String {
        self.lots += 1;
        format!("L-{}", self.lots)
    }

    /// Something that lies somewhere: all of it, or a part.
    fn pick(&mut self) -> Option<((String, usize), Amount)> {
        let lying: Vec<_> = self
            .there
            .iter()
            .filter(|(_, amount)| amount.pieces > 0)
            .collect();
        let (key, all) = *lying.get(self.random.random_range(0..lying.len().max(1)))?;
        let (key, all) = (key.clone(), *all);
        if all.pieces < 2 || all.weight < 2 || self.random.random_bool(0.4) {
            return Some((key, all));
        }
        let pieces = self.random.random_range(1..all.pieces);
        let weight = self.random.random_range(1..all.weight);
        let fine = rounded(all.fine * weight, all.weight);
        Some((
            key,
            Amount {
                pieces,
                weight,
                fine,
            },
        ))
    }

    /// What has gone from a place: a lot of which nothing is left there is not looked at any more.
    fn gone(&mut self, key: (String, usize), amount: Amount) {
        let left = self.there.entry(key.clone()).or_default();
        left.take(amount);
        if *left == Amount::default() {
            self.there.remove(&key);
        }
    }

    fn leaving(&self, (lot, place): &(String, usize), amount: Amount) -> Value {
        json!({"itemId": self.gold, "lotId": lot, "fromId": self.places[*place], "quantity": amount.pieces.to_string(), "weight": grams(amount.weight)})
    }

    async fn receive(&mut self) {
        let (pieces, weight) = (
            self.random.random_range(1..6),
            self.random.random_range(1_000..100_000_000),
        );
        let (fineness, place) = (
            self.random.random_range(333..=999),
            self.random.random_range(0..self.places.len()),
        );
        let lot = json!({"number": self.number(), "fineness": format!("{fineness}/1000")});
        let line = json!({"itemId": self.gold, "toId": self.places[place], "quantity": pieces, "weight": grams(weight), "lot": lot});
        let entry = self
            .shop
            .manager
            .done("stockReceive", bought(json!([line])))
            .await["entry"]
            .take();
        let amount = Amount {
            pieces: pieces.into(),
            weight,
            fine: rounded(weight * fineness, 1_000),
        };
        self.came += amount.fine;
        let lot = text(&entry["movements"]["nodes"][0]["lot"]["id"]);
        self.there.insert((lot, place), amount);
    }

    async fn carry(&mut self) {
        let Some((key, amount)) = self.pick() else {
            return;
        };
        let to = (key.1 + 1) % self.places.len();
        let mut line = self.leaving(&key, amount);
        line["toId"] = json!(self.places[to]);
        self.shop
            .manager
            .done("stockMove", json!({"lines": [line]}))
            .await;
        self.there
            .entry((key.0.clone(), to))
            .or_default()
            .add(amount);
        self.gone(key, amount);
    }

    async fn sell(&mut self) {
        let Some((key, amount)) = self.pick() else {
            return;
        };
        let line = self.leaving(&key, amount);
        let entry = self
            .shop
            .manager
            .done("stockIssue", sold(json!([line])))
            .await["entry"]["id"]
            .take();
        if self.random.random_bool(0.3) {
            // It comes back as it went.
            self.shop
                .manager
                .done("stockReverse", json!({"id": entry}))
                .await;
            return;
        }
        self.gone(key, amount);
        self.went += amount.fine;
    }

    /// Several lots become one or two, each with its share.
    async fn melt(&mut self) {
        let mut inputs: BTreeMap<(String, usize), Amount> = BTreeMap::new();
        for _ in 0..self.random.random_range(1..4) {
            if let Some((key, amount)) = self.pick() {
                inputs.entry(key).or_insert(amount);
            }
        }
        let weight: i128 = inputs.values().map(|amount| amount.weight).sum();
        let fine: i128 = inputs.values().map(|amount| amount.fine).sum();
        if weight < 2 {
            return;
        }
        let place = self.random.random_range(0..self.places.len());
        let first = self.random.random_range(1..weight);
        let first_fine = rounded(fine * first, weight);
        // A part that cannot be finer than pure is never refused: its share is as fine as the whole.
        let parts = [(first, first_fine), (weight - first, fine - first_fine)];
        if parts.iter().any(|(weight, fine)| fine > weight) {
            return;
        }
        let outputs: Vec<_> = parts
            .iter()
            .map(|(weight, _)| json!({"itemId": self.gold, "toId": self.places[place], "quantity": 1, "weight": grams(*weight), "lot": {"number": self.number()}}))
            .collect();
        let used: Vec<_> = inputs
            .iter()
            .map(|(key, amount)| self.leaving(key, *amount))
            .collect();
        let input = json!({"reason": "MELTED", "inputs": used, "outputs": outputs});
        let entry = self.shop.manager.done("stockTransform", input).await["entry"].take();
        let movements = entry["movements"]["nodes"].as_array().unwrap();
        for (movement, (weight, fine)) in movements[inputs.len()..].iter().zip(parts) {
            let lot = text(&movement["lot"]["id"]);
            self.there.insert(
                (lot, place),
                Amount {
                    pieces: 1,
                    weight,
                    fine,
                },
            );
        }
        for (key, amount) in inputs {
            self.gone(key, amount);
        }
    }

    async fn compare(&self) {
        let on_paper: i128 = self.there.values().map(|amount| amount.fine).sum();
        assert_eq!(self.came, self.went + on_paper, "the paper itself");
        for (place, location) in self.places.iter().enumerate() {
            let mut all = Amount::default();
            for ((_, at), amount) in &self.there {
                if *at == place {
                    all.add(*amount);
                }
            }
            let [on_hand, _, _, weight, fine] = self.shop.manager.level(&self.gold, location).await;
            let exact = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
            assert_eq!(on_hand, all.pieces.to_string());
            assert_eq!(
                (exact(&weight), exact(&fine)),
                (exact(&grams(all.weight)), exact(&grams(all.fine)))
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_gold_is_made_or_lost() {
    let seed = std::env::var("STOCK_SEED").map_or(11, |seed| seed.parse().unwrap());
    let shop = Shop::open().await;
    let gold = shop.weighed_item("GOLD", "750", "0", "LOT").await;
    let places = vec![shop.tray.clone(), shop.safe.clone()];
    let mut workshop = Workshop {
        shop,
        gold,
        places,
        there: BTreeMap::new(),
        came: 0,
        went: 0,
        lots: 0,
        random: StdRng::seed_from_u64(seed),
    };
    for step in 1..=operations() / 2 {
        match workshop.random.random_range(0..10) {
            0..3 => workshop.receive().await,
            3..5 => workshop.carry().await,
            // As often as something comes, or what lies there would grow without end.
            5..8 => workshop.sell().await,
            _ => workshop.melt().await,
        }
        if step % 1_000 == 0 {
            workshop.compare().await;
        }
    }
    workshop.compare().await;
    workshop.shop.assert_levels_add_up().await;
}
