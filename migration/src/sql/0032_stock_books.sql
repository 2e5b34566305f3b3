-- Stock posts to the books, in the statement that changes its value. Which accounts it is booked to is said by what for, by category and by
-- location; from the moment on at which that is said first, the accounts of stock have what stock is worth, and nobody else posts to them.

-- Which account is for what of stock: everywhere, in a category and below it, or at a location and below it.
CREATE TABLE stock_account (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role        text COLLATE "C" NOT NULL
                CHECK (role IN ('inventory', 'goods_received', 'cost_of_goods_sold', 'stock_found', 'stock_lost', 'production', 'opening')),
    category_id uuid REFERENCES category (id),
    location_id uuid REFERENCES location (id),
    account_id  uuid NOT NULL REFERENCES account (id),
    CONSTRAINT stock_account_once UNIQUE NULLS NOT DISTINCT (role, category_id, location_id)
);
CREATE INDEX stock_account_account ON stock_account (account_id);

-- Since when stock posts to the books. No row: it does not yet.
CREATE TABLE stock_booking (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    version   bigint NOT NULL DEFAULT 1,
    -- The day where the shop is: what is written down for an earlier one is posted on this.
    since     date NOT NULL,
    -- Whether each use has one account for everything.
    is_plain  boolean NOT NULL
);
CREATE TRIGGER stock_booking_kept BEFORE DELETE OR TRUNCATE ON stock_booking FOR EACH STATEMENT EXECUTE FUNCTION stays();

-- What of an item is in which account: of a lot by itself, when each has its own cost.
CREATE TABLE stock_booked (
    -- The lot, or the item.
    pool_id    uuid NOT NULL,
    account_id uuid NOT NULL,
    item_id    uuid NOT NULL,
    value      numeric(24, 6) NOT NULL,
    PRIMARY KEY (pool_id, account_id)
) WITH (fillfactor = 80);
CREATE INDEX stock_booked_item ON stock_booked (item_id);

ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_kind_check;
ALTER TABLE journal_entry ADD CONSTRAINT journal_entry_kind_check
    CHECK (kind IN ('general', 'reversal', 'opening', 'closing', 'stock'));

-- Nobody but the triggers here posts for stock, and what they posted is undone by undoing what happened in stock.
CREATE FUNCTION journal_entry_of_stock() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.kind = 'stock' AND current_user <> (SELECT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename = 'journal_entry')
       OR NEW.kind = 'reversal' AND EXISTS (SELECT FROM journal_entry o WHERE o.id = NEW.reverses_id AND o.kind = 'stock') THEN
        RAISE EXCEPTION 'entries of stock follow from stock'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_of_stock',
                  DETAIL = jsonb_build_array(jsonb_build_object('entry', NEW.id, 'code', 'entry_of_stock'))::text;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_entry_of_stock BEFORE INSERT ON journal_entry FOR EACH ROW
    WHEN (NEW.kind IN ('stock', 'reversal')) EXECUTE FUNCTION journal_entry_of_stock();

-- The accounts of stock have what stock is worth: no other entry touches them.
CREATE FUNCTION journal_line_of_stock() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    faults jsonb;
BEGIN
    SELECT jsonb_agg(f.fault) INTO faults
    FROM (
        SELECT jsonb_build_object('entry', p.entry_id, 'line', p.line, 'code', 'account_of_stock', 'account', a.code) AS fault
        FROM posted p
        JOIN stock_account s ON s.account_id = p.account_id AND s.role = 'inventory'
        JOIN journal_entry e ON e.id = p.entry_id AND e.kind <> 'stock'
        JOIN account a ON a.id = p.account_id
        LIMIT 100
    ) f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'accounts of stock follow from stock'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_line_fit', DETAIL = faults::text;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_line_of_stock AFTER INSERT ON journal_line
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION journal_line_of_stock();

-- What stock is booked to stays so that it can be.
CREATE FUNCTION account_of_stock_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM stock_account WHERE account_id = NEW.id) THEN
        RAISE EXCEPTION 'stock is booked to account %', NEW.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_of_stock';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_of_stock BEFORE UPDATE OF archived_at, commodity, subsidiary_kind ON account FOR EACH ROW
    WHEN (NEW.archived_at IS NOT NULL AND OLD.archived_at IS NULL
          OR (NEW.commodity, NEW.subsidiary_kind) IS DISTINCT FROM (OLD.commodity, OLD.subsidiary_kind))
    EXECUTE FUNCTION account_of_stock_stays();

