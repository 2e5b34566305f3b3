//! Whether a page is come by along its order, or by gathering all that pass the filter.

use super::selection::Expected;
use crate::{error::Result, plan::Plan, reads::Reads, sql::Sql};

/// What is gathered at this cost is not worth another question: some milliseconds.
const CHEAP: u64 = 1000;
/// What PostgreSQL reckons for a hundred items that it reads over an index: a hundred pages at random, and the rest of its work.
const READ_COST: u64 = 120;
/// What a hundred entries of an index cost that are not read further, measured beside items that are (`docs/performance.md`).
const ENTRY_COST: u64 = 3;
/// Most items along an order that are read for a page, before all that pass the filter are gathered after all.
const READ_MAX: u64 = 20_000;
/// Most entries of an order's index that are looked at for a page. Where rows of the table have changed and it was not vacuumed since, an
/// entry costs as much as an item.
const ENTRIES_MAX: u64 = 100_000;

/// A walk along an order that promises a page for less than gathering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Walk {
    /// How many items, or entries of its index, are to be looked at along the order.
    pub(super) most: u64,
    /// How many of the entries, of those that pass the sieve, are to be read further; none without a sieve.
    pub(super) reads: Option<u64>,
}

/// What is known of the items along an order.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    /// Appends, after an `AND` each, where it begins and ends.
    pub(super) stretch: &'a (dyn Fn(&mut Sql) + Sync),
    /// Appends, after an `AND` each, what the index alone can tell of an item.
    pub(super) sieve: Option<&'a (dyn Fn(&mut Sql) + Sync)>,
}

/// How many items lie along an order, and how many of them pass the sieve.
#[derive(Clone, Copy)]
struct Lying {
    along: u64,
    sieved: Option<u64>,
}

impl Walk {
    /// The walk to so many rows, when it is worth it.
    pub(super) async fn worth(
        db: &Reads,
        rows: u64,
        expected: Expected,
        way: Way<'_>,
    ) -> Result<Option<Self>> {
        if expected.cost <= CHEAP {
            return Ok(None);
        }
        Ok(Self::over(rows, expected, way.lying(db).await?))
    }

    /// Were the rows spread evenly, a fourth of what is looked at would do. Items that are read count twice, so that in vain they cost about
    /// as much again as gathering.
    fn over(rows: u64, expected: Expected, lying: Lying) -> Option<Self> {
        let until = |lying: u64| rows.saturating_mul(lying) / expected.rows.max(1);
        let evenly = until(lying.along);
        let read = lying.sieved.map_or(evenly, until);
        let (entries, entries_max) = match lying.sieved {
            Some(_) => (evenly, ENTRIES_MAX),
            None => (0, READ_MAX),
        };
        let cost = hundredths(entries, ENTRY_COST) + hundredths(read, 2 * READ_COST);
        if cost > expected.cost || evenly > entries_max || read > READ_MAX {
            return None;
        }
        let more = |count: u64, max: u64| count.saturating_mul(4).saturating_add(1000).min(max);
        Some(Self {
            most: more(evenly, entries_max),
            reads: lying.sieved.map(|_| more(read, READ_MAX)),
        })
    }
}

fn hundredths(count: u64, cost: u64) -> u64 {
    count.saturating_mul(cost) / 100
}

impl Way<'_> {
    /// Asks PostgreSQL, once: the condition of the stretch is a node of its own below that of the sieve.
    async fn lying(&self, db: &Reads) -> Result<Lying> {
        let mut sql = Sql::default();
        if self.sieve.is_some() {
            sql.push("SELECT FROM (");
        }
        sql.push("SELECT i.category_id FROM item i WHERE true");
        (self.stretch)(&mut sql);
        let Some(sieve) = self.sieve else {
            let along = Plan::of(db, sql).await?.whole("Plan Rows");
            return Ok(Lying {
                along,
                sieved: None,
            });
        };
        sql.push(" OFFSET 0) i WHERE true");
        sieve(&mut sql);
        let plan = Plan::of(db, sql).await?;
        let along = plan.below().map_or(0, |stretch| stretch.whole("Plan Rows"));
        Ok(Lying {
            along,
            sieved: Some(plan.whole("Plan Rows")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Expected = Expected {
        rows: 2000,
        cost: 6000,
        by_attributes: true,
    };

    #[test]
    fn what_is_read_one_by_one_must_be_near() {
        let lying = |along| Lying {
            along,
            sieved: None,
        };
        let walk = Walk::over(20, ALL, lying(100_000));
        assert_eq!(walk.map(|walk| walk.most), Some(5000));
        assert_eq!(Walk::over(20, ALL, lying(1_000_000)), None);
    }

    #[test]
    fn entries_that_a_sieve_holds_back_cost_little() {
        let lying = |along, sieved| Lying {
            along,
            sieved: Some(sieved),
        };
        let walk = Walk::over(20, ALL, lying(1_000_000, 70_000));
        assert_eq!(
            walk,
            Some(Walk {
                most: 41_000,
                reads: Some(3800)
            })
        );
        assert_eq!(Walk::over(20, ALL, lying(1_000_000, 900_000)), None);
        assert_eq!(Walk::over(20, ALL, lying(30_000_000, 70_000)), None);
    }

    #[test]
    fn what_is_too_far_away_is_not_walked_to() {
        let dear = Expected {
            rows: 30,
            cost: 1_000_000,
            by_attributes: true,
        };
        let lying = |along, sieved| Lying { along, sieved };
        assert_eq!(Walk::over(21, dear, lying(1_000_000, Some(100))), None);
        assert_eq!(Walk::over(21, dear, lying(100_000, Some(90_000))), None);
        assert_eq!(Walk::over(21, dear, lying(100_000, None)), None);
    }
}
