-- What is asked about days, and what the answer begins with: added up from movements.
SET client_min_messages = warning;
SET jit = off;
DROP TABLE IF EXISTS bench.series CASCADE;

-- As in stock_cases.sql, which need not have been asked.
CREATE OR REPLACE FUNCTION bench.url_safe(data text) RETURNS text LANGUAGE sql AS
$$ SELECT translate(encode(convert_to(data, 'UTF8'), 'base64'), E'+/=\n', '-_') $$;
CREATE OR REPLACE FUNCTION bench.global_id(type text, id uuid) RETURNS text LANGUAGE sql AS
$$ SELECT bench.url_safe(type || ':' || replace(id::text, '-', '')) $$;

-- A year, of any item, of one that moves very often, at a place, of a category, and of the whole shop.
CREATE TABLE bench.series AS
SELECT q.*, o.opening
FROM (
    SELECT 'item' AS kind, k AS n, jsonb_build_object('itemIds', jsonb_build_array(bench.global_id('Item', s.id))) AS filter, s.id AS item, NULL::uuid AS place,
           NULL::uuid AS category
    FROM generate_series(1, 100) k JOIN bench.stocked s ON s.n = 9 + bench.dice(k, 21, (SELECT count(*) - 8 FROM bench.stocked))
    UNION ALL
    SELECT 'hot', k, jsonb_build_object('itemIds', jsonb_build_array(bench.global_id('Item', s.id))), s.id, NULL, NULL
    FROM generate_series(1, 8) k JOIN bench.stocked s ON s.n = k
    UNION ALL
    SELECT 'place', k, jsonb_build_object('within', bench.global_id('Location', p.id)), NULL, p.id, NULL
    FROM generate_series(1, 20) k JOIN bench.place p ON p.n = k
    UNION ALL
    (SELECT 'category', row_number() OVER (), jsonb_build_object('categoryId', bench.global_id('Category', i.category_id)), NULL, NULL, i.category_id
     FROM item i JOIN bench.stocked s ON s.id = i.id GROUP BY i.category_id ORDER BY count(*) DESC LIMIT 5)
    UNION ALL
    SELECT 'all', 1, '{}', NULL, NULL, NULL
) q
-- The first series is of the first unit in which something of it is counted.
CROSS JOIN LATERAL (
    SELECT i.unit_id AS id FROM stock_level l JOIN item i ON i.id = l.item_id
    WHERE (q.item IS NULL OR l.item_id = q.item) AND (q.place IS NULL OR l.location_id = q.place) AND (q.category IS NULL OR i.category_id IN (SELECT c.id FROM category c WHERE c.path <@ (SELECT path FROM category WHERE id = q.category)))
    ORDER BY i.unit_id LIMIT 1
) u
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(CASE WHEN t.keeps_stock THEN m.quantity ELSE 0 END * (q.place IS NULL OR m.to_location_id = q.place)::integer)
           - sum(CASE WHEN f.keeps_stock THEN m.quantity ELSE 0 END * (q.place IS NULL OR m.from_location_id = q.place)::integer), 0) AS opening
    FROM stock_movement m JOIN location f ON f.id = m.from_location_id JOIN location t ON t.id = m.to_location_id
    WHERE m.effective_at < (current_date - 365)::timestamp AT TIME ZONE 'UTC' AND (q.item IS NULL OR m.item_id = q.item)
      AND (q.place IS NULL OR q.place IN (m.from_location_id, m.to_location_id))
      AND m.item_id IN (SELECT i.id FROM item i JOIN category c ON c.id = i.category_id
                        WHERE i.unit_id = u.id AND (q.category IS NULL OR c.path <@ (SELECT path FROM category WHERE id = q.category)))
) o;

CREATE OR REPLACE FUNCTION bench.series_variables(filter jsonb, points text) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('where', filter, 'from', current_date - 365, 'until', current_date, 'interval', points)
$$;
CREATE VIEW bench.stock_series_item_cases AS
SELECT n, bench.series_variables(filter, 'DAY') AS variables, format('"isComplete":true,"series":[{"opening":{"quantity":"%s"}', trim_scale(opening)) AS expected
FROM bench.series WHERE kind = 'item';
CREATE VIEW bench.stock_series_hot_cases AS
SELECT n, bench.series_variables(filter, 'DAY') AS variables, format('"isComplete":true,"series":[{"opening":{"quantity":"%s"}', trim_scale(opening)) AS expected
FROM bench.series WHERE kind = 'hot';
CREATE VIEW bench.stock_series_place_cases AS
SELECT n, bench.series_variables(filter, 'DAY') AS variables, format('"isComplete":true,"series":[{"opening":{"quantity":"%s"}', trim_scale(opening)) AS expected
FROM bench.series WHERE kind = 'place';
CREATE VIEW bench.stock_series_category_cases AS
SELECT n, bench.series_variables(filter, 'MONTH') AS variables, format('"isComplete":true,"series":[{"opening":{"quantity":"%s"}', trim_scale(opening)) AS expected
FROM bench.series WHERE kind = 'category';
CREATE VIEW bench.stock_series_all_cases AS
SELECT n, bench.series_variables(filter, 'DAY') AS variables, format('"isComplete":true,"series":[{"opening":{"quantity":"%s"}', trim_scale(opening)) AS expected
FROM bench.series WHERE kind = 'all';
