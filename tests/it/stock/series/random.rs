//! Series of random histories, compared with what movements add up to one by one.

use std::time::Duration;

use chrono::{Days, TimeDelta};
use domain::clock::{Clock as _, SystemClock};
use futures_util::{StreamExt as _, stream};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use tests::shop::english;

use super::{super::costs::recost, Question, Shop, Side, bought, sides, sold, text, today, told};

/// How far back random entries go.
const DAYS: i64 = 75;
const ZONE: &str = "Asia/Tehran";

struct History {
    shop: Shop,
    below: String,
    items: Vec<String>,
    floor: String,
    places: Vec<String>,
    /// Entries that may be undone.
    entries: Vec<String>,
    random: StdRng,
}

impl History {
    /// Enough of everything everywhere since the beginning: rings, gold below them, and wire that is counted in grams.
    async fn begin() -> Self {
        let shop = Shop::open().await;
        shop.manager
            .done("shopSet", json!({"timeZone": ZONE}))
            .await;
        let below = shop.manager.category("Gold", Some(&shop.category)).await;
        let wires = shop.manager.category("Wires", None).await;
        let gold = shop.weighed_item("GOLD", "750", "0", "NONE").await;
        shop.manager
            .done("itemUpdate", json!({"id": gold, "categoryId": below}))
            .await;
        let gram = shop.manager.unit("gram").await;
        let wire =
            json!({"sku": "WIRE", "name": english("WIRE"), "categoryId": wires, "unitId": gram});
        let wire = text(&shop.manager.done("itemCreate", wire).await["item"]["id"]);
        let items = vec![shop.item("RING", "NONE").await, gold, wire];
        let floor = shop.manager.location("FLOOR", "FLOOR", None).await;
        let case = shop
            .manager
            .location("CASE", "SHOWCASE", Some(&floor))
            .await;
        let places = vec![shop.tray.clone(), floor.clone(), case];
        let history = Self {
            shop,
            below,
            items,
            floor,
            places,
            entries: Vec::new(),
            random: StdRng::seed_from_u64(19),
        };
        let mut lines = Vec::new();
        for item in 0..3 {
            for place in &history.places {
                let mut line = history.line(item, 10_000);
                line["toId"] = json!(place);
                line["unitCost"] = json!("1000");
                lines.push(line);
            }
        }
        let beginning = SystemClock.now() - TimeDelta::days(DAYS + 10);
        history
            .shop
            .happen_at("stockReceive", bought(json!(lines)), beginning)
            .await;
        history
    }

    fn line(&self, item: usize, quantity: i64) -> Value {
        let mut line = json!({"itemId": self.items[item], "quantity": quantity});
        if item == 1 {
            line["weight"] = json!((quantity * 5).to_string());
        }
        line
    }

    /// Something comes in, leaves, goes about, is found, lost or undone: mostly behind what there is already.
    async fn happen(&mut self) {
        let at =
            SystemClock.now() - TimeDelta::seconds(self.random.random_range(60..DAYS * 86_400));
        let place = self.random.random_range(0..3);
        let (from, to) = (
            self.places[place].clone(),
            self.places[(place + 1) % 3].clone(),
        );
        let (item, quantity) = (
            self.random.random_range(0..3),
            self.random.random_range(1..6),
        );
        let mut line = self.line(item, quantity);
        let done = match self.random.random_range(0..7) {
            0 => {
                line["toId"] = json!(to);
                line["unitCost"] = json!((900 + quantity * 50).to_string());
                self.shop
                    .happen_at("stockReceive", bought(json!([line])), at)
                    .await
            }
            1 | 2 => {
                line["fromId"] = json!(from);
                self.shop
                    .happen_at("stockIssue", sold(json!([line])), at)
                    .await
            }
            3 => {
                line["fromId"] = json!(from);
                self.shop
                    .happen_at(
                        "stockIssue",
                        json!({"reason": "DAMAGED", "lines": [line]}),
                        at,
                    )
                    .await
            }
            4 => {
                line["locationId"] = json!(from);
                self.shop
                    .happen_at(
                        "stockAdjust",
                        json!({"reason": "FOUND", "lines": [line]}),
                        at,
                    )
                    .await
            }
            5 if !self.entries.is_empty() => {
                let entry = self.entries.swap_remove(0);
                self.shop
                    .manager
                    .done("stockReverse", json!({"id": entry}))
                    .await;
                return;
            }
            _ => {
                line["fromId"] = json!(from);
                line["toId"] = json!(to);
                self.shop
                    .happen_at("stockMove", json!({"lines": [line]}), at)
                    .await
            }
        };
        self.entries.push(text(&done["entry"]["id"]));
    }

    async fn happens(&mut self, times: usize) {
        for _ in 0..times {
            self.happen().await;
        }
    }

