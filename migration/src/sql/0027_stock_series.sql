-- What came in, left and lay there, day by day, of each item at each place: for charts and reports.
--
-- Days are made behind posting, by a worker, and add nothing to what posting costs. It is known up to which number movements are in them, and
-- whoever reads adds the others (`stock_flows`). Where days lie is another file's: in monthly partitions (0027_stock_series_native.sql), or in
-- a hypertable where TimescaleDB is at hand (0027_stock_series_timescale.sql). Nothing else differs.

-- In which zone the shop's days begin and end: a name of IANA's.
ALTER TABLE shop ADD COLUMN time_zone text COLLATE "C" NOT NULL DEFAULT 'UTC';
CREATE FUNCTION shop_time_zone_known() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    -- Copies with another count of seconds, and what the machine happens to be set to, are no names of zones.
    IF NEW.time_zone ~ '^(posix|right)/|^(localtime|posixrules|Factory)$'
       OR NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = NEW.time_zone) THEN
        RAISE EXCEPTION 'there is no time zone %', NEW.time_zone
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'shop_time_zone_known';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER shop_time_zone_known BEFORE INSERT OR UPDATE OF time_zone ON shop FOR EACH ROW EXECUTE FUNCTION shop_time_zone_known();

-- What came in and left on days on which something did.
CREATE TABLE stock_flow_day (
    item_id     uuid NOT NULL,
    location_id uuid NOT NULL,
    day         date NOT NULL,
    -- What sort of coming or going (`stock_flow_of`).
    flow        text COLLATE "C" NOT NULL,
    -- How many movements, without those that were undone: what undoes one counts against it, on the day on which it was undone.
    movements   integer NOT NULL,
    quantity    numeric(24, 6) NOT NULL,
    weight      numeric(24, 6) NOT NULL,
    fine_weight numeric(24, 6) NOT NULL,
    -- What it has cost, in the shop's currency; nothing of what is carried about inside.
    value       numeric(30, 6) NOT NULL,
    PRIMARY KEY (item_id, location_id, day, flow)
);

-- What lay there at the end of days on which it became another amount.
CREATE TABLE stock_level_day (
    item_id     uuid NOT NULL,
    location_id uuid NOT NULL,
    day         date NOT NULL,
    quantity    numeric(24, 6) NOT NULL,
    weight      numeric(24, 6) NOT NULL,
    fine_weight numeric(24, 6) NOT NULL,
    PRIMARY KEY (item_id, location_id, day)
);

-- The flows of all items that are counted in the same unit.
CREATE TABLE stock_flow_total (
    location_id uuid NOT NULL,
    unit_id     uuid NOT NULL,
    day         date NOT NULL,
    flow        text COLLATE "C" NOT NULL,
    movements   integer NOT NULL,
    quantity    numeric(30, 6) NOT NULL,
    weight      numeric(30, 6) NOT NULL,
    fine_weight numeric(30, 6) NOT NULL,
    value       numeric(36, 6) NOT NULL,
    PRIMARY KEY (location_id, unit_id, day, flow)
) WITH (fillfactor = 80);

-- How far the series has got. One row.
CREATE TABLE stock_series_mark (
    singleton    boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    -- Where days lie.
    store        text NOT NULL CHECK (store IN ('native', 'timescale')),
    -- Whose days they are. When it is not the shop's zone, what there is is of no use, and made anew.
    time_zone    text COLLATE "C" NOT NULL,
    -- Nobody adds a movement with this number or a lower one any more, and up to that one they are in the series.
    bound        bigint NOT NULL DEFAULT 0,
    number       bigint NOT NULL DEFAULT 0 CHECK (number <= bound),
    -- The same of lines of costs.
    cost_bound   bigint NOT NULL DEFAULT 0,
    cost_number  bigint NOT NULL DEFAULT 0 CHECK (cost_number <= cost_bound)
);

-- Lines of costs lie in the order in which they came, as movements do. Who reads looks for the newest ones: so that these are not all that came
-- since a vacuum, blocks are summed up as soon as they are full.
CREATE INDEX stock_cost_number ON stock_cost USING brin (number) WITH (pages_per_range = 32, autosummarize = on);
ALTER INDEX stock_movement_number SET (autosummarize = on);

