-- Three items at three places of a shop in Tehran, and two years of what happened to them at random, much of it written down late.
UPDATE shop SET time_zone = 'Asia/Tehran';
INSERT INTO category (id, number, path, name, position, created_at, updated_at) OVERRIDING SYSTEM VALUE
SELECT gen_random_uuid(), s.n, s.n::text::ltree, '{"en": "Rings"}', 1, now(), now()
FROM (SELECT nextval(pg_get_serial_sequence('category', 'number')) AS n) s;
INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, created_at, updated_at)
SELECT gen_random_uuid(), 'goods', k.sku, '{"en": "Thing"}', c.id, u.id, 'none', now(), now()
FROM category c, (VALUES ('RING', 'piece'), ('CHAIN', 'piece'), ('WIRE', 'gram')) k (sku, unit) JOIN unit_of_measure u ON u.code = k.unit;
INSERT INTO location (id, number, path, code, name, kind, position, created_at, updated_at) OVERRIDING SYSTEM VALUE
SELECT gen_random_uuid(), s.n, s.n::text::ltree, s.code, '{"en": "Place"}', 'tray', 1, now(), now()
FROM (SELECT code, nextval(pg_get_serial_sequence('location', 'number')) AS n FROM (VALUES ('TRAY'), ('SAFE'), ('FLOOR')) k (code)) s;

CREATE FUNCTION happen(entry_kind text, reason text, sku text, source text, target text, quantity numeric, cost numeric, at timestamptz)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    entry uuid := gen_random_uuid();
BEGIN
    WITH entry AS (
        INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines)
        VALUES (entry, entry_kind, reason, at, now(), 'system', 'psql', 1)
    )
    INSERT INTO stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, unit_cost, effective_at)
    SELECT entry, 1, i.id, f.id, t.id, quantity, cost, at FROM item i, location f, location t
    WHERE i.sku = happen.sku AND f.code = source AND t.code = target;
    RETURN entry;
END $$;
CREATE FUNCTION undo(undone uuid) RETURNS void LANGUAGE sql AS $$
    WITH entry AS (
        INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines, reverses_id)
        SELECT md5(undone::text)::uuid, 'reverse', 'reversed', now(), now(), 'system', 'psql', 1, undone
    )
    INSERT INTO stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, effective_at)
    SELECT md5(undone::text)::uuid, 1, item_id, to_location_id, from_location_id, quantity, now() FROM stock_movement WHERE entry_id = undone;
$$;
-- So many things at random, in the last so many days.
CREATE FUNCTION happens(times integer, days integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    place text[] := '{TRAY,SAFE,FLOOR}';
    skus  text[] := '{RING,CHAIN,WIRE}';
    sku   text;
    here  integer;
    at    timestamptz;
    entry uuid;
BEGIN
    FOR n IN 1..times LOOP
        sku := skus[1 + floor(random() * 3)];
        here := 1 + floor(random() * 3);
        at := now() - random() * days * interval '1 day';
        CASE floor(random() * 5)::integer
            WHEN 0 THEN entry := happen('receive', 'purchased', sku, 'SUPPLIER', place[here], 3, 100 + n, at);
            WHEN 1 THEN entry := happen('issue', 'sold', sku, place[here], 'CUSTOMER', 1, NULL, at);
            WHEN 2 THEN entry := happen('issue', 'lost', sku, place[here], 'LOSS', 1, NULL, at);
            ELSE entry := happen('move', 'moved', sku, place[here], place[1 + here % 3], 2, NULL, at);
        END CASE;
        IF n % 10 = 0 THEN
            PERFORM undo(entry);
        END IF;
    END LOOP;
END $$;
SELECT happen('receive', 'purchased', s, 'SUPPLIER', l, 100000, 50, now() - interval '800 days')
FROM unnest('{RING,CHAIN,WIRE}'::text[]) s, unnest('{TRAY,SAFE,FLOOR}'::text[]) l;
