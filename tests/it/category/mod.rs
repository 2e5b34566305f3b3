//! The category tree: what clients can do to it, and what holds whatever they do.

mod archive;
mod bounds;
mod concurrency;
mod moves;
mod query;
mod refusals;

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp};

/// The names of a whole tree, indented by depth.
async fn outline(actor: &Actor) -> Vec<String> {
    let data = actor.ok("{ categoryTree { name depth } }", json!({})).await;
    let tree = data["categoryTree"].as_array().unwrap();
    tree.iter().map(line).collect()
}

fn line(category: &Value) -> String {
    let depth = usize::try_from(category["depth"].as_u64().unwrap()).unwrap();
    format!(
        "{}{}",
        "  ".repeat(depth),
        category["name"].as_str().unwrap()
    )
}

/// Recomputes every path from the parents alone; a cycle would have no path.
async fn assert_tree_is_sound(app: &TestApp) {
    let sql = "WITH RECURSIVE right_path AS (
             SELECT id, number::text::ltree AS path FROM category WHERE parent_id IS NULL
             UNION ALL
             SELECT c.id, p.path || c.number::text FROM category c JOIN right_path p ON p.id = c.parent_id)
         SELECT count(*) FROM category c LEFT JOIN right_path r USING (id) WHERE c.path IS DISTINCT FROM r.path";
    let wrong: i64 = sqlx::query_scalar(sql).fetch_one(app.sql()).await.unwrap();
    assert_eq!(wrong, 0);
}
