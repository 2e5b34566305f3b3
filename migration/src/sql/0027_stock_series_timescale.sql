-- Days in TimescaleDB: hypertables of monthly chunks, which it makes by itself, and which it compresses when they are three months old. What is
-- back-dated further is written into compressed chunks.
INSERT INTO stock_series_mark (store, time_zone) SELECT 'timescale', s.time_zone FROM shop s;

SELECT create_hypertable('stock_flow_day', by_range('day', interval '1 month'), create_default_indexes => false);
SELECT create_hypertable('stock_level_day', by_range('day', interval '1 month'), create_default_indexes => false);

ALTER TABLE stock_flow_day SET (timescaledb.compress, timescaledb.compress_segmentby = 'item_id', timescaledb.compress_orderby = 'location_id, day, flow');
ALTER TABLE stock_level_day SET (timescaledb.compress, timescaledb.compress_segmentby = 'item_id', timescaledb.compress_orderby = 'location_id, day');
SELECT add_compression_policy('stock_flow_day', interval '3 months');
SELECT add_compression_policy('stock_level_day', interval '3 months');

-- For reports in SQL over many years. GraphQL does not read it: it is refreshed by itself, and so at times behind what has been added.
CREATE MATERIALIZED VIEW stock_flow_month WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket('1 month', day) AS month, item_id, location_id, flow, sum(movements) AS movements, sum(quantity) AS quantity,
       sum(weight) AS weight, sum(fine_weight) AS fine_weight, sum(value) AS value
FROM stock_flow_day GROUP BY 1, 2, 3, 4
WITH NO DATA;
SELECT add_continuous_aggregate_policy('stock_flow_month', start_offset => NULL, end_offset => interval '1 month', schedule_interval => interval '1 hour');

-- Chunks come by themselves.
CREATE FUNCTION stock_series_prepare(months date[]) RETURNS void LANGUAGE sql AS 'SELECT';
