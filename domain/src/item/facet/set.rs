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

/// Of more items than these only some are looked at. A sample reads the same part of all items there are, so that of fewer it would cost more
/// than to count them.
const COUNTED_MAX: u64 = 80_000;
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
    /// The selection itself, where it is told from this set by a mark on each item, instead of being read once more.
    pub(super) selected: Option<Selected<'a>>,
    /// Which part of all items is looked at, in hundred-thousandths.
    share: u64,
}

/// The part of a set that passes the conditions that a facet of its own is counted without.
pub(super) struct Selected<'a> {
    filter: ResolvedFilter<'a>,
    words: Option<&'a Words>,
    /// By their places in the request.
    pub(super) facets: Vec<usize>,
}

impl Selected<'_> {
    /// Appends the condition.
    pub(super) fn push(&self, sql: &mut Sql) {
        push_condition(sql, &self.filter, self.words);
    }
}

fn push_condition(sql: &mut Sql, filter: &ResolvedFilter<'_>, words: Option<&Words>) {
    filter.push(sql);
    if let Some(words) = words {
        sql.push(" AND ");
        words.push(sql);
    }
}

impl Set<'_> {
    /// All facets that are counted over it or a part of it.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        let selected = self.selected.iter().flat_map(|it| &it.facets);
        self.facets.iter().chain(selected).copied()
    }

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
        push_condition(sql, &self.filter, self.words);
    }
}

/// The selection for the facets that have no conditions of their own, and one set for each other facet. Where there is one such facet alone,
/// the selection is a part of what it is counted over, and if it is most of that, both are read at once.
pub(super) async fn sets<'a>(
    db: &Reads,
    resolved: &'a Resolved<'a>,
    without_own: &'a [Option<ItemFilter>],
) -> Result<Vec<Set<'a>>> {
    let set = |filter, facets| Set {
        filter,
        words: resolved.words.as_ref(),
        facets,
        selected: None,
        share: WHOLE,
    };
    let common = without_own.iter().enumerate();
    let common: Vec<_> = common
        .filter_map(|(place, own)| own.is_none().then_some(place))
        .collect();
    let mut sets = Vec::new();
    let facets = common.len() as u64;
    if facets > 0 {
        sets.push(set(resolved.filter.clone(), common));
    }
    for (place, own) in without_own.iter().enumerate() {
        if let Some(own) = own {
            sets.push(set(resolved.filter.of(own), vec![place]));
        }
    }
    let mut expected = Vec::with_capacity(sets.len());
    for set in &mut sets {
        let all = expect(db, |sql| push_condition(sql, &set.filter, set.words)).await?;
        if all.rows > COUNTED_MAX {
            set.share = (SAMPLED * WHOLE / all.rows).max(1);
        }
        if !set.is_whole() || !all.by_attributes {
            set.filter = set.filter.of_rows();
        }
        expected.push(all.rows);
    }
    let is_most = match expected[..] {
        [selected, all] if facets > 0 => is_cheaper_at_once(selected, all, facets),
        _ => false,
    };
    if is_most && sets.iter().all(Set::is_whole) && is_of_rows_alone(&sets[0]) {
        sets = at_once(sets);
    }
    Ok(sets)
}

/// To read an item once more costs as much as to compute and group four values of one that is not selected (`docs/performance.md`).
fn is_cheaper_at_once(selected: u64, all: u64, facets: u64) -> bool {
    selected.saturating_mul(4) >= all.saturating_sub(selected).saturating_mul(facets + 1)
}

/// Whether the condition looks at the item's own row alone. As a mark, what looks at other rows could be executed once for each item: there
/// PostgreSQL joins nothing.
fn is_of_rows_alone(set: &Set<'_>) -> bool {
    let mut sql = Sql::new("");
    push_condition(&mut sql, &set.filter, set.words);
    !sql.build().sql.contains("SELECT")
}

/// The selection as a part of the one other set.
fn at_once(sets: Vec<Set<'_>>) -> Vec<Set<'_>> {
    let mut sets = sets.into_iter();
    let (Some(selection), Some(mut all)) = (sets.next(), sets.next()) else {
        return Vec::new();
    };
    all.selected = Some(Selected {
        filter: selection.filter.of_rows(),
        words: selection.words,
        facets: selection.facets,
    });
    vec![all]
}