-- What sort of flow it is, by what lies at the other end.
CREATE FUNCTION stock_flow_of(other text, is_in boolean) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE other
        WHEN 'supplier' THEN CASE WHEN is_in THEN 'purchased' ELSE 'sent_back' END
        WHEN 'customer' THEN CASE WHEN is_in THEN 'brought_back' ELSE 'sold' END
        WHEN 'production' THEN CASE WHEN is_in THEN 'made' ELSE 'used' END
        WHEN 'adjustment' THEN CASE WHEN is_in THEN 'gained' ELSE 'lost' END
        WHEN 'loss' THEN CASE WHEN is_in THEN 'gained' ELSE 'lost' END
        ELSE CASE WHEN is_in THEN 'moved_in' ELSE 'moved_out' END
    END
$$;
-- Whether it makes more of what lies there, or less.
CREATE FUNCTION stock_flow_sign(flow text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN flow IN ('purchased', 'brought_back', 'made', 'gained', 'moved_in') THEN 1 ELSE -1 END $$;

-- The flows of movements and of lines of costs with these numbers, at each place that keeps stock: any number of rows for one of them.
CREATE FUNCTION stock_flows(after bigint, upto bigint, costs_after bigint, costs_upto bigint, zone text)
RETURNS TABLE (item_id uuid, location_id uuid, day date, flow text, movements integer, quantity numeric, weight numeric, fine_weight numeric,
               value numeric)
LANGUAGE sql STABLE SET enable_seqscan = off SET jit = off AS $$
    SELECT m.item_id, e.place, (m.effective_at AT TIME ZONE zone)::date, stock_flow_of(o.kind, e.is_in <> k.is_undone), k.sign,
           k.sign * m.quantity, k.sign * m.weight, k.sign * m.fine_weight, 0::numeric
    FROM stock_movement m
    CROSS JOIN LATERAL (SELECT kind = 'reverse' AS is_undone, CASE kind WHEN 'reverse' THEN -1 ELSE 1 END AS sign
                        FROM stock_entry WHERE id = m.entry_id OFFSET 0) k
    CROSS JOIN LATERAL (VALUES (m.to_location_id, m.from_location_id, true), (m.from_location_id, m.to_location_id, false)) e (place, other, is_in)
    CROSS JOIN LATERAL (SELECT FROM location WHERE id = e.place AND keeps_stock OFFSET 0) p
    CROSS JOIN LATERAL (SELECT kind FROM location WHERE id = e.other OFFSET 0) o
    WHERE m.number > after AND m.number <= upto
    UNION ALL
    SELECT c.item_id, e.place, (c.effective_at AT TIME ZONE zone)::date, stock_flow_of(o.kind, e.is_in <> k.is_undone), 0, 0, 0, 0,
           CASE WHEN e.is_in <> k.is_undone THEN c.value ELSE -c.value END
    FROM stock_cost c
    CROSS JOIN LATERAL (SELECT from_location_id, to_location_id FROM stock_movement WHERE entry_id = c.entry_id AND line = c.line OFFSET 0) m
    CROSS JOIN LATERAL (SELECT kind = 'reverse' AS is_undone FROM stock_entry WHERE id = c.entry_id OFFSET 0) k
    CROSS JOIN LATERAL (VALUES (m.to_location_id, m.from_location_id, true), (m.from_location_id, m.to_location_id, false)) e (place, other, is_in)
    CROSS JOIN LATERAL (SELECT FROM location WHERE id = e.place AND keeps_stock OFFSET 0) p
    CROSS JOIN LATERAL (SELECT kind FROM location WHERE id = e.other OFFSET 0) o
    WHERE c.number > costs_after AND c.number <= costs_upto
$$;

-- What whoever reads has to know: whether the series is of the shop's days; behind which numbers, and up to which, flows are to be added to
-- it; and how many are missing from the answer then. More than so many are not added, and none of them: what is told was true once.
CREATE FUNCTION stock_series_state(most bigint)
RETURNS TABLE (time_zone text, currency text, is_usable boolean, number bigint, upto bigint, cost_number bigint, cost_upto bigint, missing bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.time_zone, k.currency, k.is_usable, k.number, CASE WHEN k.is_near THEN k.last ELSE k.number END,
           k.cost_number, CASE WHEN k.is_near THEN k.cost_last ELSE k.cost_number END,
           CASE WHEN k.is_near THEN 0 ELSE k.last - k.number + k.cost_last - k.cost_number END
    FROM (
        SELECT k.*, k.last - k.number + k.cost_last - k.cost_number <= most AS is_near
        FROM (
            SELECT s.time_zone, s.currency, s.time_zone = k.time_zone AS is_usable,
                   CASE WHEN s.time_zone = k.time_zone THEN k.number ELSE 0 END AS number,
                   CASE WHEN s.time_zone = k.time_zone THEN k.cost_number ELSE 0 END AS cost_number,
                   CASE WHEN m.is_called THEN m.last_value ELSE 0 END AS last,
                   CASE WHEN c.is_called THEN c.last_value ELSE 0 END AS cost_last
            FROM shop s CROSS JOIN stock_series_mark k CROSS JOIN stock_movement_number_seq m CROSS JOIN stock_cost_number_seq c
        ) k
    ) k
$$;

-- Move the bound to the last movement there is, or the last line of costs, when it is behind; tell whether it moved. For an instant nobody
-- adds any: a number is taken before its row can be seen, and the numbers that are taken then are those of rows that are there or never
-- will be. When somebody takes long it is given up, for others would wait behind us.
CREATE FUNCTION stock_series_bound() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    known bigint;
    last  bigint;
BEGIN
    SELECT m.bound INTO known FROM stock_series_mark m FOR UPDATE SKIP LOCKED;
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last FROM stock_movement_number_seq s;
    -- Somebody else is at it, or nothing has moved.
    IF known IS NULL OR last <= known THEN
        RETURN false;
    END IF;
    LOCK TABLE stock_movement IN SHARE MODE;
    SELECT s.last_value INTO last FROM stock_movement_number_seq s;
    UPDATE stock_series_mark SET bound = last;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;
-- By itself: whoever computes an item's costs anew may take long, and movements need not wait for that.
CREATE FUNCTION stock_series_bound_costs() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    known bigint;
    last  bigint;
BEGIN
    SELECT m.cost_bound INTO known FROM stock_series_mark m FOR UPDATE SKIP LOCKED;
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last FROM stock_cost_number_seq s;
    IF known IS NULL OR last <= known THEN
        RETURN false;
    END IF;
    LOCK TABLE stock_cost IN SHARE MODE;
    SELECT s.last_value INTO last FROM stock_cost_number_seq s;
    UPDATE stock_series_mark SET cost_bound = last;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;

-- Lets the series begin anew, as when it is of the days of another zone. Whoever reads waits for an instant, and sees all of it or none.
CREATE FUNCTION stock_series_rebuild() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    -- Whoever adds to it holds this first.
    PERFORM FROM stock_series_mark FOR UPDATE;
    TRUNCATE stock_flow_day, stock_level_day, stock_flow_total;
    UPDATE stock_series_mark SET number = 0, cost_number = 0, time_zone = (SELECT s.time_zone FROM shop s);
END $$;

-- Adds so many movements and lines of costs to the series, of those up to the bound; tells whether there may be more to do. A movement of an
-- earlier day changes what lay there on all later ones.
CREATE FUNCTION stock_series_add(most bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    mark      stock_series_mark;
    upto      bigint;
    cost_upto bigint;
BEGIN
    SELECT * INTO mark FROM stock_series_mark FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF mark.time_zone <> (SELECT s.time_zone FROM shop s) THEN
        PERFORM stock_series_rebuild();
        RETURN true;
    END IF;
    upto := LEAST(mark.number + most, mark.bound);
    cost_upto := LEAST(mark.cost_number + most, mark.cost_bound);
    IF upto = mark.number AND cost_upto = mark.cost_number THEN
        RETURN false;
    END IF;
    PERFORM stock_series_prepare(array_agg(d.month))
    FROM (
        SELECT date_trunc('month', m.effective_at AT TIME ZONE mark.time_zone)::date AS month
        FROM stock_movement m WHERE m.number > mark.number AND m.number <= upto
        UNION
        SELECT date_trunc('month', c.effective_at AT TIME ZONE mark.time_zone)::date
        FROM stock_cost c WHERE c.number > mark.cost_number AND c.number <= cost_upto
        UNION
        -- Before they are needed.
        SELECT (date_trunc('month', now() AT TIME ZONE mark.time_zone) + n * interval '1 month')::date FROM generate_series(0, 1) n
    ) d;
    WITH flow AS MATERIALIZED (
        SELECT f.item_id, f.location_id, f.day, f.flow, sum(f.movements)::integer AS movements, sum(f.quantity) AS quantity,
               sum(f.weight) AS weight, sum(f.fine_weight) AS fine_weight, sum(f.value) AS value
        FROM stock_flows(mark.number, upto, mark.cost_number, cost_upto, mark.time_zone) f
        GROUP BY f.item_id, f.location_id, f.day, f.flow
    ), flows AS (
        INSERT INTO stock_flow_day AS d (item_id, location_id, day, flow, movements, quantity, weight, fine_weight, value)
        SELECT f.item_id, f.location_id, f.day, f.flow, f.movements, f.quantity, f.weight, f.fine_weight, f.value
        FROM flow f ORDER BY f.item_id, f.location_id, f.day
        ON CONFLICT (item_id, location_id, day, flow) DO UPDATE
        SET movements = d.movements + EXCLUDED.movements, quantity = d.quantity + EXCLUDED.quantity, weight = d.weight + EXCLUDED.weight,
            fine_weight = d.fine_weight + EXCLUDED.fine_weight, value = d.value + EXCLUDED.value
    ), totals AS (
        INSERT INTO stock_flow_total AS t (location_id, unit_id, day, flow, movements, quantity, weight, fine_weight, value)
        SELECT f.location_id, i.unit_id, f.day, f.flow, sum(f.movements), sum(f.quantity), sum(f.weight), sum(f.fine_weight), sum(f.value)
        FROM flow f CROSS JOIN LATERAL (SELECT unit_id FROM item WHERE id = f.item_id OFFSET 0) i
        GROUP BY f.location_id, i.unit_id, f.day, f.flow
        ON CONFLICT (location_id, unit_id, day, flow) DO UPDATE
        SET movements = t.movements + EXCLUDED.movements, quantity = t.quantity + EXCLUDED.quantity, weight = t.weight + EXCLUDED.weight,
            fine_weight = t.fine_weight + EXCLUDED.fine_weight, value = t.value + EXCLUDED.value
    ), change AS (
        -- By how much there was more at the end of a day, until the next day on which there is to be another change.
        SELECT c.item_id, c.location_id, c.day, lead(c.day, 1, 'infinity') OVER place AS next_day,
               sum(c.quantity) OVER place AS quantity, sum(c.weight) OVER place AS weight, sum(c.fine_weight) OVER place AS fine_weight
        FROM (
            SELECT f.item_id, f.location_id, f.day, sum(s.sign * f.quantity) AS quantity, sum(s.sign * f.weight) AS weight,
                   sum(s.sign * f.fine_weight) AS fine_weight
            FROM flow f CROSS JOIN LATERAL (SELECT stock_flow_sign(f.flow) AS sign) s
            GROUP BY f.item_id, f.location_id, f.day
        ) c
        WHERE c.quantity <> 0 OR c.weight <> 0 OR c.fine_weight <> 0
        WINDOW place AS (PARTITION BY c.item_id, c.location_id ORDER BY c.day)
    )
    INSERT INTO stock_level_day AS l (item_id, location_id, day, quantity, weight, fine_weight)
    SELECT c.item_id, c.location_id, c.day, COALESCE(b.quantity, 0) + c.quantity, COALESCE(b.weight, 0) + c.weight,
           COALESCE(b.fine_weight, 0) + c.fine_weight
    FROM change c
    LEFT JOIN LATERAL (SELECT b.quantity, b.weight, b.fine_weight FROM stock_level_day b
                       WHERE b.item_id = c.item_id AND b.location_id = c.location_id AND b.day <= c.day ORDER BY b.day DESC LIMIT 1) b ON true
    UNION ALL
    SELECT n.item_id, n.location_id, n.day, n.quantity + c.quantity, n.weight + c.weight, n.fine_weight + c.fine_weight
    FROM change c
    CROSS JOIN LATERAL (SELECT * FROM stock_level_day n
                        WHERE n.item_id = c.item_id AND n.location_id = c.location_id AND n.day > c.day AND n.day < c.next_day OFFSET 0) n
    ON CONFLICT (item_id, location_id, day) DO UPDATE
    SET quantity = EXCLUDED.quantity, weight = EXCLUDED.weight, fine_weight = EXCLUDED.fine_weight;
    UPDATE stock_series_mark SET number = upto, cost_number = cost_upto;
    RETURN upto < mark.bound OR cost_upto < mark.cost_bound;
END $$;

-- A proof is of levels, or of what is added up behind posting: of days and weeks.
ALTER TABLE stock_reconciliation ADD COLUMN subject text NOT NULL DEFAULT 'levels' CHECK (subject IN ('levels', 'series'));

-- Where days and weeks are not what movements and lines of costs add up to, as far as those are in them: for each part of it the place, the day
-- or the Monday, what is said, and what it should be.
CREATE FUNCTION stock_series_differences()
RETURNS TABLE (part text, item_id uuid, unit_id uuid, location_id uuid, day date, flow text, quantity numeric, weight numeric, fine_weight numeric,
               value numeric, quantity_sum numeric, weight_sum numeric, fine_weight_sum numeric, value_sum numeric)
LANGUAGE sql STABLE SET jit = off AS $$
    WITH flow AS MATERIALIZED (
        SELECT f.item_id, f.location_id, f.day, f.flow, sum(f.movements) AS movements, sum(f.quantity) AS quantity, sum(f.weight) AS weight,
               sum(f.fine_weight) AS fine_weight, sum(f.value) AS value
        FROM stock_series_mark k CROSS JOIN LATERAL stock_flows(0, k.number, 0, k.cost_number, k.time_zone) f
        GROUP BY f.item_id, f.location_id, f.day, f.flow
    ), flows AS (
        SELECT 'flow' AS part, c.item_id, NULL::uuid AS unit_id, c.location_id, c.day, c.flow,
               sum(c.said * c.quantity) AS quantity, sum(c.said * c.weight) AS weight, sum(c.said * c.fine_weight) AS fine_weight,
               sum(c.said * c.value) AS value, sum((1 - c.said) * c.quantity) AS quantity_sum, sum((1 - c.said) * c.weight) AS weight_sum,
               sum((1 - c.said) * c.fine_weight) AS fine_weight_sum, sum((1 - c.said) * c.value) AS value_sum
        FROM (SELECT d.*, 1 AS said FROM stock_flow_day d
              UNION ALL SELECT f.item_id, f.location_id, f.day, f.flow, f.movements, f.quantity, f.weight, f.fine_weight, f.value, 0 FROM flow f) c
        GROUP BY c.item_id, c.location_id, c.day, c.flow
        HAVING (sum(c.said * c.quantity), sum(c.said * c.weight), sum(c.said * c.fine_weight), sum(c.said * c.value), sum(c.said * c.movements))
               <> (sum((1 - c.said) * c.quantity), sum((1 - c.said) * c.weight), sum((1 - c.said) * c.fine_weight), sum((1 - c.said) * c.value),
                   sum((1 - c.said) * c.movements))
    ), totals AS (
        SELECT 'total' AS part, NULL::uuid AS item_id, c.unit_id, c.location_id, c.day, c.flow,
               sum(c.said * c.quantity) AS quantity, sum(c.said * c.weight) AS weight, sum(c.said * c.fine_weight) AS fine_weight,
               sum(c.said * c.value) AS value, sum((1 - c.said) * c.quantity) AS quantity_sum, sum((1 - c.said) * c.weight) AS weight_sum,
               sum((1 - c.said) * c.fine_weight) AS fine_weight_sum, sum((1 - c.said) * c.value) AS value_sum
        FROM (SELECT t.unit_id, t.location_id, t.day, t.flow, t.movements::bigint AS movements, t.quantity, t.weight, t.fine_weight, t.value, 1 AS said
              FROM stock_flow_total t
              UNION ALL SELECT i.unit_id, f.location_id, f.day, f.flow, f.movements, f.quantity, f.weight, f.fine_weight, f.value, 0
              FROM flow f JOIN item i ON i.id = f.item_id) c
        GROUP BY c.unit_id, c.location_id, c.day, c.flow
        HAVING (sum(c.said * c.quantity), sum(c.said * c.weight), sum(c.said * c.fine_weight), sum(c.said * c.value), sum(c.said * c.movements))
               <> (sum((1 - c.said) * c.quantity), sum((1 - c.said) * c.weight), sum((1 - c.said) * c.fine_weight), sum((1 - c.said) * c.value),
                   sum((1 - c.said) * c.movements))
    ), levels AS (
        SELECT 'level' AS part, c.item_id, NULL::uuid AS unit_id, c.location_id, c.day, NULL::text AS flow, COALESCE(c.quantity, 0) AS quantity,
               COALESCE(c.weight, 0) AS weight, COALESCE(c.fine_weight, 0) AS fine_weight, 0::numeric AS value,
               c.quantity_sum, c.weight_sum, c.fine_weight_sum, 0::numeric AS value_sum
        FROM (
            SELECT d.item_id, d.location_id, d.day, sum(d.quantity) AS quantity, sum(d.weight) AS weight, sum(d.fine_weight) AS fine_weight,
                   COALESCE(sum(d.change), 0) <> 0 OR COALESCE(sum(d.weight_change), 0) <> 0 OR COALESCE(sum(d.fine_weight_change), 0) <> 0 AS is_due,
                   COALESCE(sum(sum(d.change)) OVER place, 0) AS quantity_sum, COALESCE(sum(sum(d.weight_change)) OVER place, 0) AS weight_sum,
                   COALESCE(sum(sum(d.fine_weight_change)) OVER place, 0) AS fine_weight_sum
            FROM (
                SELECT l.item_id, l.location_id, l.day, l.quantity, l.weight, l.fine_weight, NULL::numeric AS change, NULL::numeric AS weight_change,
                       NULL::numeric AS fine_weight_change
                FROM stock_level_day l
                UNION ALL
                -- Whatever sort of flow it was.
                SELECT m.item_id, e.place, (m.effective_at AT TIME ZONE k.time_zone)::date, NULL, NULL, NULL, e.sign * m.quantity, e.sign * m.weight,
                       e.sign * m.fine_weight
                FROM stock_series_mark k JOIN stock_movement m ON m.number <= k.number
                CROSS JOIN LATERAL (VALUES (m.to_location_id, 1), (m.from_location_id, -1)) e (place, sign)
                JOIN location l ON l.id = e.place AND l.keeps_stock
            ) d
            GROUP BY d.item_id, d.location_id, d.day
            WINDOW place AS (PARTITION BY d.item_id, d.location_id ORDER BY d.day)
        ) c
        WHERE CASE WHEN c.quantity IS NULL THEN c.is_due
                   ELSE (c.quantity, c.weight, c.fine_weight) <> (c.quantity_sum, c.weight_sum, c.fine_weight_sum) END
    ), weeks AS (
        SELECT 'week' AS part, c.item_id, NULL::uuid AS unit_id, c.location_id, c.week AS day, NULL::text AS flow,
               sum(c.said * c.quantity) AS quantity, sum(c.said * c.weight) AS weight, sum(c.said * c.fine_weight) AS fine_weight, 0::numeric AS value,
               sum((1 - c.said) * c.quantity) AS quantity_sum, sum((1 - c.said) * c.weight) AS weight_sum,
               sum((1 - c.said) * c.fine_weight) AS fine_weight_sum, 0::numeric AS value_sum
        FROM (SELECT w.item_id, w.location_id, w.week, w.quantity, w.weight, w.fine_weight, 1 AS said FROM stock_week w
              UNION ALL SELECT m.item_id, e.place, stock_week_of(m.effective_at), e.sign * m.quantity, e.sign * m.weight, e.sign * m.fine_weight, 0
              FROM stock_week_item i JOIN stock_movement m ON m.item_id = i.item_id AND m.number <= (SELECT k.looked FROM stock_week_mark k)
              CROSS JOIN LATERAL (VALUES (m.to_location_id, 1), (m.from_location_id, -1)) e (place, sign)
              JOIN location l ON l.id = e.place AND l.keeps_stock) c
        GROUP BY c.item_id, c.location_id, c.week
        HAVING (sum(c.said * c.quantity), sum(c.said * c.weight), sum(c.said * c.fine_weight))
               <> (sum((1 - c.said) * c.quantity), sum((1 - c.said) * c.weight), sum((1 - c.said) * c.fine_weight))
    )
    SELECT * FROM flows UNION ALL SELECT * FROM totals UNION ALL SELECT * FROM levels UNION ALL SELECT * FROM weeks
$$;
