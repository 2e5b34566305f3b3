//! What was there at moments of the past: what all movements until then add up to, whether weeks of them are there or not.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::{
    Viewer,
    clock::{Clock, SystemClock},
};
use futures_util::{StreamExt, stream};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sea_orm::sqlx::{self, Executor as _};
use serde_json::{Value, json};
use tests::wait::{PATIENCE, eventually};

use super::{Shop, bought, line, sold, text};

const LEVELS: &str = "query($at: DateTime!, $first: Int, $after: String, $last: Int, $before: String, $where: StockLevelWhere) { \
    stockLevels(asOf: $at, first: $first, after: $after, last: $last, before: $before, where: $where) { \
    nodes { onHand weight fineWeight item { sku } location { code } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }";
const CARD: &str = "query($item: ID!, $location: ID, $after: String) { stockCard(itemId: $item, locationId: $location, first: 17, after: $after) { \
    nodes { change balance weightBalance } pageInfo { endCursor hasNextPage } } }";

/// How far back random entries go.
const DAYS: i64 = 190;

/// A shop with a history: enough of everything everywhere since the beginning.
struct History {
    shop: Shop,
    now: DateTime<Utc>,
    skus: [&'static str; 3],
    items: Vec<String>,
    places: Vec<String>,
    random: StdRng,
}

/// Of how many levels a page has, which way it is turned, and what is asked for.
type Turn = (&'static str, &'static str, &'static str, &'static str);
const FORTH: Turn = ("first", "after", "endCursor", "hasNextPage");
const BACK: Turn = ("last", "before", "startCursor", "hasPreviousPage");

impl History {
    async fn begin() -> Self {
        let shop = Shop::open().await;
        let skus = ["RING", "CHAIN", "GOLD"];
        let items = vec![
            shop.item("RING", "NONE").await,
            shop.item("CHAIN", "NONE").await,
            shop.weighed_item("GOLD", "750", "0", "NONE").await,
        ];
        let floor = shop.manager.location("FLOOR", "FLOOR", None).await;
        let places = vec![shop.tray.clone(), shop.safe.clone(), floor];
        let history = Self {
            shop,
            now: SystemClock.now(),
            skus,
            items,
            places,
            random: StdRng::seed_from_u64(11),
        };
        let mut lines = Vec::new();
        for item in 0..3 {
            for place in &history.places {
                let mut line = history.line(item, 10_000);
                line["toId"] = json!(place);
                lines.push(line);
            }
        }
        let beginning = history.now - TimeDelta::days(DAYS + 10);
        history
            .post("stockReceive", bought(json!(lines)), beginning)
            .await;
        history
    }

    /// What of an item a line is about: gold has a weight, too.
    fn line(&self, item: usize, quantity: i64) -> Value {
        let mut line = json!({"itemId": self.items[item], "quantity": quantity});
        if item == 2 {
            line["weight"] = json!((quantity * 5).to_string());
        }
        line
    }

    async fn post(&self, mutation: &str, mut input: Value, at: DateTime<Utc>) {
        input["effectiveAt"] = json!(at.to_rfc3339_opts(SecondsFormat::Micros, true));
        self.shop.manager.done(mutation, input).await;
    }

    fn moment(&mut self) -> DateTime<Utc> {
        self.now - TimeDelta::seconds(self.random.random_range(60..DAYS * 86_400))
    }

    /// Something comes in, leaves or goes about at a random moment: mostly behind what there is already.
    async fn happen(&mut self) {
        let at = self.moment();
        let place = self.random.random_range(0..3);
        let (from, to) = (&self.places[place], &self.places[(place + 1) % 3]);
        let item = self.random.random_range(0..3);
        let quantity = self.random.random_range(1..6);
        let mut line = self.line(item, quantity);
        match self.random.random_range(0..3) {
            0 => {
                line["toId"] = json!(to);
                self.post("stockReceive", bought(json!([line])), at).await;
            }
            1 => {
                line["fromId"] = json!(from);
                self.post("stockIssue", sold(json!([line])), at).await;
            }
            _ => {
                line["fromId"] = json!(from);
                line["toId"] = json!(to);
                self.post("stockMove", json!({"lines": [line]}), at).await;
            }
        }
    }

