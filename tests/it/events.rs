//! Subscriptions: what happens, as it happens, and from any position on.

mod access;
mod fresh;
mod order;
mod replay;
mod slow;

use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, subscription::Subscription};

pub(crate) const ITEMS: &str = "subscription($after: EventPosition, $item: ID, $category: ID) {
    itemChanged(after: $after, itemId: $item, categoryId: $category) { position action item { id sku } }
}";
pub(crate) const TREE: &str = "subscription($after: EventPosition) {
    categoryTreeChanged(after: $after) { position action category { name } }
}";
pub(crate) const JOBS: &str = "subscription($after: EventPosition, $job: ID) {
    jobProgress(after: $after, jobId: $job) { position job { id kind state } }
}";

/// Subscribes to the items behind this position.
pub(crate) async fn items_after(actor: &Actor, position: i64) -> Subscription {
    actor
        .subscribe(ITEMS, json!({"after": position.to_string()}))
        .await
}

/// The position in a result of a subscription.
pub(crate) fn position(data: &Value) -> i64 {
    let event = data.as_object().unwrap().values().next().unwrap();
    event["position"].as_str().unwrap().parse().unwrap()
}

/// The positions of all events of this kind, in order, once each has one.
pub(crate) async fn positions(app: &TestApp, kind: &str) -> Vec<i64> {
    app.position().await;
    let sql = "SELECT position FROM event WHERE kind = $1 ORDER BY position";
    let positions = sea_orm::sqlx::query_scalar(sql)
        .bind(kind)
        .fetch_all(app.sql())
        .await;
    positions.unwrap()
}
