-- Two years of a shop: about :movements movements, ten to an entry, of all generated items at fifty locations. Eight items are in a fifth of
-- them, at every location; each of the others is at four. Half of the entries let goods leave, three tenths take some in, a fifth carries some
-- about. What there is in the beginning is enough for all of it.
--
-- The rows go in as they are, while the triggers rest, and levels and values are the sums: a reconciliation then proves the former. Everything is one
-- transaction, so that the triggers are never left off.
SET client_min_messages = warning;
SET jit = off;
SET work_mem = '512MB';
SET enable_mergejoin = off;
BEGIN;
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
CREATE TABLE bench.place (n bigint PRIMARY KEY, id uuid NOT NULL);
CREATE TABLE bench.stocked (n bigint PRIMARY KEY, id uuid NOT NULL);
CREATE TABLE bench.opening (n bigint PRIMARY KEY, item bigint NOT NULL, place bigint NOT NULL);

-- A number that is always the same for the same n, and looks like any.
CREATE FUNCTION bench.dice(n bigint, throw bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, throw) & 9007199254740991) % sides $$;
-- Where the item is kept, of four or fifty places.
CREATE FUNCTION bench.place_of(item bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN item <= 8 THEN n % 50 ELSE (item * 7 + n % 4 * 13) % 50 END $$;
CREATE FUNCTION bench.entry_id(at timestamptz, n bigint) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid
$$;

INSERT INTO location (id, number, path, code, name, kind, position, created_at, updated_at)
OVERRIDING SYSTEM VALUE
SELECT gen_random_uuid(), s.number, s.number::text::ltree, 'HISTORY-' || lpad(s.n::text, 2, '0'), jsonb_build_object('en', 'History ' || s.n),
       'storage', 100 + s.n, now(), now()
FROM (SELECT n, nextval(pg_get_serial_sequence('location', 'number')) AS number FROM generate_series(0, 49) n) s;
INSERT INTO bench.place SELECT right(code, 2)::bigint, id FROM location WHERE code LIKE 'HISTORY-%';
INSERT INTO bench.stocked
SELECT row_number() OVER (ORDER BY md5(i.id::text)), i.id
FROM item i JOIN unit_of_measure u ON u.id = i.unit_id
WHERE i.external_reference LIKE 'demo:generated:%' AND i.tracking = 'none' AND NOT i.is_template AND i.kind = 'goods';
INSERT INTO bench.opening
SELECT row_number() OVER (), s.n, p.place
FROM bench.stocked s CROSS JOIN LATERAL (SELECT DISTINCT bench.place_of(s.n, k) AS place FROM generate_series(0, 49) k) p;
ANALYZE bench.place, bench.stocked, bench.opening;

SELECT count(*) AS items, now() - interval '730 days' AS beginning,
       GREATEST((:movements - (SELECT count(*) FROM bench.opening)) / 10 + 1, 1) AS entries
FROM bench.stocked \gset
SELECT id AS supplier FROM location WHERE code = 'SUPPLIER' \gset
SELECT id AS customer FROM location WHERE code = 'CUSTOMER' \gset

CREATE FUNCTION bench.moment_of(n bigint, beginning timestamptz, entries bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
$$ SELECT beginning + (interval '729 days' * (n::double precision / entries)) $$;

ALTER TABLE stock_entry DISABLE TRIGGER USER;
ALTER TABLE stock_movement DISABLE TRIGGER USER;

-- What there is in the beginning: entries of 50,000 lines.
INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines)
SELECT bench.entry_id(e.at, -e.n), 'receive', 'purchased', e.at, e.at, 'system', 'bench', e.lines
FROM (SELECT (n - 1) / 50000 AS n, count(*) AS lines, :'beginning'::timestamptz - interval '1 day' + (n - 1) / 50000 * interval '1 minute' AS at
      FROM bench.opening GROUP BY (n - 1) / 50000 ORDER BY 1) e;
INSERT INTO stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, unit_cost, effective_at)
SELECT bench.entry_id(e.at, -e.n), e.line, s.id, :'supplier', p.id, CASE WHEN e.item <= 8 THEN 2000000 ELSE 20000 END, 100, e.at
FROM (SELECT (n - 1) / 50000 AS n, 1 + (n - 1) % 50000 AS line, item, place,
             :'beginning'::timestamptz - interval '1 day' + (n - 1) / 50000 * interval '1 minute' AS at FROM bench.opening) e