-- The account for that: the deepest location decides, then the deepest category.
CREATE FUNCTION stock_account_at(wanted text, category ltree, place ltree) RETURNS TABLE (account_id uuid)
    LANGUAGE sql STABLE AS $$
    SELECT r.account_id
    FROM stock_account r
    LEFT JOIN category c ON c.id = r.category_id
    LEFT JOIN location l ON l.id = r.location_id
    WHERE r.role = wanted AND (r.category_id IS NULL OR c.path @> category) AND (r.location_id IS NULL OR l.path @> place)
    ORDER BY nlevel(l.path) DESC NULLS LAST, nlevel(c.path) DESC NULLS LAST LIMIT 1
$$;

-- What of these should be in which account: what lies at the places of an account has its share of what all of it has cost, and the last account takes
-- what is left. The shares are of now.
CREATE FUNCTION stock_book_targets(items uuid[], pools uuid[]) RETURNS TABLE (item_id uuid, pool_id uuid, account_id uuid, value numeric)
    LANGUAGE sql STABLE AS $$
    WITH pool AS MATERIALIZED (
        SELECT p.item_id, p.pool_id, c.path, COALESCE(k.is_weighed, false) AS is_weighed, v.amount, v.value
        FROM unnest(items, pools) p (item_id, pool_id)
        CROSS JOIN LATERAL (SELECT category_id FROM item WHERE id = p.item_id OFFSET 0) i
        CROSS JOIN LATERAL (SELECT path FROM category WHERE id = i.category_id OFFSET 0) c
        LEFT JOIN LATERAL (SELECT is_weighed FROM item_stocking WHERE item_id = p.item_id OFFSET 0) k ON true
        CROSS JOIN LATERAL (
            SELECT amount, value FROM stock_value WHERE item_id = p.item_id AND p.pool_id = p.item_id
            UNION ALL
            SELECT amount, value FROM stock_cost_layer WHERE id = p.pool_id AND p.pool_id <> p.item_id
        ) v
        WHERE v.amount <> 0
    ), has_places AS MATERIALIZED (
        SELECT EXISTS (SELECT FROM stock_account WHERE role = 'inventory' AND location_id IS NOT NULL) AS is_so
    ), part AS (
        SELECT p.item_id, p.pool_id, a.account_id, p.amount AS whole, p.value, p.amount
        FROM pool p CROSS JOIN LATERAL stock_account_at('inventory', p.path, NULL) a
        WHERE NOT (SELECT is_so FROM has_places)
        UNION ALL
        SELECT p.item_id, p.pool_id, a.account_id, p.amount, p.value, sum(CASE WHEN p.is_weighed THEN s.weight ELSE s.on_hand END)
        FROM pool p
        CROSS JOIN LATERAL (
            SELECT location_id, on_hand, weight FROM stock_level WHERE item_id = p.item_id AND p.pool_id = p.item_id
            UNION ALL
            SELECT location_id, on_hand, weight FROM stock_lot_level WHERE lot_id = p.pool_id AND p.pool_id <> p.item_id
        ) s
        CROSS JOIN LATERAL (SELECT path FROM location WHERE id = s.location_id OFFSET 0) l
        CROSS JOIN LATERAL stock_account_at('inventory', p.path, l.path) a
        WHERE (SELECT is_so FROM has_places)
        GROUP BY p.item_id, p.pool_id, a.account_id, p.amount, p.value
    ), running AS (
        SELECT p.*, sum(p.amount) OVER (PARTITION BY p.pool_id ORDER BY p.account_id) AS till,
               sign(p.whole) AS sign, (SELECT 10::numeric ^ currency_scale FROM shop) AS units
        FROM part p
    )
    SELECT r.item_id, r.pool_id, r.account_id,
           r.sign * (stock_cost_share(r.sign * r.value, r.sign * r.till, r.sign * r.whole, r.units)
                     - stock_cost_share(r.sign * r.value, r.sign * (r.till - r.amount), r.sign * r.whole, r.units))
    FROM running r
$$;

-- A movement whose value changed, and in which entry of the books that goes.
CREATE TYPE stock_book_line AS (book integer, entry_id uuid, line integer, item_id uuid, pool_id uuid, value numeric, corrects boolean);
-- An entry of the books to be.
CREATE TYPE stock_book AS (
    id uuid, day date, document_type text, document_id text, recorded_at timestamptz, actor_kind text, actor_id uuid, actor_name text
);

-- Posts lines of what was summed up for each book. What nets to nothing is not posted.
-- With the rights and the settings of who calls it, which cost time to change.
CREATE FUNCTION stock_book_write(books stock_book[], places integer[], accounts uuid[], locations uuid[], amounts numeric[])
    RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    wanted integer;
    given  integer;
