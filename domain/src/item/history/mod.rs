//! What has become of items: read from the trail, newest first.

mod difference;

use chrono::{DateTime, Utc};
use entity::id::{ItemId, UserId};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::Value;

pub use difference::FieldChange;

use crate::{
    error::{Refusal, Result},
    keyset::{Column, Cursor, Order},
    page::{Page, PageArgs},
    sql::{statement, uuids},
};

/// Which part of which item's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HistoryOf {
    /// Whose history.
    pub item: ItemId,
    /// At most this many changes.
    size: u32,
    /// Only changes before this one.
    before: Option<i64>,
}

impl HistoryOf {
    /// The newest changes of an item, or those behind a cursor.
    ///
    /// # Errors
    /// When the number is out of range, or the cursor is none.
    pub fn parse(item: ItemId, first: Option<i32>, after: Option<String>) -> Result<Self, Refusal> {
        let args = PageArgs {
            first,
            after,
            ..PageArgs::default()
        };
        let cursor = args.after.as_deref();
        let cursor = cursor.map(|text| order().parse_cursor("after", text));
        let number = cursor.transpose()?.and_then(|cursor| {
            let number = cursor.0.first()?;
            number.parse().ok()
        });
        Ok(Self {
            item,
            size: args.window()?.size,
            before: number,
        })
    }
}

fn order() -> Order {
    Order::newest_first(Column {
        sql: "a.number",
        cast: "int8",
    })
}

/// One change of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemChanged {
    /// When.
    pub at: DateTime<Utc>,
    /// The user who did it; none when goldshop did it itself.
    pub actor_id: Option<UserId>,
    /// The name of who did it, at that time.
    pub actor_name: String,
    /// The request that it was part of.
    pub request_id: Option<String>,
    /// What was done, such as `item.update`.
    pub action: String,
    /// What is different since.
    pub fields: Vec<FieldChange>,
}

#[derive(FromQueryResult)]
struct Row {
    place: i64,
    number: i64,
    at: DateTime<Utc>,
    actor_id: Option<UserId>,
    actor_name: String,
    request_id: Option<String>,
    action: String,
    before: Option<Value>,
    after: Option<Value>,
}

/// Rows that were written before amounts were kept as texts have them as numbers, which would be rounded here.
const SQL: &str = "SELECT k.place, a.number, a.at, a.actor_id, a.actor_name, a.request_id, a.action,
        a.before || jsonb_build_object('price_amount', a.before->>'price_amount') AS before,
        a.after || jsonb_build_object('price_amount', a.after->>'price_amount') AS after
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS k (item, before, most, place)
    CROSS JOIN LATERAL (
        SELECT * FROM audit
        WHERE aggregate_type = 'item' AND aggregate_id = k.item AND number < k.before
        ORDER BY number DESC LIMIT k.most
    ) a
    ORDER BY k.place, a.number DESC";

/// These parts, in their order, by one statement.
pub(super) async fn pages(
    db: &impl ConnectionTrait,
    parts: &[HistoryOf],
) -> Result<Vec<Page<ItemChanged>>> {
    let items: Vec<_> = parts.iter().map(|part| part.item).collect();
    let before = parts.iter().map(|part| part.before.unwrap_or(i64::MAX));
    // One more than asked for tells whether the list goes on.
    let most = parts.iter().map(|part| i64::from(part.size) + 1);
    let values = [
        uuids(&items),
        before.collect::<Vec<_>>().into(),
        most.collect::<Vec<_>>().into(),
    ];
    let rows = Row::find_by_statement(statement(SQL, values))
        .all(db)
        .await?;
    let mut pages: Vec<_> = parts.iter().map(|part| empty(*part)).collect();
    for row in rows {
        let place = usize::try_from(row.place - 1).unwrap_or(usize::MAX);
        if let (Some(page), Some(part)) = (pages.get_mut(place), parts.get(place)) {
            add(page, row, *part);
        }
    }
    Ok(pages)
}

/// Nothing is ever taken out of the trail: what a cursor points to is still in front of what is behind it.
fn empty(part: HistoryOf) -> Page<ItemChanged> {
    Page {
        edges: Vec::new(),
        has_next: false,
        has_previous: part.before.is_some(),
    }
}

fn add(page: &mut Page<ItemChanged>, row: Row, part: HistoryOf) {
    if page.edges.len() >= usize::try_from(part.size).unwrap_or(usize::MAX) {
        page.has_next = true;
        return;
    }
    let Row {
        place: _,
        number,
        at,
        actor_id,
        actor_name,
        request_id,
        action,
        before,
        after,
    } = row;
    let changed = ItemChanged {
        at,
        actor_id,
        actor_name,
        request_id,
        action,
        fields: difference::between(before.as_ref(), after.as_ref()),
    };
    let cursor = Cursor(vec![number.to_string()]);
    page.edges.push((cursor.encode(), changed));
}
