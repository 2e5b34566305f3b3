//! Migrations are taken back as they were applied, and let a shop that is open go first.

use domain::history::migrations;
use migration::{Migrator, MigratorTrait, locked};
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, Statement,
    sqlx::{self, PgPool},
};
use tests::{
    database::{TestDatabase, pool, role_in, server_url},
    wait::{PATIENCE, until},
};

/// What there is, as PostgreSQL describes it: but not the history of migrations, nor what extensions bring.
const SHAPE: &str = "
    SELECT format('column %s.%s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                  a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid)) AS line
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'seaql_migrations'
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'seaql_migrations'
    UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> COALESCE(to_regclass('seaql_migrations'), 0)
    UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    ORDER BY 1";

async fn shape(db: &DatabaseConnection) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), SHAPE))
        .await
        .unwrap();
    let lines = rows.iter().map(|row| row.try_get("", "line").unwrap());
    lines.collect()
}

/// What is in one and not in the other.
fn difference<'a>(one: &'a [String], other: &'a [String]) -> Vec<&'a String> {
    one.iter().filter(|line| !other.contains(line)).collect()
}

#[test]
fn what_programs_wait_for_is_what_is_applied() {
    let applied: Vec<_> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    assert_eq!(migrations().collect::<Vec<_>>(), applied);
}

async fn is_waiting(db: &PgPool) -> bool {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'goldshop-migration' \
               AND wait_event_type = 'Lock'";
    let waiting: i64 = sqlx::query_scalar(sql).fetch_one(db).await.unwrap();
    waiting > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_waits_lets_others_pass_and_comes_again() {
    let database = TestDatabase::create();
    let (owner, role) = (database.owner_url(), role_in(&server_url()));
    let db = Database::connect(owner.as_str()).await.unwrap();
    Migrator::down(&db, Some(1)).await.unwrap();
    let others = pool(&owner);
    let mut busy = others.begin().await.unwrap();
    // What is done can be read, and nothing be written down as done.
    sqlx::query("LOCK TABLE seaql_migrations IN SHARE MODE")
        .execute(&mut *busy)
        .await
        .unwrap();
    let (applied, ()) = tokio::join!(locked::up(&owner, &role), async {
        until(PATIENCE, "it waits", async || is_waiting(&others).await).await;
        let gives_way = async || !is_waiting(&others).await;
        until(PATIENCE, "it gives way", gives_way).await;
        busy.commit().await.unwrap();
    });
    assert_eq!(applied.unwrap(), 1);
    assert_eq!(locked::up(&owner, &role).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_migration_that_is_taken_back_leaves_what_was_there_before() {
    let database = TestDatabase::create();
    let db = Database::connect(database.owner_url()).await.unwrap();
    let count = Migrator::migrations().len();
    Migrator::down(&db, None).await.unwrap();
    assert_eq!(shape(&db).await, Vec::<String>::new());
    let mut shapes = Vec::new();
    for _ in 0..count {
        shapes.push(shape(&db).await);
        Migrator::up(&db, Some(1)).await.unwrap();
    }
    assert!(shapes[count - 1].len() > 300, "{}", shapes[count - 1].len());
    for (place, before) in shapes.iter().enumerate().rev() {
        Migrator::down(&db, Some(1)).await.unwrap();
        let after = shape(&db).await;
        let migrations = Migrator::migrations();
        let name = migrations[place].name();
        assert_eq!(
            (difference(before, &after), difference(&after, before)),
            (Vec::new(), Vec::new()),
            "{name}: what is missing, and what was left"
        );
    }
}
