//! What an item may be one and the same with, there already or to be.

use std::collections::BTreeMap;

use entity::{
    id::{CategoryId, ItemId},
    item_barcode,
};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{super::query, NEAR_FROM, NEAR_MAX, digits};
use crate::{
    barcode,
    error::{Code, Refusal, Refusals, Result},
    sql::Sql,
    text,
};

/// Most barcodes of one question.
const BARCODES_MAX: usize = 20;

/// An item to be, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Candidate {
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// Where it shall stand; without, only equal names are found.
    pub category_id: Option<CategoryId>,
    /// What scanners read.
    pub barcodes: Vec<String>,
}

/// An item that may be the same.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Likeness {
    /// Which item.
    pub item_id: ItemId,
    /// Whether it has one of the barcodes, in whatever form.
    pub barcode: bool,
    /// How much its name is alike, in percent; 100 when it is the same but for how it is written. None when it is not.
    pub name: Option<i32>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// The likeliest first: by barcode, then by name.
    pub found: Vec<Likeness>,
    /// Whether all names of the category were looked at.
    pub is_complete: bool,
}

/// What an item may be the same as, itself left out; none when there is no such item.
pub(in super::super) async fn of_item(
    db: &impl ConnectionTrait,
    id: ItemId,
) -> Result<Option<Duplicates>> {
    let Some(item) = query::find(db, id).await? else {
        return Ok(None);
    };
    let item = item.item;
    let barcodes: Vec<item_barcode::Model> = query::barcodes_of(db, &[id]).await?;
    let sought = Sought {
        names: item.name.0.into_values().collect(),
        barcodes: barcodes.into_iter().map(|row| row.barcode).collect(),
        category: Some(item.category_id),
        but: Some(id),
    };
    find(db, sought).await.map(Some)
}

/// What an item to be may be the same as.
pub(in super::super) async fn of_candidate(
    db: &impl ConnectionTrait,
    candidate: &Candidate,
) -> Result<Duplicates> {
    let Candidate {
        name,
        category_id,
        barcodes,
    } = candidate;
    if barcodes.len() > BARCODES_MAX {
        let refusal = Refusal::new(Code::TooMany, "barcodes");
        return Err(refusal.with("max", BARCODES_MAX).into());
    }
    let mut refusals = Refusals::default();
    let names = text::take_all(&mut refusals, text::name("name", name));
    let barcodes = barcodes.iter().enumerate();
    let barcodes = barcodes.map(|(index, code)| barcode::parse(&format!("barcodes.{index}"), code));
    let barcodes = refusals.take(barcodes.collect::<Result<Vec<_>, _>>());
    let sought = names.zip(barcodes).map(|(names, barcodes)| Sought {
        names: names.0.into_values().collect(),
        barcodes,
        category: *category_id,
        but: None,
    });
    find(db, refusals.into_result(sought)?).await
}

struct Sought {
    names: Vec<String>,
    barcodes: Vec<String>,
    category: Option<CategoryId>,
    but: Option<ItemId>,
}

#[derive(FromQueryResult)]
struct Row {
    item_id: Option<ItemId>,
    barcode: bool,
    name: Option<i32>,
    seen: i64,
}

/// One statement: equal names and barcodes by their indexes, and the names of one category each against those that are sought. A barcode
/// is taken by an item that is put away, too.
async fn find(db: &impl ConnectionTrait, sought: Sought) -> Result<Duplicates> {
    let Sought {
        names,
        barcodes,
        category,
        but,
    } = sought;
    let mut sql =
        Sql::new("WITH wanted AS MATERIALIZED (SELECT DISTINCT name_form(n) AS form FROM unnest(");
    sql.bind(names)
        .push("::text[]) n WHERE name_form(n) IS NOT NULL), codes AS MATERIALIZED (SELECT b AS code FROM unnest(")
        .bind(barcodes)
        .push("::text[]) b), beside AS MATERIALIZED (SELECT f.form, f.item_id FROM (SELECT id FROM item WHERE category_id = ")
        .bind(category)
        .push(" AND archived_at IS NULL ORDER BY id LIMIT ")
        .bind(NEAR_MAX + 1)
        .push(") i JOIN item_name_form f ON f.item_id = i.id ORDER BY i.id LIMIT ")
        .bind(NEAR_MAX + 1)
        .push("), like_names AS (
            (SELECT f.item_id, 100 AS alike FROM wanted w JOIN item_name_form f ON f.form = w.form LIMIT 100)
            UNION ALL
            (SELECT s.item_id, LEAST(floor(100 * similarity(s.form, w.form)), 99)::int AS alike FROM beside s JOIN wanted w
             ON s.form <> w.form AND similarity(s.form, w.form) >= ")
        .push(NEAR_FROM)
        .push(&format!(" AND {} = {}", digits("s.form"), digits("w.form")))
        .push(" ORDER BY alike DESC LIMIT 100)), like_codes AS (
            SELECT b.item_id FROM codes c JOIN item_barcode b ON gtin14(b.barcode) = gtin14(c.code)
            UNION ALL
            SELECT b.item_id FROM codes c JOIN item_barcode b ON b.barcode = c.code
        ), found AS (
            SELECT item_id, bool_or(barcode) AS barcode, max(alike) AS name
            FROM (SELECT item_id, false AS barcode, alike FROM like_names
                  UNION ALL SELECT item_id, true, NULL FROM like_codes) l
            WHERE item_id IS DISTINCT FROM ")
        .bind(but)
        .push(" GROUP BY item_id ORDER BY 2 DESC, 3 DESC NULLS LAST, 1 LIMIT 20)
        SELECT f.item_id, COALESCE(f.barcode, false) AS barcode, f.name, s.seen
        FROM (SELECT count(*) AS seen FROM beside) s LEFT JOIN found f ON true
        ORDER BY 2 DESC, 3 DESC NULLS LAST, 1");
    let rows = Row::find_by_statement(sql.build()).all(db).await?;
    let is_complete = rows.first().is_some_and(|row| row.seen <= NEAR_MAX);
    let found = rows.into_iter().filter_map(|row| {
        let Row {
            item_id,
            barcode,
            name,
            seen: _,
        } = row;
        Some(Likeness {
            item_id: item_id?,
            barcode,
            name,
        })
    });
    Ok(Duplicates {
        found: found.collect(),
        is_complete,
    })
}
