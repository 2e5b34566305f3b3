//! The items that facets are counted over.

use crate::{
    error::Result,
    item::{
        filter::{ItemFilter, ResolvedFilter},
        search::Words,
        selection::{Resolved, expect},
    },
    reads::Reads,
    sql::Sql,
};

/// Of more items than these only some are looked at.
const COUNTED_MAX: u64 = 100_000;
/// How many are looked at then.
const SAMPLED: u64 = 50_000;
/// All items, in the parts that a sample is measured in.
const WHOLE: u64 = 100_000;

/// Items that some facets are counted over.
pub(super) struct Set<'a> {
    filter: ResolvedFilter<'a>,
    words: Option<&'a Words>,
    /// By their places in the request.
    pub(super) facets: Vec<usize>,
    /// Which part of all items is looked at, in hundred-thousandths.
    share: u64,
}

impl Set<'_> {
    /// Whether all of the items are counted.
    pub(super) fn is_whole(&self) -> bool {
        self.share >= WHOLE
    }

    /// What a count in the sample stands for.
    pub(super) fn scaled(&self, count: u64) -> u64 {
        count.saturating_mul(WHOLE) / self.share.clamp(1, WHOLE)
    }

    /// Appends from where, and the condition. A sample is the same each time, so that counts do not dance.
    pub(super) fn push(&self, sql: &mut Sql) {
        sql.push("item i");
        if !self.is_whole() {
            let (percent, rest) = (self.share / 1000, self.share % 1000);
            sql.push(&format!(
                " TABLESAMPLE SYSTEM ({percent}.{rest:03}) REPEATABLE (1)"
            ));
        }
        sql.push(" WHERE ");
        self.push_condition(sql);
    }

    fn push_condition(&self, sql: &mut Sql) {
        self.filter.push(sql);
        if let Some(words) = self.words {
            sql.push(" AND ");
            words.push(sql);
        }
    }
}

/// The selection for the facets that have no conditions of their own, and one set for each other facet.
pub(super) async fn sets<'a>(
    db: &Reads,
    resolved: &'a Resolved<'a>,
    without_own: &'a [Option<ItemFilter>],
) -> Result<Vec<Set<'a>>> {
    let set = |filter, facets| Set {
        filter,
        words: resolved.words.as_ref(),
        facets,
        share: WHOLE,
    };
    let common = without_own.iter().enumerate();
    let common: Vec<_> = common
        .filter_map(|(place, own)| own.is_none().then_some(place))
        .collect();
    let mut sets = Vec::new();
    if !common.is_empty() {
        sets.push(set(resolved.filter.clone(), common));
    }
    for (place, own) in without_own.iter().enumerate() {
        if let Some(own) = own {
            sets.push(set(resolved.filter.of(own), vec![place]));
        }
    }
    for set in &mut sets {
        let expected = expect(db, |sql| set.push_condition(sql)).await?.rows;
        if expected > COUNTED_MAX {
            set.share = (SAMPLED * WHOLE / expected).max(1);
        }
    }
    Ok(sets)
}
