//! What came in, left and lay there, day by day: what all movements add up to, whether days of them are there or not.

mod answers;
mod days;
mod plans;
mod random;
mod zones;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, SecondsFormat, Utc};
use domain::{Viewer, clock::Clock as _};
use rust_decimal::Decimal;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::app::TestApp;

use super::{Shop, bought, sold, text};

/// Ways in which goods come and go, as clients see them, and whether there is more afterwards.
const WAYS: [(&str, bool); 10] = [
    ("purchased", true),
    ("broughtBack", true),
    ("made", true),
    ("gained", true),
    ("movedIn", true),
    ("sold", false),
    ("sentBack", false),
    ("used", false),
    ("lost", false),
    ("movedOut", false),
];

/// Everything there is to know of series.
fn document() -> String {
    let flow = "{ movements quantity weight fineWeight value { amount } }";
    let ways: Vec<_> = WAYS
        .iter()
        .map(|(way, _)| *way)
        .chain(["received", "issued"])
        .map(|way| format!("{way} {flow}"))
        .collect();
    let ways = ways.join(" ");
    format!(
        "query($where: StockTimeSeriesWhere, $from: Date!, $until: Date!, $interval: StockSeriesInterval!, $by: StockSeriesBy!, $weekStart: Weekday! = MONDAY) {{ \
         stockTimeSeries(where: $where, from: $from, until: $until, interval: $interval, by: $by, weekStart: $weekStart) {{ timeZone isComplete missing \
         series {{ item {{ sku }} location {{ code }} category {{ name }} unit {{ code }} opening {{ quantity }} \
         points {{ from until {ways} level {{ quantity weight fineWeight }} }} }} }} }}"
    )
}

/// What came or went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Flow {
    movements: i64,
    amounts: [Decimal; 3],
    value: Decimal,
}

impl Flow {
    fn add(&mut self, other: &Self) {
        self.movements += other.movements;
        for (amount, more) in self.amounts.iter_mut().zip(other.amounts) {
            *amount += more;
        }
        self.value += other.value;
    }

    fn shown(&self, is_inside: bool) -> String {
        let [quantity, weight, fine_weight] = self.amounts.map(|amount| amount.normalize());
        let value = if is_inside {
            "null".to_owned()
        } else {
            self.value.normalize().to_string()
        };
        format!(
            "{}:{quantity}:{weight}:{fine_weight}:{value}",
            self.movements
        )
    }
}

/// A movement at one of its ends, or a line of what it has cost.
struct Side {
    day: NaiveDate,
    sku: String,
    category: String,
    unit: String,
    place: String,
    way: usize,
    flow: Flow,
}

type SideRow = (
    NaiveDate,
    String,
    String,
    String,
    String,
    String,
    bool,
    bool,
    i64,
    String,
    String,
    String,
    String,
);

/// All there has ever been, from movements and lines of costs alone.
async fn sides(app: &TestApp, zone: &str) -> Vec<Side> {
    let sql = "
        WITH ends AS (
            SELECT m.entry_id, m.line, m.item_id, m.to_location_id AS place, m.from_location_id AS other, true AS is_in FROM stock_movement m
            UNION ALL SELECT m.entry_id, m.line, m.item_id, m.from_location_id, m.to_location_id, false FROM stock_movement m
        )
        SELECT (a.at AT TIME ZONE $1)::date, i.sku, c.name ->> 'en', u.code, l.code, o.kind, d.is_in, e.kind = 'reverse', a.movements,
               a.quantity::text, a.weight::text, a.fine_weight::text, a.value::text
        FROM ends d JOIN stock_entry e ON e.id = d.entry_id JOIN item i ON i.id = d.item_id JOIN category c ON c.id = i.category_id
        JOIN unit_of_measure u ON u.id = i.unit_id JOIN location l ON l.id = d.place AND l.keeps_stock JOIN location o ON o.id = d.other
        CROSS JOIN LATERAL (
            SELECT m.effective_at AS at, 1::bigint AS movements, m.quantity, m.weight, m.fine_weight, 0 AS value
            FROM stock_movement m WHERE m.entry_id = d.entry_id AND m.line = d.line
            UNION ALL SELECT k.effective_at, 0, 0, 0, 0, k.value * CASE WHEN d.is_in THEN 1 ELSE -1 END
            FROM stock_cost k WHERE k.entry_id = d.entry_id AND k.line = d.line
        ) a";
    let rows: Vec<SideRow> = sqlx::query_as(sql)
        .bind(zone)
        .fetch_all(app.sql())
        .await
        .unwrap();
    rows.into_iter().map(side).collect()
}

