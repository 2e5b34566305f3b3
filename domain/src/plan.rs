//! What PostgreSQL expects of a statement before it executes it.

use sea_orm::ConnectionTrait as _;
use serde_json::Value;

use crate::{
    error::{Error, Result},
    reads::Reads,
    sql::Sql,
};

/// A node of a plan.
pub(crate) struct Plan(Value);

impl Plan {
    /// The plan that PostgreSQL makes for this statement with its values.
    pub(crate) async fn of(db: &Reads, statement: Sql) -> Result<Self> {
        let mut statement = statement.build();
        statement.sql.insert_str(0, "EXPLAIN (FORMAT JSON) ");
        let row = db
            .query_one_raw(statement)
            .await?
            .ok_or_else(|| Error::internal("a plan gave no row"))?;
        let mut plan: Value = row.try_get_by_index(0)?;
        Ok(Self(plan[0]["Plan"].take()))
    }

    /// The first node below this one.
    pub(crate) fn below(&self) -> Option<Self> {
        self.0.pointer("/Plans/0").cloned().map(Self)
    }

    /// Whether the node or one below it reads this index.
    pub(crate) fn reads(&self, index: &str) -> bool {
        reads(&self.0, index)
    }

    /// A number that the node tells, without its fraction; 0 when it tells none.
    pub(crate) fn whole(&self, name: &str) -> u64 {
        let number = self.0.get(name).map(Value::to_string);
        let whole = number.as_deref().and_then(|text| text.split('.').next());
        whole.and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

fn reads(node: &Value, index: &str) -> bool {
    let below = node["Plans"].as_array();
    node["Index Name"] == index || below.into_iter().flatten().any(|node| reads(node, index))
}
