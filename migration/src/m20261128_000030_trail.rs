//! The trail can be proved: sealed rows, changes of rows kept by the database, partitions by month.

use sea_orm_migration::prelude::*;

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Nobody has to wait while this is built.
const AHEAD: [&str; 2] = [
    "ALTER TABLE audit ADD COLUMN written_at timestamptz NOT NULL DEFAULT now()",
    "CREATE UNIQUE INDEX CONCURRENTLY audit_before_number ON audit (number, written_at)",
];

/// What of it there is when it broke off in the middle.
const AFRESH: &str =
    "DROP INDEX IF EXISTS audit_before_number; ALTER TABLE audit DROP COLUMN IF EXISTS written_at";

/// Rows go back into one table, without what they had no place for.
const DOWN: &str = "DO $$ DECLARE f regprocedure; BEGIN
        FOR f IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'trail\\_keep\\_%' LOOP
            EXECUTE format('DROP FUNCTION %s CASCADE', f);
        END LOOP;
    END $$;
    DO $$ DECLARE t record; BEGIN
        FOR t IN SELECT tgname, tgrelid::regclass AS source FROM pg_trigger WHERE tgname LIKE '%\\_trail\\_key' LOOP
            EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.source);
        END LOOP;
    END $$;
    DROP TABLE trail_verification, trail_retired, trail_pending, trail_seal, trail_change;
    DROP FUNCTION trail_capture, trail_retire, trail_seal, trail_bound, trail_root, trail_rows, trail_prepare;
    CREATE TABLE audit_as_it_was (
        number         bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_as_it_was_pkey PRIMARY KEY,
        at             timestamptz NOT NULL,
        actor_kind     text NOT NULL CONSTRAINT audit_actor_kind_check CHECK (actor_kind IN ('user', 'system')),
        actor_id       uuid,
        actor_name     text NOT NULL,
        request_id     text,
        action         text NOT NULL,
        aggregate_type text NOT NULL,
        aggregate_id   uuid NOT NULL,
        before         jsonb,
        after          jsonb
    );
    INSERT INTO audit_as_it_was OVERRIDING SYSTEM VALUE
    SELECT number, at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, before, after FROM audit;
    SELECT setval('audit_as_it_was_number_seq', COALESCE(max(number), 1), max(number) IS NOT NULL) FROM audit_as_it_was;
    DROP TABLE audit;
    ALTER TABLE audit_as_it_was RENAME TO audit;
    ALTER SEQUENCE audit_as_it_was_number_seq RENAME TO audit_number_seq;
    ALTER INDEX audit_as_it_was_pkey RENAME TO audit_pkey;
    CREATE INDEX audit_aggregate ON audit (aggregate_type, aggregate_id, number);
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// An index is built concurrently.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(AFRESH).await?;
        for sql in AHEAD {
            db.execute_unprepared(sql).await?;
        }
        // One statement as PostgreSQL sees it: all of it, or nothing.
        let sql = concat!(
            include_str!("sql/0030_trail.sql"),
            include_str!("sql/0030_trail_capture.sql")
        );
        db.execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}
