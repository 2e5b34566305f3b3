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

    /// What PostgreSQL expects.
    pub(super) async fn expect(&self, db: &Reads) -> Result<Expected> {
        expect(db, |sql| self.push(sql)).await
    }
}

/// What PostgreSQL expects of a condition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// How many items it holds for.
    pub(super) rows: u64,
    /// What it costs to find them, in PostgreSQL's own unit.
    pub(super) cost: u64,
}

/// Asks PostgreSQL what it expects of a condition on items `i`.
pub(super) async fn expect(db: &Reads, push: impl Fn(&mut Sql)) -> Result<Expected> {
    let mut sql = Sql::new("EXPLAIN (FORMAT JSON) SELECT FROM item i WHERE ");
    push(&mut sql);
    let row = db
        .query_one_raw(sql.build())
        .await?
        .ok_or_else(|| Error::internal("a plan gave no row"))?;
    let plan: serde_json::Value = row.try_get_by_index(0)?;
    let whole = |name| {
        let number = plan.pointer(&format!("/0/Plan/{name}"))?.to_string();
        number.split('.').next()?.parse().ok()
    };
    Ok(Expected {
        rows: whole("Plan Rows").unwrap_or(0),
        cost: whole("Total Cost").unwrap_or(0),
    })
}
