//! Groups of items that may be one and the same.

use entity::id::{CategoryId, ItemId};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{NEAR_FROM, NEAR_MAX, digits};
use crate::{
    error::{Code, Error, Refusal, Result},
    keyset::{Column, Cursor, Order},
    page::{Page, PageArgs},
    sql::{Sql, statement},
};

/// What items of a group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alike {
    /// A name, but for how it is written.
    Name,
    /// A GTIN, in whatever form.
    Barcode,
    /// Nearly a name.
    NearName,
}

/// Items that may be one and the same.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct DuplicateGroup {
    /// What they have in common: the GTIN with 14 digits, or the first of the names in the form in which names are compared.
    pub form: String,
    /// How many there are.
    pub count: i64,
    /// The oldest of them, at most 20.
    pub items: Vec<uuid::Uuid>,
}

impl DuplicateGroup {
    /// The items that are told one by one.
    pub fn ids(&self) -> impl Iterator<Item = ItemId> + '_ {
        self.items.iter().copied().map(ItemId)
    }
}

fn order() -> Order {
    Order::new(
        Vec::new(),
        Column {
            sql: "g.form",
            cast: "text",
        },
    )
}

/// A page of groups, forwards in the order of what they have in common.
pub(in super::super) async fn page(
    db: &impl ConnectionTrait,
    alike: Alike,
    category: Option<CategoryId>,
    args: &PageArgs,
) -> Result<Page<DuplicateGroup>> {
    let size = usize::try_from(args.window()?.size).unwrap_or(usize::MAX);
    let after = args.after.as_deref();
    let after = after.map(|text| order().parse_cursor("after", text));
    let after = after
        .transpose()?
        .and_then(|cursor| cursor.0.into_iter().next());
    let mut sql = match (alike, category) {
        (Alike::Name, category) => named(after.as_deref(), category),
        (Alike::Barcode, category) => coded(after.as_deref(), category),
        (Alike::NearName, Some(category)) => {
            check_size(db, category).await?;
            nearly_named(after.as_deref(), category)
        }
        (Alike::NearName, None) => {
            return Err(Refusal::new(Code::Required, "categoryId").into());
        }
    };
    sql.push(" ORDER BY g.form LIMIT ")
        .bind(i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1));
    let mut groups = DuplicateGroup::find_by_statement(sql.build())
        .all(db)
        .await?;
    let has_next = groups.len() > size;
    groups.truncate(size);
    let edges = groups.into_iter();
    let edges = edges.map(|group| (Cursor(vec![group.form.clone()]).encode(), group));
    Ok(Page {
        edges: edges.collect(),
        has_next,
        has_previous: after.is_some(),
    })
}

const SHOWN: &str = "count(*) AS count, (array_agg(m.id ORDER BY m.id))[1:20] AS items";

/// Along the index of all names: PostgreSQL stops when it has found as many groups as are wanted. Those of a category by its items.
fn named(after: Option<&str>, category: Option<CategoryId>) -> Sql {
    let mut sql =
        Sql::new("SELECT g.form, u.count, u.items FROM (SELECT f.form FROM item_name_form f");
    let in_category = |sql: &mut Sql| {
        match category {
            Some(category) => sql
                .push(" JOIN item i ON i.id = f.item_id WHERE i.category_id = ")
                .bind(category),
            None => sql.push(" WHERE true"),
        };
    };
    in_category(&mut sql);
    if let Some(after) = after {
        sql.push(" AND f.form > ").bind(after);
    }
    sql.push(" GROUP BY f.form HAVING count(*) > 1) g CROSS JOIN LATERAL (SELECT ")
        .push(SHOWN)
        .push(" FROM (SELECT f.item_id AS id FROM item_name_form f");
    in_category(&mut sql);
    sql.push(" AND f.form = g.form) m) u WHERE true");
    sql
}

/// Along the index of all GTINs. One item may have the same in two forms, or be put away.
fn coded(after: Option<&str>, category: Option<CategoryId>) -> Sql {
    let mut sql = Sql::new(
        "SELECT g.form, u.count, u.items FROM (SELECT gtin14(barcode) AS form FROM item_barcode WHERE gtin14(barcode) IS NOT NULL",
    );
    if let Some(after) = after {
        sql.push(" AND gtin14(barcode) > ").bind(after);
    }
    sql.push(" GROUP BY gtin14(barcode) HAVING count(*) > 1) g CROSS JOIN LATERAL (SELECT ")
        .push(SHOWN)
        .push(
            " FROM (SELECT DISTINCT i.id FROM item_barcode b JOIN item i ON i.id = b.item_id
              WHERE gtin14(b.barcode) = g.form AND i.archived_at IS NULL",
        );
    if let Some(category) = category {
        sql.push(" AND i.category_id = ").bind(category);
    }
    sql.push(") m) u WHERE u.count > 1");
    sql
}

/// Sorted, a name stands next to what it is nearly. So each is compared with the one in front of it alone, of those with the same digits:
/// that takes as long as there are names, and misses those that begin differently.
fn nearly_named(after: Option<&str>, category: CategoryId) -> Sql {
    let mut sql = Sql::new(
        "SELECT g.form, g.count, g.items FROM (
            SELECT min(r.form) AS form, count(DISTINCT r.item_id) AS count,
                   (array_agg(DISTINCT r.item_id ORDER BY r.item_id))[1:20] AS items
            FROM (SELECT n.form, n.item_id, n.digits, sum(n.first) OVER (PARTITION BY n.digits ORDER BY n.form, n.item_id) AS run
                FROM (SELECT f.form, f.item_id, f.digits,
                          CASE WHEN similarity(f.form, lag(f.form) OVER (PARTITION BY f.digits ORDER BY f.form, f.item_id)) >= ",
    );
    sql.push(NEAR_FROM)
        .push(" THEN 0 ELSE 1 END AS first FROM (SELECT f.form, f.item_id, ")
        .push(&digits("f.form"))
        .push(" AS digits FROM item_name_form f JOIN item i ON i.id = f.item_id WHERE i.category_id = ")
        .bind(category)
        .push(
            ") f) n) r GROUP BY r.digits, r.run
            HAVING count(DISTINCT r.form) > 1 AND count(DISTINCT r.item_id) > 1) g WHERE true",
        );
    if let Some(after) = after {
        sql.push(" AND g.form > ").bind(after);
    }
    sql
}

async fn check_size(db: &impl ConnectionTrait, category: CategoryId) -> Result<()> {
    let sql = "SELECT count(*) FROM (
                   SELECT FROM item_name_form f JOIN item i ON i.id = f.item_id WHERE i.category_id = $1 LIMIT $2) n";
    let values = [category.into(), (NEAR_MAX + 1).into()];
    let row = db.query_one_raw(statement(sql, values)).await?;
    let row = row.ok_or_else(|| Error::internal("a count gave no row"))?;
    let count: i64 = row.try_get_by_index(0)?;
    if count > NEAR_MAX {
        return Err(Refusal::new(Code::TooMany, "categoryId")
            .with("max", NEAR_MAX)
            .into());
    }
    Ok(())
}