    async fn happens(&mut self, times: usize) {
        for _ in 0..times {
            self.happen().await;
        }
    }

    /// Sets the mark and adds movements to weeks, some at a time, no more than so often. Tells whether there is more.
    async fn add(&self, most: i64, enough: i64, times: usize) -> bool {
        sqlx::query("SELECT stock_week_set_mark(1)")
            .execute(self.shop.app.sql())
            .await
            .unwrap();
        for _ in 0..times {
            let more: bool = sqlx::query_scalar("SELECT stock_week_add($1, $2)")
                .bind(most)
                .bind(enough)
                .fetch_one(self.shop.app.sql())
                .await
                .unwrap();
            if !more {
                return false;
            }
        }
        true
    }

    /// All levels of a moment, page by page, in either direction.
    async fn levels(
        &self,
        at: DateTime<Utc>,
        filter: &Value,
        (size, beyond, cursor, more): Turn,
    ) -> Vec<Vec<String>> {
        let (mut place, mut levels) = (Value::Null, Vec::new());
        loop {
            let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
            let variables = json!({"at": at, size: 2, beyond: place, "where": filter});
            let page = self.shop.manager.ok(LEVELS, variables).await["stockLevels"].take();
            let mut nodes: Vec<_> = page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|level| {
                    let code = text(&level["location"]["code"]);
                    let mut row = vec![text(&level["item"]["sku"]), code];
                    row.extend(["onHand", "weight", "fineWeight"].map(|name| text(&level[name])));
                    row
                })
                .collect();
            assert!(nodes.len() <= 2);
            if size == "last" {
                nodes.reverse();
            }
            levels.extend(nodes);
            if page["pageInfo"][more] == false {
                return levels;
            }
            place = page["pageInfo"][cursor].clone();
        }
    }

    /// The same as the sum of all movements until then.
    async fn sums(&self, at: DateTime<Utc>) -> Vec<Vec<String>> {
        let sql = "
            SELECT ARRAY[i.sku, l.code, trim_scale(sum(m.quantity))::text, trim_scale(sum(m.weight))::text, trim_scale(sum(m.fine_weight))::text]
            FROM (
                SELECT item_id, to_location_id AS location_id, quantity, weight, fine_weight FROM stock_movement WHERE effective_at <= $1
                UNION ALL
                SELECT item_id, from_location_id, -quantity, -weight, -fine_weight FROM stock_movement WHERE effective_at <= $1
            ) m JOIN item i ON i.id = m.item_id JOIN location l ON l.id = m.location_id
            WHERE l.keeps_stock GROUP BY i.id, l.id HAVING sum(m.quantity) <> 0 ORDER BY i.id, l.id";
        sqlx::query_scalar(sql)
            .bind(at)
            .fetch_all(self.shop.app.sql())
            .await
            .unwrap()
    }

