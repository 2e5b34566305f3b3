//! Pages of items, and how many there are.

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult};

use super::{
    order::{OrderTerm, Ordering},
    query::{COLUMNS, FROM, ITEM_COLUMNS, ItemWithImage},
    selection::{Expected, ItemSelection, Resolved},
    walk::{Walk, Way},
};
use crate::{
    error::{Error, Result},
    keyset::{Along, Gathered, List, Reading, Sieve},
    locale::Locale,
    page::{COUNT_EXACT_MAX, Page, PageArgs, TotalCount},
    reads::Reads,
    sql::Sql,
};

/// Up to this many items are ranked, and counted one by one.
const FEW: u64 = 10_000;

/// An item with its picture and, where items are ranked, how well it fits.
struct Ranked {
    row: ItemWithImage,
    score: Option<i32>,
}

impl FromQueryResult for Ranked {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            row: ItemWithImage::from_query_result(row, prefix)?,
            score: row.try_get(prefix, "score")?,
        })
    }
}

/// A page of a selection; in the order of relevance without another when words are looked for.
pub(super) async fn page(
    reads: &Reads,
    selection: &ItemSelection,
    terms: &[OrderTerm],
    locale: Locale,
    args: &PageArgs,
) -> Result<Page<ItemWithImage>> {
    let resolved = selection.resolve(reads).await?;
    if resolved.is_everything() {
        let asked = Asked::new(&resolved, Ordering::new(terms, locale, false));
        return Ok(items(asked.page(reads, Reading::Any, args).await?));
    }
    let anew = reads.planned_anew();
    let expected = resolved.expect(&anew).await?;
    let ordering = match &resolved.words {
        Some(_) => ranked(terms, locale, args, expected.rows <= FEW),
        None => Ordering::new(terms, locale, false),
    };
    Asked::new(&resolved, ordering)
        .filtered_page(&anew, expected, args)
        .await
        .map(items)
}

/// Few items are ranked, many are not. Whether they are was decided with the first page: its cursors tell.
fn ranked(terms: &[OrderTerm], locale: Locale, args: &PageArgs, is_few: bool) -> Ordering {
    let terms = if terms.is_empty() {
        &[OrderTerm::BY_RELEVANCE]
    } else {
        terms
    };
    let ranked = Ordering::new(terms, locale, true);
    let is_ranked = match args.after.as_ref().or(args.before.as_ref()) {
        Some(cursor) => ranked.order().parse_cursor("after", cursor).is_ok(),
        None => is_few,
    };
    if is_ranked {
        ranked
    } else {
        Ordering::new(terms, locale, false)
    }
}

fn items(page: Page<Ranked>) -> Page<ItemWithImage> {
    let Page {
        edges,
        has_next,
        has_previous,
    } = page;
    Page {
        edges: edges
            .into_iter()
            .map(|(cursor, ranked)| (cursor, ranked.row))
            .collect(),
        has_next,
        has_previous,
    }
}

/// Which items, in which order.
struct Asked<'a> {
    resolved: &'a Resolved<'a>,
    ordering: Ordering,
}

impl<'a> Asked<'a> {
    fn new(resolved: &'a Resolved<'a>, ordering: Ordering) -> Self {
        Self { resolved, ordering }
    }

    async fn filtered_page(
        &self,
        db: &Reads,
        expected: Expected,
        args: &PageArgs,
    ) -> Result<Page<Ranked>> {
        let columns = |sql: &mut Sql| self.push_columns(sql);
        let gathered = Gathered {
            columns: &columns,
            from: "item i",
            joined: "LEFT JOIN item_image p ON p.id = i.primary_image_id",
        };
        let stretch = |sql: &mut Sql| self.push_stretch(sql);
        let categories = |sql: &mut Sql| self.resolved.filter.push_categories(sql);
        let is_sieved = self.ordering.knows_category() && self.resolved.is_sieved_by_category();
        let way = Way {
            stretch: &stretch,
            sieve: is_sieved.then_some(&categories),
        };
        if let Some(walk) = self.walk(db, expected, way, args).await? {
            let sieve = |most| Sieve {
                columns: "i.category_id",
                filter: &categories,
                most,
            };
            let along = Reading::Along(Along {
                most: walk.most,
                stretch: &stretch,
                sieve: walk.reads.map(sieve),
                gathered: Gathered {
                    from: self.resolved.along(),
                    ..gathered
                },
            });
            if let Some(page) = self
                .list(along, async |list| list.full_page(db, args).await)
                .await?
            {
                return Ok(page);
            }
        }
        self.page(db, Reading::Gathered(gathered), args).await
    }

