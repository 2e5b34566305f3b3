//! The application's role may read and write rows, and nothing else: it owns nothing, and cannot take back what keeps tables append-only.

use migration::{Migrator, MigratorTrait, grants, locked, settings::APP_ROLE};
use sea_orm::{
    Database, DatabaseConnection, DbErr,
    sqlx::{self, AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool},
};
use serde_json::json;
use tests::{
    app::TestApp,
    database::{self, TestDatabase},
};

/// What PostgreSQL answers to whoever may not.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// The tables with a trigger that keeps them append-only.
const APPEND_ONLY: &str = "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgname LIKE '%\\_append\\_only' ORDER BY 1";

/// The application's role, as this run calls it.
fn app_role() -> String {
    database::role_in(&database::server_url())
}

/// The code of PostgreSQL's refusal; none when it was done.
async fn refusal(db: &PgPool, sql: &str) -> Option<String> {
    let refused = db.execute(AssertSqlSafe(sql.to_owned())).await.err()?;
    let code = refused.as_database_error().and_then(|error| error.code());
    Some(
        code.unwrap_or_else(|| panic!("{sql}: {refused}"))
            .into_owned(),
    )
}

async fn assert_forbidden(db: &PgPool, sql: &str) {
    let code = refusal(db, sql).await;
    assert_eq!(code.as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{sql}");
}

async fn texts(db: &PgPool, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(db).await.unwrap()
}

async fn append_only(db: &PgPool) -> Vec<String> {
    let tables = texts(db, APPEND_ONLY).await;
    assert!(
        ["audit", "metal_rate"]
            .iter()
            .all(|known| tables.iter().any(|table| table == known)),
        "{tables:?}"
    );
    tables
}

/// As the end of `migration up` does.
async fn put_right(database: &TestDatabase) -> Result<(), DbErr> {
    let db = owner(database).await;
    grants::apply(&db, &app_role()).await
}

async fn owner(database: &TestDatabase) -> DatabaseConnection {
    Database::connect(database.owner_url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_only_added_cannot_be_changed_nor_their_keepers_removed() {
    let database = TestDatabase::create();
    let db = database::pool(database.url());
    for table in append_only(&db).await {
        let column: String = sqlx::query_scalar(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND attidentity = '' AND attgenerated = '' ORDER BY attnum DESC LIMIT 1",
        )
        .bind(&table)
        .fetch_one(&db)
        .await
        .unwrap();
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table} WHERE false"),
            format!("TRUNCATE {table}"),
            format!("SELECT FROM {table} FOR UPDATE"),
            format!("DO 'BEGIN LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; END'"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("ALTER TABLE {table} DISABLE TRIGGER {table}_append_only"),
            format!("ALTER TABLE {table} OWNER TO CURRENT_USER"),
            format!("ALTER TABLE {table} RENAME TO {table}_of_yesterday"),
            format!("DROP TRIGGER {table}_append_only ON {table}"),
            format!("CREATE RULE gone AS ON INSERT TO {table} DO INSTEAD NOTHING"),
            format!("DROP TABLE {table}"),
        ] {
            assert_forbidden(&db, &sql).await;
        }
    }
    assert_forbidden(&db, "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$").await;
    assert_forbidden(&db, "DROP FUNCTION refuse_change() CASCADE").await;
    assert_forbidden(&db, "SET session_replication_role = replica").await;
    assert_forbidden(&db, "TRUNCATE item CASCADE").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_made_and_nobody_become() {
    let database = TestDatabase::create();
    let db = database::pool(database.url());
    let (role, owner) = (app_role(), database::role_in(&database::owner_url()));
    for sql in [
        "CREATE TABLE mine (id bigint)".to_owned(),
        "CREATE TEMPORARY TABLE item (id uuid)".to_owned(),
        "CREATE VIEW mine AS SELECT 1".to_owned(),
        "CREATE SEQUENCE mine".to_owned(),
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'".to_owned(),
        "CREATE SCHEMA mine".to_owned(),
        format!("CREATE SCHEMA \"{role}\""),
        "CREATE DATABASE mine".to_owned(),
        "CREATE ROLE mine".to_owned(),
        "CREATE EXTENSION citext".to_owned(),
        "CREATE TRIGGER mine BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            .to_owned(),
        "CREATE INDEX mine ON item (created_at)".to_owned(),
        "ALTER TABLE item DISABLE TRIGGER USER".to_owned(),
        "ALTER FUNCTION search_fold(text) RENAME TO mine".to_owned(),
        format!("ALTER ROLE \"{role}\" SUPERUSER"),
        format!("ALTER ROLE \"{role}\" CREATEDB"),
        format!("GRANT \"{owner}\" TO \"{role}\""),
        "GRANT pg_write_all_data TO CURRENT_USER".to_owned(),
        format!("SET ROLE \"{owner}\""),
        "COPY item TO PROGRAM 'cat'".to_owned(),
        "COPY item FROM '/etc/passwd'".to_owned(),
        "SELECT setval('event_position', 1)".to_owned(),
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2026_nothing', 0)".to_owned(),
        "UPDATE seaql_migrations SET applied_at = 0".to_owned(),
        "DELETE FROM seaql_migrations".to_owned(),
    ] {
        assert_forbidden(&db, &sql).await;
    }
    let applied: i64 = sqlx::query_scalar("SELECT count(*) FROM seaql_migrations")
        .fetch_one(&db)
        .await
        .unwrap();
    assert!(applied > 0, "what has been applied can be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_grants_oneself_is_not_had() {
    let database = TestDatabase::create();
    let db = database::pool(database.url());
    // Of a table that it may read, PostgreSQL warns the role that it has nothing to give.
    assert_eq!(
        refusal(
            &db,
            "GRANT UPDATE, DELETE, TRUNCATE ON audit TO CURRENT_USER"
        )
        .await,
        None
    );
    assert_eq!(
        refusal(&db, "GRANT ALL ON SCHEMA public TO CURRENT_USER").await,
        None
    );
    for sql in [
        "UPDATE audit SET action = action",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "CREATE TABLE mine (id bigint)",
    ] {
        assert_forbidden(&db, sql).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_knows_of_nothing_that_it_owns_or_may_do_beyond_rows() {
    let app = TestApp::start().await;
    let db = database::pool(&app.database_url());
    let owned: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = CURRENT_USER::regrole",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert_eq!(owned, 0);
    let more = "SELECT c.relname || ' ' || p.privilege FROM pg_class c
        CROSS JOIN unnest('{UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p (privilege)
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
          AND has_table_privilege(c.oid, p.privilege)
          AND (p.privilege NOT IN ('UPDATE', 'DELETE') OR c.relname IN ('seaql_migrations', 'stock_level', 'stock_lot_level', 'stock_count_location', 'stock_count_line', 'stock_value', 'stock_cost', 'stock_cost_layer', 'stock_week', 'stock_week_item', 'stock_week_mark', 'stock_flow_day', 'stock_level_day', 'stock_flow_total', 'stock_series_mark', 'stock_closing', 'commodity', 'journal_sequence', 'account_turnover', 'subsidiary_turnover', 'journal_hold_open', 'journal_horizon', 'stock_account', 'stock_booking', 'stock_booked', 'stock_recosting', 'stock_landed_value', 'journal_revaluation', 'trail_change', 'trail_seal', 'trail_pending', 'trail_retired', 'blob_retired')
               OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname LIKE '%\\_append\\_only'))";
    assert_eq!(texts(&db, more).await, Vec::<String>::new());
    let of_columns = "SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relname IN ('audit', 'metal_rate', 'seaql_migrations') AND a.attnum > 0 AND NOT a.attisdropped
          AND has_column_privilege(c.oid, a.attnum, 'UPDATE')";
    assert_eq!(texts(&db, of_columns).await, Vec::<String>::new());
    let less = "SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
          AND c.relname NOT IN ('seaql_migrations', 'stock_level', 'stock_lot_level', 'stock_count_location', 'stock_count_line', 'stock_value', 'stock_cost', 'stock_cost_layer', 'stock_week', 'stock_week_item', 'stock_week_mark', 'stock_flow_day', 'stock_level_day', 'stock_flow_total', 'stock_series_mark', 'stock_closing', 'commodity', 'journal_sequence', 'account_turnover', 'subsidiary_turnover', 'journal_hold_open', 'journal_horizon', 'stock_account', 'stock_booking', 'stock_booked', 'stock_recosting', 'stock_landed_value', 'journal_revaluation', 'trail_change', 'trail_seal', 'trail_pending', 'trail_retired', 'blob_retired')
          AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT'))";
    assert_eq!(texts(&db, less).await, Vec::<String>::new());
    // What follows from other rows is read and never written.
    let derived = "SELECT c.relname FROM pg_class c WHERE c.relname IN ('stock_level', 'stock_lot_level', 'stock_count_location', 'stock_count_line', 'stock_value', 'stock_cost', 'stock_cost_layer', 'stock_week', 'stock_week_item', 'stock_week_mark', 'stock_flow_day', 'stock_level_day', 'stock_flow_total', 'stock_series_mark', 'stock_closing', 'commodity', 'journal_sequence', 'account_turnover', 'subsidiary_turnover', 'journal_hold_open', 'journal_horizon', 'stock_account', 'stock_booking', 'stock_booked', 'stock_recosting', 'stock_landed_value', 'journal_revaluation', 'trail_change', 'trail_seal', 'trail_pending', 'trail_retired', 'blob_retired')
          AND (NOT has_table_privilege(c.oid, 'SELECT') OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE'))";
    assert_eq!(texts(&db, derived).await, Vec::<String>::new());
    // The programs of this test are at work with it.
    let manager = app.manager().await;
    manager.category("Rings", None).await;
    let who = "SELECT DISTINCT usename::text FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'goldshop%'";
    assert_eq!(texts(app.sql(), who).await, [app_role()]);
    let tree = manager.ok("{ categoryTree { name } }", json!({})).await;
    assert_eq!(tree["categoryTree"][0]["name"], "Rings");
}

/// Grants follow the names of triggers: whoever keeps a table append-only must not call its trigger something else.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_keeps_a_table_append_only_is_called_so() {
    let database = TestDatabase::create();
    let db = database::pool(database.url());
    let sql = "SELECT tgname::text FROM pg_trigger
        WHERE tgfoid = 'refuse_change'::regproc AND tgname <> tgrelid::regclass::text || '_append_only'";
    assert_eq!(texts(&db, sql).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_else_may_not_even_connect() {
    let database = TestDatabase::create();
    locked::up(&database.owner_url(), &app_role())
        .await
        .unwrap();
    let db = database::pool(database.url());
    let of_public = "SELECT 'database' FROM pg_database, aclexplode(datacl) p WHERE datname = current_database() AND p.grantee = 0
        UNION ALL SELECT nspname FROM pg_namespace, aclexplode(nspacl) p WHERE nspname = 'public' AND p.grantee = 0
        UNION ALL SELECT relname FROM pg_class, aclexplode(relacl) p WHERE relnamespace = 'public'::regnamespace AND p.grantee = 0
        UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p, aclexplode(COALESCE(proacl, acldefault('f', proowner))) x
        WHERE pronamespace = 'public'::regnamespace AND x.grantee = 0
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')";
    assert_eq!(texts(&db, of_public).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_migration_makes_is_covered_by_the_same_command() {
    let database = TestDatabase::create();
    let (db, admin) = (
        database::pool(database.url()),
        database::pool(&database.owner_url()),
    );
    for sql in [
        "CREATE TABLE later (id bigint GENERATED ALWAYS AS IDENTITY, name text)",
        "CREATE SEQUENCE later_number",
        "CREATE VIEW later_names AS SELECT name FROM later",
        "CREATE FUNCTION later_form(name text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(name)'",
        "CREATE TABLE \"Later, kept\" (id bigint, name text)",
        "CREATE TRIGGER later_kept_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON \"Later, kept\"
         FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ] {
        admin.execute(sql).await.unwrap();
    }
    let uses = [
        "INSERT INTO later (name) VALUES ('one')",
        "UPDATE later SET name = later_form(name)",
        "SELECT nextval('later_number')",
        "SELECT * FROM later_names",
        "DELETE FROM later",
        "INSERT INTO \"Later, kept\" VALUES (1, 'one')",
        "SELECT * FROM \"Later, kept\"",
    ];
    assert_forbidden(&db, uses[0]).await;
    locked::up(&database.owner_url(), &app_role())
        .await
        .unwrap();
    for sql in uses {
        assert_eq!(refusal(&db, sql).await, None, "{sql}");
    }
    for sql in [
        "TRUNCATE later",
        "DELETE FROM \"Later, kept\"",
        "UPDATE \"Later, kept\" SET name = ''",
        "DELETE FROM later_names",
    ] {
        assert_forbidden(&db, sql).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_granted_beside_is_taken_back_and_what_is_right_is_not_touched() {
    let database = TestDatabase::create();
    let admin = database::pool(&database.owner_url());
    let state = "SELECT xmin::text || ' ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname";
    let before = texts(&admin, state).await;
    put_right(&database).await.unwrap();
    assert_eq!(
        texts(&admin, state).await,
        before,
        "nothing is written where nothing differs"
    );
    let role = app_role();
    for sql in [
        format!("GRANT ALL ON audit, item TO \"{role}\" WITH GRANT OPTION"),
        format!("GRANT UPDATE (action) ON audit TO \"{role}\""),
        format!("GRANT ALL ON SCHEMA public TO \"{role}\""),
        format!(
            "GRANT TEMPORARY ON DATABASE {} TO \"{role}\"",
            database.name()
        ),
        "GRANT SELECT ON app_user TO PUBLIC".to_owned(),
    ] {
        admin.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    let db = database::pool(database.url());
    assert_eq!(
        refusal(&db, "CREATE TABLE mine (id bigint); DROP TABLE mine").await,
        None
    );
    put_right(&database).await.unwrap();
    for sql in [
        "UPDATE audit SET action = action",
        "DELETE FROM audit",
        "TRUNCATE item CASCADE",
        "CREATE TABLE mine (id bigint)",
        "CREATE TEMPORARY TABLE mine (id bigint)",
    ] {
        assert_forbidden(&db, sql).await;
    }
    let grantable = "SELECT c.relname::text FROM pg_class c, aclexplode(c.relacl) p
        WHERE c.relnamespace = 'public'::regnamespace AND (p.is_grantable AND p.grantee <> c.relowner OR p.grantee = 0)";
    assert_eq!(texts(&admin, grantable).await, Vec::<String>::new());
    assert_eq!(refusal(&db, "SELECT count(*) FROM audit").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_missing_or_may_do_too_much_is_refused_before_anything_changes() {
    let database = TestDatabase::create();
    let db = owner(&database).await;
    let migrating = database::role_in(&database.owner_url());
    Migrator::down(&db, Some(1)).await.unwrap();
    for (role, reason) in [
        ("goldshop_of_nobody", "does not exist"),
        (&migrating, "is the one that migrates"),
        ("pg_monitor", "is a member of another role"),
    ] {
        let refused = locked::up(&database.owner_url(), role)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(reason) && refused.contains(role),
            "{role}: {refused}"
        );
    }
    let pending = Migrator::get_pending_migrations(&db).await.unwrap();
    assert_eq!(pending.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_more_than_the_application_is_refused() {
    let postgres = tests::postgres::PostgresServer::start().await;
    let (owner, role) = (database::as_owner(&postgres.url()), app_role());
    let mut admin = PgConnection::connect(&owner).await.unwrap();
    for (make, undo, reason) in [
        (
            format!("ALTER TABLE tag OWNER TO \"{role}\""),
            "ALTER TABLE tag OWNER TO CURRENT_USER".to_owned(),
            "owns something",
        ),
        (
            format!("ALTER ROLE \"{role}\" SUPERUSER"),
            format!("ALTER ROLE \"{role}\" NOSUPERUSER"),
            "is a superuser",
        ),
        (
            format!("ALTER ROLE \"{role}\" CREATEROLE"),
            format!("ALTER ROLE \"{role}\" NOCREATEROLE"),
            "may create roles",
        ),
        (
            format!("GRANT pg_write_all_data TO \"{role}\""),
            format!("REVOKE pg_write_all_data FROM \"{role}\""),
            "member of another role",
        ),
    ] {
        admin.execute(AssertSqlSafe(make)).await.unwrap();
        let refused = locked::up(&owner, &role).await.unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
        admin.execute(AssertSqlSafe(undo)).await.unwrap();
    }
    locked::up(&owner, &role).await.unwrap();
}

#[test]
fn the_example_names_the_role_that_migration_takes_by_itself() {
    let line = format!("\n#DATABASE_APP_ROLE={APP_ROLE}\n");
    assert!(platform::config::env_example().contains(&line));
}
