//! Reads of counts.

use std::collections::HashMap;

use entity::{
    id::{LocationId, StockCountId},
    stock_count::{Model as StockCount, State},
    stock_count_line::Model as StockCountLine,
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult};

use super::{CountFilter, LineFilter, NewCount};
use crate::{
    error::{Code, Error, Refusal, Refusals, Result},
    keyset::{Column, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// How far a count has got.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct CountProgress {
    /// Which count.
    pub count_id: StockCountId,
    /// How many places it is about.
    pub locations: i64,
    /// At how many of them something was scanned.
    pub locations_scanned: i64,
    /// How many things it has found or missed at some place.
    pub lines: i64,
    /// How many scans there were, in all rounds.
    pub scans: i64,
    /// At how many lines something other was found than should be there; none as long as that is not shown.
    pub differing: Option<i64>,
    /// At how many of them by more than the tolerance; none as long as that is not shown.
    pub to_recount: Option<i64>,
}

/// A place that is being counted.
#[derive(FromQueryResult)]
pub(super) struct Taken {
    pub(super) location: String,
    /// Of the count that has it.
    pub(super) number: i64,
}

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[StockCountId],
) -> Result<Vec<StockCount>> {
    let sql = "SELECT * FROM stock_count WHERE id = ANY($1)";
    let found = StockCount::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(found.all(db).await?)
}

/// For a step: whoever scans waits for it, and it for them.
pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: StockCountId,
) -> Result<Option<StockCount>> {
    let sql = "SELECT * FROM stock_count WHERE id = $1 FOR NO KEY UPDATE";
    let found = StockCount::find_by_statement(statement(sql, [id.into()]));
    Ok(found.one(tx).await?)
}

/// For scans, of which many are added at once.
pub(super) async fn share_in_tx(
    tx: &DatabaseTransaction,
    id: StockCountId,
) -> Result<Option<StockCount>> {
    let sql = "SELECT * FROM stock_count WHERE id = $1 FOR SHARE";
    let found = StockCount::find_by_statement(statement(sql, [id.into()]));
    Ok(found.one(tx).await?)
}

/// The location and the category are there. Whether stock is kept there the database finds out.
pub(super) async fn refuse_unknown_in_tx(tx: &DatabaseTransaction, new: &NewCount) -> Result<()> {
    let mut refusals = Refusals::default();
    let sql = "SELECT archived_at IS NOT NULL FROM location WHERE id = $1";
    let location = statement(sql, [new.location_id.into()]);
    match tx.query_one_raw(location).await? {
        None => refusals.push(Refusal::new(Code::NotFound, "locationId")),
        Some(row) if row.try_get_by_index(0)? => {
            refusals.push(Refusal::new(Code::Archived, "locationId"));
        }
        Some(_) => {}
    }
    if let Some(id) = new.category_id {
        let sql = "SELECT 1 FROM category WHERE id = $1";
        if tx
            .query_one_raw(statement(sql, [id.into()]))
            .await?
            .is_none()
        {
            refusals.push(Refusal::new(Code::NotFound, "categoryId"));
        }
    }
    refusals.into_result(Some(()))
}

/// Which place below this one is being counted, and in which count.
pub(super) async fn taken(db: &impl ConnectionTrait, location: LocationId) -> Result<Taken> {
    let sql = "SELECT l.code AS location, c.number
               FROM location w
               JOIN location l ON l.path <@ w.path
               JOIN stock_count_location o ON o.location_id = l.id AND o.is_open
               JOIN stock_count c ON c.id = o.count_id
               WHERE w.id = $1 ORDER BY l.path LIMIT 1";
    let taken = Taken::find_by_statement(statement(sql, [location.into()]));
    let taken = taken.one(db).await?;
    taken.ok_or_else(|| {
        Error::Unavailable("the count of that place has just ended: try again".into())
    })
}

/// Lines where something other was found than should be there.
pub(super) async fn differing_in_tx(
    tx: &DatabaseTransaction,
    id: StockCountId,
) -> Result<Vec<StockCountLine>> {
    let sql = "SELECT * FROM stock_count_line
               WHERE count_id = $1 AND is_current AND (variance <> 0 OR weight_variance <> 0) ORDER BY number";
    let lines = StockCountLine::find_by_statement(statement(sql, [id.into()]));
    Ok(lines.all(tx).await?)
}

