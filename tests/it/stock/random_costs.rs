//! Random operations on items of each method, some of them written down late: what the database valued as it was posted is what comes out
//! when everything is computed anew by the program, which does it in its own way, one entry after the other.

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::{Clock as _, SystemClock};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::{
    Shop,
    books::{self, Books},
    costs::{assert_costs_add_up, recost, recost_everything},
    random::operations,
};

struct Kept {
    id: String,
    lots: Vec<String>,
    is_weighed: bool,
}

struct Game {
    shop: Shop,
    items: Vec<Kept>,
    places: [String; 2],
    random: StdRng,
    entries: Vec<String>,
    landed: Vec<String>,
    began: DateTime<Utc>,
    done: usize,
}

impl Game {
    fn line(&mut self) -> Value {
        let random = &mut self.random;
        let item = &self.items[random.random_range(0..self.items.len())];
        let mut line = json!({"itemId": item.id, "quantity": random.random_range(1..8)});
        if !item.lots.is_empty() {
            line["lotId"] = json!(item.lots[random.random_range(0..item.lots.len())]);
        }
        if item.is_weighed {
            line["weight"] = json!(format!(
                "{}.{}",
                random.random_range(1..20),
                random.random_range(0..1000)
            ));
        }
        line
    }

    fn lines(&mut self, place: &str) -> Vec<Value> {
        let count = self.random.random_range(1..5);
        let mut lines: Vec<_> = (0..count).map(|_| self.line()).collect();
        for line in &mut lines {
            line[place] = json!(self.places[self.random.random_range(0..2)]);
        }
        lines
    }

    fn incoming(&mut self) -> Vec<Value> {
        let mut lines = self.lines("toId");
        for line in &mut lines {
            if self.random.random_bool(0.8) {
                line["unitCost"] = json!(format!(
                    "{}.{:03}",
                    self.random.random_range(0..90),
                    self.random.random_range(0..1000)
                ));
            }
        }
        lines
    }

    /// Some of it is written down late: `late` of ten.
    async fn play(&mut self, mutation: &str, mut input: Value, late: u32) {
        if self.random.random_ratio(late, 10) {
            let most = (SystemClock.now() - self.began).num_milliseconds().max(2);
            let back = TimeDelta::milliseconds(self.random.random_range(1..most));
            input["effectiveAt"] = json!(SystemClock.now() - back);
        }
        // Much is refused: more than there is, or was then.
        let answer = self.shop.manager.change(mutation, input).await;
        if let Some(id) = answer.data[mutation]["entry"]["id"].as_str() {
            self.entries.push(id.to_owned());
            self.done += 1;
        }
    }

    /// Freight, a rebate, or one of them undone.
    async fn add_landed_cost(&mut self) {
        if self.random.random_ratio(1, 3) && !self.landed.is_empty() {
            let landed = self.random.random_range(0..self.landed.len());
            let id = self.landed.swap_remove(landed);
            self.shop
                .manager
                .change("stockLandedCostReverse", json!({"id": id}))
                .await;
            return;
        }
        let entry = &self.entries[self.random.random_range(0..self.entries.len())];
        let method = ["VALUE", "QUANTITY", "EQUALLY"][self.random.random_range(0..3)];
        let amount = self.random.random_range(-2_000..10_000);
        let input = json!({"entryId": entry, "kind": "FREIGHT", "method": method,
            "amount": rust_decimal::Decimal::new(amount, 2).to_string()});
        // Most entries are no receipts.
        let answer = self.shop.manager.change("stockLandedCostAdd", input).await;
        if let Some(id) = answer.data["stockLandedCostAdd"]["landedCost"]["id"].as_str() {
            self.landed.push(id.to_owned());
            self.done += 1;
        }
    }