BEGIN
    WITH line AS MATERIALIZED (
        SELECT l.book, l.account_id, NULLIF(l.location_id, '00000000-0000-0000-0000-000000000000') AS location_id, sum(l.amount) AS amount,
               row_number() OVER (PARTITION BY l.book ORDER BY sum(l.amount) < 0, l.account_id, l.location_id) AS line,
               count(*) OVER (PARTITION BY l.book) AS lines
        FROM unnest(places, accounts, locations, amounts) l (book, account_id, location_id, amount)
        GROUP BY l.book, l.account_id, l.location_id HAVING sum(l.amount) <> 0
    ), asked AS MATERIALIZED (
        SELECT b.*, n.lines FROM unnest(books) WITH ORDINALITY
            b (id, day, document_type, document_id, recorded_at, actor_kind, actor_id, actor_name, place)
        JOIN (SELECT DISTINCT book, lines FROM line) n ON n.book = b.place
    ), numbered AS MATERIALIZED (
        SELECT a.*, y.fiscal_year_id, y.last_number + row_number() OVER (PARTITION BY y.fiscal_year_id ORDER BY a.place) AS number
        FROM asked a JOIN journal_numbers((SELECT array_agg(DISTINCT day) FROM asked)) y ON a.day BETWEEN y.starts_on AND y.ends_on
        WHERE EXISTS (SELECT FROM period p WHERE a.day BETWEEN p.starts_on AND p.ends_on)
    ), entry AS (
        INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, document_type, document_id, lines, recorded_at, actor_kind, actor_id,
                                   actor_name)
        SELECT id, fiscal_year_id, number, day, 'stock', document_type, document_id, lines, recorded_at, actor_kind, actor_id, actor_name
        FROM numbered ORDER BY place
    ), posted AS (
        INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, location_id, date, number)
        SELECT n.id, l.line, l.account_id, s.currency, l.amount > 0, abs(l.amount), l.location_id, n.day, n.number
        FROM numbered n JOIN line l ON l.book = n.place CROSS JOIN shop s
    ), told AS (
        INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, created_at)
        SELECT 'journal.posted', 'journal_entry', n.id, 1,
               jsonb_build_object('action', 'stock.post', 'accounts', (SELECT jsonb_agg(DISTINCT l.account_id) FROM line l WHERE l.book = n.place)),
               n.recorded_at
        FROM numbered n ORDER BY n.place
    )
    SELECT (SELECT count(*) FROM asked), (SELECT count(*) FROM numbered) INTO wanted, given;
    IF given < wanted THEN
        RAISE EXCEPTION 'no fiscal year has the day'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_fiscal_year',
                  DETAIL = (SELECT min(b.day)::text FROM unnest(books) b
                            WHERE NOT EXISTS (SELECT FROM period p WHERE b.day BETWEEN p.starts_on AND p.ends_on));
    END IF;
END $$;

-- Posts what these movements changed of the value of stock. What each account of stock has too much or too little of is moved as well: of goods that
-- went to places of another account, or that are averaged over several. When more of the same happened in this transaction, the last does that.
-- With the rights and the settings of who calls it, as above.
CREATE FUNCTION stock_book_post(books stock_book[], changed stock_book_line[]) RETURNS void LANGUAGE plpgsql AS $$
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
                   WHEN x.reason = 'opening' THEN 'opening'
                   WHEN o.kind = 'supplier' THEN 'goods_received'
                   WHEN o.kind = 'customer' THEN 'cost_of_goods_sold'
                   WHEN o.kind = 'production' THEN 'production'
                   -- Found or lost: which way it went at first, should it be undone.
                   WHEN o.kind = 'adjustment' AND i.is_in <> (x.id <> e.id) THEN 'stock_found'
                   ELSE 'stock_lost'
               END AS role,
               -- What is owed for it is what was agreed on, whatever it is worth to a stock that had run short.
               CASE WHEN o.kind = 'supplier' AND x.kind = 'receive' AND b.unit_cost IS NOT NULL AND m.quantity > 0 THEN
                   CASE WHEN l.corrects THEN 0 ELSE round(m.quantity * b.unit_cost, digits) * CASE WHEN x.id = e.id THEN 1 ELSE -1 END END
               END AS agreed
        FROM (SELECT l.book, l.entry_id, l.line, l.item_id, l.pool_id, l.corrects, sum(l.value) AS value
              FROM unnest(changed) l GROUP BY l.book, l.entry_id, l.line, l.item_id, l.pool_id, l.corrects) l
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

