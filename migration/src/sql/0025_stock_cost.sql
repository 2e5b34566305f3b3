-- What stock has cost: by weighted average, first in first out, or piece by piece. Values follow from movements in the statement that writes
-- them, as levels do (0022): nobody but these triggers writes them.

-- What is said once for the whole shop. One row.
CREATE TABLE shop (
    singleton      boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    -- In which everything is valued: ISO 4217, and how many digits behind the point its smallest unit has.
    currency       text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    currency_scale smallint NOT NULL CHECK (currency_scale BETWEEN 0 AND 4),
    version        bigint NOT NULL DEFAULT 1,
    updated_at     timestamptz NOT NULL
);
INSERT INTO shop (currency, currency_scale, updated_at) VALUES ('IRR', 2, now());
CREATE TRIGGER shop_kept BEFORE DELETE OR TRUNCATE ON shop FOR EACH STATEMENT EXECUTE FUNCTION stays();

-- Without: piece by piece for serials, by average for everything else.
ALTER TABLE item_stocking ADD COLUMN cost_method text CHECK (cost_method IN ('average', 'fifo', 'specific'));

-- What there is of an item in the whole shop, and what it has cost. Whoever changes it holds this row: so what came first is known.
CREATE TABLE stock_value (
    item_id     uuid PRIMARY KEY REFERENCES item (id),
    -- In the item's unit; in grams, of what is weighed: metal is paid for by its weight.
    amount      numeric(19, 6) NOT NULL DEFAULT 0,
    -- In the shop's currency, in whole smallest units.
    value       numeric(24, 6) NOT NULL DEFAULT 0,
    -- What one of the amount cost when some last came in of which it was said.
    unit_cost   numeric(30, 12) CHECK (unit_cost >= 0),
    -- When it last changed.
    changed_at  timestamptz NOT NULL,
    -- From when on what it has cost is to be computed anew, because something happened then that was written down later.
    recost_from timestamptz,
    CONSTRAINT stock_value_of_nothing CHECK (amount <> 0 OR value = 0),
    CONSTRAINT stock_value_sign CHECK (CASE WHEN amount < 0 THEN value <= 0 ELSE value >= 0 END)
) WITH (fillfactor = 80);
CREATE INDEX stock_value_to_recost ON stock_value (recost_from, item_id) WHERE recost_from IS NOT NULL;

-- Parts of it that are told apart: what came in together (first in, first out), or a lot (piece by piece).
CREATE TABLE stock_cost_layer (
    -- The lot; or made of the movement that brought it.
    id        uuid PRIMARY KEY,
    item_id   uuid NOT NULL,
    -- What opened it.
    entry_id  uuid NOT NULL,
    line      integer NOT NULL,
    opened_at timestamptz NOT NULL,
    amount    numeric(19, 6) NOT NULL,
    value     numeric(24, 6) NOT NULL,
    CONSTRAINT stock_cost_layer_of_nothing CHECK (amount <> 0 OR value = 0),
    CONSTRAINT stock_cost_layer_sign CHECK (CASE WHEN amount < 0 THEN value <= 0 ELSE value >= 0 END)
) WITH (fillfactor = 80);
-- What came first goes first.
CREATE INDEX stock_cost_layer_open ON stock_cost_layer (item_id, opened_at, entry_id, line) WHERE amount <> 0;