fn side(row: SideRow) -> Side {
    let (day, sku, category, unit, place, other, is_in, is_undone, movements, ..) = row;
    let exact = |text: &str| text.parse::<Decimal>().unwrap();
    let went_in = is_in != is_undone;
    let name = match (other.as_str(), went_in) {
        ("supplier", true) => "purchased",
        ("supplier", false) => "sentBack",
        ("customer", true) => "broughtBack",
        ("customer", false) => "sold",
        ("production", true) => "made",
        ("production", false) => "used",
        ("adjustment" | "loss", true) => "gained",
        ("adjustment" | "loss", false) => "lost",
        (_, true) => "movedIn",
        (_, false) => "movedOut",
    };
    let sign = if is_undone { -1 } else { 1 };
    let signed = |text: &str| exact(text) * Decimal::from(sign);
    Side {
        day,
        sku,
        category,
        unit,
        place,
        way: WAYS.iter().position(|(way, _)| *way == name).unwrap(),
        flow: Flow {
            movements: movements * i64::from(sign),
            amounts: [signed(&row.9), signed(&row.10), signed(&row.11)],
            // What undoes something brings back what that took.
            value: signed(&row.12),
        },
    }
}

/// A question, and which of all sides it is about.
struct Question<'a> {
    filter: Value,
    by: &'a str,
    interval: &'a str,
    week_start: &'a str,
    from: NaiveDate,
    until: NaiveDate,
    is_asked: &'a dyn Fn(&Side) -> bool,
}

impl Question<'_> {
    fn variables(&self) -> Value {
        json!({"where": self.filter, "from": self.from.to_string(), "until": self.until.to_string(), "interval": self.interval,
               "by": self.by, "weekStart": self.week_start})
    }

    /// What the series is called that a side belongs to.
    fn key(&self, side: &Side) -> String {
        let about = match self.by {
            "ITEM" => &side.sku,
            "LOCATION" => &side.place,
            "CATEGORY" => &side.category,
            _ => "",
        };
        format!("{about} {}", side.unit)
    }

    fn begins(&self, day: NaiveDate) -> bool {
        match self.interval {
            "DAY" => true,
            "WEEK" => self
                .week_start
                .starts_with(&day.weekday().to_string().to_uppercase()),
            "MONTH" => day.day() == 1,
            _ => day.ordinal() == 1,
        }
    }

    /// One line for each point, day by day.
    fn expected(&self, sides: &[Side]) -> Vec<String> {
        let mut series: BTreeMap<String, BTreeMap<NaiveDate, Vec<&Side>>> = BTreeMap::new();
        for side in sides.iter().filter(|side| (self.is_asked)(side)) {
            let days = series.entry(self.key(side)).or_default();
            if side.day < self.until {
                days.entry(side.day).or_default().push(side);
            }
        }
        let mut lines = Vec::new();
        for (key, days) in series {
            let mut level = [Decimal::ZERO; 3];
            for side in days.range(..self.from).flat_map(|(_, sides)| sides) {
                change(&mut level, side);
            }
            let mut day = self.from;
            while day < self.until {
                let (from, mut flows) = (day, [Flow::default(); WAYS.len()]);
                loop {
                    for side in days.get(&day).into_iter().flatten() {
                        flows[side.way].add(&side.flow);
                        change(&mut level, side);
                    }
                    day = day + Days::new(1);
                    if day == self.until || self.begins(day) {
                        break;
                    }
                }
                lines.push(shown(&key, from, day, &flows, level));
            }
        }
        lines.sort();
        lines
    }
}

