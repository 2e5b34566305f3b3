-- The yardstick of posting: one function, written by hand, that does what an issue of goldshop does to its tables, on tables of its own with
-- the same columns, indexes, constraints and keys, but without triggers. It checks nothing but that there is enough.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS plain CASCADE;
CREATE SCHEMA plain;

CREATE TABLE plain.item (id uuid PRIMARY KEY);
CREATE TABLE plain.location (id uuid PRIMARY KEY, may_run_short boolean NOT NULL, UNIQUE (id, may_run_short));
CREATE TABLE plain.idempotency (LIKE public.idempotency INCLUDING ALL);
CREATE TABLE plain.audit (LIKE public.audit INCLUDING ALL);
CREATE TABLE plain.event (LIKE public.event INCLUDING ALL);
CREATE TABLE plain.stock_entry (LIKE public.stock_entry INCLUDING ALL, FOREIGN KEY (reverses_id) REFERENCES plain.stock_entry (id));
CREATE TABLE plain.stock_movement (LIKE public.stock_movement INCLUDING ALL);
CREATE TABLE plain.stock_level (LIKE public.stock_level INCLUDING ALL,
    FOREIGN KEY (item_id) REFERENCES plain.item (id),
    FOREIGN KEY (location_id, may_run_short) REFERENCES plain.location (id, may_run_short) ON UPDATE CASCADE) WITH (fillfactor = 70);
CREATE TABLE plain.stock_value (LIKE public.stock_value INCLUDING ALL, FOREIGN KEY (item_id) REFERENCES plain.item (id)) WITH (fillfactor = 80);
CREATE TABLE plain.stock_cost (LIKE public.stock_cost INCLUDING ALL);

-- As in stock_items.cases: a location and a hundred items, here with numbers for ids.
CREATE FUNCTION plain.id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('01900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
INSERT INTO plain.item SELECT plain.id(n) FROM generate_series(1, 100) n;
INSERT INTO plain.location VALUES (plain.id(1), false), (plain.id(2), true);
INSERT INTO plain.stock_level (item_id, location_id, on_hand, may_run_short, changed_at)
SELECT plain.id(n), plain.id(1), 1000000000, false, now() FROM generate_series(1, 100) n;

INSERT INTO plain.stock_value (item_id, amount, value, changed_at) SELECT plain.id(n), 1000000000, 7500000000, now() FROM generate_series(1, 100) n;

-- Ids that grow with time, as goldshop's do.
CREATE FUNCTION plain.new_id(at timestamptz) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(gen_random_uuid()::text, 16))::uuid
$$;

-- Levels and values locked in the order of their keys, and enough in each; the entry with its movements; the levels; what each has cost by
-- weighted average, and the values.
CREATE FUNCTION plain.post(entry_id uuid, items uuid[], place uuid, target uuid, at timestamptz, OUT number bigint) LANGUAGE plpgsql AS $$
DECLARE
    enough boolean;
    found_levels integer;
    costs numeric[];
BEGIN
    SELECT count(*), bool_and(l.on_hand - l.reserved >= 1) INTO found_levels, enough
    FROM (SELECT s.on_hand, s.reserved FROM plain.stock_level s WHERE s.item_id = ANY (items) AND s.location_id = place
          ORDER BY s.item_id, s.location_id FOR NO KEY UPDATE) l;
    IF found_levels <> cardinality(items) OR NOT enough THEN
        RAISE EXCEPTION 'more than there is';
    END IF;
    INSERT INTO plain.stock_entry AS e (id, kind, reason, effective_at, recorded_at, actor_kind, actor_id, actor_name, lines)
    VALUES (entry_id, 'issue', 'sold', at, at, 'user', plain.id(1), 'Goldshop Demo', cardinality(items))
    RETURNING e.number INTO number;
    INSERT INTO plain.stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, effective_at)
    SELECT entry_id, l.line, l.item, place, target, 1, at FROM unnest(items) WITH ORDINALITY l (item, line);
    UPDATE plain.stock_level s SET on_hand = s.on_hand - 1, version = s.version + 1, changed_at = at
    WHERE s.item_id = ANY (items) AND s.location_id = place;
    SELECT array_agg(round(v.value / v.amount, 2) ORDER BY l.line) INTO costs
    FROM unnest(items) WITH ORDINALITY l (item, line)
    JOIN (SELECT v.item_id, v.value, v.amount FROM plain.stock_value v WHERE v.item_id = ANY (items)
          ORDER BY v.item_id FOR NO KEY UPDATE) v ON v.item_id = l.item;
    INSERT INTO plain.stock_cost (entry_id, line, item_id, amount, value, effective_at, recorded_at)
    SELECT entry_id, l.line, l.item, -1, -l.cost, at, at FROM unnest(items, costs) WITH ORDINALITY l (item, cost, line);
    UPDATE plain.stock_value v SET amount = v.amount - 1, value = v.value - l.cost, changed_at = at
    FROM unnest(items, costs) l (item, cost) WHERE v.item_id = l.item;
END $$;

-- The same, with all that goldshop writes for a request: the key is claimed first, the answer kept last.
CREATE FUNCTION plain.issue(asked_key text, items uuid[]) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    at     timestamptz := clock_timestamp();
    id     uuid := plain.new_id(at);
    place  uuid := plain.id(1);
    target uuid := plain.id(2);
    number bigint;
BEGIN
    INSERT INTO plain.idempotency (actor, key, operation, request_hash, created_at)
    VALUES ('user:01900000000070008000000000000001', asked_key, 'stock.issue', sha256(asked_key::bytea), at) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'asked before';
    END IF;
    INSERT INTO plain.audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
    VALUES (at, 'user', plain.id(1), 'Goldshop Demo', asked_key, 'stock.issue', 'stock_entry', id,
            jsonb_build_object('kind', 'issue', 'reason', 'sold', 'document', NULL, 'note', NULL, 'effective_at', NULL, 'reverses_id', NULL,
                               'lines', cardinality(items)));
    INSERT INTO plain.event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
    VALUES ('stock.changed', 'stock', id, 1,
            jsonb_build_object('action', 'stock.issue', 'items', to_jsonb(items), 'locations', jsonb_build_array(place, target)), asked_key, at);
    number := plain.post(id, items, place, target, at);
    UPDATE plain.idempotency i
    SET answer = jsonb_build_object('id', id, 'number', number, 'kind', 'issue', 'reason', 'sold', 'document', NULL, 'note', NULL,
                                    'effective_at', at, 'recorded_at', at, 'actor_kind', 'user', 'actor_id', plain.id(1),
                                    'actor_name', 'Goldshop Demo', 'reverses_id', NULL, 'lines', cardinality(items))
    WHERE i.actor = 'user:01900000000070008000000000000001' AND i.key = asked_key;
    RETURN id;
END $$;

CREATE FUNCTION plain.issue_alone(items uuid[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := clock_timestamp();
BEGIN
    RETURN plain.post(plain.new_id(at), items, plain.id(1), plain.id(2), at);
END $$;
ANALYZE plain.item, plain.location, plain.stock_level, plain.stock_value;