-- How each movement into the shop and out of it changed the value of what is there. A movement has several lines when it took from several
-- layers, or when its cost was computed anew. The value at a moment is the sum up to then.
CREATE TABLE stock_cost (
    number       bigint GENERATED ALWAYS AS IDENTITY,
    entry_id     uuid NOT NULL,
    line         integer NOT NULL,
    item_id      uuid NOT NULL,
    layer_id     uuid,
    amount       numeric(19, 6) NOT NULL,
    value        numeric(24, 6) NOT NULL,
    -- The movement's; of what happened in a period that is closed, the moment behind it.
    effective_at timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    -- Whether it only puts right what was computed before.
    corrects     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (entry_id, line, number)
);
CREATE INDEX stock_cost_item ON stock_cost (item_id, effective_at, number);
CREATE TRIGGER stock_cost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_cost
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- In which currency values are, and how they are computed, cannot change under them.
CREATE FUNCTION shop_currency_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM stock_own();
    IF EXISTS (SELECT FROM stock_value) THEN
        RAISE EXCEPTION 'stock has values in %', OLD.currency
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'shop_currency_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER shop_currency_stays BEFORE UPDATE ON shop FOR EACH ROW
    WHEN ((NEW.currency, NEW.currency_scale) IS DISTINCT FROM (OLD.currency, OLD.currency_scale)) EXECUTE FUNCTION shop_currency_stays();

CREATE FUNCTION item_costing_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM stock_own();
    IF EXISTS (SELECT FROM stock_value WHERE item_id = NEW.item_id) THEN
        RAISE EXCEPTION 'item % has stock that is costed otherwise', NEW.item_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'item_costing_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER item_costing_begins BEFORE INSERT ON item_stocking FOR EACH ROW
    WHEN (NEW.cost_method IS NOT NULL) EXECUTE FUNCTION item_costing_stays();
CREATE TRIGGER item_costing_stays BEFORE UPDATE OF item_id, cost_method ON item_stocking FOR EACH ROW
    WHEN ((NEW.item_id, NEW.cost_method) IS DISTINCT FROM (OLD.item_id, OLD.cost_method)) EXECUTE FUNCTION item_costing_stays();

