//! What the application's role may do in the database: read and write rows, only add them where tables are append-only, and own nothing.
//!
//! No migration has to think of it. After each `up` the catalogue is compared with what should be, and what differs is granted or
//! revoked; a database where nothing differs is not written to.

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, Statement,
    TransactionTrait,
};

/// Why a role cannot be the application's.
const FAULT: &str = include_str!("role.sql");

/// The statements that are still to be executed.
const DIFFERENCES: &str = include_str!("grants.sql");

/// Refuses a role that is not there, or that may do more than it is granted here.
///
/// # Errors
/// Says why, and when the database fails.
pub async fn check(db: &DatabaseConnection, role: &str) -> Result<(), DbErr> {
    let rows = asked(db, FAULT, role).await?;
    let fault: Option<String> = match rows.first() {
        Some(row) => row.try_get_by_index(0)?,
        None => None,
    };
    match fault {
        None => Ok(()),
        Some(fault) => Err(DbErr::Custom(format!(
            "the application's role \"{role}\" (DATABASE_APP_ROLE) {fault}; docs/operations/run.md tells how it is made"
        ))),
    }
}

/// Grants the role what it needs and takes from it, and from everybody, all else. Either everything is right afterwards, or nothing has
/// changed.
///
/// # Errors
/// When something cannot be put right, as whoever migrates does not own the database, and when that fails.
pub async fn apply(db: &DatabaseConnection, role: &str) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    for sql in differences(&tx, role).await? {
        tx.execute_unprepared(&sql).await?;
    }
    // PostgreSQL only warns whoever revokes what somebody else has granted.
    match differences(&tx, role).await?.first() {
        None => tx.commit().await,
        Some(left) => Err(DbErr::Custom(format!(
            "the privileges of the application's role cannot be put right, for this has no effect: {left}"
        ))),
    }
}

async fn differences(tx: &DatabaseTransaction, role: &str) -> Result<Vec<String>, DbErr> {
    let rows = asked(tx, DIFFERENCES, role).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

async fn asked(
    db: &impl ConnectionTrait,
    sql: &str,
    role: &str,
) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [role.into()]);
    db.query_all_raw(statement).await
}