    async fn step(&mut self, late: u32) {
        match self.random.random_range(0..100) {
            0..30 => {
                let input = json!({"reason": "PURCHASED", "lines": self.incoming()});
                self.play("stockReceive", input, late).await;
            }
            30..70 => {
                let input = json!({"reason": "SOLD", "lines": self.lines("fromId")});
                self.play("stockIssue", input, late).await;
            }
            70..76 => {
                let mut lines = self.lines("fromId");
                for line in &mut lines {
                    line["toId"] = json!(if line["fromId"] == json!(self.places[0]) {
                        &self.places[1]
                    } else {
                        &self.places[0]
                    });
                }
                self.play("stockMove", json!({"lines": lines}), late).await;
            }
            76..88 => {
                let outputs = self.incoming();
                let input = json!({"reason": "ASSEMBLED", "inputs": self.lines("fromId"), "outputs": outputs, "maxLoss": "1000"});
                self.play("stockTransform", input, late).await;
            }
            // What was made of goods that cost more is computed anew by a worker: so not where none comes by.
            88..94 if late > 0 && !self.entries.is_empty() => self.add_landed_cost().await,
            _ if !self.entries.is_empty() => {
                let entry = self.random.random_range(0..self.entries.len());
                let entry = self.entries.swap_remove(entry);
                self.play("stockReverse", json!({"id": entry}), 0).await;
            }
            _ => {}
        }
    }
}

async fn begin() -> Game {
    let shop = Shop::open().await;
    let seed = std::env::var("STOCK_SEED").map_or(11, |seed| seed.parse().unwrap());
    let mut items = Vec::new();
    for (sku, tracking, method) in [
        ("A", "NONE", "AVERAGE"),
        ("F", "NONE", "FIFO"),
        ("S", "LOT", "SPECIFIC"),
        ("L", "LOT", "FIFO"),
        ("W", "NONE", "AVERAGE"),
        ("V", "NONE", "FIFO"),
    ] {
        let is_weighed = ["W", "V"].contains(&sku);
        let id = shop.item(sku, tracking).await;
        let stocking = json!({"itemId": id, "costMethod": method, "isWeighed": is_weighed, "weightTolerance": if is_weighed { "500" } else { "0" }});
        shop.manager.done("itemStockingSet", stocking).await;
        let mut lots = Vec::new();
        if tracking == "LOT" {
            for number in ["1", "2", "3"] {
                let line = json!({"itemId": id, "toId": shop.tray, "quantity": 5, "lot": {"number": number}, "unitCost": "7.07"});
                let input = json!({"reason": "PURCHASED", "lines": [line]});
                shop.manager.done("stockReceive", input).await;
            }
            let query = "query($id: ID!) { lots(where: {itemIds: [$id]}) { nodes { id } } }";
            let data = shop.manager.ok(query, json!({"id": id})).await;
            let nodes = data["lots"]["nodes"].as_array().unwrap();
            lots = nodes.iter().map(|node| super::text(&node["id"])).collect();
        }
        items.push(Kept {
            id,
            lots,
            is_weighed,
        });
    }
    let places = [shop.tray.clone(), shop.safe.clone()];
    Game {
        shop,
        items,
        places,
        random: StdRng::seed_from_u64(seed),
        entries: Vec::new(),
        landed: Vec::new(),
        began: SystemClock.now(),
        done: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_valued_in_order_comes_out_again() {
    let mut game = begin().await;
    for _ in 0..operations() {
        game.step(0).await;
    }
    assert!(game.done > operations() / 4, "only {} were done", game.done);
    assert_costs_add_up(&game.shop).await;
    assert_eq!(recost_everything(&game.shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_down_late_is_put_right() {
    let mut game = begin().await;
    let mut corrected = 0;
    for step in 1..=operations() {
        game.step(3).await;
        // Now and then a worker comes by.
        if step % 25 == 0 {
            corrected += recost(&game.shop).await;
        }
    }
    corrected += recost(&game.shop).await;
    assert!(corrected > 0, "nothing was written down late");
    assert_costs_add_up(&game.shop).await;
    assert_eq!(recost_everything(&game.shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_have_what_stock_is_worth() {
    let mut game = begin().await;
    let accounts = Books::of(&game.shop).await;
    books::book(&game.shop, &accounts.with_safe(&game.shop)).await;
    for step in 1..=operations() {
        game.step(2).await;
        if step % 25 == 0 {
            recost(&game.shop).await;
        }
        if step % 100 == 0 {
            books::assert_proven(&game.shop).await;
        }
        // Where things are booked changes as well.
        if step % 70 == 0 {
            let set = if step % 140 == 0 {
                accounts.with_safe(&game.shop)
            } else {
                accounts.usual()
            };
            books::book(&game.shop, &set).await;
        }
    }
    recost(&game.shop).await;
    assert_costs_add_up(&game.shop).await;
    books::assert_proven(&game.shop).await;
    recost_everything(&game.shop).await;
    books::assert_proven(&game.shop).await;
}