-- The share of `part` in a value of `whole`, in whole smallest units, halves up. No less and no more exact for the size of the numbers.
CREATE FUNCTION stock_cost_share(value numeric, part numeric, whole numeric, units numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS
    'SELECT div(2 * value * part * units + whole, 2 * whole) / units';

-- What the first `x` of an amount have cost: the last takes what is left. What is taken beyond what there is has cost what the last did.
CREATE FUNCTION stock_cost_of(amount numeric, value numeric, unit_cost numeric, x numeric, scale integer, units numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN amount <= 0 THEN round(x * COALESCE(unit_cost, 0), scale)
        WHEN x < amount THEN stock_cost_share(value, x, amount, units)
        ELSE value + round((x - amount) * COALESCE(unit_cost, 0), scale)
    END
$$;

-- A movement that changes what the shop has, with what there is to say of its cost.
CREATE TYPE stock_cost_line AS (
    entry_id uuid, line integer, item_id uuid, method text, pool_id uuid, is_in boolean, is_made boolean, is_mirror boolean,
    amount numeric, quantity numeric, weight numeric, fine_weight numeric, value numeric, unit_cost numeric, reverses_id uuid,
    effective_at timestamptz, recorded_at timestamptz
);
CREATE TYPE stock_cost_change AS (
    entry_id uuid, line integer, item_id uuid, layer_id uuid, amount numeric, value numeric, unit_cost numeric,
    effective_at timestamptz, recorded_at timestamptz
);

-- Writes what changed, in the order of the lines. The rows of the items are locked.
-- With the rights and the settings of who calls it, which cost time to change.
CREATE FUNCTION stock_cost_apply(changes stock_cost_change[], corrects boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stock_cost (entry_id, line, item_id, layer_id, amount, value, effective_at, recorded_at, corrects)
    SELECT c.entry_id, c.line, c.item_id, c.layer_id, c.amount, c.value, c.effective_at, c.recorded_at, stock_cost_apply.corrects
    FROM unnest(changes) c;
    INSERT INTO stock_value (item_id, amount, value, unit_cost, changed_at, recost_from)
    SELECT d.item_id, v.amount + d.amount, v.value + d.value, COALESCE(d.unit_cost, v.unit_cost), GREATEST(v.changed_at, d.last),
           -- What comes behind something that happened later is put right by whoever computes it anew.
           LEAST(v.recost_from, CASE WHEN NOT stock_cost_apply.corrects AND (d.first < v.changed_at OR d.entries > 1) THEN d.first END)
    FROM (SELECT c.item_id, sum(c.amount) AS amount, sum(c.value) AS value, (array_agg(c.unit_cost) FILTER (WHERE c.unit_cost IS NOT NULL))[1] AS unit_cost,
                 min(c.effective_at) AS first, max(c.effective_at) AS last, count(DISTINCT c.entry_id) AS entries
          FROM (SELECT * FROM unnest(changes) WITH ORDINALITY c ORDER BY ordinality DESC) c GROUP BY c.item_id) d
    CROSS JOIN LATERAL (SELECT * FROM stock_value v WHERE v.item_id = d.item_id OFFSET 0) v
    ON CONFLICT (item_id) DO UPDATE
    SET amount = EXCLUDED.amount, value = EXCLUDED.value, unit_cost = EXCLUDED.unit_cost, changed_at = EXCLUDED.changed_at,
        recost_from = EXCLUDED.recost_from;
    IF NOT EXISTS (SELECT FROM unnest(changes) c WHERE c.layer_id IS NOT NULL) THEN
        RETURN;
    END IF;
    INSERT INTO stock_cost_layer (id, item_id, entry_id, line, opened_at, amount, value)
    SELECT d.layer_id, d.item_id, COALESCE(s.entry_id, d.entry_id), COALESCE(s.line, d.line), COALESCE(s.opened_at, d.opened_at),
           COALESCE(s.amount, 0) + d.amount, COALESCE(s.value, 0) + d.value
    FROM (SELECT c.layer_id, (array_agg(c.item_id))[1] AS item_id, (array_agg(c.entry_id))[1] AS entry_id, (array_agg(c.line))[1] AS line,
                 min(c.effective_at) AS opened_at, sum(c.amount) AS amount, sum(c.value) AS value
          FROM unnest(changes) c WHERE c.layer_id IS NOT NULL GROUP BY c.layer_id) d
    LEFT JOIN LATERAL (SELECT * FROM stock_cost_layer s WHERE s.id = d.layer_id OFFSET 0) s ON true
    ON CONFLICT (id) DO UPDATE SET amount = EXCLUDED.amount, value = EXCLUDED.value;
END $$;

-- What these movements change. Items are locked in the order of their keys, behind the levels.
-- With the rights and the settings of who calls it, as above.
CREATE FUNCTION stock_cost_settle(lines stock_cost_line[], places integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changes  stock_cost_change[];
    faults   jsonb;
    units    numeric := 10::numeric ^ places;
    wanted   integer;
    locked   integer;
BEGIN
    LOOP
        SELECT count(*), count(v.item_id) INTO wanted, locked
        FROM (SELECT DISTINCT l.item_id FROM unnest(lines) l ORDER BY l.item_id) k
        LEFT JOIN LATERAL (SELECT v.item_id FROM stock_value v WHERE v.item_id = k.item_id FOR NO KEY UPDATE OFFSET 0) v ON true;
        EXIT WHEN locked = wanted;
        INSERT INTO stock_value (item_id, changed_at)
        SELECT DISTINCT l.item_id, '0001-01-01 00:00:00+00'::timestamptz FROM unnest(lines) l
        WHERE NOT EXISTS (SELECT FROM stock_value v WHERE v.item_id = l.item_id)
        ORDER BY l.item_id
        ON CONFLICT DO NOTHING;
    END LOOP;

    IF EXISTS (SELECT FROM unnest(lines) l WHERE NOT l.is_in) THEN
        SELECT array_agg(ROW(l.entry_id, l.line, l.item_id, p.layer_id, -(p.till - p.since),
                             -(CASE WHEN l.is_mirror AND l.method <> 'fifo' AND p.till < p.amount THEN LEAST(l.wanted, p.value)
                                    ELSE stock_cost_of(p.amount, p.value, p.unit_cost, p.till, places, units) END
                               - CASE WHEN l.is_mirror AND l.method <> 'fifo' AND p.since < p.amount THEN LEAST(l.wanted - l.value, p.value)
                                      ELSE stock_cost_of(p.amount, p.value, p.unit_cost, p.since, places, units) END),
                             NULL, l.effective_at, l.recorded_at)::stock_cost_change ORDER BY l.effective_at, l.entry_id, l.line, p.begins),
               -- What came in first is not known of what has not come in yet.
               (jsonb_agg(jsonb_build_object('item', l.item_id, 'code', 'insufficient', 'available', p.there::text, 'requested', l.ends::text))
                   FILTER (WHERE l.method = 'fifo' AND l.ends > p.there))
        INTO changes, faults
        FROM (
            SELECT l.*, sum(l.amount) OVER pool - l.amount AS begins, sum(l.amount) OVER pool AS ends, sum(COALESCE(l.value, 0)) OVER pool AS wanted
            FROM unnest(lines) l WHERE NOT l.is_in
            WINDOW pool AS (PARTITION BY l.pool_id ORDER BY l.effective_at, l.entry_id, l.line)
        ) l
        CROSS JOIN LATERAL (
            SELECT NULL::uuid AS layer_id, v.amount, v.value, v.unit_cost, l.begins AS since, l.ends AS till, 0::numeric AS begins, l.ends AS there
            FROM stock_value v WHERE l.method = 'average' AND v.item_id = l.item_id
            UNION ALL
            SELECT l.pool_id, COALESCE(s.amount, 0), COALESCE(s.value, 0), v.unit_cost, l.begins, l.ends, 0, l.ends
            FROM stock_value v LEFT JOIN LATERAL (SELECT * FROM stock_cost_layer s WHERE s.id = l.pool_id OFFSET 0) s ON true
            WHERE l.method = 'specific' AND v.item_id = l.item_id
            UNION ALL
            SELECT s.id, COALESCE(s.amount, 0), COALESCE(s.value, 0), NULL, GREATEST(l.begins - s.begins, 0), LEAST(l.ends - s.begins, s.amount),
                   s.begins, v.amount
            FROM stock_value v
            LEFT JOIN LATERAL (
                SELECT s.*, sum(s.amount) OVER (ORDER BY (s.entry_id = l.reverses_id) IS TRUE DESC, s.opened_at, s.entry_id, s.line) - s.amount AS begins
                FROM stock_cost_layer s WHERE s.item_id = l.item_id AND s.amount <> 0
            ) s ON s.begins < l.ends AND s.begins + s.amount > l.begins
            WHERE l.method = 'fifo' AND v.item_id = l.item_id
        ) p;
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'more than came in'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_insufficient', DETAIL = faults::text;
        END IF;
        PERFORM stock_cost_apply(changes, false);
    END IF;

    IF EXISTS (SELECT FROM unnest(lines) l WHERE l.is_in) THEN
        SELECT array_agg(ROW(l.entry_id, l.line, l.item_id, l.layer_id, l.amount,
                             -- What was taken before it came cost what this does: the last line bears the difference.
                             l.worth + CASE WHEN l.method = 'average' AND l.before < 0 AND l.is_last
                                 THEN CASE WHEN l.before + l.more < 0 THEN -stock_cost_share(-l.before_value, -(l.before + l.more), -l.before, units)
                                           ELSE stock_cost_share(l.more_value, l.before + l.more, l.more, units) END - l.before_value - l.more_value
                                 ELSE 0 END,
                             l.unit_cost * l.quantity / l.amount, l.effective_at, l.recorded_at)::stock_cost_change
                         ORDER BY l.effective_at, l.entry_id, l.line)
        INTO changes
        FROM (
            SELECT l.*, sum(l.amount) OVER pool AS more, sum(l.worth) OVER pool AS more_value,
                   row_number() OVER (PARTITION BY l.item_id ORDER BY l.effective_at DESC, l.entry_id DESC, l.line DESC) = 1 AS is_last
            FROM (
                SELECT l.entry_id, l.line, l.item_id, l.method, l.amount, l.quantity, l.effective_at, l.recorded_at,
                       CASE WHEN NOT l.is_made THEN l.unit_cost END AS unit_cost, v.amount AS before, v.value AS before_value,
                       CASE l.method WHEN 'specific' THEN l.pool_id
                                     WHEN 'fifo' THEN md5(l.entry_id::text || ':' || l.line)::uuid END AS layer_id,
                       CASE
                           WHEN l.is_made THEN stock_cost_share(l.used, sum(l.share) OVER made, l.shares, units)
                                               - stock_cost_share(l.used, sum(l.share) OVER made - l.share, l.shares, units)
                           WHEN l.value IS NOT NULL THEN l.value
                           WHEN l.method = 'specific' AND s.amount > 0 THEN stock_cost_share(s.value, l.amount, s.amount, units)
                           WHEN v.amount > 0 THEN stock_cost_share(v.value, l.amount, v.amount, units)
                           ELSE round(l.amount * COALESCE(v.unit_cost, 0), places)
                       END AS worth
                FROM (
                    SELECT l.*, sum(l.share) OVER made AS shares
                    FROM (
                        -- What is made of something is worth what that was: in proportion to what it is said to cost, to its pure metal, its
                        -- weight or its number.
                        SELECT l.*, COALESCE(u.used, 0) AS used,
                               CASE WHEN bool_and(l.unit_cost IS NOT NULL) OVER made AND sum(l.quantity * l.unit_cost) OVER made > 0
                                        THEN l.quantity * l.unit_cost
                                    WHEN bool_and(l.fine_weight > 0) OVER made THEN l.fine_weight
                                    WHEN bool_and(l.weight > 0) OVER made THEN l.weight
                                    ELSE l.amount END AS share
                        FROM unnest(lines) l
                        LEFT JOIN (SELECT c.entry_id, -sum(c.value) AS used FROM unnest(changes) c GROUP BY c.entry_id) u
                            ON l.is_made AND u.entry_id = l.entry_id
                        WHERE l.is_in
                        WINDOW made AS (PARTITION BY l.entry_id)
                    ) l
                    WINDOW made AS (PARTITION BY l.entry_id)
                ) l
                CROSS JOIN LATERAL (SELECT * FROM stock_value v WHERE v.item_id = l.item_id OFFSET 0) v
                LEFT JOIN LATERAL (SELECT * FROM stock_cost_layer s WHERE l.method = 'specific' AND s.id = l.pool_id OFFSET 0) s ON true
                WINDOW made AS (PARTITION BY l.entry_id ORDER BY l.line)
            ) l
            WINDOW pool AS (PARTITION BY l.item_id)
        ) l;
        PERFORM stock_cost_apply(changes, false);
    END IF;
END $$;

-- Whether the item is to be computed anew, and nobody else is at it: nobody changes its value until the transaction ends.
CREATE FUNCTION stock_recost_begin(item uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM stock_value WHERE item_id = item AND recost_from IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED;
    RETURN FOUND;
END $$;

-- Puts right what was computed of an item that has to be computed anew: only that, and only from then on. What the item has then is what
-- lies about of it.
CREATE FUNCTION stock_recost(item uuid, unit numeric, at timestamptz, entries uuid[], lines integer[], layers uuid[], amounts numeric[],
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

-- What is made of what was computed anew changes with it.
CREATE FUNCTION stock_recost_from(items uuid[], moments timestamptz[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE stock_value v SET recost_from = LEAST(v.recost_from, d.moment)
    FROM (SELECT item_id, min(moment) AS moment FROM unnest(items, moments) d (item_id, moment) GROUP BY item_id) d
    WHERE v.item_id = d.item_id
$$;

-- What moved before values were kept gets them from whoever computes them anew.
INSERT INTO stock_value (item_id, changed_at, recost_from)
SELECT DISTINCT item_id, '0001-01-01 00:00:00+00'::timestamptz, '0001-01-01 00:00:00+00'::timestamptz FROM stock_level;

UPDATE role SET permissions = permissions || '{cost.read,shop.manage}' WHERE code = 'manager';
