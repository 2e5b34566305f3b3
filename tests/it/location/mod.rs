//! Stock locations: what clients can do to their tree, and what holds whatever they do.

mod archive;
mod concurrency;
mod query;
mod refusals;
mod rules;

use sea_orm::sqlx;
use tests::app::TestApp;

/// Recomputes every path from the parents alone; a cycle would have no path.
async fn assert_tree_is_sound(app: &TestApp) {
    let sql = "WITH RECURSIVE right_path AS (
             SELECT id, number::text::ltree AS path FROM location WHERE parent_id IS NULL
             UNION ALL
             SELECT l.id, p.path || l.number::text FROM location l JOIN right_path p ON p.id = l.parent_id)
         SELECT count(*) FROM location l LEFT JOIN right_path r USING (id) WHERE l.path IS DISTINCT FROM r.path";
    let wrong: i64 = sqlx::query_scalar(sql).fetch_one(app.sql()).await.unwrap();
    assert_eq!(wrong, 0);
}
