-- What keeping changes of rows costs, and how fast sealed rows are hashed: psql "$DATABASE_OWNER_URL" -f scripts/bench/trail.sql, on a database that is
-- migrated and may be thrown away. Times of a trigger are those of `EXPLAIN ANALYZE`; by 20,000 they are microseconds a row.
\set ON_ERROR_STOP on
SET timezone = 'UTC';
INSERT INTO category (id, number, parent_id, path, name, position, created_at, updated_at) OVERRIDING SYSTEM VALUE
VALUES ('01930000-0000-7000-8000-000000000001', 900001, NULL, '900001', '{"en":"Bench"}', 0, now(), now()) ON CONFLICT DO NOTHING;
CREATE TEMP TABLE source AS
SELECT gen_random_uuid() AS id, 'BENCH-' || extract(epoch FROM clock_timestamp())::bigint || '-' || g AS sku,
       jsonb_build_object('en', 'Ring number ' || g, 'fa', 'انگشتر ' || g) AS name, (SELECT id FROM unit_of_measure LIMIT 1) AS unit
FROM generate_series(1, 20000) g;
\echo items inserted: the trigger is item_trail_insert
EXPLAIN (ANALYZE, COSTS OFF) INSERT INTO item (id, kind, sku, name, description, category_id, unit_id, tracking, price_amount, price_currency, attributes, tags, created_at, updated_at)
SELECT id, 'goods', sku, name, '{"en":"A fine ring of gold"}', '01930000-0000-7000-8000-000000000001', unit, 'none', 12.5, 'IRR',
       '{"colour":"red","size":12}', '{a,b}', now(), now() FROM source;
\echo barcodes inserted: the trigger is item_barcode_trail_insert
EXPLAIN (ANALYZE, COSTS OFF) INSERT INTO item_barcode (barcode, item_id, position) SELECT sku, id, 0 FROM source;
\echo items updated: the trigger is item_trail_update
EXPLAIN (ANALYZE, COSTS OFF) UPDATE item SET price_amount = price_amount + 1, updated_at = now() WHERE id IN (SELECT id FROM source);
\echo rows of the trail, 20,000
\timing on
INSERT INTO audit (at, actor_kind, actor_name, action, aggregate_type, aggregate_id, after)
SELECT now(), 'system', 'bench', 'bench', 'item', i.id, to_jsonb(i) FROM (SELECT id, kind, sku, name, description, category_id, attributes, tags FROM item
WHERE id IN (SELECT id FROM source)) i;
SELECT trail_bound();
\echo one seal of about 1,000 rows
SELECT trail_seal(1000);
\echo all rows hashed anew, over one connection
SELECT count(*) FROM trail_rows('audit', '00000000-0000-0000-0000-000000000000', 0, 9000000000);
SELECT count(*) FROM trail_rows('change', '00000000-0000-0000-0000-000000000000', 0, 9000000000);
