//! Which items somebody asks for: those that pass a filter, and are found by words.

use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use super::{
    filter::{ItemFilter, ResolvedFilter},
    search::{self, Words},
};
use crate::{
    error::{Error, Refusal, Result},
    reads::Reads,
    sql::Sql,
};

/// Which items. Without anything, all that are in use.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ItemSelection {
    /// Only items that pass this.
    pub filter: ItemFilter,
    /// Only items that are found by these words.
    pub search: Option<String>,
}

impl ItemSelection {
    /// Bounds what a client can make us do.
    ///
    /// # Errors
    /// When the filter is nested too deep or has too many conditions, or a text is too long.
    pub fn check(&self) -> Result<(), Refusal> {
        self.filter.check()?;
        self.search
            .iter()
            .try_for_each(|text| search::check("search", text))
    }

    pub(crate) async fn resolve(&self, db: &impl ConnectionTrait) -> Result<Resolved<'_>> {
        let words = match &self.search {
            Some(text) => Words::resolve(db, text).await?,
            None => None,
        };
        Ok(Resolved {
            filter: self.filter.resolve(db).await?,
            words,
        })
    }
}

/// A selection that knows what it names.
pub(crate) struct Resolved<'a> {
    pub(super) filter: ResolvedFilter<'a>,
    pub(super) words: Option<Words>,
}

impl Resolved<'_> {
    /// Appends the condition on the item `i`.
    pub(crate) fn push(&self, sql: &mut Sql) {
        self.filter.push(sql);
        if let Some(words) = &self.words {
            sql.push(" AND ");
            words.push(sql);
        }
    }

    /// Whether all items in use are meant, or all that are not.
    pub(super) fn is_everything(&self) -> bool {
        self.words.is_none() && self.filter.is_empty()
    }

    /// How many items PostgreSQL expects.
    pub(super) async fn estimate(&self, db: &Reads) -> Result<u64> {
        estimate(db, |sql| self.push(sql)).await
    }
}

/// How many items PostgreSQL expects that a condition holds for.
pub(super) async fn estimate(db: &Reads, push: impl Fn(&mut Sql)) -> Result<u64> {
    let mut sql = Sql::new("EXPLAIN (FORMAT JSON) SELECT FROM item i WHERE ");
    push(&mut sql);
    let row = db
        .query_one_raw(sql.build())
        .await?
        .ok_or_else(|| Error::internal("a plan gave no row"))?;
    let plan: serde_json::Value = row.try_get_by_index(0)?;
    Ok(plan
        .pointer("/0/Plan/Plan Rows")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(0))
}
