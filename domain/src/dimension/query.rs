//! Reads of values of dimensions.

use entity::{
    dimension_value::{Entity, Model as DimensionValue},
    id::DimensionValueId,
};
use sea_orm::{
    ActiveEnum as _, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult,
    QuerySelect, sea_query::LockType,
};

use super::DimensionValueFilter;
use crate::{
    error::Result,
    filter::push_text,
    keyset::{Column, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

const CODE: Term = Term {
    column: Column {
        sql: "code",
        cast: "text",
    },
    descending: false,
};
/// A cost centre may have the code of a party.
const ID: Column = Column {
    sql: "id",
    cast: "uuid",
};

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[DimensionValueId],
) -> Result<Vec<DimensionValue>> {
    let sql = "SELECT * FROM dimension_value WHERE id = ANY($1)";
    let found = DimensionValue::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(found.all(db).await?)
}

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &DimensionValueFilter,
    args: &PageArgs,
) -> Result<Page<DimensionValue>> {
    let list = List {
        columns: "*",
        from: "dimension_value",
        order: Order::new(vec![CODE], ID),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|row: &DimensionValue| Cursor(vec![row.code.clone(), row.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &DimensionValueFilter) {
    let DimensionValueFilter {
        kind_in,
        code,
        name_contains,
        external_reference,
        include_archived,
    } = filter;
    sql.push("true");
    if let Some(kinds) = kind_in {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_value()).collect();
        sql.push(" AND kind = ANY(").bind(kinds).push("::text[])");
    }
    push_text(sql, "code", code.as_ref());
    if let Some(text) = name_contains {
        sql.push(
            " AND EXISTS (SELECT FROM jsonb_each_text(name) n WHERE strpos(lower(n.value), lower(",
        )
        .bind(text.as_str())
        .push(")) > 0)");
    }
    if let Some(reference) = external_reference {
        sql.push(" AND external_reference = ")
            .bind(reference.as_str());
    }
    if !include_archived {
        sql.push(" AND archived_at IS NULL");
    }
}

pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: DimensionValueId,
) -> Result<Option<DimensionValue>> {
    let locked = Entity::find_by_id(id).lock(LockType::NoKeyUpdate);
    Ok(locked.one(tx).await?)
}
