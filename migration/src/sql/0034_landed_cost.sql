-- Landed cost: freight, duty, insurance, or a price that is known late, spread over the lines of a receipt. It becomes a part of what the receipt
-- is worth from its moment on, and is split between what is left and what was sold by computing the items anew, as after a late entry.

CREATE TABLE stock_landed_cost (
    id           uuid PRIMARY KEY,
    number       bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT stock_landed_cost_number_unique UNIQUE,
    -- The receipt.
    entry_id     uuid NOT NULL REFERENCES stock_entry (id),
    kind         text COLLATE "C" NOT NULL CHECK (kind IN ('freight', 'duty', 'insurance', 'price', 'other')),
    method       text COLLATE "C" NOT NULL CHECK (method IN ('value', 'quantity', 'weight', 'equally')),
    -- In the shop's currency; less than nothing when the receipt became cheaper.
    amount       numeric(24, 6) NOT NULL CHECK (amount <> 0),
    document     text CHECK (length(document) BETWEEN 1 AND 200),
    description  text CHECK (length(description) BETWEEN 1 AND 2000),
    -- When it arose. It counts from the receipt on, whenever that is.
    effective_at timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id     uuid,
    actor_name   text NOT NULL,
    reverses_id  uuid CONSTRAINT stock_landed_cost_reversed_once UNIQUE REFERENCES stock_landed_cost (id),
    lines        integer NOT NULL CHECK (lines BETWEEN 1 AND 50000),
    CONSTRAINT stock_landed_cost_not_ahead CHECK (effective_at <= recorded_at + interval '5 minutes')
);
CREATE INDEX stock_landed_cost_entry ON stock_landed_cost (entry_id, id);
CREATE INDEX stock_landed_cost_effective ON stock_landed_cost (effective_at, id);
CREATE TRIGGER stock_landed_cost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_landed_cost
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What of it is borne by a line of the receipt.
CREATE TABLE stock_landed_cost_line (
    landed_cost_id uuid NOT NULL,
    -- The movement's.
    line           integer NOT NULL,
    entry_id       uuid NOT NULL,
    item_id        uuid NOT NULL,
    amount         numeric(24, 6) NOT NULL,
    PRIMARY KEY (landed_cost_id, line)
);
CREATE INDEX stock_landed_cost_line_movement ON stock_landed_cost_line (entry_id, line);
CREATE INDEX stock_landed_cost_line_item ON stock_landed_cost_line (item_id, landed_cost_id);
CREATE TRIGGER stock_landed_cost_line_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_landed_cost_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How much of what a line bears was taken into what stock has cost, and when. Added up, it is all of it, unless the item is to be computed anew.
CREATE TABLE stock_landed_value (
    recosting_id uuid NOT NULL,
    entry_id     uuid NOT NULL,
    line         integer NOT NULL,
    item_id      uuid NOT NULL,
    amount       numeric(24, 6) NOT NULL,
    -- By how much that made the movement worth more: less than the amount where some of it had been sold before it came.
    value        numeric(24, 6) NOT NULL,
    -- The movement's; of what happened in a period that is closed, the moment behind it.
    effective_at timestamptz NOT NULL,
    PRIMARY KEY (recosting_id, entry_id, line)
);
CREATE INDEX stock_landed_value_movement ON stock_landed_value (entry_id, line);
CREATE TRIGGER stock_landed_value_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_landed_value
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Of which items, by which lines of costs, and because of which landed cost, when that is known.
ALTER TABLE stock_recosting ADD COLUMN items uuid[], ADD COLUMN till bigint,
    ADD COLUMN landed_cost_id uuid REFERENCES stock_landed_cost (id);

-- What a landed cost may be; and has the items computed anew from the receipt on. Nobody changes their values until the transaction ends.
CREATE FUNCTION stock_landed_cost_mark() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET jit = off AS $$
DECLARE
    places integer := (SELECT currency_scale FROM shop);
    faults jsonb;
