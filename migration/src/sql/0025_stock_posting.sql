-- Posting, as in 0022_stock_posting.sql, with what it costs in the same trigger. To begin a query costs as much as to run it: so there is a short
-- way for what is usual, of two queries, beside the general one.

CREATE OR REPLACE FUNCTION stock_moment(items uuid[], locations uuid[], now timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    last      timestamptz;
    are_there boolean;
    -- Not PERFORM, which would be a query of its own.
    is_held   boolean := pg_advisory_xact_lock_shared(8317423741026365291) IS NULL;
BEGIN
    FOR attempt IN 1..2 LOOP
        SELECT max(s.changed_at), bool_and(s.changed_at IS NOT NULL) INTO last, are_there
        FROM (SELECT DISTINCT k.item_id, k.location_id FROM unnest(items, locations) k (item_id, location_id)
              CROSS JOIN LATERAL (SELECT FROM location WHERE id = k.location_id AND keeps_stock OFFSET 0) l
              ORDER BY k.item_id, k.location_id) k
        LEFT JOIN LATERAL (SELECT s.changed_at FROM stock_level s WHERE s.item_id = k.item_id AND s.location_id = k.location_id
                           FOR NO KEY UPDATE OFFSET 0) s ON true;
        EXIT WHEN are_there IS NOT FALSE;
        INSERT INTO stock_level (item_id, location_id, may_run_short, changed_at)
        SELECT DISTINCT k.item_id, k.location_id, l.may_run_short, now - interval '1 microsecond'
        FROM unnest(items, locations) k (item_id, location_id)
        JOIN location l ON l.id = k.location_id AND l.keeps_stock
        JOIN item i ON i.id = k.item_id
        WHERE NOT EXISTS (SELECT FROM stock_level s WHERE s.item_id = k.item_id AND s.location_id = k.location_id)
        ORDER BY k.item_id, k.location_id
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN GREATEST(now, last + interval '1 microsecond');
END $$;

-- Posts what is usual, in one statement: whole pieces of different items that are valued by average, which are bought, or sold and enough.
-- Answers whether it was that: if not, nothing is done, but that levels are locked.
-- With the rights and the settings of who calls it, which cost time to change.
CREATE FUNCTION stock_post_usual(entry uuid, at timestamptz, since timestamptz, items uuid[], locations uuid[], lines integer[], amounts numeric[],
                                 prices numeric[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    was_usual boolean;
BEGIN
    WITH level AS MATERIALIZED (
        SELECT l.item_id, l.location_id, s.on_hand + l.amount AS on_hand, s.may_run_short, s.version,
               s.changed_at < since AND (l.amount > 0 OR s.may_run_short OR s.on_hand - s.reserved + l.amount >= 0) AS is_enough
        FROM (SELECT * FROM unnest(items, locations, amounts) l (item_id, location_id, amount) ORDER BY item_id, location_id) l
        CROSS JOIN LATERAL (SELECT * FROM stock_level s WHERE s.item_id = l.item_id AND s.location_id = l.location_id
                            FOR NO KEY UPDATE OFFSET 0) s
    ), value AS MATERIALIZED (
        SELECT l.item_id, l.line, l.amount, v.amount AS before, v.value AS value_before, COALESCE(l.price, v.unit_cost) AS unit_cost,
               v.changed_at, v.recost_from,
               CASE
                   WHEN l.amount < 0 THEN -stock_cost_of(v.amount, v.value, v.unit_cost, -l.amount, s.places, s.units)
                   WHEN l.price IS NOT NULL THEN round(l.amount * l.price, s.places)
                   WHEN v.amount > 0 THEN stock_cost_share(v.value, l.amount, v.amount, s.units)
                   ELSE round(l.amount * COALESCE(v.unit_cost, 0), s.places)
               END AS value
        FROM (SELECT l.item_id, l.line, l.amount, CASE WHEN l.amount > 0 THEN l.price END AS price
              FROM unnest(items, lines, amounts, prices) l (item_id, line, amount, price)
              WHERE (SELECT count(DISTINCT item_id) = cardinality(items) AND bool_and(is_enough) FROM level)
              ORDER BY l.item_id) l
        CROSS JOIN LATERAL (SELECT * FROM stock_value v WHERE v.item_id = l.item_id FOR NO KEY UPDATE OFFSET 0) v
        CROSS JOIN (SELECT currency_scale::integer AS places, 10::numeric ^ currency_scale AS units FROM shop) s
    ), done AS MATERIALIZED (
        -- Who has no value yet gets one elsewhere, and what comes for what was taken before bears the difference.
        SELECT count(*) = cardinality(items) AND bool_and(amount < 0 OR before >= 0) AS is_done FROM value
    ), levels AS (
        INSERT INTO stock_level (item_id, location_id, on_hand, may_run_short, version, changed_at)
        SELECT item_id, location_id, on_hand, may_run_short, version + 1, since FROM level WHERE (SELECT is_done FROM done)
        ON CONFLICT (item_id, location_id) DO UPDATE
        SET on_hand = EXCLUDED.on_hand, version = EXCLUDED.version, changed_at = EXCLUDED.changed_at
    ), costs AS (
        INSERT INTO stock_cost (entry_id, line, item_id, amount, value, effective_at, recorded_at)
        SELECT entry, line, item_id, amount, value, since, at FROM value WHERE (SELECT is_done FROM done) ORDER BY line
    ), sums AS (
        INSERT INTO stock_value (item_id, amount, value, unit_cost, changed_at, recost_from)
        SELECT item_id, before + amount, value_before + value, unit_cost, GREATEST(changed_at, since),
               LEAST(recost_from, CASE WHEN since < changed_at THEN since END)
        FROM value WHERE (SELECT is_done FROM done)
        ON CONFLICT (item_id) DO UPDATE
        SET amount = EXCLUDED.amount, value = EXCLUDED.value, unit_cost = EXCLUDED.unit_cost, changed_at = EXCLUDED.changed_at,
            recost_from = EXCLUDED.recost_from
    )
    SELECT is_done INTO was_usual FROM done;
    RETURN was_usual;
END $$;

CREATE OR REPLACE FUNCTION stock_post() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    at                 timestamptz;
    since              timestamptz;
    is_whole           boolean;
    is_open            boolean;
    is_conserved       boolean;
    reverses           boolean;
    has_lots           boolean;
    has_capacities     boolean;
    has_rules          boolean;
    has_expired        boolean := false;
    faults             jsonb;
    lot_faults         jsonb;
    items              uuid[];
    locations          uuid[];
    lots               uuid[];
    lot_items          uuid[];
    lot_locations      uuid[];
    lot_quantities     numeric[];
    lot_weights        numeric[];
    lot_fines          numeric[];
    lot_leaves         uuid[];
    locked             integer;
    is_back_dated      boolean;
    run_short          boolean[];
    serials            boolean[];
    versions           bigint[];
    new_quantities     numeric[];
    new_weights        numeric[];
    new_fines          numeric[];
    new_lot_quantities numeric[];
    new_lot_weights    numeric[];
    new_lot_fines      numeric[];
    places             integer;
    wanted             integer;
    costs              stock_cost_line[];
    is_usual           boolean;
    entry              uuid;
    targets            uuid[];
    line_numbers       integer[];
    amounts            numeric[];
    prices             numeric[];
BEGIN
    is_open := pg_advisory_xact_lock_shared(8317423741026365291) IS NULL;

    -- Whether it is usual: one entry, whole, not too long, in an open period, of goods that nothing more is asked of. Whatever is not, is looked
    -- at below, and refused there if it has to be.
    SELECT count(*) <= 1000 AND count(*) = max(p.line) AND count(*) = max(e.lines) AND min(e.number) = max(e.number) AND bool_and((
               p.effective_at = e.effective_at AND p.quantity > 0 AND p.quantity = trunc(p.quantity) AND p.weight = 0 AND p.fine_weight = 0
               AND p.lot_id IS NULL AND i.tracking = 'none' AND NOT i.is_template AND i.kind NOT IN ('service', 'digital')
               AND k.is_weighed IS NOT TRUE AND COALESCE(k.cost_method, 'average') = 'average'
               AND f.archived_at IS NULL AND t.archived_at IS NULL AND t.capacity IS NULL
               AND CASE e.kind WHEN 'issue' THEN f.keeps_stock AND t.kind IN ('customer', 'supplier', 'production', 'loss')
                               WHEN 'receive' THEN f.kind IN ('supplier', 'customer', 'production') AND t.keeps_stock END) IS TRUE)
           AND min(p.effective_at) > (SELECT COALESCE(max(closed_until), '-infinity') FROM stock_closing)
           AND (bool_and(e.kind = 'issue') OR NOT EXISTS (SELECT FROM location_category)),
           max(e.recorded_at), min(p.effective_at), (array_agg(p.entry_id))[1],
           array_agg(p.item_id), array_agg(CASE e.kind WHEN 'issue' THEN p.from_location_id ELSE p.to_location_id END), array_agg(p.line),
           array_agg(CASE e.kind WHEN 'issue' THEN -p.quantity ELSE p.quantity END), array_agg(p.unit_cost)
    INTO is_usual, at, since, entry, items, targets, line_numbers, amounts, prices
    FROM (SELECT * FROM posted LIMIT 1001) p
    CROSS JOIN LATERAL (SELECT number, kind, lines, effective_at, recorded_at FROM stock_entry WHERE id = p.entry_id OFFSET 0) e
    CROSS JOIN LATERAL (SELECT kind, tracking, is_template FROM item WHERE id = p.item_id OFFSET 0) i
    CROSS JOIN LATERAL (SELECT keeps_stock, kind, archived_at FROM location WHERE id = p.from_location_id OFFSET 0) f
    CROSS JOIN LATERAL (SELECT keeps_stock, kind, archived_at, capacity FROM location WHERE id = p.to_location_id OFFSET 0) t
    LEFT JOIN LATERAL (SELECT is_weighed, cost_method FROM item_stocking WHERE item_id = p.item_id OFFSET 0) k ON true;
    IF is_usual AND stock_post_usual(entry, at, since, items, targets, line_numbers, amounts, prices) THEN
        RETURN NULL;
    END IF;

    -- Entries come whole, in one statement: a line that comes later finds its number taken, or is one too many. And what a line may be.
    SELECT max(p.recorded_at), min(p.effective_at), bool_and(p.is_whole), bool_and(p.is_open), bool_and(p.is_conserved), bool_or(p.reverses),
           bool_or(p.has_lots), bool_or(p.has_capacities), (SELECT EXISTS (SELECT FROM location_category)),
           jsonb_agg(p.faults) FILTER (WHERE p.faults IS NOT NULL)
    INTO at, since, is_whole, is_open, is_conserved, reverses, has_lots, has_capacities, has_rules, faults
    FROM (
        SELECT e.recorded_at, e.effective_at, e.reverses_id IS NOT NULL AS reverses,
               COALESCE(e.lines = count(*) AND e.lines = max(p.line)
                        AND e.effective_at = min(p.effective_at) AND e.effective_at = max(p.effective_at), false) AS is_whole,
               (e.effective_at > (SELECT closed_until FROM stock_closing)) IS NOT FALSE AS is_open,
               -- What is melted or made of other things has as much pure metal as they had, or says how much was lost.
               e.kind <> 'transform' OR sum(p.fine_weight) FILTER (WHERE t.kind = 'production')
                   IS NOT DISTINCT FROM sum(p.fine_weight) FILTER (WHERE f.kind = 'production') AS is_conserved,
               bool_or(p.lot_id IS NOT NULL) AS has_lots, bool_or(t.capacity IS NOT NULL) AS has_capacities,
               jsonb_agg(jsonb_build_object('line', p.line, 'code', w.code) ORDER BY p.line) FILTER (WHERE w.code IS NOT NULL) AS faults
        FROM posted p
        LEFT JOIN LATERAL (SELECT * FROM stock_entry WHERE id = p.entry_id OFFSET 0) e ON true
        LEFT JOIN LATERAL (SELECT kind, tracking, unit_id, is_template FROM item WHERE id = p.item_id OFFSET 0) i ON true
        LEFT JOIN LATERAL (SELECT dimension FROM unit_of_measure WHERE id = i.unit_id OFFSET 0) u ON true
        LEFT JOIN LATERAL (SELECT is_weighed FROM item_stocking WHERE item_id = p.item_id OFFSET 0) k ON true
        LEFT JOIN LATERAL (SELECT item_id, kind, state, expires_on FROM lot WHERE id = p.lot_id OFFSET 0) l ON true
        LEFT JOIN LATERAL (SELECT keeps_stock, kind, archived_at FROM location WHERE id = p.from_location_id OFFSET 0) f ON true
        LEFT JOIN LATERAL (SELECT keeps_stock, kind, archived_at, capacity FROM location WHERE id = p.to_location_id OFFSET 0) t ON true
        CROSS JOIN LATERAL (SELECT CASE
            WHEN i.kind IS NULL THEN 'item_unknown'
            WHEN i.is_template OR i.kind IN ('service', 'digital') THEN 'item_without_stock'
            WHEN p.lot_id IS NOT NULL AND l.item_id IS DISTINCT FROM p.item_id THEN 'lot_unknown'
            WHEN p.lot_id IS NULL AND i.tracking <> 'none' THEN 'lot_missing'
            WHEN p.lot_id IS NOT NULL AND i.tracking = 'none' THEN 'lot_unexpected'
            WHEN l.kind = 'serial' AND p.quantity NOT IN (0, 1) THEN 'serial_is_one'
            WHEN u.dimension = 'count' AND p.quantity <> trunc(p.quantity) THEN 'quantity_not_whole'
            WHEN k.is_weighed AND p.quantity > 0 AND p.weight = 0 THEN 'weight_missing'
            WHEN k.is_weighed IS NOT TRUE AND (p.weight > 0 OR p.fine_weight > 0) THEN 'weight_unexpected'
            WHEN p.fine_weight > p.weight AND p.weight > 0 THEN 'finer_than_pure'
            WHEN f.kind IS NULL THEN 'from_unknown'
            WHEN t.kind IS NULL THEN 'to_unknown'
            WHEN f.archived_at IS NOT NULL THEN 'from_closed'
            WHEN t.archived_at IS NOT NULL THEN 'to_closed'
            -- What a scale finds over or missing, beside what moves.
            WHEN p.quantity = 0 AND (f.kind = 'adjustment' AND t.keeps_stock OR t.kind = 'adjustment' AND f.keeps_stock) THEN NULL
            WHEN p.quantity = 0 AND e.kind NOT IN ('transform', 'reverse') THEN 'quantity_missing'
            WHEN NOT f.keeps_stock AND NOT t.keeps_stock
                 AND NOT (e.kind IN ('transform', 'reverse') AND 'production' IN (f.kind, t.kind) AND 'loss' IN (f.kind, t.kind)) THEN 'to_unfit'
            WHEN e.kind = 'receive' AND f.kind NOT IN ('supplier', 'customer', 'production') THEN 'from_unfit'
            WHEN e.kind = 'receive' AND NOT t.keeps_stock THEN 'to_unfit'
            WHEN e.kind IN ('move', 'issue') AND NOT f.keeps_stock THEN 'from_unfit'
            WHEN e.kind = 'move' AND NOT t.keeps_stock THEN 'to_unfit'
            WHEN e.kind = 'issue' AND t.kind NOT IN ('customer', 'supplier', 'production', 'loss') THEN 'to_unfit'
            WHEN e.kind = 'adjust' AND f.kind NOT IN ('adjustment', 'loss') AND t.kind NOT IN ('adjustment', 'loss') THEN 'to_unfit'
            WHEN e.kind = 'transform' AND f.kind <> 'production' AND t.kind NOT IN ('production', 'loss') THEN 'to_unfit'
            WHEN e.kind = 'issue' AND t.kind = 'customer' AND l.state = 'quarantined' THEN 'lot_quarantined'
            WHEN e.kind = 'issue' AND t.kind = 'customer' AND l.expires_on < (e.effective_at AT TIME ZONE 'UTC')::date THEN 'lot_expired'
        END AS code) w
        GROUP BY p.entry_id, e.kind, e.recorded_at, e.reverses_id, e.lines, e.effective_at
    ) p;
    IF is_whole IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT is_whole THEN
        RAISE EXCEPTION 'an entry has all its lines, from one on, of one time'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_entry_whole';
    END IF;
    IF NOT is_open THEN
        RAISE EXCEPTION 'the period is closed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_period_open';
    END IF;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'lines that cannot be posted'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_line', DETAIL = (faults->0)::text;
    END IF;
    IF NOT is_conserved THEN
        RAISE EXCEPTION 'pure metal comes from nowhere, or goes there'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_fine_weight_conserved';
    END IF;
    IF reverses AND EXISTS (
        SELECT FROM posted p
        JOIN stock_entry e ON e.id = p.entry_id
        JOIN stock_entry o ON o.id = e.reverses_id
        LEFT JOIN stock_movement m ON m.entry_id = o.id AND m.line = p.line
        WHERE o.kind = 'reverse' OR o.lines <> e.lines OR o.effective_at > e.effective_at
           OR (p.item_id, p.lot_id, p.from_location_id, p.to_location_id, p.quantity, p.weight, p.fine_weight)
              IS DISTINCT FROM (m.item_id, m.lot_id, m.to_location_id, m.from_location_id, m.quantity, m.weight, m.fine_weight)
    ) THEN
        RAISE EXCEPTION 'a reversal is the mirror of an earlier entry that is none itself'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_reversal_mirrors';
    END IF;

    IF has_lots THEN
        SELECT array_agg(d.lot_id), array_agg(d.item_id), array_agg(d.location_id), array_agg(d.quantity), array_agg(d.weight),
               array_agg(d.fine_weight), array_agg(d.leaves)
        INTO lots, lot_items, lot_locations, lot_quantities, lot_weights, lot_fines, lot_leaves
        FROM (
            -- And the place that a piece leaves here.
            SELECT c.*, (array_agg(c.location_id) FILTER (WHERE c.quantity < 0) OVER (PARTITION BY c.lot_id))[1] AS leaves
            FROM (
                SELECT c.lot_id, c.item_id, c.location_id,
                       sum(c.quantity) AS quantity, sum(c.weight) AS weight, sum(c.fine_weight) AS fine_weight
                FROM (SELECT lot_id, item_id, to_location_id AS location_id, quantity, weight, fine_weight FROM posted WHERE lot_id IS NOT NULL
                      UNION ALL
                      SELECT lot_id, item_id, from_location_id, -quantity, -weight, -fine_weight FROM posted WHERE lot_id IS NOT NULL) c
                CROSS JOIN LATERAL (SELECT FROM location WHERE id = c.location_id AND keeps_stock OFFSET 0) l
                GROUP BY c.lot_id, c.item_id, c.location_id
            ) c
            ORDER BY c.lot_id, c.location_id
        ) d;
    END IF;
    LOOP
        -- What comes and goes, summed for each item and location: two lines of one item count together. Locked one after the other, in the
        -- order of the keys. What each is to be is known before any is changed.
        SELECT array_agg(d.item_id), array_agg(d.location_id), count(*), count(s.item_id), bool_or(s.changed_at >= since),
               array_agg(s.on_hand + d.quantity), array_agg(s.weight + d.weight), array_agg(s.fine_weight + d.fine_weight),
               array_agg(s.may_run_short), array_agg(s.version + 1),
               to_jsonb((array_agg(jsonb_build_object(
                   'item', d.item_id, 'location', d.location_id, 'available', GREATEST(s.on_hand - s.reserved, 0)::text, 'requested', (-d.quantity)::text,
                   'weight', s.weight::text, 'weight_after', (s.weight + d.weight)::text, 'code', w.code)) FILTER (WHERE w.code IS NOT NULL))[1:100])
        INTO items, locations, wanted, locked, is_back_dated, new_quantities, new_weights, new_fines, run_short, versions, faults
        FROM (
            SELECT c.item_id, c.location_id, sum(c.quantity) AS quantity, sum(c.weight) AS weight, sum(c.fine_weight) AS fine_weight
            FROM (SELECT item_id, to_location_id AS location_id, quantity, weight, fine_weight FROM posted
                  UNION ALL
                  SELECT item_id, from_location_id, -quantity, -weight, -fine_weight FROM posted) c
            CROSS JOIN LATERAL (SELECT FROM location WHERE id = c.location_id AND keeps_stock OFFSET 0) l
            GROUP BY c.item_id, c.location_id
            ORDER BY c.item_id, c.location_id
        ) d
        LEFT JOIN LATERAL (SELECT * FROM stock_level s WHERE s.item_id = d.item_id AND s.location_id = d.location_id
                           FOR NO KEY UPDATE OFFSET 0) s ON true
        CROSS JOIN LATERAL (SELECT stock_shortage(s.may_run_short, s.on_hand - s.reserved, s.on_hand, s.weight, s.fine_weight,
                                                  d.quantity, d.weight, d.fine_weight) AS code) w;
        IF locked < wanted THEN
            PERFORM stock_moment(items, locations, at);
            CONTINUE;
        END IF;
        -- The levels of lots lie behind those of their items: who holds the latter is alone with them.
        IF has_lots THEN
            SELECT array_agg(COALESCE(s.on_hand, 0) + d.quantity), array_agg(COALESCE(s.weight, 0) + d.weight),
                   array_agg(COALESCE(s.fine_weight, 0) + d.fine_weight), array_agg(l.is_serial),
                   to_jsonb((array_agg(jsonb_build_object(
                       'item', d.item_id, 'lot', d.lot_id, 'location', d.location_id,
                       'available', GREATEST(COALESCE(s.on_hand - s.reserved, 0), 0)::text, 'requested', (-d.quantity)::text,
                       'weight', COALESCE(s.weight, 0)::text, 'weight_after', (COALESCE(s.weight, 0) + d.weight)::text, 'elsewhere', o.location_id,
                       'code', w.code)) FILTER (WHERE w.code IS NOT NULL))[1:100])
            INTO new_lot_quantities, new_lot_weights, new_lot_fines, serials, lot_faults
            FROM unnest(lots, lot_items, lot_locations, lot_quantities, lot_weights, lot_fines, lot_leaves)
                d (lot_id, item_id, location_id, quantity, weight, fine_weight, leaves)
            CROSS JOIN LATERAL (SELECT kind = 'serial' AS is_serial FROM lot WHERE id = d.lot_id OFFSET 0) l
            LEFT JOIN LATERAL (SELECT * FROM stock_lot_level s WHERE s.lot_id = d.lot_id AND s.location_id = d.location_id OFFSET 0) s ON true
            -- Where a piece is that comes in from outside, or is to leave from where it is not. By the key: no partial index knows abs().
            LEFT JOIN LATERAL (
                SELECT o.location_id FROM stock_lot_level o
                WHERE l.is_serial AND o.lot_id = d.lot_id AND abs(o.on_hand) > 0
                  AND (d.quantity < 0 AND o.location_id <> d.location_id OR d.quantity > 0 AND o.location_id IS DISTINCT FROM d.leaves)
                LIMIT 1
            ) o ON true
            CROSS JOIN LATERAL (SELECT CASE WHEN o.location_id IS NOT NULL THEN 'serial_elsewhere'
                ELSE stock_shortage(false, COALESCE(s.on_hand - s.reserved, 0), COALESCE(s.on_hand, 0), COALESCE(s.weight, 0),
                                    COALESCE(s.fine_weight, 0), d.quantity, d.weight, d.fine_weight) END AS code) w;
            faults := COALESCE(lot_faults, faults);
        END IF;
        EXIT WHEN faults IS NULL OR has_expired;
        PERFORM stock_expire(items, locations, at);
        has_expired := true;
    END LOOP;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'more than there is'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_insufficient', DETAIL = faults::text;
    END IF;
    -- Updates, in truth: the rows are there, and are found by their keys, which the plan of an UPDATE ... FROM does not promise.
    INSERT INTO stock_level (item_id, location_id, on_hand, weight, fine_weight, may_run_short, version, changed_at)
    SELECT d.*, since
    FROM unnest(items, locations, new_quantities, new_weights, new_fines, run_short, versions) d
    ON CONFLICT (item_id, location_id) DO UPDATE
    SET on_hand = EXCLUDED.on_hand, weight = EXCLUDED.weight, fine_weight = EXCLUDED.fine_weight,
        version = EXCLUDED.version, changed_at = GREATEST(stock_level.changed_at, EXCLUDED.changed_at);
    IF has_lots THEN
        INSERT INTO stock_lot_level (lot_id, item_id, location_id, is_serial, on_hand, weight, fine_weight)
        SELECT d.lot_id, d.item_id, d.location_id, d.is_serial, d.on_hand, d.weight, d.fine_weight
        FROM unnest(lots, lot_items, lot_locations, serials, new_lot_quantities, new_lot_weights, new_lot_fines, lot_quantities)
            d (lot_id, item_id, location_id, is_serial, on_hand, weight, fine_weight, quantity)
        -- What leaves first: a piece is never in two places.
        ORDER BY d.quantity
        ON CONFLICT (lot_id, location_id) DO UPDATE
        SET on_hand = EXCLUDED.on_hand, weight = EXCLUDED.weight, fine_weight = EXCLUDED.fine_weight;
    END IF;

    -- What is back-dated must have been there then, and ever since.
    IF is_back_dated THEN
        faults := COALESCE(stock_shortages_since(items, locations, NULL, since),
                           CASE WHEN has_lots THEN stock_shortages_since(lot_items, lot_locations, lots, since) END);
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'more than there was'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_insufficient', DETAIL = faults::text;
        END IF;
    END IF;

    -- Rules of the places that goods come to. Most have none.
    IF has_rules THEN
        SELECT jsonb_agg(f.fault ORDER BY f.line) INTO faults
        FROM (
            SELECT p.line, jsonb_build_object('line', p.line, 'code', 'category_not_kept') AS fault
            FROM posted p
            CROSS JOIN LATERAL (SELECT c.path FROM item i JOIN category c ON c.id = i.category_id WHERE i.id = p.item_id OFFSET 0) c
            CROSS JOIN LATERAL (SELECT path FROM location WHERE id = p.to_location_id AND keeps_stock OFFSET 0) t
            WHERE EXISTS (
                SELECT FROM location a
                JOIN location_category r ON r.location_id = a.id
                JOIN category k ON k.id = r.category_id
                WHERE a.path @> t.path
                GROUP BY a.id HAVING NOT bool_or(k.path @> c.path)
            )
            LIMIT 100
        ) f;
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'lines that cannot be posted'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_line', DETAIL = faults::text;
        END IF;
    END IF;
    -- Who fills a location to its brim is alone with it. Locked behind all levels, so nobody who waits here holds anybody up there.
    IF has_capacities THEN
        PERFORM FROM location l
        WHERE l.id IN (SELECT to_location_id FROM posted) AND l.capacity IS NOT NULL
        ORDER BY l.id FOR NO KEY UPDATE;
        SELECT jsonb_agg(jsonb_build_object('location', l.id, 'code', 'location_full', 'available', l.capacity::text, 'requested', s.on_hand::text))
        INTO faults
        FROM location l
        CROSS JOIN LATERAL (SELECT sum(on_hand) AS on_hand FROM stock_level WHERE location_id = l.id) s
        WHERE l.id IN (SELECT to_location_id FROM posted) AND s.on_hand > l.capacity;
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'a location would hold more than it may'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_insufficient', DETAIL = faults::text;
        END IF;
    END IF;
    -- What it has cost.
    SELECT currency_scale INTO places FROM shop;
    SELECT array_agg(ROW(l.entry_id, l.line, l.item_id, l.method,
                         CASE l.method WHEN 'specific' THEN COALESCE(l.lot_id, l.item_id) ELSE l.item_id END, l.is_in,
                         l.is_in AND l.kind = 'transform', l.kind = 'reverse' AND r.value IS NOT NULL, l.amount, l.quantity, l.weight, l.fine_weight,
                         CASE WHEN l.kind = 'reverse' THEN r.value
                              WHEN l.is_in AND l.kind <> 'transform' AND l.quantity > 0 THEN round(l.quantity * l.unit_cost, places) END,
                         CASE WHEN l.is_in AND l.kind <> 'reverse' AND l.quantity > 0 THEN l.unit_cost END, l.reverses_id,
                         l.effective_at, l.recorded_at)::stock_cost_line ORDER BY l.effective_at, l.entry_id, l.line)
    INTO costs
    FROM (
        SELECT p.*, t.keeps_stock AS is_in, e.kind, e.reverses_id, e.recorded_at,
               CASE WHEN k.is_weighed THEN p.weight ELSE p.quantity END AS amount,
               COALESCE(k.cost_method, CASE i.tracking WHEN 'serial' THEN 'specific' ELSE 'average' END) AS method
        FROM posted p
        CROSS JOIN LATERAL (SELECT keeps_stock FROM location WHERE id = p.from_location_id OFFSET 0) f
        CROSS JOIN LATERAL (SELECT keeps_stock FROM location WHERE id = p.to_location_id OFFSET 0) t
        CROSS JOIN LATERAL (SELECT kind, reverses_id, recorded_at FROM stock_entry WHERE id = p.entry_id OFFSET 0) e
        CROSS JOIN LATERAL (SELECT tracking FROM item WHERE id = p.item_id OFFSET 0) i
        LEFT JOIN LATERAL (SELECT is_weighed, cost_method FROM item_stocking WHERE item_id = p.item_id OFFSET 0) k ON true
        WHERE f.keeps_stock <> t.keeps_stock
    ) l
    -- What the mirrored movement was worth, whatever was put right since.
    LEFT JOIN LATERAL (SELECT abs(sum(c.value)) AS value FROM stock_cost c WHERE c.entry_id = l.reverses_id AND c.line = l.line OFFSET 0) r ON true
    WHERE l.amount > 0;
    IF costs IS NOT NULL THEN
        PERFORM stock_cost_settle(costs, places);
    END IF;
    RETURN NULL;
END $$;
