-- What is asked about the history, and what the answer begins with: summed up forwards from the beginning, where goldshop goes backwards from
-- the present.
SET client_min_messages = warning;
SET jit = off;
DROP TABLE IF EXISTS bench.moment, bench.card, bench.deep, bench.then_there, bench.then_of, bench.then_hot CASCADE;

CREATE OR REPLACE FUNCTION bench.url_safe(data text) RETURNS text LANGUAGE sql AS
$$ SELECT translate(encode(convert_to(data, 'UTF8'), 'base64'), E'+/=\n', '-_') $$;
CREATE OR REPLACE FUNCTION bench.global_id(type text, id uuid) RETURNS text LANGUAGE sql AS
$$ SELECT bench.url_safe(type || ':' || replace(id::text, '-', '')) $$;

-- What a movement changes: at a place, or in the whole shop without one, whose other side is the supplier or the customer.
CREATE OR REPLACE FUNCTION bench.change(source uuid, target uuid, place uuid, quantity numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN target = place THEN quantity WHEN source = place THEN -quantity WHEN place IS NOT NULL THEN 0
                WHEN source = '01930000-0000-7000-8003-000000000001' THEN quantity
                WHEN target = '01930000-0000-7000-8003-000000000002' THEN -quantity ELSE 0 END
$$;
CREATE OR REPLACE FUNCTION bench.balance(of_item uuid, place uuid, until timestamptz, until_number bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT sum(bench.change(from_location_id, to_location_id, place, quantity)) FROM stock_movement
    WHERE item_id = of_item AND (effective_at, number) <= (until, until_number)
$$;

-- The newest page: of any item, at one of its places, or in the whole shop.
CREATE TABLE bench.card AS
SELECT row_number() OVER () AS n, c.item, c.place, NULL::text AS after, m.change, bench.balance(c.item, c.place, m.effective_at, m.number) AS balance
FROM (SELECT s.id AS item, CASE WHEN k % 2 = 0 THEN p.id END AS place
      FROM generate_series(1, 600) k
      JOIN bench.stocked s ON s.n = CASE WHEN k % 10 = 0 THEN 1 + k / 10 % 8 ELSE 9 + bench.dice(k, 11, (SELECT count(*) - 8 FROM bench.stocked)) END
      JOIN bench.place p ON p.n = bench.place_of(s.n, k / 2)) c
CROSS JOIN LATERAL (
    SELECT m.effective_at, m.number, bench.change(m.from_location_id, m.to_location_id, c.place, m.quantity) AS change FROM stock_movement m
    WHERE m.item_id = c.item AND bench.change(m.from_location_id, m.to_location_id, c.place, m.quantity) <> 0
    ORDER BY m.effective_at DESC, m.number DESC LIMIT 1) m;

-- A page behind a random movement of an item that has very many.
CREATE TABLE bench.deep AS
SELECT row_number() OVER () AS n, c.item, c.place,
       bench.url_safe(format('["%s","%s"]', to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), c.number)) AS after,
       m.change, bench.balance(c.item, c.place, m.effective_at, m.number) AS balance
FROM (SELECT s.id AS item, CASE WHEN k % 2 = 0 THEN p.id END AS place, a.effective_at AS at, a.number
      FROM generate_series(1, 120) k
      JOIN bench.stocked s ON s.n = 1 + k % 8
      JOIN bench.place p ON p.n = bench.dice(k, 13, 50)
      CROSS JOIN LATERAL (
          SELECT effective_at, number FROM stock_movement WHERE item_id = s.id
            AND effective_at > (SELECT min(effective_at) + (max(effective_at) - min(effective_at)) * (0.02 + bench.dice(k, 14, 9800) / 10000.0) FROM stock_entry)
          ORDER BY effective_at, number LIMIT 1) a) c
CROSS JOIN LATERAL (
    SELECT m.effective_at, m.number, bench.change(m.from_location_id, m.to_location_id, c.place, m.quantity) AS change FROM stock_movement m
    WHERE m.item_id = c.item AND (m.effective_at, m.number) < (c.at, c.number)
      AND bench.change(m.from_location_id, m.to_location_id, c.place, m.quantity) <> 0
    ORDER BY m.effective_at DESC, m.number DESC LIMIT 1) m;

-- What was there at a moment: at a place, from any item on; of any item; of one that moves very often.
CREATE TABLE bench.moment AS
SELECT k, (SELECT min(effective_at) + (max(effective_at) - min(effective_at)) * (0.02 + bench.dice(k, 15, 9800) / 10000.0) FROM stock_entry) AS at
FROM generate_series(1, 300) k;
CREATE TABLE bench.then_there AS
SELECT row_number() OVER () AS n, t.at, jsonb_build_object('locationIds', jsonb_build_array(bench.global_id('Location', p.id))) AS filter,
       bench.url_safe(format('["%s","%s"]', s.id, p.id)) AS after, bench.balance(l.item_id, p.id, t.at, 9223372036854775807) AS on_hand
FROM bench.moment t
JOIN bench.place p ON p.n = bench.dice(t.k, 16, 50)
JOIN bench.stocked s ON s.n = 9 + bench.dice(t.k, 17, (SELECT count(*) - 8 FROM bench.stocked))
CROSS JOIN LATERAL (SELECT item_id FROM stock_level WHERE location_id = p.id AND item_id > s.id ORDER BY item_id LIMIT 1) l;
CREATE TABLE bench.then_of AS
SELECT row_number() OVER () AS n, t.at, jsonb_build_object('itemIds', jsonb_build_array(bench.global_id('Item', s.id))) AS filter,
       NULL::text AS after, bench.balance(s.id, l.location_id, t.at, 9223372036854775807) AS on_hand
FROM bench.moment t
JOIN bench.stocked s ON s.n = 9 + bench.dice(t.k, 18, (SELECT count(*) - 8 FROM bench.stocked))
CROSS JOIN LATERAL (SELECT location_id FROM stock_level WHERE item_id = s.id ORDER BY location_id LIMIT 1) l;
CREATE TABLE bench.then_hot AS
SELECT row_number() OVER () AS n, t.at, jsonb_build_object('itemIds', jsonb_build_array(bench.global_id('Item', s.id))) AS filter,
       NULL::text AS after, bench.balance(s.id, l.location_id, t.at, 9223372036854775807) AS on_hand
FROM bench.moment t
JOIN bench.stocked s ON s.n = 1 + t.k % 8
CROSS JOIN LATERAL (SELECT location_id FROM stock_level WHERE item_id = s.id ORDER BY location_id LIMIT 1) l
WHERE t.k <= 80;
DROP TABLE bench.moment;

CREATE OR REPLACE FUNCTION bench.card_variables(item uuid, place uuid, after text) RETURNS json LANGUAGE sql AS $$
    SELECT json_build_object('itemId', bench.global_id('Item', item), 'locationId', bench.global_id('Location', place), 'after', after)
$$;
CREATE VIEW bench.stock_card_cases AS
SELECT n, bench.card_variables(item, place, after) AS variables,
       format('"nodes":[{"balance":"%s","change":"%s"', trim_scale(balance), trim_scale(change)) AS expected FROM bench.card;
CREATE VIEW bench.stock_card_deep_cases AS
SELECT n, bench.card_variables(item, place, after) AS variables,
       format('"nodes":[{"balance":"%s","change":"%s"', trim_scale(balance), trim_scale(change)) AS expected FROM bench.deep;

CREATE OR REPLACE FUNCTION bench.level_variables(at timestamptz, filter jsonb, after text) RETURNS json LANGUAGE sql AS $$
    SELECT json_build_object('asOf', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'where', filter, 'after', after)
$$;
CREATE VIEW bench.stock_levels_there_cases AS
SELECT n, bench.level_variables(at, filter, after) AS variables, format('"nodes":[{"onHand":"%s"', trim_scale(on_hand)) AS expected
FROM bench.then_there;
CREATE VIEW bench.stock_levels_of_cases AS
SELECT n, bench.level_variables(at, filter, after) AS variables, format('"nodes":[{"onHand":"%s"', trim_scale(on_hand)) AS expected
FROM bench.then_of;
CREATE VIEW bench.stock_levels_hot_cases AS
SELECT n, bench.level_variables(at, filter, after) AS variables, format('"nodes":[{"onHand":"%s"', trim_scale(on_hand)) AS expected
FROM bench.then_hot;
