//! Which items somebody asks for: those that pass a filter, and are found by words.

use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use super::{
    filter::{ItemFilter, ResolvedFilter},
    search::{self, Words},
};
use crate::{
    error::{Refusal, Result},
    plan::Plan,
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
    /// Variants are represented by their templates: each of these that fits itself, or has a variant that does.
    #[serde(default)]
    pub by_template: bool,
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
            by_template: self.by_template,
        })
    }
}

/// A selection that knows what it names.
pub(crate) struct Resolved<'a> {
    pub(super) filter: ResolvedFilter<'a>,
    pub(super) words: Option<Words>,
    by_template: bool,
}

impl Resolved<'_> {
    /// Appends the condition on the item `i`, for statements that look for all items that it holds for.
    pub(crate) fn push(&self, sql: &mut Sql) {
        if !self.by_template {
            return self.push_own(sql);
        }
        sql.push("i.template_id IS NULL AND ((");
        self.push_own(sql);
        sql.push(
            ") OR i.id IN (SELECT i.template_id FROM item i WHERE i.template_id IS NOT NULL AND ",
        );
        self.push_own(sql);
        sql.push("))");
    }

    /// The same for statements that ask it of one item after the other, and may stop: then the variants of each template are looked up, and
    /// not those of all templates.
    pub(super) fn push_of_each(&self, sql: &mut Sql) {
        if !self.by_template {
            return self.push_own(sql);
        }
        sql.push("i.template_id IS NULL AND ((");
        self.push_own(sql);
        // The inner `i` hides the outer one, whose id is therefore handed in.
        sql.push(") OR i.is_template AND EXISTS (SELECT FROM (VALUES (i.id)) g (id) JOIN item i ON i.template_id = g.id WHERE ");
        self.push_own(sql);
        sql.push("))");
    }

    /// Appends what holds for the item `i` itself.
    fn push_own(&self, sql: &mut Sql) {
        self.filter.push(sql);
        if let Some(words) = &self.words {
            sql.push(" AND ");
            words.push(sql);
        }
    }

    /// From where items are read along an order.
    pub(super) fn along(&self) -> &'static str {
        if self.by_template {
            "(SELECT * FROM item i WHERE i.template_id IS NULL) i"
        } else {
            "item i"
        }
    }

    /// Whether items of other categories can be left out before they are read. A template is there for its variants, too.
    pub(super) fn is_sieved_by_category(&self) -> bool {
        !self.by_template && self.filter.lists_categories()
    }

    /// Whether all items in use are meant, or all that are not. Of templates those with a variant that is put away are few: they are to be
    /// looked for.
    pub(super) fn is_everything(&self) -> bool {
        let is_few = self.by_template && self.filter.is_of_archived();
        self.words.is_none() && self.filter.is_empty() && !is_few
    }

    /// What PostgreSQL expects; variants are counted one by one, for it knows nothing of how they are spread over templates.
    pub(super) async fn expect(&self, db: &Reads) -> Result<Expected> {
        expect(db, |sql| {
            sql.push("item i WHERE ");
            self.push_own(sql);
        })
        .await
    }

    /// The same for a list that is told to be so long.
    pub(super) async fn expect_rows(&self, db: &Reads) -> Result<Expected> {
        expect(db, |sql| {
            sql.push("item i WHERE ");
            self.push_own(sql);
            if self.by_template {
                sql.push(" AND i.template_id IS NULL");
            }
        })
        .await
    }
}

/// What PostgreSQL expects of a condition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// How many items it holds for.
    pub(super) rows: u64,
    /// What it costs to find them, in PostgreSQL's own unit.
    pub(super) cost: u64,
    /// Whether the index of attributes helps to find them.
    pub(super) by_attributes: bool,
}

/// Asks PostgreSQL what it expects of items `i` and a condition on them, which are appended.
pub(super) async fn expect(db: &Reads, push: impl Fn(&mut Sql)) -> Result<Expected> {
    let mut sql = Sql::new("SELECT FROM ");
    push(&mut sql);
    let plan = Plan::of(db, sql).await?;
    Ok(Expected {
        rows: plan.whole("Plan Rows"),
        cost: plan.whole("Total Cost"),
        by_attributes: plan.reads("item_attributes"),
    })
}
