//! Random operations against a small model in memory: what the model refuses the shop refuses, and what lies where is the same.
//!
//! `STOCK_OPERATIONS` says how many; a few hundred in the suite, a million with `make soak`.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::{Clock as _, ManualClock, SystemClock};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tests::app::TestApp;

use super::{Shop, bought, line, sold};

const ITEMS: usize = 5;
const PLACES: usize = 3;

/// How many operations are to be done.
pub(super) fn operations() -> usize {
    std::env::var("STOCK_OPERATIONS").map_or(300, |count| count.parse().unwrap())
}

/// So many of an item, at a place.
type Pieces = (usize, usize, i64);

/// What lies where, and what is held of it, as anybody would keep it on paper.
#[derive(Default)]
struct Paper {
    on_hand: BTreeMap<(usize, usize), i64>,
    held: BTreeMap<(usize, usize), i64>,
    /// Sales that can be undone: what left from where.
    sales: Vec<(Value, Vec<Pieces>)>,
    reservations: Vec<Hold>,
}

/// What is held for somebody, for ever or until then.
struct Hold {
    id: Value,
    pieces: Pieces,
    until: Option<DateTime<Utc>>,
}

impl Paper {
    fn held(&self, item: usize, place: usize) -> i64 {
        self.held.get(&(item, place)).copied().unwrap_or_default()
    }

    fn free(&self, item: usize, place: usize) -> i64 {
        let on_hand = self.on_hand.get(&(item, place)).copied();
        on_hand.unwrap_or_default() - self.held(item, place)
    }

    /// Whether all of these can leave together.
    fn allows(&self, leaving: &[Pieces]) -> bool {
        self.allows_sums(&sums(leaving, std::iter::empty()))
    }

    fn allows_sums(&self, sums: &BTreeMap<(usize, usize), i64>) -> bool {
        sums.iter()
            .all(|((item, place), sum)| *sum >= 0 || -sum <= self.free(*item, *place))
    }

    fn change(&mut self, item: usize, place: usize, more: i64) {
        *self.on_hand.entry((item, place)).or_default() += more;
    }
}

/// What an entry changes in all: what comes in by one line may leave by another.
fn sums(leaving: &[Pieces], coming: impl Iterator<Item = Pieces>) -> BTreeMap<(usize, usize), i64> {
    let leaving = leaving
        .iter()
        .map(|(item, place, quantity)| (*item, *place, -quantity));
    let mut sums = BTreeMap::new();
    for (item, place, quantity) in leaving.chain(coming) {
        *sums.entry((item, place)).or_insert(0) += quantity;
    }
    sums
}

/// The shop, its items and places by number, and the paper.
struct Game {
    shop: Shop,
    clock: Arc<ManualClock>,
    items: Vec<String>,
    places: Vec<String>,
    paper: Paper,
    random: StdRng,
    refused: usize,
    counted: usize,
}

impl Game {
    fn lines(&mut self) -> Vec<Pieces> {
        let count = self.random.random_range(1..4);
        let random = &mut self.random;
        (0..count)
            .map(|_| {
                (
                    random.random_range(0..ITEMS),
                    random.random_range(0..PLACES),
                    random.random_range(1..6),
                )
            })
            .collect()
    }

    fn leaving(&self, lines: &[Pieces]) -> Vec<Value> {
        let lines = lines.iter();
        lines
            .map(|(item, place, quantity)| {
                line(&self.items[*item], &self.places[*place], *quantity)
            })
            .collect()
    }

    /// Does it, and tells the answer's data when it was to be done; else it must be refused for want of stock.
    async fn play(&mut self, mutation: &str, input: Value, allowed: bool) -> Option<Value> {
        let answer = self.shop.manager.change(mutation, input).await;
        if allowed {
            return Some(answer.ok()[mutation].take());
        }
        let refused = answer.refused();
        assert!(
            refused.iter().all(|(code, _)| code == "INSUFFICIENT_STOCK"),
            "{mutation}: {refused:?}"
        );
        self.refused += 1;
        None
    }

    async fn receive(&mut self) {
        let lines = self.lines();
        let sent = lines.iter().map(|(item, place, quantity)| json!({"itemId": self.items[*item], "toId": self.places[*place], "quantity": quantity}));
        let sent = bought(sent.collect());
        self.play("stockReceive", sent, true).await;
        for (item, place, quantity) in lines {
            self.paper.change(item, place, quantity);
        }
    }