BEGIN
    -- Whoever closes a period owns this.
    PERFORM pg_advisory_xact_lock_shared(8317423741026365291);
    PERFORM FROM stock_value v WHERE v.item_id IN (SELECT p.item_id FROM posted p) ORDER BY v.item_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT p.landed_cost_id FROM posted p) p
        LEFT JOIN stock_landed_cost c ON c.id = p.landed_cost_id
        CROSS JOIN LATERAL (SELECT count(*) AS lines, sum(l.amount) AS amount FROM stock_landed_cost_line l
                            WHERE l.landed_cost_id = p.landed_cost_id) l
        WHERE (c.lines, c.amount) IS DISTINCT FROM (l.lines, l.amount)
    ) THEN
        RAISE EXCEPTION 'a landed cost has all its lines, and they add up to it'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_landed_cost_whole';
    END IF;
    SELECT jsonb_agg(f.fault) INTO faults
    FROM (
        SELECT jsonb_build_object('line', p.line, 'code', w.code, 'sku', i.sku, 'value', (s.agreed + s.added)::text) AS fault
        FROM posted p
        JOIN stock_landed_cost c ON c.id = p.landed_cost_id
        JOIN stock_entry e ON e.id = c.entry_id
        LEFT JOIN stock_landed_cost o ON o.id = c.reverses_id
        LEFT JOIN stock_movement m ON m.entry_id = e.id AND m.line = p.line
        LEFT JOIN stock_value v ON v.item_id = m.item_id
        LEFT JOIN item i ON i.id = m.item_id
        CROSS JOIN LATERAL (SELECT round(m.quantity * COALESCE(m.unit_cost, 0), places) AS agreed, sum(l.amount) AS added
                            FROM stock_landed_cost_line l WHERE l.entry_id = p.entry_id AND l.line = p.line) s
        CROSS JOIN LATERAL (SELECT CASE
            WHEN e.kind <> 'receive' THEN 'not_a_receipt'
            WHEN v.item_id IS NULL OR (p.entry_id, p.item_id) IS DISTINCT FROM (m.entry_id, m.item_id) THEN 'line_unknown'
            WHEN c.effective_at < e.effective_at OR c.effective_at < o.effective_at THEN 'too_early'
            WHEN p.amount <> round(p.amount, places) THEN 'too_fine'
            WHEN EXISTS (SELECT FROM stock_entry r WHERE r.reverses_id = e.id) THEN 'receipt_reversed'
            WHEN c.reverses_id IS NOT NULL AND (o.reverses_id IS NOT NULL
                 OR (c.entry_id, c.kind, c.method, c.lines) IS DISTINCT FROM (o.entry_id, o.kind, o.method, o.lines)
                 OR NOT EXISTS (SELECT FROM stock_landed_cost_line l
                                WHERE l.landed_cost_id = o.id AND l.line = p.line AND l.amount = -p.amount)) THEN 'no_mirror'
            -- Of what nobody has said what it cost, nothing is known that could be taken away.
            WHEN s.agreed + s.added < 0 THEN 'less_than_nothing'
        END AS code) w
        WHERE w.code IS NOT NULL
        ORDER BY p.line LIMIT 100
    ) f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'a landed cost that the receipt cannot bear'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_landed_cost_fit', DETAIL = faults::text;
    END IF;
    UPDATE stock_value v SET recost_from = LEAST(v.recost_from, d.moment)
    FROM (SELECT p.item_id, min(e.effective_at) AS moment FROM posted p JOIN stock_entry e ON e.id = p.entry_id
          WHERE p.amount <> 0 GROUP BY p.item_id) d
    WHERE v.item_id = d.item_id;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_landed_cost_marks AFTER INSERT ON stock_landed_cost_line
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION stock_landed_cost_mark();

CREATE FUNCTION stock_landed_cost_complete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM stock_landed_cost_line WHERE landed_cost_id = NEW.id) THEN
        RAISE EXCEPTION 'a landed cost has lines'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_landed_cost_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stock_landed_cost_complete AFTER INSERT ON stock_landed_cost DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stock_landed_cost_complete();

