-- What follows from movements and reservations, in the statement that writes them.

-- Levels of these items at these locations, there and locked until the transaction ends, always in the order of their keys: so nobody waits
-- in a circle. Answers with the moment at which to post to them: now, or just behind the last that was posted, whose clock was ahead or who
-- was faster. So what a level was at any moment follows from the order in which it was locked.
CREATE FUNCTION stock_moment(items uuid[], locations uuid[], now timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    last      timestamptz;
    are_there boolean;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(8317423741026365291);
    LOOP
        SELECT max(s.changed_at), bool_and(s.changed_at IS NOT NULL) INTO last, are_there
        FROM (SELECT DISTINCT k.item_id, k.location_id FROM unnest(items, locations) k (item_id, location_id)
              CROSS JOIN LATERAL (SELECT FROM location WHERE id = k.location_id AND keeps_stock OFFSET 0) l
              CROSS JOIN LATERAL (SELECT FROM item WHERE id = k.item_id OFFSET 0) i
              ORDER BY k.item_id, k.location_id) k
        LEFT JOIN LATERAL (SELECT s.changed_at FROM stock_level s WHERE s.item_id = k.item_id AND s.location_id = k.location_id
                           FOR NO KEY UPDATE OFFSET 0) s ON true;
        IF are_there IS NOT FALSE THEN
            RETURN GREATEST(now, last + interval '1 microsecond');
        END IF;
        INSERT INTO stock_level (item_id, location_id, may_run_short, changed_at)
        SELECT DISTINCT k.item_id, k.location_id, l.may_run_short, now - interval '1 microsecond'
        FROM unnest(items, locations) k (item_id, location_id)
        JOIN location l ON l.id = k.location_id AND l.keeps_stock
        JOIN item i ON i.id = k.item_id
        WHERE NOT EXISTS (SELECT FROM stock_level s WHERE s.item_id = k.item_id AND s.location_id = k.location_id)
        ORDER BY k.item_id, k.location_id
        ON CONFLICT DO NOTHING;
    END LOOP;
END $$;

-- Reservations of these levels that have run out by then let go. Their levels are locked.
CREATE FUNCTION stock_expire(items uuid[], locations uuid[], at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE stock_reservation r SET open = 0, state = 'expired', version = r.version + 1, updated_at = at
    FROM (SELECT DISTINCT k.item_id, k.location_id FROM unnest(items, locations) k (item_id, location_id)) k
    WHERE r.item_id = k.item_id AND r.location_id = k.location_id AND r.open > 0 AND r.expires_at <= at;
$$;

-- Why a level cannot change so; nothing when it can.
CREATE FUNCTION stock_shortage(may_run_short boolean, available numeric, on_hand numeric, weight numeric, fine_weight numeric,
                               more numeric, more_weight numeric, more_fine_weight numeric) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN NOT may_run_short AND more < 0 AND available + more < 0 THEN 'insufficient'
        WHEN NOT may_run_short AND weight + more_weight < 0 THEN 'insufficient_weight'
        WHEN NOT may_run_short AND fine_weight + more_fine_weight < 0 THEN 'insufficient_fine_weight'
        WHEN on_hand + more = 0 AND (weight + more_weight <> 0 OR fine_weight + more_fine_weight <> 0) THEN 'weight_left'
    END
$$;

-- Where there would have been less than nothing at some moment from `since` on, or a piece in two places: what was there at a moment is
-- what is there now without what came later. Of these lots, or of all together without.
CREATE FUNCTION stock_shortages_since(items uuid[], locations uuid[], lots uuid[], since timestamptz) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT jsonb_agg(f.fault)
    FROM (
        SELECT jsonb_build_object('item', k.item_id, 'location', k.location_id, 'lot', k.lot_id, 'code', 'insufficient_then',
                                  'available', '0', 'short', (-r.on_hand)::text, 'at', r.at) AS fault
        FROM unnest(items, locations, COALESCE(lots, array_fill(NULL::uuid, ARRAY[cardinality(items)]))) k (item_id, location_id, lot_id)
        LEFT JOIN LATERAL (SELECT may_run_short AND k.lot_id IS NULL AS may_run_short, on_hand, weight
                           FROM stock_level WHERE item_id = k.item_id AND location_id = k.location_id OFFSET 0) i ON true
        LEFT JOIN LATERAL (SELECT on_hand, weight, is_serial
                           FROM stock_lot_level WHERE lot_id = k.lot_id AND location_id = k.location_id OFFSET 0) l ON true
        CROSS JOIN LATERAL (
            SELECT c.at, COALESCE(l.on_hand, i.on_hand) - c.later AS on_hand, COALESCE(l.weight, i.weight) - c.later_weight AS weight
            FROM (
                SELECT m.at, sum(m.quantity) OVER later - m.quantity AS later, sum(m.weight) OVER later - m.weight AS later_weight
                FROM (
                    SELECT m.effective_at AS at,
                           sum(CASE WHEN m.to_location_id = k.location_id THEN m.quantity ELSE -m.quantity END) AS quantity,
                           sum(CASE WHEN m.to_location_id = k.location_id THEN m.weight ELSE -m.weight END) AS weight
                    FROM stock_movement m
                    WHERE m.item_id = k.item_id AND (k.lot_id IS NULL OR m.lot_id = k.lot_id) AND m.effective_at > since
                      AND k.location_id IN (m.from_location_id, m.to_location_id)
                    GROUP BY m.effective_at
                    UNION ALL
                    SELECT since, 0, 0
                ) m
                WINDOW later AS (ORDER BY m.at DESC)
            ) c
        ) r
        WHERE NOT i.may_run_short AND (r.on_hand < 0 OR r.weight < 0) OR l.is_serial AND r.on_hand > 1
        ORDER BY r.at LIMIT 1
    ) f
$$;

-- Movements change levels. Few statements, for each costs, and plans that are made once, whatever a table looked like then: each row is
-- looked up by its key, however few or many there are.
CREATE FUNCTION stock_post() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    at             timestamptz;
    since          timestamptz;
    is_whole       boolean;
    is_open        boolean;
    is_conserved   boolean;
    reverses       boolean;
    has_lots       boolean;
    has_capacities boolean;
    has_rules      boolean;
    has_expired    boolean := false;
    faults         jsonb;
    lot_faults     jsonb;
    items          uuid[];
    locations      uuid[];
    quantities     numeric[];
    weights        numeric[];
    fines          numeric[];
    lots           uuid[];
    lot_items      uuid[];
    lot_locations  uuid[];
    lot_quantities numeric[];
    lot_weights    numeric[];
    lot_fines      numeric[];
    lot_leaves     uuid[];
    locked         integer;
    is_back_dated  boolean;
    run_short      boolean[];
    serials        boolean[];
    versions       bigint[];
    new_quantities numeric[];
    new_weights    numeric[];
    new_fines      numeric[];
    new_lot_quantities numeric[];
    new_lot_weights    numeric[];
    new_lot_fines      numeric[];
BEGIN
    is_open := pg_advisory_xact_lock_shared(8317423741026365291) IS NULL;

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

    -- What comes and goes, summed for each item and location: two lines of one item count together.
    SELECT array_agg(d.item_id), array_agg(d.location_id), array_agg(d.quantity), array_agg(d.weight), array_agg(d.fine_weight)
    INTO items, locations, quantities, weights, fines
    FROM (
        SELECT c.item_id, c.location_id, sum(c.quantity) AS quantity, sum(c.weight) AS weight, sum(c.fine_weight) AS fine_weight
        FROM (SELECT item_id, to_location_id AS location_id, quantity, weight, fine_weight FROM posted
              UNION ALL
              SELECT item_id, from_location_id, -quantity, -weight, -fine_weight FROM posted) c
        CROSS JOIN LATERAL (SELECT FROM location WHERE id = c.location_id AND keeps_stock OFFSET 0) l
        GROUP BY c.item_id, c.location_id
        ORDER BY c.item_id, c.location_id
    ) d;
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
        -- Locked one after the other, in the order of the keys. What each is to be is known before any is changed.
        SELECT count(*), bool_or(s.changed_at >= since), array_agg(s.on_hand + d.quantity), array_agg(s.weight + d.weight),
               array_agg(s.fine_weight + d.fine_weight), array_agg(s.may_run_short), array_agg(s.version + 1),
               to_jsonb((array_agg(jsonb_build_object(
                   'item', d.item_id, 'location', d.location_id, 'available', GREATEST(s.on_hand - s.reserved, 0)::text, 'requested', (-d.quantity)::text,
                   'weight', s.weight::text, 'weight_after', (s.weight + d.weight)::text, 'code', w.code)) FILTER (WHERE w.code IS NOT NULL))[1:100])
        INTO locked, is_back_dated, new_quantities, new_weights, new_fines, run_short, versions, faults
        FROM unnest(items, locations, quantities, weights, fines) d (item_id, location_id, quantity, weight, fine_weight)
        CROSS JOIN LATERAL (SELECT * FROM stock_level s WHERE s.item_id = d.item_id AND s.location_id = d.location_id
                            FOR NO KEY UPDATE OFFSET 0) s
        CROSS JOIN LATERAL (SELECT stock_shortage(s.may_run_short, s.on_hand - s.reserved, s.on_hand, s.weight, s.fine_weight,
                                                  d.quantity, d.weight, d.fine_weight) AS code) w;
        IF locked < cardinality(items) THEN
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
    RETURN NULL;
END $$;
CREATE TRIGGER stock_movement_posts AFTER INSERT ON stock_movement
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION stock_post();

CREATE FUNCTION stock_entry_complete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM stock_movement WHERE entry_id = NEW.id AND line = 1) THEN
        RAISE EXCEPTION 'an entry has lines'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_entry_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stock_entry_complete AFTER INSERT ON stock_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stock_entry_complete();

-- What is held follows from reservations as levels follow from movements.
CREATE FUNCTION stock_hold() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    at            timestamptz;
    items         uuid[];
    locations     uuid[];
    held          numeric[];
    lots          uuid[];
    lot_locations uuid[];
    lot_held      numeric[];
    faults        jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM pg_advisory_xact_lock_shared(8317423741026365291);
        SELECT jsonb_agg(f.fault) INTO faults
        FROM (
            SELECT jsonb_build_object('reservation', p.id, 'code', w.code) AS fault
            FROM posted p
            LEFT JOIN LATERAL (SELECT tracking, unit_id FROM item WHERE id = p.item_id OFFSET 0) i ON true
            LEFT JOIN LATERAL (SELECT dimension FROM unit_of_measure WHERE id = i.unit_id OFFSET 0) u ON true
            LEFT JOIN LATERAL (SELECT item_id, state FROM lot WHERE id = p.lot_id OFFSET 0) l ON true
            LEFT JOIN LATERAL (SELECT keeps_stock, archived_at FROM location WHERE id = p.location_id OFFSET 0) t ON true
            CROSS JOIN LATERAL (SELECT CASE
                WHEN i.tracking IS NULL THEN 'item_unknown'
                WHEN p.lot_id IS NOT NULL AND l.item_id IS DISTINCT FROM p.item_id THEN 'lot_unknown'
                WHEN u.dimension = 'count' AND p.quantity <> trunc(p.quantity) THEN 'quantity_not_whole'
                WHEN t.keeps_stock IS NULL THEN 'from_unknown'
                WHEN NOT t.keeps_stock THEN 'from_outside'
                WHEN t.archived_at IS NOT NULL THEN 'from_closed'
                WHEN l.state = 'quarantined' THEN 'lot_quarantined'
            END AS code) w
            WHERE w.code IS NOT NULL LIMIT 100
        ) f;
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'reservations that cannot be'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_line', DETAIL = faults::text;
        END IF;
        SELECT max(p.updated_at), array_agg(p.item_id), array_agg(p.location_id) INTO at, items, locations FROM posted p;
        IF items IS NULL THEN
            RETURN NULL;
        END IF;
        PERFORM stock_moment(items, locations, at);
        PERFORM stock_expire(items, locations, at);
        SELECT array_agg(d.item_id), array_agg(d.location_id), array_agg(d.open) INTO items, locations, held
        FROM (SELECT item_id, location_id, sum(open) AS open FROM posted GROUP BY item_id, location_id) d;
        SELECT jsonb_agg(f.fault) INTO faults
        FROM (
            SELECT jsonb_build_object('item', d.item_id, 'location', d.location_id, 'code', 'insufficient',
                       'available', GREATEST(s.on_hand - s.reserved, 0)::text, 'requested', d.open::text) AS fault
            FROM unnest(items, locations, held) d (item_id, location_id, open)
            CROSS JOIN LATERAL (SELECT * FROM stock_level WHERE item_id = d.item_id AND location_id = d.location_id OFFSET 0) s
            WHERE NOT s.may_run_short AND s.reserved + d.open > s.on_hand
            UNION ALL
            SELECT jsonb_build_object('item', d.item_id, 'lot', d.lot_id, 'location', d.location_id, 'code', 'insufficient',
                       'available', GREATEST(COALESCE(s.on_hand - s.reserved, 0), 0)::text, 'requested', d.open::text)
            FROM (SELECT item_id, lot_id, location_id, sum(open) AS open FROM posted WHERE lot_id IS NOT NULL GROUP BY 1, 2, 3) d
            LEFT JOIN LATERAL (SELECT * FROM stock_lot_level WHERE lot_id = d.lot_id AND location_id = d.location_id OFFSET 0) s ON true
            WHERE COALESCE(s.on_hand - s.reserved, 0) < d.open
            LIMIT 100
        ) f;
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'more than there is'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_insufficient', DETAIL = faults::text;
        END IF;
        SELECT array_agg(d.lot_id), array_agg(d.location_id), array_agg(d.open) INTO lots, lot_locations, lot_held
        FROM (SELECT lot_id, location_id, sum(open) AS open FROM posted WHERE lot_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2) d;
    ELSE
        SELECT max(p.updated_at), array_agg(d.item_id), array_agg(d.location_id), array_agg(d.open) INTO at, items, locations, held
        FROM (SELECT p.item_id, p.location_id, sum(p.open - b.open) AS open, max(p.updated_at) AS updated_at
              FROM posted p JOIN previous b ON b.id = p.id WHERE p.open <> b.open GROUP BY 1, 2 ORDER BY 1, 2) d
        CROSS JOIN LATERAL (SELECT d.updated_at) p;
        IF items IS NULL THEN
            RETURN NULL;
        END IF;
        SELECT array_agg(d.lot_id), array_agg(d.location_id), array_agg(d.open) INTO lots, lot_locations, lot_held
        FROM (SELECT p.lot_id, p.location_id, sum(p.open - b.open) AS open
              FROM posted p JOIN previous b ON b.id = p.id WHERE p.lot_id IS NOT NULL AND p.open <> b.open GROUP BY 1, 2 ORDER BY 1, 2) d;
    END IF;
    -- Updates, in truth, as in `stock_post`.
    INSERT INTO stock_level (item_id, location_id, on_hand, reserved, weight, fine_weight, may_run_short, version, changed_at)
    SELECT s.item_id, s.location_id, s.on_hand, s.reserved + d.open, s.weight, s.fine_weight, s.may_run_short, s.version + 1, at
    FROM unnest(items, locations, held) d (item_id, location_id, open)
    CROSS JOIN LATERAL (SELECT * FROM stock_level s WHERE s.item_id = d.item_id AND s.location_id = d.location_id
                        FOR NO KEY UPDATE OFFSET 0) s
    ON CONFLICT (item_id, location_id) DO UPDATE
    SET reserved = EXCLUDED.reserved, version = EXCLUDED.version, changed_at = GREATEST(stock_level.changed_at, EXCLUDED.changed_at);
    IF lots IS NOT NULL THEN
        INSERT INTO stock_lot_level (lot_id, location_id, item_id, is_serial, on_hand, reserved, weight, fine_weight)
        SELECT s.lot_id, s.location_id, s.item_id, s.is_serial, s.on_hand, s.reserved + d.open, s.weight, s.fine_weight
        FROM unnest(lots, lot_locations, lot_held) d (lot_id, location_id, open)
        CROSS JOIN LATERAL (SELECT * FROM stock_lot_level s WHERE s.lot_id = d.lot_id AND s.location_id = d.location_id OFFSET 0) s
        ON CONFLICT (lot_id, location_id) DO UPDATE SET reserved = EXCLUDED.reserved;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_reservation_holds AFTER INSERT ON stock_reservation
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION stock_hold();
CREATE TRIGGER stock_reservation_lets_go AFTER UPDATE ON stock_reservation
    REFERENCING OLD TABLE AS previous NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION stock_hold();

-- A reservation holds what it held in the beginning, or less: nothing else of it changes.
CREATE TRIGGER stock_reservation_only_shrinks BEFORE UPDATE ON stock_reservation FOR EACH ROW
    WHEN (NEW.open > OLD.open OR (NEW.id, NEW.item_id, NEW.location_id, NEW.lot_id, NEW.quantity, NEW.created_at)
          IS DISTINCT FROM (OLD.id, OLD.item_id, OLD.location_id, OLD.lot_id, OLD.quantity, OLD.created_at))
    EXECUTE FUNCTION stays();
CREATE TRIGGER stock_reservation_kept BEFORE DELETE OR TRUNCATE ON stock_reservation
    FOR EACH STATEMENT EXECUTE FUNCTION stays();
