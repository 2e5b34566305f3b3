//! The items that facets are counted over.

use super::{column::Column, covered};
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

/// Of more rows than these only some are looked at. A sample reads the same part of all items there are, so that of fewer it would cost more
/// than to count them.
const ROWS_MAX: u64 = 80_000;
/// The same of entries of an index, which cost a third (`docs/performance.md`).
const ENTRIES_MAX: u64 = 250_000;
/// How many are looked at then.
const SAMPLED: u64 = 20_000;
/// All items, in the parts that a sample is measured in.
const WHOLE: u64 = 100_000;

/// Items that some facets are counted over.
pub(super) struct Set<'a> {
    filter: ResolvedFilter<'a>,
    words: Option<&'a Words>,
    /// By their places in the request.
    pub(super) facets: Vec<usize>,
    source: Source,
}

/// From where items are read.
#[derive(Clone, Copy)]
enum Source {
    /// The table.
    Rows,
    /// An index that has all that is asked.
    Entries,
    /// Some of the table's rows: so many hundred-thousandths.
    Sample(u64),
}

impl<'a> Set<'a> {
    fn new(resolved: &'a Resolved<'a>, filter: ResolvedFilter<'a>, facets: Vec<usize>) -> Self {
        Self {
            filter,
            words: resolved.words.as_ref(),
            facets,
            source: Source::Rows,
        }
    }

    /// Decides how its items are read.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn settle(&mut self, db: &Reads, columns: &[Column]) -> Result<()> {
        let is_covered = self.is_covered(columns);
        if is_covered {
            self.source = Source::Entries;
        }
        let expected = expect(db, |sql| self.push(sql)).await?;
        let max = if is_covered { ENTRIES_MAX } else { ROWS_MAX };
        if expected.rows > max {
            self.source = Source::Sample((SAMPLED * WHOLE / expected.rows).max(1));
        }
        if !self.is_whole() || !expected.by_attributes {
            self.filter = self.filter.of_rows();
        }
        Ok(())
    }

    fn is_covered(&self, columns: &[Column]) -> bool {
        let mut looked_at = Sql::default();
        for place in &self.facets {
            columns[*place].looks_at.push(&mut looked_at);
            looked_at.push(", ");
        }
        let mut condition = Sql::default();
        self.push_condition(&mut condition);
        covered::covers(&condition.build().sql, &looked_at.build().sql)
    }

    fn push_condition(&self, sql: &mut Sql) {
        self.filter.push(sql);
        if let Some(words) = self.words {
            sql.push(" AND ");
            words.push(sql);
        }
    }

    /// Whether all of the items are counted.
    pub(super) fn is_whole(&self) -> bool {
        !matches!(self.source, Source::Sample(_))
    }

    /// What a count stands for.
    pub(super) fn scaled(&self, count: u64) -> u64 {
        match self.source {
            Source::Sample(share) => count.saturating_mul(WHOLE) / share,
            Source::Rows | Source::Entries => count,
        }
    }

    /// Appends from where items `i` are read, and the condition. A sample is the same each time, so that counts do not dance.
    pub(super) fn push(&self, sql: &mut Sql) {
        match self.source {
            Source::Rows => drop(sql.push("item i")),
            Source::Entries => covered::push(sql),
            Source::Sample(share) => {
                let (percent, rest) = (share / 1000, share % 1000);
                sql.push(&format!(
                    "item i TABLESAMPLE SYSTEM ({percent}.{rest:03}) REPEATABLE (1)"
                ));
            }
        }
        sql.push(" WHERE ");
        self.push_condition(sql);
    }
}

/// The selection for the facets that have no conditions of their own, and one set for each other facet.
pub(super) fn sets<'a>(
    resolved: &'a Resolved<'a>,
    without_own: &'a [Option<ItemFilter>],
) -> Vec<Set<'a>> {
    let (mut common, mut sets) = (Vec::new(), Vec::new());
    for (place, own) in without_own.iter().enumerate() {
        match own {
            Some(own) => sets.push(Set::new(resolved, resolved.filter.of(own), vec![place])),
            None => common.push(place),
        }
    }
    if !common.is_empty() {
        sets.insert(0, Set::new(resolved, resolved.filter.clone(), common));
    }
    sets
}
