-- Random places of the catalogue: ids to ask for, and cursors with what lies behind them. Beside each, the categories that
-- its answer needs, as the array that the api binds.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;

CREATE TABLE bench.item AS
SELECT row_number() OVER (ORDER BY md5(i.id::text)) AS n, i.id, i.sku, ARRAY[i.category_id]::text AS categories
FROM item i WHERE i.archived_at IS NULL
ORDER BY md5(i.id::text) LIMIT 20000;

CREATE TABLE bench.page AS
SELECT row_number() OVER (ORDER BY s.n) AS n, s.id, s.sku, p.first, p.categories
FROM bench.item s,
     LATERAL (SELECT count(*), min(x.id::text)::uuid AS first, array_agg(DISTINCT x.category_id)::text AS categories
              FROM (SELECT i.id, i.category_id FROM item i WHERE i.id > s.id AND i.archived_at IS NULL
                    ORDER BY i.id LIMIT 20) x) p
WHERE s.n <= 10000 AND p.count = 20;

CREATE TABLE bench.page_by_sku AS
SELECT row_number() OVER (ORDER BY s.n) AS n, s.id, s.sku, p.first, p.categories
FROM bench.item s,
     LATERAL (SELECT count(*), (array_agg(x.id ORDER BY x.sku, x.id))[1] AS first,
                     array_agg(DISTINCT x.category_id)::text AS categories
              FROM (SELECT i.id, i.sku, i.category_id FROM item i
                    WHERE (i.sku, i.id) > (s.sku, s.id) AND i.archived_at IS NULL
                    ORDER BY i.sku, i.id LIMIT 20) x) p
WHERE s.n <= 10000 AND p.count = 20;

CREATE FUNCTION bench.url_safe(data text) RETURNS text LANGUAGE sql AS
$$ SELECT translate(encode(convert_to(data, 'UTF8'), 'base64'), E'+/=\n', '-_') $$;

CREATE FUNCTION bench.global_id(type text, id uuid) RETURNS text LANGUAGE sql AS
$$ SELECT bench.url_safe(type || ':' || replace(id::text, '-', '')) $$;

CREATE UNIQUE INDEX ON bench.item (n);
CREATE UNIQUE INDEX ON bench.page (n);
CREATE UNIQUE INDEX ON bench.page_by_sku (n);
ANALYZE bench.item, bench.page, bench.page_by_sku;

-- What load.lua reads: variables, and what the answer must contain.
CREATE VIEW bench.item_cases AS
SELECT n, format('{"id":"%s"}', bench.global_id('Item', id)) AS variables,
       format('"item":{"id":"%s","sku":"%s"', bench.global_id('Item', id), sku) AS expected FROM bench.item;
CREATE VIEW bench.page_cases AS
SELECT n, format('{"after":"%s"}', bench.url_safe(format('["%s"]', id))) AS variables,
       format('"nodes":[{"id":"%s"', bench.global_id('Item', first)) AS expected FROM bench.page;
CREATE VIEW bench.page_by_sku_cases AS
SELECT n, format('{"after":"%s"}', bench.url_safe(format('["%s","%s"]', sku, id))) AS variables,
       format('"nodes":[{"id":"%s"', bench.global_id('Item', first)) AS expected FROM bench.page_by_sku;
