//! What a report is about, besides its columns.

use chrono::{DateTime, Utc};
use entity::id::{DimensionValueId, LocationId};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Code, Refusal, Result},
    sql::{Sql, statement},
};

/// What a report is about, besides its columns. All that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Only lines for this location, or one below it.
    pub location_id: Option<LocationId>,
    /// Only lines for this subsidiary account, cost centre or project.
    #[serde(default)]
    pub dimension_value_id: Option<DimensionValueId>,
    /// As the books were known at this moment.
    pub known_at: Option<DateTime<Utc>>,
}

impl Scope {
    /// Whether it leaves out some lines of entries. Then entries need not balance, and nothing keeps the lines added up.
    pub(crate) fn is_of_lines(&self) -> bool {
        self.location_id.is_some() || self.dimension_value_id.is_some()
    }

    /// What is given exists.
    pub(crate) async fn check(&self, db: &impl ConnectionTrait) -> Result<()> {
        if let Some(id) = self.location_id {
            let sql = "SELECT id FROM location WHERE id = $1";
            let found = db.query_one_raw(statement(sql, [id.into()])).await?;
            found.ok_or_else(|| Refusal::new(Code::NotFound, "locationId"))?;
        }
        if let Some(id) = self.dimension_value_id {
            let sql = "SELECT id FROM dimension_value WHERE id = $1";
            let found = db.query_one_raw(statement(sql, [id.into()])).await?;
            found.ok_or_else(|| Refusal::new(Code::NotFound, "dimensionValueId"))?;
        }
        Ok(())
    }

    /// What must hold of a line `l`, behind other conditions.
    pub(crate) fn push_lines(&self, sql: &mut Sql) {
        if let Some(location) = self.location_id {
            sql.push(" AND l.location_id IN (SELECT c.id FROM location c JOIN location w ON c.path <@ w.path WHERE w.id = ");
            sql.bind(location).push(")");
        }
        if let Some(value) = self.dimension_value_id {
            sql.push(" AND (l.subsidiary_id = ").bind(value);
            sql.push(" OR l.cost_center_id = ").bind(value);
            sql.push(" OR l.project_id = ").bind(value).push(")");
        }
    }

    /// What must hold of the entry `e`, behind other conditions.
    pub(crate) fn push_known(&self, sql: &mut Sql) {
        if let Some(known) = self.known_at {
            sql.push(" AND e.recorded_at <= ").bind(known);
        }
    }

    /// What must hold of a line `l` and of its entry, behind other conditions.
    pub(crate) fn push_all(&self, sql: &mut Sql) {
        self.push_lines(sql);
        if self.known_at.is_some() {
            sql.push(" AND EXISTS (SELECT FROM journal_entry e WHERE e.id = l.entry_id");
            self.push_known(sql);
            sql.push(")");
        }
    }
}