-- What a receipt bears is taken from it before it is undone. At the end of the transaction: by then who undoes it holds the values of its items, for
-- which who adds landed cost waits.
CREATE FUNCTION stock_entry_bears_nothing() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM stock_landed_cost c WHERE c.entry_id = NEW.reverses_id AND c.reverses_id IS NULL
               AND NOT EXISTS (SELECT FROM stock_landed_cost r WHERE r.reverses_id = c.id)) THEN
        RAISE EXCEPTION 'the receipt bears landed cost'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_entry_bears_nothing';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stock_entry_bears_nothing AFTER INSERT ON stock_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'reverse') EXECUTE FUNCTION stock_entry_bears_nothing();

-- As in 0032_stock_books.sql, of several items at once, and with what was taken into account of landed cost: `landed_values` are what it made
-- movements worth more, all that was ever added together.
DROP FUNCTION stock_recost;
CREATE FUNCTION stock_recost(items uuid[], units numeric[], at timestamptz, landed_cost uuid, of_items uuid[], entries uuid[], lines integer[],
                             layers uuid[], amounts numeric[], cost_values numeric[], moments timestamptz[], landed_entries uuid[],
                             landed_lines integer[], landed_values numeric[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    recosting uuid := gen_random_uuid();
    behind    bigint := COALESCE(pg_sequence_last_value(pg_get_serial_sequence('stock_cost', 'number')), 0);
    since     timestamptz;
    bound     timestamptz;
    wrong     uuid;
BEGIN
    PERFORM FROM stock_value v WHERE v.item_id = ANY(items) ORDER BY v.item_id FOR NO KEY UPDATE;
    SELECT min(v.recost_from) INTO since FROM stock_value v WHERE v.item_id = ANY(items);
    SELECT i.id INTO wrong
    FROM unnest(items) i (id) LEFT JOIN stock_value v ON v.item_id = i.id
    WHERE v.recost_from IS NULL OR EXISTS (SELECT FROM unnest(of_items, moments) c (item_id, moment) WHERE c.item_id = i.id AND c.moment < v.recost_from)
    LIMIT 1;
    IF wrong IS NULL THEN
        SELECT c.item_id INTO wrong FROM unnest(of_items) c (item_id) WHERE c.item_id <> ALL(items) LIMIT 1;
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'nothing of item % is to be computed anew then', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_recost_due';
    END IF;
    -- What was closed stays: it is put right in the first moment behind it.
    SELECT closed_until + interval '1 microsecond' INTO bound FROM stock_closing;
    IF cardinality(entries) > 0 THEN
        PERFORM stock_cost_apply(array_agg(ROW(c.entry_id, c.line, c.item_id, NULLIF(c.layer_id, '00000000-0000-0000-0000-000000000000'), c.amount,
                                               c.value, NULL, GREATEST(c.moment, bound), at)::stock_cost_change ORDER BY c.row), true)
        FROM unnest(of_items, entries, lines, layers, amounts, cost_values, moments) WITH ORDINALITY
            c (item_id, entry_id, line, layer_id, amount, value, moment, row);
    END IF;
    INSERT INTO stock_landed_value (recosting_id, entry_id, line, item_id, amount, value, effective_at)
    SELECT recosting, m.entry_id, m.line, m.item_id, added.amount - applied.amount, l.value - applied.value, GREATEST(m.effective_at, bound)
    FROM unnest(landed_entries, landed_lines, landed_values) l (entry_id, line, value)
    JOIN stock_movement m ON m.entry_id = l.entry_id AND m.line = l.line AND m.item_id = ANY(items)
    CROSS JOIN LATERAL (SELECT COALESCE(sum(c.amount), 0) AS amount FROM stock_landed_cost_line c WHERE c.entry_id = m.entry_id AND c.line = m.line) added
    CROSS JOIN LATERAL (SELECT COALESCE(sum(c.amount), 0) AS amount, COALESCE(sum(c.value), 0) AS value FROM stock_landed_value c
                        WHERE c.entry_id = m.entry_id AND c.line = m.line) applied
    WHERE added.amount <> applied.amount OR l.value <> applied.value;
    IF FOUND OR cardinality(entries) > 0 THEN
        INSERT INTO stock_recosting (id, item_id, since, behind, recorded_at, items, till, landed_cost_id)
        VALUES (recosting, items[1], since, behind, at, items, pg_sequence_last_value(pg_get_serial_sequence('stock_cost', 'number')),
                NULLIF(landed_cost, '00000000-0000-0000-0000-000000000000'));
    END IF;
    UPDATE stock_value v SET recost_from = NULL, unit_cost = u.unit_cost
    FROM unnest(items, units) u (item_id, unit_cost) WHERE v.item_id = u.item_id;
    SELECT v.item_id INTO wrong
    FROM stock_value v
    CROSS JOIN LATERAL (SELECT COALESCE(sum(CASE WHEN k.is_weighed THEN l.weight ELSE l.on_hand END), 0) AS amount
                        FROM stock_level l LEFT JOIN item_stocking k ON k.item_id = l.item_id WHERE l.item_id = v.item_id) l
    WHERE v.item_id = ANY(items) AND v.amount <> l.amount LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'item % has another amount than lies about', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_recost_whole';
    END IF;
    SELECT l.item_id INTO wrong
    FROM (SELECT c.item_id, c.entry_id, c.line, sum(c.amount) AS amount FROM stock_landed_cost_line c WHERE c.item_id = ANY(items)
          GROUP BY c.item_id, c.entry_id, c.line) l
    CROSS JOIN LATERAL (SELECT COALESCE(sum(c.amount), 0) AS amount FROM stock_landed_value c WHERE c.entry_id = l.entry_id AND c.line = l.line) applied
    WHERE l.amount <> applied.amount LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'landed cost of item % was left out', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_recost_whole';
    END IF;
END $$;

-- As in 0032_stock_books.sql; landed cost that has no account of its own is owed like the goods.
CREATE OR REPLACE FUNCTION stock_account_at(wanted text, category ltree, place ltree) RETURNS TABLE (account_id uuid)
    LANGUAGE sql STABLE AS $$
    SELECT r.account_id
    FROM stock_account r
    LEFT JOIN category c ON c.id = r.category_id
    LEFT JOIN location l ON l.id = r.location_id
    WHERE (r.role = wanted OR wanted = 'landed_cost' AND r.role = 'goods_received')
      AND (r.category_id IS NULL OR c.path @> category) AND (r.location_id IS NULL OR l.path @> place)
    ORDER BY r.role = wanted DESC, nlevel(l.path) DESC NULLS LAST, nlevel(c.path) DESC NULLS LAST LIMIT 1
$$;
ALTER TABLE stock_account DROP CONSTRAINT stock_account_role_check;
ALTER TABLE stock_account ADD CONSTRAINT stock_account_role_check
    CHECK (role IN ('inventory', 'goods_received', 'landed_cost', 'cost_of_goods_sold', 'stock_found', 'stock_lost', 'production', 'opening'));

-- As in 0032_stock_books.sql; where `added` says something of a line, that is the landed cost that made its movement worth so much more.
DROP FUNCTION stock_book_post;
CREATE FUNCTION stock_book_post(books stock_book[], changed stock_book_line[], added numeric[] DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    book_places integer[];
    accounts    uuid[];
    locations   uuid[];
    amounts     numeric[];
    pools       uuid[];
    pool_items  uuid[];
    digits      integer := (SELECT currency_scale FROM shop);
    has_places  boolean := EXISTS (SELECT FROM stock_account WHERE role = 'inventory' AND location_id IS NOT NULL);
BEGIN
    IF has_places THEN
        SELECT array_agg(p.pool_id), array_agg(p.item_id) INTO pools, pool_items
        FROM (SELECT DISTINCT l.pool_id, l.item_id FROM unnest(changed) l) p;
    END IF;
    WITH line AS MATERIALIZED (
        SELECT l.book, l.item_id, l.pool_id, l.value, c.path AS category, i.path AS place, i.location_id,
               CASE
                   WHEN l.landed IS NOT NULL THEN 'landed_cost'
                   WHEN x.reason = 'opening' THEN 'opening'
                   WHEN o.kind = 'supplier' THEN 'goods_received'
                   WHEN o.kind = 'customer' THEN 'cost_of_goods_sold'
                   WHEN o.kind = 'production' THEN 'production'
                   -- Found or lost: which way it went at first, should it be undone.
                   WHEN o.kind = 'adjustment' AND i.is_in <> (x.id <> e.id) THEN 'stock_found'
                   ELSE 'stock_lost'
               END AS role,
               -- What is owed for it is what was agreed on, whatever it is worth to a stock that had run short.
               CASE WHEN l.landed IS NOT NULL THEN l.landed
                    WHEN o.kind = 'supplier' AND x.kind = 'receive' AND b.unit_cost IS NOT NULL AND m.quantity > 0 THEN
                   CASE WHEN l.corrects THEN 0 ELSE round(m.quantity * b.unit_cost, digits) * CASE WHEN x.id = e.id THEN 1 ELSE -1 END END
               END AS agreed
        FROM (SELECT l.book, l.entry_id, l.line, l.item_id, l.pool_id, l.corrects, sum(l.value) AS value, sum(l.landed) AS landed
              FROM unnest(changed, added) l (book, entry_id, line, item_id, pool_id, value, corrects, landed)
              GROUP BY l.book, l.entry_id, l.line, l.item_id, l.pool_id, l.corrects, l.landed IS NULL) l
        CROSS JOIN LATERAL (SELECT * FROM stock_movement WHERE entry_id = l.entry_id AND line = l.line OFFSET 0) m
        CROSS JOIN LATERAL (SELECT id, kind, reason, reverses_id FROM stock_entry WHERE id = l.entry_id OFFSET 0) e
        CROSS JOIN LATERAL (SELECT id, kind, reason FROM stock_entry WHERE id = COALESCE(e.reverses_id, e.id) OFFSET 0) x
        CROSS JOIN LATERAL (SELECT unit_cost FROM stock_movement WHERE entry_id = x.id AND line = l.line OFFSET 0) b
        CROSS JOIN LATERAL (SELECT path, keeps_stock, kind FROM location WHERE id = m.from_location_id OFFSET 0) f
        CROSS JOIN LATERAL (SELECT path, keeps_stock, kind FROM location WHERE id = m.to_location_id OFFSET 0) t
        CROSS JOIN LATERAL (SELECT CASE WHEN t.keeps_stock THEN t.path ELSE f.path END AS path, t.keeps_stock AS is_in,
                                   CASE WHEN t.keeps_stock THEN m.to_location_id ELSE m.from_location_id END AS location_id) i
        CROSS JOIN LATERAL (SELECT CASE WHEN t.keeps_stock THEN f.kind ELSE t.kind END AS kind) o
        CROSS JOIN LATERAL (SELECT category_id FROM item WHERE id = l.item_id OFFSET 0) w
        CROSS JOIN LATERAL (SELECT path FROM category WHERE id = w.category_id OFFSET 0) c
        WHERE f.keeps_stock <> t.keeps_stock
    ), own AS MATERIALIZED (
        SELECT l.book, l.item_id, l.pool_id, a.account_id, sum(l.value) AS value
        FROM line l CROSS JOIN LATERAL stock_account_at('inventory', l.category, l.place) a
        WHERE l.value <> 0 GROUP BY l.book, l.item_id, l.pool_id, a.account_id
    ), before AS MATERIALIZED (
        SELECT b.pool_id, b.account_id, b.item_id, b.value FROM unnest(pools) p (pool_id)
        CROSS JOIN LATERAL (SELECT * FROM stock_booked b WHERE b.pool_id = p.pool_id OFFSET 0) b
    ), target AS MATERIALIZED (
        SELECT * FROM stock_book_targets(pool_items, pools) WHERE has_places
    ), moved AS MATERIALIZED (
        -- What is to go from one account to another, where all there is adds up.
        SELECT d.item_id, d.pool_id, d.account_id, d.value
        FROM (
            SELECT (array_agg(d.item_id))[1] AS item_id, d.pool_id, d.account_id, sum(d.value) AS value, sum(sum(d.value)) OVER (PARTITION BY d.pool_id) AS rest
            FROM (SELECT item_id, pool_id, account_id, value FROM target
                  UNION ALL SELECT item_id, pool_id, account_id, -value FROM before
                  UNION ALL SELECT item_id, pool_id, account_id, -value FROM own WHERE has_places) d
            GROUP BY d.pool_id, d.account_id
        ) d
        WHERE d.rest = 0 AND d.value <> 0
    ), kept AS (
        INSERT INTO stock_booked AS b (pool_id, account_id, item_id, value)
        SELECT d.pool_id, d.account_id, (array_agg(d.item_id))[1], sum(d.value)
        FROM (SELECT item_id, pool_id, account_id, value FROM own UNION ALL SELECT item_id, pool_id, account_id, value FROM moved) d
        GROUP BY d.pool_id, d.account_id HAVING sum(d.value) <> 0
        ON CONFLICT (pool_id, account_id) DO UPDATE SET value = b.value + EXCLUDED.value
    ), counter AS (
        SELECT l.book, a.account_id, CASE WHEN k.kind IN ('revenue', 'expense') THEN l.location_id END AS location_id,
               -COALESCE(l.agreed, l.value) AS amount
        FROM line l CROSS JOIN LATERAL stock_account_at(l.role, l.category, l.place) a
        CROSS JOIN LATERAL (SELECT kind FROM account WHERE id = a.account_id OFFSET 0) k
        UNION ALL
        -- What it is worth more or less than what is owed for it was lost or gained by selling what was not there.
        SELECT l.book, a.account_id, CASE WHEN k.kind IN ('revenue', 'expense') THEN l.location_id END, l.agreed - l.value
        FROM line l CROSS JOIN LATERAL stock_account_at('cost_of_goods_sold', l.category, l.place) a
        CROSS JOIN LATERAL (SELECT kind FROM account WHERE id = a.account_id OFFSET 0) k
        WHERE l.agreed <> l.value
    )
    SELECT array_agg(e.book), array_agg(e.account_id), array_agg(COALESCE(e.location_id, '00000000-0000-0000-0000-000000000000')), array_agg(e.amount)
    INTO book_places, accounts, locations, amounts
    FROM (SELECT book, account_id, location_id, amount FROM counter
          UNION ALL SELECT book, account_id, NULL, value FROM own
          UNION ALL SELECT cardinality(books), account_id, NULL, value FROM moved) e
    WHERE e.amount <> 0;
    IF accounts IS NOT NULL THEN
        PERFORM stock_book_write(books, book_places, accounts, locations, amounts);
    END IF;
END $$;

-- As in 0032_stock_books.sql, of several items at once, and of landed cost.
CREATE OR REPLACE FUNCTION stock_recosting_books() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    cause   stock_landed_cost;
    books   stock_book[];
    changed stock_book_line[];
    added   numeric[];
BEGIN
    IF NOT EXISTS (SELECT FROM stock_booking) THEN
        RETURN NULL;
    END IF;
    SELECT * INTO cause FROM stock_landed_cost c WHERE c.id = NEW.landed_cost_id;
    WITH change AS (
        SELECT c.entry_id, c.line, c.item_id, c.layer_id, c.value, NULL::numeric AS added, c.effective_at
        FROM stock_cost c
        WHERE c.item_id = ANY(NEW.items) AND c.effective_at >= NEW.since AND c.corrects AND c.number > NEW.behind AND c.number <= NEW.till
        UNION ALL
        -- What landed cost made of it is owed to somebody else than the rest.
        SELECT l.entry_id, l.line, l.item_id, m.lot_id, p.value, p.added, l.effective_at
        FROM stock_landed_value l
        JOIN stock_movement m ON m.entry_id = l.entry_id AND m.line = l.line
        CROSS JOIN LATERAL (VALUES (l.value, l.amount), (-l.value, NULL)) p (value, added)
        WHERE l.recosting_id = NEW.id
    ), dated AS (
        SELECT c.*, GREATEST((c.effective_at AT TIME ZONE s.time_zone)::date, b.since) AS day,
               CASE WHEN COALESCE(k.cost_method, CASE i.tracking WHEN 'serial' THEN 'specific' END) = 'specific'
                   THEN COALESCE(c.layer_id, c.item_id) ELSE c.item_id END AS pool_id
        FROM change c
        JOIN item i ON i.id = c.item_id
        LEFT JOIN item_stocking k ON k.item_id = c.item_id
        CROSS JOIN shop s CROSS JOIN stock_booking b
    ), placed AS (
        SELECT d.*, dense_rank() OVER (ORDER BY d.day)::integer AS book, row_number() OVER (PARTITION BY d.day) = 1 AS is_first
        FROM dated d
    )
    SELECT array_agg(ROW(p.book, p.entry_id, p.line, p.item_id, p.pool_id, p.value, true)::stock_book_line ORDER BY p.book, p.entry_id, p.line, p.added),
           array_agg(p.added ORDER BY p.book, p.entry_id, p.line, p.added),
           array_agg(ROW(gen_random_uuid(), p.day, CASE WHEN cause.id IS NULL THEN 'item' ELSE 'stock_landed_cost' END,
                         COALESCE(cause.id, NEW.item_id)::text, NEW.recorded_at, COALESCE(cause.actor_kind, 'system'), cause.actor_id,
                         COALESCE(cause.actor_name, 'worker'))::stock_book ORDER BY p.day)
               FILTER (WHERE p.is_first)
    INTO changed, added, books
    FROM placed p;
    IF books IS NOT NULL THEN
        PERFORM stock_book_post(books, changed, added);
    END IF;
    RETURN NULL;
END $$;

-- As in 0032_stock_books.sql, and whether landed cost was taken into account.
CREATE OR REPLACE FUNCTION stock_books_verify() RETURNS TABLE (kind text, subject text, expected text, actual text)
    LANGUAGE sql STABLE SET search_path = public, pg_temp SET jit = off AS $$
    SELECT 'stock', a.code, b.value::text, b.balance::text
    FROM stock_books() b JOIN account a ON a.id = b.account_id WHERE b.value <> b.balance
    UNION ALL
    SELECT 'stock_booked', i.sku || ' ' || COALESCE(t.pool_id, b.pool_id) || ' ' || a.code, COALESCE(t.value, 0)::text, COALESCE(b.value, 0)::text
    FROM (SELECT t.* FROM (SELECT array_agg(p.item_id) AS items, array_agg(p.pool_id) AS pools FROM stock_book_pools(NULL) p) p
          CROSS JOIN LATERAL stock_book_targets(p.items, p.pools) t) t
    FULL JOIN stock_booked b ON b.pool_id = t.pool_id AND b.account_id = t.account_id
    JOIN item i ON i.id = COALESCE(t.item_id, b.item_id)
    JOIN account a ON a.id = COALESCE(t.account_id, b.account_id)
    WHERE EXISTS (SELECT FROM stock_booking) AND COALESCE(t.value, 0) <> COALESCE(b.value, 0)
    UNION ALL
    -- Landed cost is in what stock has cost, unless it is still to be computed anew from then on.
    SELECT 'stock_landed_cost', i.sku || ' ' || d.entry_id || ' ' || d.line, sum(d.amount)::text, sum(d.applied)::text
    FROM (SELECT entry_id, line, item_id, amount, 0 AS applied FROM stock_landed_cost_line
          UNION ALL SELECT entry_id, line, item_id, 0, amount FROM stock_landed_value) d
    JOIN item i ON i.id = d.item_id
    JOIN stock_value v ON v.item_id = d.item_id
    JOIN stock_entry e ON e.id = d.entry_id
    WHERE v.recost_from IS NULL OR v.recost_from > e.effective_at
    GROUP BY i.sku, d.entry_id, d.line HAVING sum(d.amount) <> sum(d.applied)
$$;