    async fn walk(
        &self,
        db: &Reads,
        expected: Expected,
        way: Way<'_>,
        args: &PageArgs,
    ) -> Result<Option<Walk>> {
        if self.ordering.by_relevance() {
            return Ok(None);
        }
        let rows = u64::from(args.window()?.size) + 1;
        Walk::worth(db, rows, expected, way).await
    }

    fn push_stretch(&self, sql: &mut Sql) {
        let price = self.resolved.filter.price();
        self.ordering.push_stretch(price, sql);
    }

    fn push_columns(&self, sql: &mut Sql) {
        sql.push(ITEM_COLUMNS);
        if self.resolved.words.is_some() {
            // Of rows along an order the words are asked afterwards.
            sql.push(", i.search");
        }
        match &self.resolved.words {
            Some(words) if self.ordering.by_relevance() => {
                sql.push(", ");
                words.push_score(sql);
                sql.push(" AS score");
            }
            _ => drop(sql.push(", NULL::int4 AS score")),
        }
    }

    async fn page(
        &self,
        db: &impl ConnectionTrait,
        reading: Reading<'_>,
        args: &PageArgs,
    ) -> Result<Page<Ranked>> {
        self.list(reading, async |list| list.page(db, args).await)
            .await
    }

    async fn list<T>(
        &self,
        reading: Reading<'_>,
        read: impl AsyncFnOnce(List<'_, Ranked>) -> Result<T>,
    ) -> Result<T> {
        let score = match reading {
            Reading::Any => "NULL::int4",
            Reading::Gathered(_) | Reading::Along(_) => "i.score",
        };
        read(List {
            columns: &format!("{score} AS score, {COLUMNS}"),
            from: FROM,
            order: self.ordering.order(),
            filter: &|sql| match reading {
                Reading::Gathered(_) => self.resolved.push(sql),
                Reading::Any | Reading::Along(_) => self.resolved.push_of_each(sql),
            },
            cursor: &|ranked: &Ranked| self.ordering.cursor(&ranked.row.item, ranked.score),
            reading,
        })
        .await
    }
}

/// Counts as far as counting is cheap; beyond, asks the planner. Of few items all are counted, for to expect a limit misleads the planner.
pub(super) async fn count(reads: &Reads, selection: &ItemSelection) -> Result<TotalCount> {
    let resolved = selection.resolve(reads).await?;
    let anew = reads.planned_anew();
    let is_few = !resolved.is_everything() && resolved.expect(&anew).await?.rows <= FEW;
    let most = Some(COUNT_EXACT_MAX + 1).filter(|_| !is_few);
    let count = counted(&anew, &resolved, most).await?;
    if is_few || count <= COUNT_EXACT_MAX {
        return Ok(TotalCount { count, exact: true });
    }
    Ok(TotalCount {
        count: resolved.expect_rows(&anew).await?.rows.max(COUNT_EXACT_MAX),
        exact: false,
    })
}

async fn counted(db: &Reads, resolved: &Resolved<'_>, most: Option<u64>) -> Result<u64> {
    let mut sql = Sql::new("SELECT count(*) FROM (SELECT FROM item i WHERE ");
    match most {
        Some(_) => resolved.push_of_each(&mut sql),
        None => resolved.push(&mut sql),
    }
    if let Some(most) = most {
        sql.push(" LIMIT ")
            .bind(i64::try_from(most).unwrap_or(i64::MAX));
    }
    sql.push(") counted");
    let row = db
        .query_one_raw(sql.build())
        .await?
        .ok_or_else(|| Error::internal("a count gave no row"))?;
    let count: i64 = row.try_get_by_index(0)?;
    Ok(u64::try_from(count).unwrap_or(0))
}