-- Posts an entry of stock that undoes none, where each use has one account for everything: the short way, for to begin a query costs as much as to
-- run it.
-- With the rights and the settings of who calls it, as above.
CREATE FUNCTION stock_book_plain(entry stock_entry, day date, digits integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    accounts  uuid[];
    locations uuid[];
    amounts   numeric[];
BEGIN
    WITH line AS MATERIALIZED (
        SELECT m.item_id, c.value,
               CASE WHEN COALESCE(k.cost_method, CASE i.tracking WHEN 'serial' THEN 'specific' END) = 'specific'
                   THEN COALESCE(m.lot_id, m.item_id) ELSE m.item_id END AS pool_id,
               CASE WHEN t.keeps_stock THEN m.to_location_id ELSE m.from_location_id END AS location_id,
               CASE
                   WHEN entry.reason = 'opening' THEN 'opening'
                   WHEN 'supplier' IN (f.kind, t.kind) THEN 'goods_received'
                   WHEN 'customer' IN (f.kind, t.kind) THEN 'cost_of_goods_sold'
                   WHEN 'production' IN (f.kind, t.kind) THEN 'production'
                   WHEN f.kind = 'adjustment' THEN 'stock_found'
                   ELSE 'stock_lost'
               END AS role,
               -- What is owed for it is what was agreed on, whatever it is worth to a stock that had run short.
               CASE WHEN f.kind = 'supplier' AND entry.kind = 'receive' AND m.quantity > 0 THEN round(m.quantity * m.unit_cost, digits) END AS agreed
        FROM stock_movement m
        CROSS JOIN LATERAL (SELECT sum(value) AS value FROM stock_cost WHERE entry_id = m.entry_id AND line = m.line AND NOT corrects OFFSET 0) c
        CROSS JOIN LATERAL (SELECT kind FROM location WHERE id = m.from_location_id OFFSET 0) f
        CROSS JOIN LATERAL (SELECT kind, keeps_stock FROM location WHERE id = m.to_location_id OFFSET 0) t
        CROSS JOIN LATERAL (SELECT tracking FROM item WHERE id = m.item_id OFFSET 0) i
        LEFT JOIN LATERAL (SELECT cost_method FROM item_stocking WHERE item_id = m.item_id OFFSET 0) k ON true
        WHERE m.entry_id = entry.id AND c.value IS NOT NULL
    ), kept AS (
        INSERT INTO stock_booked AS b (pool_id, account_id, item_id, value)
        SELECT l.pool_id, s.account_id, l.item_id, sum(l.value) FROM line l CROSS JOIN stock_account s
        WHERE s.role = 'inventory' GROUP BY l.pool_id, s.account_id, l.item_id HAVING sum(l.value) <> 0
        ON CONFLICT (pool_id, account_id) DO UPDATE SET value = b.value + EXCLUDED.value
    )
    SELECT array_agg(s.account_id), array_agg(COALESCE(CASE WHEN k.kind IN ('revenue', 'expense') THEN w.location_id END, '00000000-0000-0000-0000-000000000000')),
           array_agg(w.amount)
    INTO accounts, locations, amounts
    FROM (
        SELECT r.role, l.location_id, sum(r.amount) AS amount
        FROM line l
        CROSS JOIN LATERAL (VALUES (l.role, -COALESCE(l.agreed, l.value)), ('cost_of_goods_sold', l.agreed - l.value), ('inventory', l.value)) r (role, amount)
        WHERE r.amount <> 0
        GROUP BY r.role, l.location_id
    ) w
    JOIN stock_account s ON s.role = w.role
    CROSS JOIN LATERAL (SELECT kind FROM account WHERE id = s.account_id OFFSET 0) k;
    IF accounts IS NOT NULL THEN
        PERFORM stock_book_write(
            ARRAY[ROW(entry.id, day, 'stock_entry', entry.id::text, entry.recorded_at, entry.actor_kind, entry.actor_id, entry.actor_name)::stock_book],
            array_fill(1, ARRAY[cardinality(accounts)]), accounts, locations, amounts);
    END IF;
END $$;

-- At the end of the transaction: whoever posts to the books holds the fiscal year, and waits for nothing of stock behind it.
CREATE FUNCTION stock_entry_books() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    is_plain boolean;
    day      date;
    digits   integer;
    changed  stock_book_line[];
BEGIN
    SELECT b.is_plain, GREATEST((NEW.effective_at AT TIME ZONE s.time_zone)::date, b.since), s.currency_scale
    INTO is_plain, day, digits FROM stock_booking b CROSS JOIN shop s;
    IF is_plain IS NULL OR is_plain AND NEW.kind = 'move' THEN
        RETURN NULL;
    END IF;
    IF is_plain AND NEW.kind <> 'reverse' THEN
        PERFORM stock_book_plain(NEW, day, digits);
        RETURN NULL;
    END IF;
    -- What moves inside the shop changes no value: so nobody holds it yet.
    PERFORM FROM stock_value v WHERE v.item_id IN (SELECT item_id FROM stock_movement WHERE entry_id = NEW.id)
    ORDER BY v.item_id FOR NO KEY UPDATE;
    SELECT array_agg(ROW(1, NEW.id, p.line, p.item_id, p.pool_id, c.value, false)::stock_book_line) INTO changed
    FROM (
        SELECT m.line, m.item_id, CASE WHEN COALESCE(k.cost_method, CASE i.tracking WHEN 'serial' THEN 'specific' END) = 'specific'
                                      THEN COALESCE(m.lot_id, m.item_id) ELSE m.item_id END AS pool_id
        FROM stock_movement m
        CROSS JOIN LATERAL (SELECT tracking FROM item WHERE id = m.item_id OFFSET 0) i
        LEFT JOIN LATERAL (SELECT cost_method FROM item_stocking WHERE item_id = m.item_id OFFSET 0) k ON true
        WHERE m.entry_id = NEW.id
    ) p
    CROSS JOIN LATERAL (SELECT COALESCE(sum(value), 0) AS value FROM stock_cost WHERE entry_id = NEW.id AND line = p.line AND NOT corrects OFFSET 0) c;
    PERFORM stock_book_post(ARRAY[ROW(NEW.id, day, 'stock_entry', NEW.id::text, NEW.recorded_at, NEW.actor_kind, NEW.actor_id, NEW.actor_name)::stock_book],
                            changed);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stock_entry_posts_to_books AFTER INSERT ON stock_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stock_entry_books();

-- When what an item has cost was computed anew, and which lines that added.
CREATE TABLE stock_recosting (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    item_id     uuid NOT NULL REFERENCES item (id),
    since       timestamptz NOT NULL,
    -- Its lines have higher numbers.
    behind      bigint NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE TRIGGER stock_recosting_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_recosting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- As in 0025_stock_cost.sql, and keeps that it was done, so that it goes into the books.
CREATE OR REPLACE FUNCTION stock_recost(item uuid, unit numeric, at timestamptz, entries uuid[], lines integer[], layers uuid[], amounts numeric[],
                                        cost_values numeric[], moments timestamptz[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    since timestamptz;
    bound timestamptz;
BEGIN
    SELECT recost_from INTO since FROM stock_value WHERE item_id = item FOR NO KEY UPDATE;
    IF since IS NULL OR EXISTS (SELECT FROM unnest(moments) m WHERE m < since) THEN
        RAISE EXCEPTION 'nothing of item % is to be computed anew then', item
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_recost_due';
    END IF;
    -- What was closed stays: it is put right in the first moment behind it.
    SELECT closed_until + interval '1 microsecond' INTO bound FROM stock_closing;
    IF cardinality(entries) > 0 THEN
        INSERT INTO stock_recosting (item_id, since, behind, recorded_at)
        VALUES (item, since, COALESCE(pg_sequence_last_value(pg_get_serial_sequence('stock_cost', 'number')), 0), at);
        PERFORM stock_cost_apply(array_agg(ROW(c.entry_id, c.line, item, NULLIF(c.layer_id, '00000000-0000-0000-0000-000000000000'), c.amount, c.value,
                                               NULL, GREATEST(c.moment, bound), at)::stock_cost_change ORDER BY c.row), true)
        FROM unnest(entries, lines, layers, amounts, cost_values, moments) WITH ORDINALITY
            c (entry_id, line, layer_id, amount, value, moment, row);
    END IF;
    UPDATE stock_value SET recost_from = NULL, unit_cost = unit WHERE item_id = item;
    IF (SELECT amount FROM stock_value WHERE item_id = item) IS DISTINCT FROM (
        SELECT COALESCE(sum(CASE WHEN k.is_weighed THEN l.weight ELSE l.on_hand END), 0)
        FROM stock_level l LEFT JOIN item_stocking k ON k.item_id = l.item_id WHERE l.item_id = item
    ) THEN
        RAISE EXCEPTION 'item % has another amount than lies about', item
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_recost_whole';
    END IF;
END $$;

-- An entry of the books for each day on which something came out differently.
CREATE FUNCTION stock_recosting_books() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    books   stock_book[];
    changed stock_book_line[];
    by_lot  boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM stock_booking) THEN
        RETURN NULL;
    END IF;
    SELECT COALESCE(k.cost_method, CASE i.tracking WHEN 'serial' THEN 'specific' END) = 'specific' INTO by_lot
    FROM item i LEFT JOIN item_stocking k ON k.item_id = i.id WHERE i.id = NEW.item_id;
    SELECT array_agg(ROW(c.book, c.entry_id, c.line, NEW.item_id, CASE WHEN by_lot THEN c.layer_id ELSE NEW.item_id END, c.value, true)::stock_book_line),
           array_agg(ROW(gen_random_uuid(), c.day, 'item', NEW.item_id::text, NEW.recorded_at, 'system', NULL, 'worker')::stock_book ORDER BY c.day)
               FILTER (WHERE c.is_first)
    INTO changed, books
    FROM (
        SELECT c.*, dense_rank() OVER (ORDER BY c.day)::integer AS book, row_number() OVER (PARTITION BY c.day) = 1 AS is_first
        FROM (SELECT c.entry_id, c.line, c.layer_id, c.value, GREATEST((c.effective_at AT TIME ZONE s.time_zone)::date, b.since) AS day
              FROM stock_cost c CROSS JOIN shop s CROSS JOIN stock_booking b
              WHERE c.item_id = NEW.item_id AND c.effective_at >= NEW.since AND c.corrects AND c.number > NEW.behind) c
    ) c;
    IF books IS NOT NULL THEN
        PERFORM stock_book_post(books, changed);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stock_recosting_posts_to_books AFTER INSERT ON stock_recosting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stock_recosting_books();

-- Everything that has a value, as it is costed.
CREATE FUNCTION stock_book_pools(items uuid[]) RETURNS TABLE (item_id uuid, pool_id uuid) LANGUAGE sql STABLE AS $$
    SELECT v.item_id, p.pool_id
    FROM stock_value v
    JOIN item i ON i.id = v.item_id
    LEFT JOIN item_stocking k ON k.item_id = v.item_id
    CROSS JOIN LATERAL (
        SELECT v.item_id AS pool_id WHERE COALESCE(k.cost_method, CASE i.tracking WHEN 'serial' THEN 'specific' END) IS DISTINCT FROM 'specific'
        UNION ALL
        SELECT s.id FROM stock_cost_layer s
        WHERE s.item_id = v.item_id AND s.amount <> 0 AND COALESCE(k.cost_method, CASE i.tracking WHEN 'serial' THEN 'specific' END) = 'specific'
    ) p
    WHERE items IS NULL OR v.item_id = ANY(items)
$$;

-- Moves what of these items is in an account where it should not be any more.
CREATE FUNCTION stock_rebook(items uuid[], document_type text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET jit = off AS $$
DECLARE
    accounts uuid[];
    amounts  numeric[];
BEGIN
    PERFORM FROM stock_value v WHERE v.item_id = ANY(items) ORDER BY v.item_id FOR NO KEY UPDATE;
    WITH pool AS MATERIALIZED (
        SELECT array_agg(p.item_id) AS items, array_agg(p.pool_id) AS pools FROM stock_book_pools(items) p
    ), moved AS MATERIALIZED (
        SELECT (array_agg(d.item_id))[1] AS item_id, d.pool_id, d.account_id, sum(d.value) AS value
        FROM (SELECT t.item_id, t.pool_id, t.account_id, t.value FROM pool p CROSS JOIN LATERAL stock_book_targets(p.items, p.pools) t
              UNION ALL SELECT b.item_id, b.pool_id, b.account_id, -b.value FROM stock_booked b WHERE b.item_id = ANY(items)) d
        GROUP BY d.pool_id, d.account_id HAVING sum(d.value) <> 0
    ), kept AS (
        INSERT INTO stock_booked AS b (pool_id, account_id, item_id, value)
        SELECT pool_id, account_id, item_id, value FROM moved
        ON CONFLICT (pool_id, account_id) DO UPDATE SET value = b.value + EXCLUDED.value
    )
    SELECT array_agg(account_id), array_agg(value) INTO accounts, amounts FROM moved;
    IF accounts IS NOT NULL THEN
        PERFORM stock_book_write(
            ARRAY[ROW(gen_random_uuid(), (SELECT GREATEST((now() AT TIME ZONE s.time_zone)::date, b.since) FROM shop s, stock_booking b), document_type,
                      items[1]::text, now(), 'system', NULL, 'books')::stock_book],
            array_fill(1, ARRAY[cardinality(accounts)]), accounts, array_fill('00000000-0000-0000-0000-000000000000'::uuid, ARRAY[cardinality(accounts)]),
            amounts);
    END IF;
END $$;

-- An item that changes its category, or whose category or place comes to lie elsewhere, may be booked to another account from then on.
CREATE FUNCTION item_category_books() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM stock_account WHERE role = 'inventory' AND category_id IS NOT NULL) AND EXISTS (SELECT FROM stock_booking)
       AND EXISTS (SELECT FROM stock_value WHERE item_id = NEW.id) THEN
        PERFORM stock_rebook(ARRAY[NEW.id], 'item');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER item_category_books AFTER UPDATE OF category_id ON item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.category_id IS DISTINCT FROM OLD.category_id) EXECUTE FUNCTION item_category_books();
CREATE FUNCTION category_path_books() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    items uuid[];
BEGIN
    IF EXISTS (SELECT FROM stock_account WHERE role = 'inventory' AND category_id IS NOT NULL) AND EXISTS (SELECT FROM stock_booking) THEN
        SELECT array_agg(v.item_id) INTO items FROM item i JOIN stock_value v ON v.item_id = i.id WHERE i.category_id = NEW.id;
        IF items IS NOT NULL THEN
            PERFORM stock_rebook(items, 'category');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER category_path_books AFTER UPDATE OF path ON category DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.path IS DISTINCT FROM OLD.path) EXECUTE FUNCTION category_path_books();
CREATE FUNCTION location_path_books() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    items uuid[];
BEGIN
    IF EXISTS (SELECT FROM stock_account WHERE role = 'inventory' AND location_id IS NOT NULL) AND EXISTS (SELECT FROM stock_booking) THEN
        SELECT array_agg(DISTINCT s.item_id) INTO items FROM stock_level s WHERE s.location_id = NEW.id;
        IF items IS NOT NULL THEN
            PERFORM stock_rebook(items, 'location');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER location_path_books AFTER UPDATE OF path ON location DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.path IS DISTINCT FROM OLD.path) EXECUTE FUNCTION location_path_books();

