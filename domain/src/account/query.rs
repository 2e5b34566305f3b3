//! Reads of the chart of accounts.

use entity::{
    account::{Entity, Model as Account},
    commodity::Model as Commodity,
    id::AccountId,
};
use sea_orm::{
    ActiveEnum as _, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult,
    QuerySelect, sea_query::LockType,
};

use super::AccountFilter;
use crate::{
    error::{Error, Result},
    filter::push_text,
    keyset::{Column, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// All columns, as `SELECT` and `RETURNING` need them.
pub(super) const COLUMNS: &str = "id, number, parent_id, path::text AS path, code, name, kind, normal_side, is_group, commodity, \
                                  external_reference, archived_at, version, created_at, updated_at, subsidiary_kind, has_floor";

const CODE: Column = Column {
    sql: "code",
    cast: "text",
};

pub(super) async fn by_ids(db: &impl ConnectionTrait, ids: &[AccountId]) -> Result<Vec<Account>> {
    let mut sql = Sql::new(&format!("SELECT {COLUMNS} FROM account WHERE id = ANY("));
    sql.bind(uuids(ids)).push(")");
    Ok(Account::find_by_statement(sql.build()).all(db).await?)
}

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &AccountFilter,
    args: &PageArgs,
) -> Result<Page<Account>> {
    let list = List {
        columns: COLUMNS,
        from: "account",
        order: Order::new(Vec::new(), CODE),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|row: &Account| Cursor(vec![row.code.clone()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &AccountFilter) {
    let AccountFilter {
        kind_in,
        is_group,
        parent_id,
        descendant_of,
        code,
        include_archived,
    } = filter;
    sql.push("true");
    if let Some(kinds) = kind_in {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_value()).collect();
        sql.push(" AND kind = ANY(").bind(kinds).push("::text[])");
    }
    if let Some(is_group) = is_group {
        sql.push(" AND is_group = ").bind(*is_group);
    }
    if let Some(id) = parent_id {
        sql.push(" AND parent_id = ").bind(*id);
    }
    if let Some(id) = descendant_of {
        sql.push(" AND path <@ (SELECT path FROM account WHERE id = ")
            .bind(*id)
            .push(") AND id <> ")
            .bind(*id);
    }
    push_text(sql, "code", code.as_ref());
    if !include_archived {
        sql.push(" AND archived_at IS NULL");
    }
}

pub(super) async fn commodities(db: &impl ConnectionTrait) -> Result<Vec<Commodity>> {
    let sql = "SELECT * FROM commodity ORDER BY kind, code";
    Ok(Commodity::find_by_statement(statement(sql, []))
        .all(db)
        .await?)
}

/// Locked against being archived; others who lock it so go on.
pub(super) async fn share_in_tx(
    tx: &DatabaseTransaction,
    id: AccountId,
) -> Result<Option<Account>> {
    let locked = Entity::find_by_id(id).lock(LockType::KeyShare);
    Ok(locked.one(tx).await?)
}

pub(super) async fn lock_in_tx(tx: &DatabaseTransaction, id: AccountId) -> Result<Option<Account>> {
    let locked = Entity::find_by_id(id).lock(LockType::NoKeyUpdate);
    Ok(locked.one(tx).await?)
}

pub(super) async fn get_in_tx(tx: &DatabaseTransaction, id: AccountId) -> Result<Account> {
    let found = find_in_tx(tx, id).await?;
    found.ok_or_else(|| Error::internal("an account vanished under its lock"))
}

pub(crate) async fn find_in_tx(tx: &DatabaseTransaction, id: AccountId) -> Result<Option<Account>> {
    Ok(Entity::find_by_id(id).one(tx).await?)
}