    async fn sell(&mut self) {
        let lines = self.lines();
        let allowed = self.paper.allows(&lines);
        let sent = sold(json!(self.leaving(&lines)));
        if let Some(mut payload) = self.play("stockIssue", sent, allowed).await {
            for (item, place, quantity) in &lines {
                self.paper.change(*item, *place, -quantity);
            }
            self.paper
                .sales
                .push((payload["entry"]["id"].take(), lines));
        }
    }

    async fn carry(&mut self) {
        let lines = self.lines();
        let mut sent = self.leaving(&lines);
        for (line, (_, place, _)) in sent.iter_mut().zip(&lines) {
            line["toId"] = json!(self.places[(place + 1) % PLACES]);
        }
        let coming = lines
            .iter()
            .map(|(item, place, quantity)| (*item, (place + 1) % PLACES, *quantity));
        let sums = sums(&lines, coming);
        let allowed = self.paper.allows_sums(&sums);
        if self
            .play("stockMove", json!({"lines": sent}), allowed)
            .await
            .is_some()
        {
            for ((item, place), sum) in sums {
                self.paper.change(item, place, sum);
            }
        }
    }

    async fn hold(&mut self) {
        let (item, place, quantity) = self.lines()[0];
        let allowed = quantity <= self.paper.free(item, place);
        let until = self
            .random
            .random_bool(0.5)
            .then(|| self.clock.now() + TimeDelta::seconds(1));
        let line = json!({"itemId": self.items[item], "locationId": self.places[place], "quantity": quantity});
        let sent = json!({"consumer": "cart", "lines": [line], "expiresAt": until});
        if let Some(mut payload) = self.play("stockReserve", sent, allowed).await {
            *self.paper.held.entry((item, place)).or_default() += quantity;
            self.paper.reservations.push(Hold {
                id: payload["reservations"][0]["id"].take(),
                pieces: (item, place, quantity),
                until,
            });
        }
    }

    /// Sells what is held, or lets it go.
    async fn end_a_hold(&mut self) {
        let Some(hold) = self.paper.reservations.pop() else {
            return;
        };
        let (item, place, quantity) = hold.pieces;
        *self.paper.held.entry((item, place)).or_default() -= quantity;
        if self.random.random_bool(0.5) {
            self.play("stockReservationRelease", json!({"id": hold.id}), true)
                .await;
            return;
        }
        let mut sale = line(&self.items[item], &self.places[place], quantity);
        sale["reservationId"] = hold.id;
        self.play("stockIssue", sold(json!([sale])), true).await;
        self.paper.change(item, place, -quantity);
    }

    /// Time passes, and what was held until then is free: nobody has to do anything.
    fn wait(&mut self, time: TimeDelta) {
        self.clock.advance(time);
        let now = self.clock.now();
        let paper = &mut self.paper;
        paper.reservations.retain(|hold| {
            let lasts = hold.until.is_none_or(|until| until > now);
            if !lasts {
                let (item, place, quantity) = hold.pieces;
                *paper.held.entry((item, place)).or_default() -= quantity;
            }
            lasts
        });
    }

    /// Of one thing another is made, somewhere.
    async fn make(&mut self) {
        let (used, made) = (self.lines(), self.lines()[0]);
        let (item, place, quantity) = made;
        let sums = sums(&used, [made].into_iter());
        let allowed = self.paper.allows_sums(&sums);
        let output =
            json!({"itemId": self.items[item], "toId": self.places[place], "quantity": quantity});
        let sent =
            json!({"reason": "ASSEMBLED", "inputs": self.leaving(&used), "outputs": [output]});
        if self.play("stockTransform", sent, allowed).await.is_some() {
            for ((item, place), sum) in sums {
                self.paper.change(item, place, sum);
            }
        }
    }