-- Says which accounts are for what, all of them at once; and books all there is accordingly, from the first time on. Answers the version.
CREATE FUNCTION stock_accounts_set(roles text[], categories uuid[], locations uuid[], accounts uuid[], entry uuid, at timestamptz,
                                   actor_kind text, actor_id uuid, actor_name text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET jit = off AS $$
DECLARE
    faults     jsonb;
    kept       uuid[];
    today      date;
    money      text;
    changed    bigint;
    diff       uuid[];
    amounts    numeric[];
    opening    uuid;
    nowhere    CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    -- Nobody posts meanwhile.
    PERFORM books_own();
    SELECT (at AT TIME ZONE s.time_zone)::date, s.currency INTO today, money FROM shop s;
    SELECT jsonb_agg(f.fault) INTO faults
    FROM (
        SELECT jsonb_build_object('place', r.place, 'code', w.code, 'account', a.code) AS fault
        FROM unnest(roles, categories, locations, accounts) WITH ORDINALITY r (role, category_id, location_id, account_id, place)
        LEFT JOIN account a ON a.id = r.account_id
        CROSS JOIN LATERAL (SELECT CASE
            WHEN a.id IS NULL THEN 'account_unknown'
            WHEN a.is_group THEN 'account_is_group'
            WHEN a.archived_at IS NOT NULL THEN 'account_archived'
            WHEN a.commodity <> money THEN 'commodity_unfit'
            WHEN a.subsidiary_kind IS NOT NULL THEN 'subsidiary_demanded'
            WHEN r.role = 'inventory' AND a.kind <> 'asset' THEN 'not_an_asset'
            WHEN (r.role = 'inventory') <> EXISTS (SELECT FROM unnest(roles, accounts) o (role, account_id)
                                                   WHERE o.account_id = r.account_id AND o.role = 'inventory') THEN 'account_twice'
            WHEN r.role = 'inventory' AND EXISTS (SELECT FROM account_turnover t WHERE t.account_id = r.account_id AND t.commodity <> money)
                THEN 'commodity_unfit'
            WHEN r.category_id <> nowhere AND NOT EXISTS (SELECT FROM category c WHERE c.id = r.category_id) THEN 'category_unknown'
            WHEN r.location_id <> nowhere AND NOT EXISTS (SELECT FROM location l WHERE l.id = r.location_id AND l.keeps_stock) THEN 'location_unknown'
        END AS code) w
        WHERE w.code IS NOT NULL
        ORDER BY r.place LIMIT 100
    ) f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'accounts that stock cannot be booked to'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_account_fit', DETAIL = faults::text;
    END IF;
    SELECT jsonb_agg(jsonb_build_object('code', 'role_missing', 'role', r.role) ORDER BY r.role) INTO faults
    FROM unnest(ARRAY['inventory', 'goods_received', 'cost_of_goods_sold', 'stock_found', 'stock_lost', 'production', 'opening']) r (role)
    WHERE NOT EXISTS (SELECT FROM unnest(roles, categories, locations) o (role, category_id, location_id)
                      WHERE o.role = r.role AND o.category_id = nowhere AND o.location_id = nowhere);
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'each use needs an account that is for everything'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_account_fit', DETAIL = faults::text;
    END IF;

    SELECT array_agg(DISTINCT s.account_id) INTO kept FROM stock_account s WHERE s.role = 'inventory';
    DELETE FROM stock_account;
    INSERT INTO stock_account (role, category_id, location_id, account_id)
    SELECT r.role, NULLIF(r.category_id, nowhere), NULLIF(r.location_id, nowhere), r.account_id
    FROM unnest(roles, categories, locations, accounts) r (role, category_id, location_id, account_id);
    INSERT INTO stock_booking AS b (since, is_plain)
    SELECT today, bool_and(s.category_id IS NULL AND s.location_id IS NULL) FROM stock_account s
    ON CONFLICT (singleton) DO UPDATE SET version = b.version + 1, is_plain = EXCLUDED.is_plain
    RETURNING version INTO changed;

    DELETE FROM stock_booked;
    INSERT INTO stock_booked (pool_id, account_id, item_id, value)
    SELECT t.pool_id, t.account_id, t.item_id, t.value
    FROM (SELECT array_agg(p.item_id) AS items, array_agg(p.pool_id) AS pools FROM stock_book_pools(NULL) p) p
    CROSS JOIN LATERAL stock_book_targets(p.items, p.pools) t
    WHERE t.value <> 0;
    -- Whatever these accounts had: now they have what stock is worth.
    SELECT array_agg(d.account_id), array_agg(d.value) INTO diff, amounts
    FROM (
        SELECT d.account_id, sum(d.value) AS value
        FROM (
            SELECT account_id, value FROM stock_booked
            UNION ALL
            SELECT t.account_id, t.credit - t.debit FROM account_turnover t
            WHERE t.span = 'month' AND t.commodity = money
              AND (t.account_id = ANY(kept) OR t.account_id IN (SELECT s.account_id FROM stock_account s WHERE s.role = 'inventory'))
        ) d
        GROUP BY d.account_id HAVING sum(d.value) <> 0
    ) d;
    IF diff IS NOT NULL THEN
        SELECT s.account_id INTO opening FROM stock_account s WHERE s.role = 'opening' AND s.category_id IS NULL AND s.location_id IS NULL;
        PERFORM stock_book_write(
            ARRAY[ROW(entry, today, 'stock_accounts', changed::text, at, actor_kind, actor_id, actor_name)::stock_book],
            array_fill(1, ARRAY[cardinality(diff) + 1]), diff || opening, array_fill(nowhere, ARRAY[cardinality(diff) + 1]),
            amounts || (SELECT -sum(a) FROM unnest(amounts) a));
    END IF;
    RETURN changed;
END $$;

-- What the accounts of stock have, and what they should: what all of it is worth, as it is costed and where it lies.
CREATE FUNCTION stock_books() RETURNS TABLE (account_id uuid, balance numeric, value numeric)
    LANGUAGE sql STABLE SET search_path = public, pg_temp SET jit = off AS $$
    WITH worth AS (
        SELECT t.account_id, sum(t.value) AS value
        FROM (SELECT array_agg(p.item_id) AS items, array_agg(p.pool_id) AS pools FROM stock_book_pools(NULL) p) p
        CROSS JOIN LATERAL stock_book_targets(p.items, p.pools) t
        GROUP BY t.account_id
    )
    SELECT a.account_id,
           COALESCE((SELECT sum(CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END) FROM journal_line l WHERE l.account_id = a.account_id), 0),
           COALESCE(w.value, 0)
    FROM (SELECT DISTINCT s.account_id FROM stock_account s WHERE s.role = 'inventory' AND EXISTS (SELECT FROM stock_booking)) a
    LEFT JOIN worth w ON w.account_id = a.account_id
$$;
-- Each difference in a row, and none when all is well.
CREATE FUNCTION stock_books_verify() RETURNS TABLE (kind text, subject text, expected text, actual text)
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
$$;