    /// Change, balance and balance of the weight of all lines of a card.
    async fn card(&self, item: &str, location: Option<&str>) -> Vec<Vec<String>> {
        let (mut after, mut lines) = (Value::Null, Vec::new());
        loop {
            let variables = json!({"item": item, "location": location, "after": after});
            let page = self.shop.manager.ok(CARD, variables).await["stockCard"].take();
            let nodes = page["nodes"].as_array().unwrap().iter();
            lines.extend(nodes.map(|line| {
                ["change", "balance", "weightBalance"]
                    .map(|name| text(&line[name]))
                    .to_vec()
            }));
            if page["pageInfo"]["hasNextPage"] == false {
                return lines;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }

    /// The same, added up from the beginning.
    async fn balances(&self, sku: &str, code: Option<&str>) -> Vec<Vec<String>> {
        let sql = "
            SELECT ARRAY[trim_scale(change)::text, trim_scale(sum(change) OVER so_far)::text, trim_scale(sum(weight) OVER so_far)::text]
            FROM (
                SELECT m.effective_at, m.number, e.sign * m.quantity AS change, e.sign * m.weight AS weight
                FROM stock_movement m
                JOIN item i ON i.id = m.item_id AND i.sku = $1
                JOIN location t ON t.id = m.to_location_id JOIN location f ON f.id = m.from_location_id
                CROSS JOIN LATERAL (SELECT CASE
                    WHEN $2 IN (t.code, f.code) THEN CASE WHEN t.code = $2 THEN 1 ELSE -1 END
                    WHEN $2 IS NULL AND t.keeps_stock <> f.keeps_stock THEN CASE WHEN t.keeps_stock THEN 1 ELSE -1 END
                END AS sign) e
                WHERE e.sign IS NOT NULL
            ) m
            WINDOW so_far AS (ORDER BY effective_at, number) ORDER BY effective_at DESC, number DESC";
        sqlx::query_scalar(sql)
            .bind(sku)
            .bind(code)
            .fetch_all(self.shop.app.sql())
            .await
            .unwrap()
    }

    /// Moments at which something may be different: of movements and just before, of Mondays, and any others.
    async fn moments(&mut self) -> Vec<DateTime<Utc>> {
        let sql = "SELECT m.effective_at - e.less FROM stock_movement m CROSS JOIN (VALUES (interval '0'), (interval '1 microsecond')) e (less)
                   ORDER BY md5(m.number::text) LIMIT 8";
        let mut moments: Vec<DateTime<Utc>> = sqlx::query_scalar(sql)
            .fetch_all(self.shop.app.sql())
            .await
            .unwrap();
        let mondays = "SELECT date_trunc('week', now(), 'UTC') - n * interval '168 hours' - e.less
                       FROM generate_series(0, 24, 8) n CROSS JOIN (VALUES (interval '0'), (interval '1 microsecond')) e (less)";
        let mondays: Vec<DateTime<Utc>> = sqlx::query_scalar(mondays)
            .fetch_all(self.shop.app.sql())
            .await
            .unwrap();
        moments.extend(mondays);
        moments.push(self.now - TimeDelta::days(DAYS + 20));
        moments.push(SystemClock.now());
        moments.extend([self.moment(), self.moment()]);
        moments
    }

    async fn compare(&mut self, when: &str) {
        for at in self.moments().await {
            let sums = self.sums(at).await;
            let forth = self.levels(at, &Value::Null, FORTH).await;
            assert_eq!(forth, sums, "{when}, at {at}");
            let mut back = self.levels(at, &Value::Null, BACK).await;
            back.reverse();
            assert_eq!(back, sums, "{when}, at {at}, backwards");
            let some =
                json!({"itemIds": [self.items[0], self.items[2]], "locationIds": [self.places[1]]});
            let there = self.levels(at, &some, FORTH).await;
            let is_there = |row: &&Vec<String>| row[0] != "CHAIN" && row[1] == "SAFE";
            let sums: Vec<_> = sums.iter().filter(is_there).cloned().collect();
            assert_eq!(there, sums, "{when}, at {at}, of some");
        }
        for (item, sku) in self.items.iter().zip(self.skus) {
            for (place, code) in [(None, None), (Some(&self.places[0]), Some("TRAY"))] {
                let card = self.card(item, place.map(String::as_str)).await;
                assert_eq!(card, self.balances(sku, code).await, "{when}: {sku}");
            }
        }
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(self.shop.app.sql())
            .await
            .unwrap()
    }

    /// How many items have weeks.
    async fn with_weeks(&self) -> i64 {
        self.count("SELECT count(*) FROM stock_week_item").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_the_sum_of_all_movements_however_many_are_in_weeks() {
    let mut history = History::begin().await;
    history.happens(60).await;
    history.compare("without weeks").await;
    // Who moves most has weeks first.
    let most = "SELECT max(n) FROM (SELECT count(*) AS n FROM stock_movement GROUP BY item_id) c";
    let most = history.count(most).await;
    assert!(!history.add(1_000, most, 20).await);
    let some = history.with_weeks().await;
    assert!((1..3).contains(&some), "{some} items");
    history.compare("with weeks of some items").await;
    history.happens(30).await;
    history.compare("with movements that are in no week").await;
    // Looked at bit by bit, and not to the end.
    assert!(history.add(5, 1, 2).await);
    history.compare("with some movements more").await;
    assert!(!history.add(1_000, 1, 20).await);
    assert_eq!(history.with_weeks().await, 3);
    history.compare("with all in weeks").await;
    history.happens(20).await;
    assert!(!history.add(7, 1, 100).await);
    history.compare("with more of the past in weeks").await;
    let outside = "SELECT count(*) FROM stock_week w JOIN location l ON l.id = w.location_id WHERE NOT l.keeps_stock";
    assert_eq!(history.count(outside).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_right_while_others_post_and_weeks_are_made() {
    let mut history = History::begin().await;
    let moves: Vec<_> = (0..150)
        .map(|number| {
            let from = history.random.random_range(0..3);
            let mut moved = line(&history.items[0], &history.places[from], 1);
            moved["toId"] = json!(history.places[(from + 1) % 3]);
            (json!({"lines": [moved]}), history.moment(), number % 2 == 0)
        })
        .collect();
    let asked: Vec<_> = (0..40).map(|_| history.moment()).collect();
    let posting = stream::iter(moves).for_each_concurrent(8, |(input, at, is_late)| {
        let history = &history;
        async move {
            if is_late {
                history.post("stockMove", input, at).await;
            } else {
                history.shop.manager.done("stockMove", input).await;
            }
        }
    });
    let adding = async {
        for _ in 0..40 {
            history.add(20, 1, 3).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let only = json!({"itemIds": [history.items[0]]});
    // What is carried about is always there, wherever it was then.
    let reading = async {
        for at in &asked {
            let variables = json!({"at": at.to_rfc3339(), "where": only});
            let levels = history.shop.manager.ok(LEVELS, variables).await["stockLevels"].take();
            let there = levels["nodes"].as_array().unwrap().iter();
            let there: i64 = there
                .map(|level| text(&level["onHand"]).parse::<i64>().unwrap())
                .sum();
            assert_eq!(there, 30_000, "at {at}");
        }
    };
    tokio::join!(posting, adding, reading);
    history.compare("afterwards").await;
    assert!(!history.add(1_000, 1, 100).await);
    history.compare("with all in weeks").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_yet_holds_the_mark_back() {
    let history = History::begin().await;
    let sql = history.shop.app.sql();
    let marked = async || {
        let marked = sqlx::query_scalar::<_, bool>("SELECT stock_week_set_mark(1)");
        marked.fetch_one(sql).await.unwrap()
    };
    assert!(marked().await);
    let mut somebody = sql.begin().await.unwrap();
    somebody
        .execute(
            "INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines)
             SELECT gen_random_uuid(), 'issue', 'sold', now(), now(), 'system', 'psql', 1;
             INSERT INTO stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, effective_at)
             SELECT e.id, 1, i.id, f.id, t.id, 1, now() FROM stock_entry e, item i, location f, location t
             WHERE e.actor_name = 'psql' AND i.sku = 'RING' AND f.code = 'TRAY' AND t.code = 'CUSTOMER'",
        )
        .await
        .unwrap();
    // Others post on.
    history
        .shop
        .manager
        .receive(&history.items[1], &history.shop.safe, 1)
        .await;
    assert!(!marked().await);
    somebody.commit().await.unwrap();
    assert!(marked().await);
    let behind = "SELECT (SELECT max(number) FROM stock_movement) - number FROM stock_week_mark";
    assert_eq!(history.count(behind).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_makes_weeks_of_what_moves_often() {
    let history = History::begin().await;
    let stock = history.shop.app.domain().stock();
    let weeks = Viewer::system("weeks");
    assert!(!stock.add_to_weeks(&weeks).await.unwrap());
    assert_eq!(history.with_weeks().await, 0);
    let lines: Vec<_> = (0..1_000)
        .map(|_| json!({"itemId": history.items[0], "toId": history.shop.tray, "quantity": 1}))
        .collect();
    history
        .shop
        .manager
        .done("stockReceive", bought(json!(lines)))
        .await;
    let _worker = history.shop.app.worker();
    eventually(PATIENCE, "weeks are made", async || {
        (history.with_weeks().await == 1).then_some(())
    })
    .await;
    let mut history = history;
    history.compare("with weeks of one item").await;
}
