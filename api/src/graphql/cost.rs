//! What fields cost. The schema bounds the sum for one operation before anything is read.
//!
//! A field costs 1. A list costs what one of its rows costs, times the rows that it usually has; a page besides costs its statement. What
//! runs a statement of its own for each object that asks for it costs so much that hardly any list can hold it.

/// A statement that reads a page or counts rows.
pub const STATEMENT: usize = 20;
/// Counting facets, which reads many rows.
pub const FACETS: usize = 200;
/// A statement that cannot be shared by the rows of a list.
pub const OWN_STATEMENT: usize = 1_000;
/// Rows of a page when the client does not say.
const PAGE_DEFAULT: i32 = 20;
/// Points of time series that are as cheap as so many rows of a page.
const SERIES_POINTS: usize = 40;
/// Most rows of a page.
const PAGE_MAX: i32 = 100;
/// Most rows of a tree.
const TREE_MAX: i32 = 20_000;
/// Far above any limit, and far below where sums of it would overflow.
const UNPAYABLE: usize = 1 << 40;

/// Rows that cost so much each.
#[must_use]
pub fn rows(count: usize, row: usize) -> usize {
    count.saturating_mul(row).min(UNPAYABLE)
}

/// A page whose rows cost so much each.
#[must_use]
pub fn page(first: Option<i32>, last: Option<i32>, row: usize) -> usize {
    let asked = first.or(last).unwrap_or(PAGE_DEFAULT);
    STATEMENT + rows(within(asked, PAGE_MAX), row)
}

/// A whole tree: its rows come from one statement and are made to be many, so that they are a hundred times cheaper than those of a
/// page, unless there is something in them that cannot be shared. Reading them counts even if little is asked of each.
#[must_use]
pub fn tree(limit: Option<i32>, row: usize) -> usize {
    let count = within(limit.unwrap_or(TREE_MAX), TREE_MAX);
    if row >= OWN_STATEMENT {
        return rows(count, row);
    }
    STATEMENT + count / 20 + rows(count, row) / 100
}

/// Time series: at most so many points, which come from one statement, usually of few series.
#[must_use]
pub fn series(point: usize) -> usize {
    FACETS + rows(SERIES_POINTS, point)
}

fn within(count: i32, max: i32) -> usize {
    usize::try_from(count.clamp(1, max)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit that operators get by default.
    const LIMIT: usize = 5_000;

    #[test]
    fn a_page_costs_its_statement_and_its_rows() {
        assert_eq!(page(None, None, 3), 80);
        assert_eq!(page(Some(100), None, 3), 320);
        assert_eq!(page(None, Some(7), 3), 41);
        assert_eq!(page(Some(0), None, 3), 23);
        assert_eq!(page(Some(i32::MAX), None, 3), 320);
    }

    #[test]
    fn the_whole_tree_can_be_had_once() {
        let whole = tree(None, 12);
        assert!(whole <= LIMIT && 2 * whole > LIMIT, "{whole}");
        assert!(5 * tree(None, 1) > LIMIT);
        assert!(10 * tree(Some(1_000), 12) <= LIMIT);
    }

    #[test]
    fn no_list_can_have_a_statement_for_each_row() {
        assert!(tree(Some(6), OWN_STATEMENT + 3) > LIMIT);
        assert!(page(Some(6), None, OWN_STATEMENT + 3) > LIMIT);
    }

    #[test]
    fn nothing_becomes_cheap_by_being_too_much() {
        let mut deep = 1;
        for _ in 0..100 {
            deep = page(Some(100), None, deep) + tree(None, deep) + deep;
            assert!(deep > LIMIT / 10);
        }
        assert!(deep > LIMIT);
    }
}