    /// Somebody counts what lies at a place, finds a little more or less of it, and that is how much there is then. Never less than is held.
    async fn count(&mut self) {
        let place = self.random.random_range(0..PLACES);
        let mut found = Vec::new();
        for item in 0..ITEMS {
            let on_hand = self.paper.free(item, place) + self.paper.held(item, place);
            let counted = on_hand + self.random.random_range(-2..=2);
            // Of one thing there is always some, so that something is scanned.
            let least = self.paper.held(item, place).max(i64::from(item == 0));
            found.push((item, counted.max(least)));
        }
        let opened = json!({"locationId": self.places[place], "tolerance": 100});
        let count = self.step_of_count("stockCountOpen", opened).await;
        self.counted += 1;
        let scans = found.iter().filter(|(_, counted)| *counted > 0);
        let scans = scans.map(|(item, counted)| {
            json!({"scanId": format!("scan-{}-{item}", self.counted), "itemId": self.items[*item], "locationId": self.places[place],
                   "quantity": counted})
        });
        let scans = json!({"id": count, "scans": scans.collect::<Vec<_>>()});
        self.play("stockCountScan", scans, true).await;
        for mutation in ["stockCountFinish", "stockCountApprove"] {
            self.step_of_count(mutation, json!({"id": count})).await;
        }
        for (item, counted) in found {
            self.paper.on_hand.insert((item, place), counted);
        }
    }

    async fn step_of_count(&mut self, mutation: &str, input: Value) -> Value {
        let payload = self.play(mutation, input, true).await;
        payload.unwrap()["count"]["id"].take()
    }

    async fn undo(&mut self) {
        let Some((id, lines)) = self.paper.sales.pop() else {
            return;
        };
        self.play("stockReverse", json!({"id": id}), true).await;
        for (item, place, quantity) in lines {
            self.paper.change(item, place, quantity);
        }
    }

    async fn adjust(&mut self) {
        let (item, place, quantity) = self.lines()[0];
        let more = if self.random.random_bool(0.5) {
            quantity
        } else {
            -quantity
        };
        let allowed = more > 0 || quantity <= self.paper.free(item, place);
        let line =
            json!({"itemId": self.items[item], "locationId": self.places[place], "quantity": more});
        let sent = json!({"reason": "COUNTED", "lines": [line]});
        if self.play("stockAdjust", sent, allowed).await.is_some() {
            self.paper.change(item, place, more);
        }
    }

    async fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..20 => self.receive().await,
            20..50 => self.sell().await,
            50..65 => self.carry().await,
            65..74 => self.hold().await,
            74..79 => self.end_a_hold().await,
            79..82 => self.wait(TimeDelta::seconds(1)),
            82..88 => self.undo().await,
            88..94 => self.make().await,
            94..96 => self.count().await,
            _ => self.adjust().await,
        }
        self.wait(TimeDelta::milliseconds(5));
    }

    async fn compare(&self) {
        for (number, item) in self.items.iter().enumerate() {
            for (place, location) in self.places.iter().enumerate() {
                let key = (number, place);
                let on_paper =
                    |map: &BTreeMap<_, i64>| map.get(&key).copied().unwrap_or_default().to_string();
                let [on_hand, reserved, _] = self.shop.pieces(item, location).await;
                assert_eq!(
                    (on_hand, reserved),
                    (on_paper(&self.paper.on_hand), on_paper(&self.paper.held)),
                    "item {number} at {place}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_and_the_paper_agree() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let shop = Shop::of(TestApp::builder().clock(Arc::<ManualClock>::clone(&clock))).await;
    let seed = std::env::var("STOCK_SEED").map_or(7, |seed| seed.parse().unwrap());
    let mut items = Vec::new();
    for number in 0..ITEMS {
        items.push(shop.item(&format!("I-{number}"), "NONE").await);
    }
    let floor = shop.manager.location("FLOOR", "FLOOR", None).await;
    let places = vec![shop.tray.clone(), shop.safe.clone(), floor];
    let mut game = Game {
        shop,
        clock,
        items,
        places,
        paper: Paper::default(),
        random: StdRng::seed_from_u64(seed),
        refused: 0,
        counted: 0,
    };
    for step in 1..=operations() {
        game.step().await;
        if step % 1_000 == 0 {
            game.compare().await;
        }
    }
    game.compare().await;
    assert!(
        game.refused > operations() / 50,
        "{} refused: too few to mean anything",
        game.refused
    );
    game.shop.assert_levels_add_up().await;
}