/// One statement for all of them.
pub(super) async fn progress_of(
    db: &impl ConnectionTrait,
    ids: &[StockCountId],
) -> Result<Vec<CountProgress>> {
    let sql = "SELECT c.id AS count_id, p.locations, l.locations_scanned, l.lines, l.scans,
                      CASE WHEN c.state <> 'open' OR NOT c.is_blind THEN l.differing END AS differing,
                      CASE WHEN c.state <> 'open' OR NOT c.is_blind THEN l.to_recount END AS to_recount
               FROM stock_count c
               CROSS JOIN LATERAL (SELECT count(*) AS locations FROM stock_count_location WHERE count_id = c.id) p
               CROSS JOIN LATERAL (
                   SELECT count(DISTINCT location_id) FILTER (WHERE scans > 0) AS locations_scanned, count(*) FILTER (WHERE is_current) AS lines,
                          COALESCE(sum(scans), 0)::bigint AS scans,
                          count(*) FILTER (WHERE is_current AND (variance <> 0 OR weight_variance <> 0)) AS differing,
                          count(*) FILTER (WHERE is_current AND needs_recount) AS to_recount
                   FROM stock_count_line WHERE count_id = c.id
               ) l
               WHERE c.id = ANY($1)";
    let found = CountProgress::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(found.all(db).await?)
}

const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};
const NUMBER: Column = Column {
    sql: "number",
    cast: "int8",
};

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &CountFilter,
    args: &PageArgs,
) -> Result<Page<StockCount>> {
    let list = List {
        columns: "*",
        from: "stock_count",
        order: Order::newest_first(ID),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|count: &StockCount| Cursor(vec![count.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &CountFilter) {
    let CountFilter {
        states,
        location_id,
    } = filter;
    sql.push("true");
    if let Some(states) = states {
        let states: Vec<_> = states.iter().map(|state| state.to_value()).collect();
        sql.push(" AND state = ANY(").bind(states).push("::text[])");
    }
    if let Some(id) = location_id {
        sql.push(" AND location_id = ").bind(*id);
    }
}

/// A page of lines, with no more of what should be there than may be seen.
pub(super) async fn lines(
    db: &impl ConnectionTrait,
    id: StockCountId,
    filter: &LineFilter,
    args: &PageArgs,
) -> Result<Page<StockCountLine>> {
    let Some(count) = by_ids(db, &[id]).await?.pop() else {
        return Ok(Page::default());
    };
    let is_open = count.state == State::Open;
    let is_hidden = is_open && count.is_blind;
    let list = List {
        columns: "*",
        from: "stock_count_line",
        order: Order::new(Vec::<Term>::new(), NUMBER),
        filter: &|sql| push_line_filter(sql, id, filter, is_hidden),
        cursor: &|line: &StockCountLine| Cursor(vec![line.number.to_string()]),
        reading: Reading::Any,
    };
    let mut page = list.page(db, args).await?;
    let mut lines: Vec<_> = page.edges.iter_mut().map(|(_, line)| line).collect();
    if is_hidden {
        lines.iter_mut().for_each(|line| hide(line));
    } else if is_open {
        expect_so_far(db, &mut lines).await?;
    }
    Ok(page)
}

fn hide(line: &mut StockCountLine) {
    line.expected = None;
    line.expected_weight = None;
    line.variance = None;
    line.weight_variance = None;
    line.needs_recount = None;
}

#[derive(FromQueryResult)]
struct Expected {
    number: i64,
    quantity: Decimal,
    weight: Decimal,
}

/// What should have been there at the last scan, of lines that are still being counted.
async fn expect_so_far(db: &impl ConnectionTrait, lines: &mut [&mut StockCountLine]) -> Result<()> {
    let open = lines.iter().filter(|line| line.settled_at.is_none());
    let numbers: Vec<_> = open.map(|line| line.number).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let sql = "SELECT l.number, e.quantity, e.weight
               FROM stock_count_line l CROSS JOIN LATERAL stock_count_expected(l.item_id, l.lot_id, l.location_id, l.last_scan_at) e
               WHERE l.number = ANY($1)";
    let found = Expected::find_by_statement(statement(sql, [numbers.into()]));
    let found = found.all(db).await?.into_iter();
    let found: HashMap<_, _> = found.map(|row| (row.number, row)).collect();
    for line in lines {
        if let Some(expected) = found.get(&line.number) {
            line.expected = Some(expected.quantity);
            line.expected_weight = Some(expected.weight);
        }
    }
    Ok(())
}

fn push_line_filter(sql: &mut Sql, id: StockCountId, filter: &LineFilter, is_hidden: bool) {
    let LineFilter {
        differs,
        needs_recount,
        location_id,
        round,
    } = *filter;
    sql.push("count_id = ").bind(id);
    match round {
        Some(round) => sql.push(" AND round = ").bind(round),
        None => sql.push(" AND is_current"),
    };
    if is_hidden && (differs.is_some() || needs_recount.is_some()) {
        sql.push(" AND false");
    }
    match differs {
        Some(true) => sql.push(" AND (variance <> 0 OR weight_variance <> 0)"),
        Some(false) => sql.push(" AND variance = 0 AND weight_variance = 0"),
        None => sql,
    };
    match needs_recount {
        Some(true) => sql.push(" AND needs_recount"),
        Some(false) => sql.push(" AND NOT needs_recount"),
        None => sql,
    };
    if let Some(id) = location_id {
        sql.push(" AND location_id = ").bind(id);
    }
}
