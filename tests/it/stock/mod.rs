//! Stock: what comes in, goes about and leaves, and what lies where because of it.

mod attacks;
mod bad_input;
mod basics;
mod books;
mod concurrency;
mod costs;
mod counts;
mod crash;
mod events;
mod landed;
mod lots;
mod past;
mod random;
mod random_costs;
mod random_metal;
mod reconcile;
mod reports;
mod reservations;
mod series;
mod statements;
mod transfers;
mod weights;

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::{Builder, TestApp},
};

/// A shop with a tray, a safe, and a category to put items in.
struct Shop {
    app: TestApp,
    manager: Actor,
    category: String,
    tray: String,
    safe: String,
}

impl Shop {
    async fn open() -> Self {
        Self::of(TestApp::builder()).await
    }

    async fn of(builder: Builder) -> Self {
        let app = builder.start().await;
        let manager = app.manager().await;
        let category = manager.category("Rings", None).await;
        let tray = manager.location("TRAY", "TRAY", None).await;
        let safe = manager.location("SAFE", "SAFE", None).await;
        Self {
            app,
            manager,
            category,
            tray,
            safe,
        }
    }

    async fn item(&self, sku: &str, tracking: &str) -> String {
        self.manager.item_kept(sku, &self.category, tracking).await
    }

    /// An item of which so many lie in the tray.
    async fn item_in_tray(&self, sku: &str, quantity: i64) -> String {
        let item = self.item(sku, "NONE").await;
        self.manager.receive(&item, &self.tray, quantity).await;
        item
    }

    /// An item that is weighed, of gold of this fineness.
    async fn weighed_item(
        &self,
        sku: &str,
        fineness: &str,
        tolerance: &str,
        tracking: &str,
    ) -> String {
        let item = self.item(sku, tracking).await;
        let metal = json!({"id": item, "metal": {"metal": "GOLD", "fineness": fineness}});
        self.manager.done("itemUpdate", metal).await;
        let stocking = json!({"itemId": item, "isWeighed": true, "weightTolerance": tolerance});
        self.manager.done("itemStockingSet", stocking).await;
        item
    }

    /// What lies of an item at a location: on hand, reserved and available.
    async fn pieces(&self, item: &str, location: &str) -> [String; 3] {
        let [on_hand, reserved, available, _, _] = self.manager.level(item, location).await;
        [on_hand, reserved, available]
    }

    /// Every level is the sum of its movements, and what is reserved the sum of its reservations.
    async fn assert_levels_add_up(&self) {
        assert_eq!(differences(&self.app).await, [""; 0]);
    }
}

/// A line of goods that leave.
fn line(item: &str, from: &str, quantity: i64) -> Value {
    json!({"itemId": item, "fromId": from, "quantity": quantity})
}

/// What is sold.
fn sold(lines: Value) -> Value {
    json!({"reason": "SOLD", "lines": lines})
}

/// What is bought.
fn bought(lines: Value) -> Value {
    json!({"reason": "PURCHASED", "lines": lines})
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Levels of items and of lots that are not what their movements and reservations make them.
async fn differences(app: &TestApp) -> Vec<String> {
    let sql = "
        WITH change AS (
            SELECT item_id, lot_id, to_location_id AS location_id, quantity, weight, fine_weight FROM stock_movement
            UNION ALL
            SELECT item_id, lot_id, from_location_id, -quantity, -weight, -fine_weight FROM stock_movement
        ), moved AS (
            SELECT c.* FROM change c JOIN location l ON l.id = c.location_id AND l.keeps_stock
        ), item_sum AS (
            SELECT item_id, location_id, sum(quantity) q, sum(weight) w, sum(fine_weight) f FROM moved GROUP BY 1, 2
        ), lot_sum AS (
            SELECT lot_id, location_id, sum(quantity) q, sum(weight) w, sum(fine_weight) f FROM moved WHERE lot_id IS NOT NULL GROUP BY 1, 2
        ), item_held AS (
            SELECT item_id, location_id, sum(open) AS open FROM stock_reservation GROUP BY 1, 2
        ), lot_held AS (
            SELECT lot_id, location_id, sum(open) AS open FROM stock_reservation WHERE lot_id IS NOT NULL GROUP BY 1, 2
        )
        SELECT format('item %s at %s', s.item_id, s.location_id)
        FROM stock_level s FULL JOIN item_sum m USING (item_id, location_id) LEFT JOIN item_held h USING (item_id, location_id)
        WHERE (s.on_hand, s.weight, s.fine_weight, s.reserved)
              IS DISTINCT FROM (COALESCE(m.q, 0), COALESCE(m.w, 0), COALESCE(m.f, 0), COALESCE(h.open, 0))
        UNION ALL
        SELECT format('lot %s at %s', s.lot_id, s.location_id)
        FROM stock_lot_level s FULL JOIN lot_sum m USING (lot_id, location_id) LEFT JOIN lot_held h USING (lot_id, location_id)
        WHERE (s.on_hand, s.weight, s.fine_weight, s.reserved)
              IS DISTINCT FROM (COALESCE(m.q, 0), COALESCE(m.w, 0), COALESCE(m.f, 0), COALESCE(h.open, 0))";
    sqlx::query_scalar(sql).fetch_all(app.sql()).await.unwrap()
}
