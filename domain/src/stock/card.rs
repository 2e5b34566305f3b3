//! The stock card of an item: each movement with what was there after it. And what was there at a moment of the past.
//!
//! What is there now is known; what was there before is that without what moved since, of which whole weeks are kept (`week.rs`), but not of
//! lots. So the newest pages are the cheapest, and none reads further back than it shows.

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, LocationId, LotId},
    stock_movement::Model as StockMovement,
};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult};

use crate::{
    error::Result,
    keyset::{Column, Cursor, Order, Term},
    page::{Page, PageArgs},
    sql::Sql,
};

/// Whose card it is.
#[derive(Clone, Copy, Debug)]
pub struct CardOf {
    /// Of which item.
    pub item_id: ItemId,
    /// At which location only; in the whole shop without, where what is carried about inside does not count.
    pub location_id: Option<LocationId>,
    /// Of which lot only.
    pub lot_id: Option<LotId>,
    /// What happened before then only.
    pub until: Option<DateTime<Utc>>,
}

/// A movement, how much it changed, and what was there after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardLine {
    /// The movement.
    pub movement: StockMovement,
    /// How many more there were, or fewer when negative.
    pub change: Decimal,
    /// How many grams more there were, or fewer when negative.
    pub weight_change: Decimal,
    /// How many there were then.
    pub balance: Decimal,
    /// What they weighed then, in grams.
    pub weight_balance: Decimal,
}

impl FromQueryResult for CardLine {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            movement: StockMovement::from_query_result(row, prefix)?,
            change: row.try_get(prefix, "change")?,
            weight_change: row.try_get(prefix, "weight_change")?,
            balance: row.try_get(prefix, "balance")?,
            weight_balance: row.try_get(prefix, "weight_balance")?,
        })
    }
}

/// What happened last comes first.
fn order() -> Order {
    let effective_at = Term {
        column: Column {
            sql: "effective_at",
            cast: "timestamptz",
        },
        descending: true,
    };
    let number = Column {
        sql: "number",
        cast: "int8",
    };
    Order::new(vec![effective_at], number)
}

/// A page of the card, in one statement: it sees one moment. Pages go forward, into the past.
pub(super) async fn page(
    db: &impl ConnectionTrait,
    of: &CardOf,
    args: &PageArgs,
) -> Result<Page<CardLine>> {
    let window = args.window()?;
    let after = args.after.as_deref();
    let after = after
        .map(|text| order().parse_cursor("after", text))
        .transpose()?;
    // Found by the index alone, for most movements of an item are elsewhere; then only those of the page are read.
    let mut sql = Sql::new("WITH found AS MATERIALIZED (SELECT m.effective_at, m.number, ");
    push_change(&mut sql, of, "quantity");
    sql.push(" AS change, ");
    push_change(&mut sql, of, "weight");
    sql.push(" AS weight_change FROM stock_movement m WHERE ");
    push_scope(&mut sql, of);
    if let Some(until) = of.until {
        sql.push(" AND effective_at < ").bind(until);
    }
    if let Some(after) = &after {
        sql.push(" AND ");
        order().push_beyond(&mut sql, after, false);
    }
    order().push_order_by(&mut sql, false);
    sql.push(" LIMIT ").bind(i64::from(window.size) + 1);
    sql.push("), line AS (SELECT m.*, f.change, f.weight_change FROM found f CROSS JOIN LATERAL (SELECT * FROM stock_movement m WHERE m.item_id = ")
        .bind(of.item_id)
        .push(" AND m.effective_at = f.effective_at AND m.number = f.number OFFSET 0) m");
    sql.push("), newest AS (SELECT effective_at, number FROM found ORDER BY effective_at DESC, number DESC LIMIT 1), since AS (");
    push_since(&mut sql, of);
    sql.push("), present AS (");
    push_present(&mut sql, of);
    sql.push(
        ") SELECT line.*, p.on_hand - s.quantity - COALESCE(sum(line.change) OVER earlier, 0) AS balance,
                  p.weight - s.weight - COALESCE(sum(line.weight_change) OVER earlier, 0) AS weight_balance
           FROM line CROSS JOIN since s CROSS JOIN present p
           WINDOW earlier AS (ORDER BY line.effective_at DESC, line.number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
           ORDER BY line.effective_at DESC, line.number DESC",
    );
    let mut lines = CardLine::find_by_statement(sql.build()).all(db).await?;
    let has_next = lines.len() > window.rows();
    lines.truncate(window.rows());
    let edges = lines.into_iter().map(|line| {
        let movement = &line.movement;
        let cursor = Cursor(vec![
            movement.effective_at.to_rfc3339(),
            movement.number.to_string(),
        ]);
        (cursor.encode(), line)
    });
    Ok(Page {
        edges: edges.collect(),
        has_next,
        has_previous: after.is_some(),
    })
}

/// That of a movement which changes what the card is about.
fn push_change(sql: &mut Sql, of: &CardOf, column: &str) {
    sql.push("CASE WHEN ");
    match of.location_id {
        Some(id) => sql.push("m.to_location_id = ").bind(id),
        None => sql.push("m.to_location_id IN (SELECT id FROM location WHERE keeps_stock)"),
    };
    sql.push(" THEN m.")
        .push(column)
        .push(" ELSE -m.")
        .push(column)
        .push(" END");
}

fn push_scope(sql: &mut Sql, of: &CardOf) {
    sql.push("m.item_id = ").bind(of.item_id);
    if let Some(lot) = of.lot_id {
        sql.push(" AND m.lot_id = ").bind(lot);
    }
    match of.location_id {
        Some(id) => {
            sql.push(" AND ")
                .bind(id)
                .push(" IN (m.from_location_id, m.to_location_id)");
        }
        None => {
            sql.push(" AND (m.to_location_id IN (SELECT id FROM location WHERE keeps_stock)) <> (m.from_location_id IN (SELECT id FROM location WHERE keeps_stock))");
        }
    }
}

/// What the newest line of the page is followed by.
fn push_since(sql: &mut Sql, of: &CardOf) {
    if of.lot_id.is_some() {
        sql.push("SELECT COALESCE(sum(");
        push_change(sql, of, "quantity");
        sql.push("), 0) AS quantity, COALESCE(sum(");
        push_change(sql, of, "weight");
        sql.push("), 0) AS weight FROM stock_movement m WHERE ");
        push_scope(sql, of);
        sql.push(" AND (m.effective_at, m.number) > (SELECT effective_at, number FROM newest)");
        return;
    }
    sql.push("SELECT COALESCE(sum(c.quantity), 0) AS quantity, COALESCE(sum(c.weight), 0) AS weight FROM newest n CROSS JOIN stock_changes_since(")
        .bind(of.item_id)
        .push(", n.effective_at, n.number) c WHERE ");
    match of.location_id {
        Some(id) => sql.push("c.place = ").bind(id),
        None => sql.push("c.place IN (SELECT id FROM location WHERE keeps_stock)"),
    };
}

fn push_present(sql: &mut Sql, of: &CardOf) {
    sql.push(
        "SELECT COALESCE(sum(on_hand), 0) AS on_hand, COALESCE(sum(weight), 0) AS weight FROM ",
    )
    .push(match of.lot_id {
        Some(_) => "stock_lot_level",
        None => "stock_level",
    });
    sql.push(" WHERE item_id = ").bind(of.item_id);
    if let Some(lot) = of.lot_id {
        sql.push(" AND lot_id = ").bind(lot);
    }
    if let Some(id) = of.location_id {
        sql.push(" AND location_id = ").bind(id);
    }
}