JOIN bench.stocked s ON s.n = e.item JOIN bench.place p ON p.n = e.place
ORDER BY e.n, e.line;

-- What has happened since.
INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines)
SELECT bench.entry_id(e.at, e.n),
       CASE WHEN e.n % 10 < 3 THEN 'receive' WHEN e.n % 10 < 8 THEN 'issue' ELSE 'move' END,
       CASE WHEN e.n % 10 < 3 THEN 'purchased' WHEN e.n % 10 < 8 THEN 'sold' ELSE 'moved' END, e.at, e.at, 'system', 'bench', 10
FROM (SELECT n, bench.moment_of(n, :'beginning', :entries) AS at FROM generate_series(1, :entries::bigint) n) e;
INSERT INTO stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, unit_cost, effective_at)
SELECT bench.entry_id(e.at, e.n), m.line, s.id,
       CASE WHEN e.n % 10 < 3 THEN :'supplier'::uuid ELSE f.id END,
       CASE WHEN e.n % 10 < 3 THEN f.id WHEN e.n % 10 < 8 THEN :'customer'::uuid ELSE t.id END,
       1 + bench.dice(m.m, 5, 5), CASE WHEN e.n % 10 < 3 THEN 100 END, e.at
FROM (SELECT n, bench.moment_of(n, :'beginning', :entries) AS at FROM generate_series(1, :entries::bigint) n) e
CROSS JOIN LATERAL (SELECT line, e.n * 10 + line - 1 AS m FROM generate_series(1, 10) line OFFSET 0) m
CROSS JOIN LATERAL (SELECT CASE WHEN bench.dice(m.m, 1, 5) = 0 THEN 1 + bench.dice(m.m, 2, 8) ELSE 9 + bench.dice(m.m, 2, :items - 8) END AS item,
                           bench.dice(m.m, 3, 100) AS place OFFSET 0) k
JOIN bench.stocked s ON s.n = k.item
JOIN bench.place f ON f.n = bench.place_of(k.item, k.place)
JOIN bench.place t ON t.n = bench.place_of(k.item, k.place + 1);

ALTER TABLE stock_entry ENABLE TRIGGER USER;
ALTER TABLE stock_movement ENABLE TRIGGER USER;

INSERT INTO stock_level (item_id, location_id, on_hand, may_run_short, version, changed_at)
SELECT m.item_id, m.location_id, sum(m.quantity), false, count(*), max(m.effective_at)
FROM (SELECT item_id, to_location_id AS location_id, quantity, effective_at FROM stock_movement
      UNION ALL SELECT item_id, from_location_id, -quantity, effective_at FROM stock_movement) m
JOIN bench.place p ON p.id = m.location_id
GROUP BY m.item_id, m.location_id;

-- All was bought for the same, so that is what each piece has cost.
INSERT INTO stock_cost (entry_id, line, item_id, amount, value, effective_at, recorded_at)
SELECT m.entry_id, m.line, m.item_id, s.sign * m.quantity, s.sign * m.quantity * 100, m.effective_at, m.effective_at
FROM stock_movement m CROSS JOIN LATERAL (SELECT CASE WHEN m.from_location_id = :'supplier' THEN 1 ELSE -1 END AS sign) s
WHERE m.from_location_id = :'supplier' OR m.to_location_id = :'customer'
ORDER BY m.number;
INSERT INTO stock_value (item_id, amount, value, unit_cost, changed_at)
SELECT item_id, sum(amount), sum(value), 100, max(effective_at) FROM stock_cost GROUP BY item_id;
COMMIT;
VACUUM (ANALYZE) stock_entry, stock_movement, stock_level, stock_cost, stock_value;