fn change(level: &mut [Decimal; 3], side: &Side) {
    for (amount, more) in level.iter_mut().zip(side.flow.amounts) {
        *amount += if WAYS[side.way].1 { more } else { -more };
    }
}

fn shown(
    key: &str,
    from: NaiveDate,
    until: NaiveDate,
    flows: &[Flow],
    level: [Decimal; 3],
) -> String {
    let mut line = format!("{key} {from} {until}");
    let mut across = [Flow::default(); 2];
    for (flow, (way, is_in)) in flows.iter().zip(WAYS) {
        let is_inside = way.starts_with("moved");
        line += &format!(" {}", flow.shown(is_inside));
        if !is_inside {
            across[usize::from(!is_in)].add(flow);
        }
    }
    let [received, issued] = across.map(|flow| flow.shown(false));
    let [quantity, weight, fine_weight] = level.map(|amount| amount.normalize());
    format!("{line} {received} {issued} {quantity}:{weight}:{fine_weight}")
}

/// One line for each point of an answer.
fn told(answer: &Value, by: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for series in answer["series"].as_array().unwrap() {
        let about = match by {
            "ITEM" => text(&series["item"]["sku"]),
            "LOCATION" => text(&series["location"]["code"]),
            "CATEGORY" => text(&series["category"]["name"]),
            _ => String::new(),
        };
        let key = format!("{about} {}", text(&series["unit"]["code"]));
        for point in series["points"].as_array().unwrap() {
            let mut line = format!("{key} {} {}", text(&point["from"]), text(&point["until"]));
            let ways = WAYS
                .iter()
                .map(|(way, _)| *way)
                .chain(["received", "issued"]);
            for way in ways {
                let flow = &point[way];
                let value = flow["value"]["amount"].as_str().unwrap_or("null");
                let amounts = ["quantity", "weight", "fineWeight"].map(|name| text(&flow[name]));
                line += &format!(" {}:{}:{value}", flow["movements"], amounts.join(":"));
            }
            let level =
                ["quantity", "weight", "fineWeight"].map(|name| text(&point["level"][name]));
            lines.push(format!("{line} {}", level.join(":")));
        }
    }
    lines.sort();
    lines
}

impl Shop {
    /// The series of these days.
    async fn series(&self, variables: Value) -> Value {
        self.manager.ok(&document(), variables).await["stockTimeSeries"].take()
    }

    /// Moves the bound, and adds movements to the days, so many at a time, no more than so often. Tells whether there is more.
    async fn add_to_days(&self, most: i64, times: usize) -> bool {
        for sql in [
            "SELECT stock_series_bound()",
            "SELECT stock_series_bound_costs()",
        ] {
            sqlx::query(sql).execute(self.app.sql()).await.unwrap();
        }
        for _ in 0..times {
            let more: bool = sqlx::query_scalar("SELECT stock_series_add($1)")
                .bind(most)
                .fetch_one(self.app.sql())
                .await
                .unwrap();
            if !more {
                return false;
            }
        }
        true
    }

    async fn add_all_to_days(&self) {
        let viewer = Viewer::system("test");
        while self.app.domain().series().add(&viewer).await.unwrap() {}
    }

    async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(self.app.sql())
            .await
            .unwrap()
    }

    async fn assert_days_add_up(&self) {
        let sql = "SELECT d::text FROM stock_series_differences() d LIMIT 10";
        let differences: Vec<String> = sqlx::query_scalar(sql)
            .fetch_all(self.app.sql())
            .await
            .unwrap();
        assert_eq!(differences, [""; 0]);
    }

    async fn happen_at(&self, mutation: &str, mut input: Value, at: DateTime<Utc>) -> Value {
        input["effectiveAt"] = json!(at.to_rfc3339_opts(SecondsFormat::Micros, true));
        self.manager.done(mutation, input).await
    }
}

fn today() -> NaiveDate {
    domain::clock::SystemClock.now().date_naive()
}