    async fn compare(&self, when: &str) {
        let sides = sides(&self.shop.app, ZONE).await;
        let tomorrow = today() + Days::new(2);
        let ago = |days: u64| today() - Days::new(days);
        let everything = |_: &Side| true;
        let is_ring = |side: &Side| side.sku == "RING";
        let is_below = |side: &Side| side.category != "Wires";
        let is_gold = |side: &Side| side.sku == "GOLD";
        let is_on_floor = |side: &Side| side.place != "TRAY";
        let is_there = |side: &Side| side.place != "TRAY" && side.sku != "RING";
        let ask = |filter: Value, by, interval, from, is_asked| Question {
            filter,
            by,
            interval,
            week_start: "SATURDAY",
            from,
            until: tomorrow,
            is_asked,
        };
        let mut questions = vec![
            ask(
                json!({}),
                "ALL",
                "DAY",
                ago(30),
                &everything as &dyn Fn(&Side) -> bool,
            ),
            ask(json!({}), "LOCATION", "WEEK", ago(60), &everything),
            ask(
                json!({"within": self.floor}),
                "ALL",
                "MONTH",
                ago(80),
                &is_on_floor,
            ),
            ask(
                json!({"itemIds": [self.items[0]]}),
                "ALL",
                "DAY",
                ago(40),
                &is_ring,
            ),
            ask(
                json!({"itemIds": [self.items[1]]}),
                "LOCATION",
                "WEEK",
                ago(90),
                &is_gold,
            ),
            ask(
                json!({"categoryId": self.shop.category}),
                "ITEM",
                "WEEK",
                ago(50),
                &is_below,
            ),
            ask(
                json!({"categoryId": self.below}),
                "CATEGORY",
                "MONTH",
                ago(50),
                &is_gold,
            ),
            ask(json!({}), "CATEGORY", "YEAR", ago(100), &everything),
            ask(
                json!({"within": self.floor, "itemIds": [self.items[1], self.items[2]]}),
                "ITEM",
                "DAY",
                ago(10),
                &is_there,
            ),
        ];
        questions[3].until = ago(20);
        questions[0].until = ago(3);
        for question in questions {
            let answer = self.shop.series(question.variables()).await;
            assert_eq!(
                (
                    &answer["isComplete"],
                    &answer["missing"],
                    &answer["timeZone"]
                ),
                (&json!(true), &json!(0), &json!(ZONE)),
                "{when}"
            );
            let expected = question.expected(&sides);
            assert!(expected.len() >= 2, "{when}: {}", question.variables());
            assert_eq!(
                told(&answer, question.by),
                expected,
                "{when}: {}",
                question.variables()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn series_are_what_all_movements_add_up_to_however_many_are_in_days() {
    let mut history = History::begin().await;
    history.happens(50).await;
    history.compare("without days").await;
    assert!(history.shop.add_to_days(7, 2).await);
    history.compare("with days of some movements").await;
    history.shop.assert_days_add_up().await;
    assert!(!history.shop.add_to_days(7, 100).await);
    history.compare("with days of all movements").await;
    history.shop.assert_days_add_up().await;
    history.happens(30).await;
    assert!(recost(&history.shop).await > 0, "costs are computed anew");
    history
        .compare("with movements and costs that are in no day")
        .await;
    assert!(!history.shop.add_to_days(11, 100).await);
    history.compare("with more of the past in days").await;
    history.shop.assert_days_add_up().await;
    // What came in and what left is worth what there is.
    let sql = "SELECT (SELECT sum(value) FROM stock_value) = (SELECT sum(stock_flow_sign(flow) * value) FROM stock_flow_total)
               AND (SELECT sum(value) FROM stock_value) = (SELECT sum(stock_flow_sign(flow) * value) FROM stock_flow_day)";
    let is_worth: bool = sea_orm::sqlx::query_scalar(sql)
        .fetch_one(history.shop.app.sql())
        .await
        .unwrap();
    assert!(is_worth);
}

#[tokio::test(flavor = "multi_thread")]
async fn series_are_right_while_others_post_and_days_are_made() {
    let mut history = History::begin().await;
    let moves: Vec<_> = (0..120)
        .map(|number| {
            let from = history.random.random_range(0..3);
            let mut moved = history.line(0, 1);
            moved["fromId"] = json!(history.places[from]);
            moved["toId"] = json!(history.places[(from + 1) % 3]);
            let late = TimeDelta::seconds(history.random.random_range(60..DAYS * 86_400));
            (
                json!({"lines": [moved]}),
                SystemClock.now() - late,
                number % 2 == 0,
            )
        })
        .collect();
    let posting = stream::iter(moves).for_each_concurrent(8, |(input, at, is_late)| {
        let shop = &history.shop;
        async move {
            if is_late {
                shop.happen_at("stockMove", input, at).await;
            } else {
                shop.manager.done("stockMove", input).await;
            }
        }
    });
    let adding = async {
        for _ in 0..40 {
            history.shop.add_to_days(10, 3).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // What is carried about is always there, wherever it was then; what arrives has left.
    let reading = async {
        let question = |by: &str| {
            json!({"where": {"itemIds": [history.items[0]]}, "by": by, "interval": "DAY",
            "from": (today() - Days::new(20)).to_string(), "until": (today() + Days::new(2)).to_string()})
        };
        for number in 0..40 {
            let answer = history
                .shop
                .series(question(if number % 2 == 0 { "ALL" } else { "LOCATION" }))
                .await;
            let series = answer["series"].as_array().unwrap();
            for point in 0..22 {
                let sum = |path: &str| -> i64 {
                    series
                        .iter()
                        .map(|series| {
                            text(series["points"][point].pointer(path).unwrap())
                                .parse::<i64>()
                                .unwrap()
                        })
                        .sum()
                };
                assert_eq!(sum("/level/quantity"), 30_000, "{answer}");
                assert_eq!(
                    sum("/movedIn/quantity"),
                    sum("/movedOut/quantity"),
                    "{answer}"
                );
            }
        }
    };
    tokio::join!(posting, adding, reading);
    history.compare("afterwards").await;
    history.shop.add_all_to_days().await;
    history.compare("with all in days").await;
    history.shop.assert_days_add_up().await;
}
