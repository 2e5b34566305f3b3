//! What moved and what lay where, day by day; the shop's time zone.

use sea_orm_migration::{prelude::*, sea_orm::Statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Where TimescaleDB is at hand it is taken, if whoever migrates may: a server that has not loaded it would end the connection.
const EXTENSION: &str = "DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb' AND installed_version IS NULL)
       AND EXISTS (SELECT FROM pg_settings WHERE name = 'shared_preload_libraries' AND setting LIKE '%timescaledb%') THEN
        CREATE EXTENSION timescaledb;
    END IF;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'TimescaleDB is not used: %', SQLERRM;
END $$";

/// Whether it is there, has what we call, and in the edition that compresses.
const HAS_TIMESCALE: &str = "SELECT EXISTS (
    SELECT FROM pg_extension
    WHERE extname = 'timescaledb' AND string_to_array(substring(extversion FROM '^[0-9]+[.][0-9]+'), '.')::integer[] >= '{2,13}'
      AND current_setting('timescaledb.license', true) = 'timescale'
)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(include_str!("sql/0027_stock_series.sql"))
            .await?;
        db.execute_unprepared(EXTENSION).await?;
        let store = if has_timescale(manager).await? {
            include_str!("sql/0027_stock_series_timescale.sql")
        } else {
            include_str!("sql/0027_stock_series_native.sql")
        };
        db.execute_unprepared(store).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Hypertables are dropped one by one.
        let sql = "DROP FUNCTION stock_series_state, stock_series_bound, stock_series_bound_costs, stock_series_rebuild, stock_series_add, \
                   stock_series_prepare, stock_series_differences, stock_flows, stock_flow_of, stock_flow_sign; \
                   DROP MATERIALIZED VIEW IF EXISTS stock_flow_month; \
                   DROP TABLE stock_flow_day; DROP TABLE stock_level_day; DROP TABLE stock_flow_total, stock_series_mark; DROP INDEX stock_cost_number; ALTER INDEX stock_movement_number RESET (autosummarize); \
                   DELETE FROM stock_reconciliation WHERE subject <> 'levels'; ALTER TABLE stock_reconciliation DROP COLUMN subject; \
                   DROP TRIGGER shop_time_zone_known ON shop; DROP FUNCTION shop_time_zone_known; ALTER TABLE shop DROP COLUMN time_zone";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}

async fn has_timescale(manager: &SchemaManager<'_>) -> Result<bool, DbErr> {
    let db = manager.get_connection();
    let asked = Statement::from_string(manager.get_database_backend(), HAS_TIMESCALE);
    let row = db.query_one_raw(asked).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}
