-- What follows from movements and reservations, in the statement that writes them.

-- Levels of these items at these locations, there and locked until the transaction ends, always in the order of their keys: so nobody waits
-- in a circle. For whoever will both let go of reservations and post.
CREATE FUNCTION stock_level_lock(items uuid[], locations uuid[], at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO stock_level (item_id, location_id, may_run_short, changed_at)
    SELECT DISTINCT k.item_id, k.location_id, l.may_run_short, at
    FROM unnest(items, locations) k (item_id, location_id)
    JOIN location l ON l.id = k.location_id AND l.keeps_stock
    WHERE NOT EXISTS (SELECT FROM stock_level s WHERE s.item_id = k.item_id AND s.location_id = k.location_id)
    ORDER BY k.item_id, k.location_id
    ON CONFLICT DO NOTHING;
    PERFORM FROM stock_level s
    WHERE (s.item_id, s.location_id) IN (SELECT k.item_id, k.location_id FROM unnest(items, locations) k (item_id, location_id))
    ORDER BY s.item_id, s.location_id FOR NO KEY UPDATE;
END $$;

-- Reservations of these levels that have run out by then let go. Their levels are locked.
CREATE FUNCTION stock_expire(items uuid[], locations uuid[], at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE stock_reservation r SET open = 0, state = 'expired', version = r.version + 1, updated_at = at
    FROM (SELECT DISTINCT k.item_id, k.location_id FROM unnest(items, locations) k (item_id, location_id)) k
    WHERE r.item_id = k.item_id AND r.location_id = k.location_id AND r.open > 0 AND r.expires_at <= at;
$$;

-- Movements change levels. Few statements, for each costs, and plans that are made once: what a plan expects of a table that is new to it
-- does not matter, as each row is looked up by its key.
CREATE FUNCTION stock_post() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    at             timestamptz;
    is_whole       boolean;
    is_open        boolean;
    reverses       boolean;
    has_lots       boolean;
    has_capacities boolean;
    has_rules      boolean;
    has_expired    boolean := false;
    faults         jsonb;
    items          uuid[];
    locations      uuid[];
    quantities     numeric[];
    weights        numeric[];
    lots           uuid[];
    lot_items      uuid[];
    locked         integer;
BEGIN
    is_open := pg_advisory_xact_lock_shared(8317423741026365291) IS NULL;

    -- Entries come whole, in one statement: a line that comes later finds its number taken, or is one too many. And what a line may be.
    SELECT max(p.recorded_at), bool_and(p.is_whole), bool_and(p.is_open), bool_or(p.reverses), bool_or(p.has_lots),
           bool_or(p.has_capacities), (SELECT EXISTS (SELECT FROM location_category)), jsonb_agg(p.faults) FILTER (WHERE p.faults IS NOT NULL)
    INTO at, is_whole, is_open, reverses, has_lots, has_capacities, has_rules, faults
    FROM (
        SELECT e.recorded_at, e.reverses_id IS NOT NULL AS reverses,
               COALESCE(e.lines = count(*) AND e.lines = max(p.line)
                        AND e.effective_at = min(p.effective_at) AND e.effective_at = max(p.effective_at), false) AS is_whole,
               (e.effective_at > (SELECT closed_until FROM stock_closing)) IS NOT FALSE AS is_open,
               bool_or(p.lot_id IS NOT NULL) AS has_lots, bool_or(t.capacity IS NOT NULL) AS has_capacities,
               jsonb_agg(jsonb_build_object('line', p.line, 'code', w.code) ORDER BY p.line) FILTER (WHERE w.code IS NOT NULL) AS faults
        FROM posted p
        LEFT JOIN LATERAL (SELECT * FROM stock_entry WHERE id = p.entry_id OFFSET 0) e ON true
        LEFT JOIN LATERAL (SELECT kind, tracking, unit_id, is_template FROM item WHERE id = p.item_id OFFSET 0) i ON true
        LEFT JOIN LATERAL (SELECT dimension FROM unit_of_measure WHERE id = i.unit_id OFFSET 0) u ON true
        LEFT JOIN LATERAL (SELECT item_id, kind FROM lot WHERE id = p.lot_id OFFSET 0) l ON true
        LEFT JOIN LATERAL (SELECT keeps_stock, kind, archived_at FROM location WHERE id = p.from_location_id OFFSET 0) f ON true
        LEFT JOIN LATERAL (SELECT keeps_stock, kind, archived_at, capacity FROM location WHERE id = p.to_location_id OFFSET 0) t ON true
        CROSS JOIN LATERAL (SELECT CASE
            WHEN i.kind IS NULL THEN 'item_unknown'
            WHEN i.is_template OR i.kind IN ('service', 'digital') THEN 'item_without_stock'
            WHEN p.lot_id IS NOT NULL AND l.item_id IS DISTINCT FROM p.item_id THEN 'lot_unknown'
            WHEN p.lot_id IS NULL AND i.tracking <> 'none' THEN 'lot_missing'
            WHEN p.lot_id IS NOT NULL AND i.tracking = 'none' THEN 'lot_unexpected'
            WHEN l.kind = 'serial' AND p.quantity <> 1 THEN 'serial_is_one'
            WHEN u.dimension = 'count' AND p.quantity <> trunc(p.quantity) THEN 'quantity_not_whole'
            WHEN f.kind IS NULL THEN 'from_unknown'
            WHEN t.kind IS NULL THEN 'to_unknown'
            WHEN f.archived_at IS NOT NULL THEN 'from_closed'
            WHEN t.archived_at IS NOT NULL THEN 'to_closed'
            WHEN NOT f.keeps_stock AND NOT t.keeps_stock THEN 'to_unfit'
            WHEN e.kind = 'receive' AND f.kind NOT IN ('supplier', 'customer', 'production') THEN 'from_unfit'
            WHEN e.kind = 'receive' AND NOT t.keeps_stock THEN 'to_unfit'
            WHEN e.kind IN ('move', 'issue') AND NOT f.keeps_stock THEN 'from_unfit'
            WHEN e.kind = 'move' AND NOT t.keeps_stock THEN 'to_unfit'
            WHEN e.kind = 'issue' AND t.kind NOT IN ('customer', 'supplier', 'production', 'loss') THEN 'to_unfit'
            WHEN e.kind = 'adjust' AND f.kind NOT IN ('adjustment', 'loss') AND t.kind NOT IN ('adjustment', 'loss') THEN 'to_unfit'
            WHEN e.kind = 'transform' AND f.kind <> 'production' AND t.kind NOT IN ('production', 'loss') THEN 'to_unfit'
        END AS code) w
        GROUP BY p.entry_id, e.recorded_at, e.reverses_id, e.lines, e.effective_at
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
    IF reverses AND EXISTS (
        SELECT FROM posted p
        JOIN stock_entry e ON e.id = p.entry_id
        JOIN stock_entry o ON o.id = e.reverses_id
        LEFT JOIN stock_movement m ON m.entry_id = o.id AND m.line = p.line
        WHERE o.kind = 'reverse' OR o.lines <> e.lines
           OR (p.item_id, p.lot_id, p.from_location_id, p.to_location_id, p.quantity, p.weight)
              IS DISTINCT FROM (m.item_id, m.lot_id, m.to_location_id, m.from_location_id, m.quantity, m.weight)
    ) THEN
        RAISE EXCEPTION 'a reversal is the mirror of an entry that is none itself'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_reversal_mirrors';
    END IF;

    -- What comes and goes, summed for each item and location: two lines of one item count together.
    SELECT array_agg(d.item_id), array_agg(d.location_id), array_agg(d.quantity), array_agg(d.weight)
    INTO items, locations, quantities, weights
    FROM (
        SELECT c.item_id, c.location_id, sum(c.quantity) AS quantity, sum(c.weight) AS weight
        FROM (SELECT item_id, to_location_id AS location_id, quantity, weight FROM posted
              UNION ALL
              SELECT item_id, from_location_id, -quantity, -weight FROM posted) c
        CROSS JOIN LATERAL (SELECT FROM location WHERE id = c.location_id AND keeps_stock OFFSET 0) l
        GROUP BY c.item_id, c.location_id
        ORDER BY c.item_id, c.location_id
    ) d;
    LOOP
        WITH level AS MATERIALIZED (
            SELECT s.* FROM unnest(items, locations) k (item_id, location_id)
            JOIN stock_level s ON s.item_id = k.item_id AND s.location_id = k.location_id
            ORDER BY s.item_id, s.location_id FOR NO KEY UPDATE OF s
        )
        SELECT count(*), jsonb_agg(jsonb_build_object(
                   'item', d.item_id, 'location', d.location_id, 'available', GREATEST(s.on_hand - s.reserved, 0), 'requested', -d.quantity,
                   'weight', s.weight, 'weight_after', s.weight + d.weight,
                   'code', CASE WHEN d.quantity < 0 AND s.on_hand - s.reserved + d.quantity < 0 THEN 'insufficient'
                                WHEN s.weight + d.weight < 0 THEN 'insufficient_weight' ELSE 'weight_left' END))
                   FILTER (WHERE NOT s.may_run_short AND (d.quantity < 0 AND s.on_hand - s.reserved + d.quantity < 0 OR s.weight + d.weight < 0)
                              OR s.on_hand + d.quantity = 0 AND s.weight + d.weight <> 0)
        INTO locked, faults
        FROM level s
        JOIN unnest(items, locations, quantities, weights) d (item_id, location_id, quantity, weight)
          ON d.item_id = s.item_id AND d.location_id = s.location_id;
        IF locked < cardinality(items) THEN
            PERFORM stock_level_lock(items, locations, at);
        ELSIF faults IS NOT NULL AND NOT has_expired THEN
            PERFORM stock_expire(items, locations, at);
            has_expired := true;
        ELSE
            EXIT;
        END IF;
    END LOOP;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'more than there is'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_insufficient', DETAIL = faults::text;
    END IF;
    UPDATE stock_level s
    SET on_hand = s.on_hand + d.quantity, weight = s.weight + d.weight, version = s.version + 1, changed_at = at
    FROM unnest(items, locations, quantities, weights) d (item_id, location_id, quantity, weight)
    WHERE s.item_id = d.item_id AND s.location_id = d.location_id;

    -- The levels of lots lie behind those of their items: who holds the latter is alone with them.
    IF has_lots THEN
        SELECT array_agg(d.lot_id), array_agg(d.item_id), array_agg(d.location_id), array_agg(d.quantity), array_agg(d.weight)
        INTO lots, lot_items, locations, quantities, weights
        FROM (
            SELECT c.lot_id, c.item_id, c.location_id, sum(c.quantity) AS quantity, sum(c.weight) AS weight
            FROM (SELECT lot_id, item_id, to_location_id AS location_id, quantity, weight FROM posted WHERE lot_id IS NOT NULL
                  UNION ALL
                  SELECT lot_id, item_id, from_location_id, -quantity, -weight FROM posted WHERE lot_id IS NOT NULL) c
            CROSS JOIN LATERAL (SELECT FROM location WHERE id = c.location_id AND keeps_stock OFFSET 0) l
            GROUP BY c.lot_id, c.item_id, c.location_id
            ORDER BY c.lot_id, c.location_id
        ) d;
        SELECT jsonb_agg(f.fault) INTO faults
        FROM (
            SELECT jsonb_build_object('item', d.item_id, 'lot', d.lot_id, 'location', d.location_id,
                       'available', GREATEST(COALESCE(s.on_hand - s.reserved, 0), 0), 'requested', -d.quantity,
                       'weight', COALESCE(s.weight, 0), 'weight_after', COALESCE(s.weight, 0) + d.weight,
                       'elsewhere', o.location_id,
                       'code', CASE WHEN o.location_id IS NOT NULL THEN 'serial_elsewhere'
                                    WHEN d.quantity < 0 AND COALESCE(s.on_hand - s.reserved, 0) + d.quantity < 0 THEN 'insufficient'
                                    WHEN COALESCE(s.weight, 0) + d.weight < 0 THEN 'insufficient_weight' ELSE 'weight_left' END) AS fault
            FROM unnest(lots, lot_items, locations, quantities, weights) d (lot_id, item_id, location_id, quantity, weight)
            CROSS JOIN LATERAL (SELECT kind = 'serial' AS is_serial FROM lot WHERE id = d.lot_id OFFSET 0) l
            LEFT JOIN LATERAL (SELECT * FROM stock_lot_level s WHERE s.lot_id = d.lot_id AND s.location_id = d.location_id OFFSET 0) s ON true
            -- Where a piece is that comes in from outside, or is to leave from where it is not.
            LEFT JOIN LATERAL (
                SELECT o.location_id FROM stock_lot_level o
                WHERE l.is_serial AND o.lot_id = d.lot_id AND o.on_hand > 0
                  AND (d.quantity < 0 AND o.location_id <> d.location_id
                       OR d.quantity > 0 AND NOT EXISTS (SELECT FROM posted p WHERE p.lot_id = d.lot_id AND p.from_location_id = o.location_id))
                LIMIT 1
            ) o ON l.is_serial
            WHERE o.location_id IS NOT NULL
               OR d.quantity < 0 AND COALESCE(s.on_hand - s.reserved, 0) + d.quantity < 0
               OR COALESCE(s.weight, 0) + d.weight < 0
               OR COALESCE(s.on_hand, 0) + d.quantity = 0 AND COALESCE(s.weight, 0) + d.weight <> 0
            LIMIT 100
        ) f;
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'more of a lot than there is'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_insufficient', DETAIL = faults::text;
        END IF;
        -- What leaves first: a piece is never in two places.
        UPDATE stock_lot_level s SET on_hand = s.on_hand + d.quantity, weight = s.weight + d.weight
        FROM unnest(lots, locations, quantities, weights) d (lot_id, location_id, quantity, weight)
        WHERE s.lot_id = d.lot_id AND s.location_id = d.location_id AND (d.quantity < 0 OR d.quantity = 0 AND d.weight < 0);
        INSERT INTO stock_lot_level (lot_id, location_id, item_id, is_serial, on_hand, weight)
        SELECT d.lot_id, d.location_id, d.item_id, l.is_serial, d.quantity, d.weight
        FROM unnest(lots, lot_items, locations, quantities, weights) d (lot_id, item_id, location_id, quantity, weight)
        CROSS JOIN LATERAL (SELECT kind = 'serial' AS is_serial FROM lot WHERE id = d.lot_id OFFSET 0) l
        WHERE d.quantity > 0 OR d.quantity = 0 AND d.weight > 0
        ON CONFLICT (lot_id, location_id)
        DO UPDATE SET on_hand = stock_lot_level.on_hand + EXCLUDED.on_hand, weight = stock_lot_level.weight + EXCLUDED.weight;
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
        SELECT jsonb_agg(jsonb_build_object('location', l.id, 'code', 'location_full', 'available', l.capacity, 'requested', s.on_hand))
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
CREATE FUNCTION stock_hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    at        timestamptz;
    items     uuid[];
    locations uuid[];
    held      numeric[];
    faults    jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM pg_advisory_xact_lock_shared(8317423741026365291);
        SELECT jsonb_agg(f.fault) INTO faults
        FROM (
            SELECT jsonb_build_object('reservation', p.id, 'code', w.code) AS fault
            FROM posted p
            LEFT JOIN LATERAL (SELECT tracking, unit_id FROM item WHERE id = p.item_id OFFSET 0) i ON true
            LEFT JOIN LATERAL (SELECT dimension FROM unit_of_measure WHERE id = i.unit_id OFFSET 0) u ON true
            LEFT JOIN LATERAL (SELECT item_id FROM lot WHERE id = p.lot_id OFFSET 0) l ON true
            LEFT JOIN LATERAL (SELECT keeps_stock, archived_at FROM location WHERE id = p.location_id OFFSET 0) t ON true
            CROSS JOIN LATERAL (SELECT CASE
                WHEN i.tracking IS NULL THEN 'item_unknown'
                WHEN p.lot_id IS NOT NULL AND l.item_id IS DISTINCT FROM p.item_id THEN 'lot_unknown'
                WHEN u.dimension = 'count' AND p.quantity <> trunc(p.quantity) THEN 'quantity_not_whole'
                WHEN t.keeps_stock IS NULL THEN 'from_unknown'
                WHEN NOT t.keeps_stock THEN 'from_outside'
                WHEN t.archived_at IS NOT NULL THEN 'from_closed'
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
        PERFORM stock_level_lock(items, locations, at);
        PERFORM stock_expire(items, locations, at);
        SELECT array_agg(d.item_id), array_agg(d.location_id), array_agg(d.open) INTO items, locations, held
        FROM (SELECT item_id, location_id, sum(open) AS open FROM posted GROUP BY item_id, location_id) d;
        SELECT jsonb_agg(f.fault) INTO faults
        FROM (
            SELECT jsonb_build_object('item', d.item_id, 'location', d.location_id, 'code', 'insufficient',
                       'available', GREATEST(s.on_hand - s.reserved, 0), 'requested', d.open) AS fault
            FROM unnest(items, locations, held) d (item_id, location_id, open)
            JOIN stock_level s ON s.item_id = d.item_id AND s.location_id = d.location_id
            WHERE NOT s.may_run_short AND s.reserved + d.open > s.on_hand
            UNION ALL
            SELECT jsonb_build_object('item', d.item_id, 'lot', d.lot_id, 'location', d.location_id, 'code', 'insufficient',
                       'available', GREATEST(COALESCE(s.on_hand - s.reserved, 0), 0), 'requested', d.open)
            FROM (SELECT item_id, lot_id, location_id, sum(open) AS open FROM posted WHERE lot_id IS NOT NULL GROUP BY 1, 2, 3) d
            LEFT JOIN stock_lot_level s ON s.lot_id = d.lot_id AND s.location_id = d.location_id
            WHERE COALESCE(s.on_hand - s.reserved, 0) < d.open
            LIMIT 100
        ) f;
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'more than there is'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_insufficient', DETAIL = faults::text;
        END IF;
        UPDATE stock_lot_level s SET reserved = s.reserved + d.open
        FROM (SELECT lot_id, location_id, sum(open) AS open FROM posted WHERE lot_id IS NOT NULL GROUP BY 1, 2) d
        WHERE s.lot_id = d.lot_id AND s.location_id = d.location_id;
    ELSE
        SELECT max(p.updated_at), array_agg(d.item_id), array_agg(d.location_id), array_agg(d.open) INTO at, items, locations, held
        FROM (SELECT p.item_id, p.location_id, sum(p.open - b.open) AS open, max(p.updated_at) AS updated_at
              FROM posted p JOIN previous b ON b.id = p.id WHERE p.open <> b.open GROUP BY 1, 2 ORDER BY 1, 2) d
        CROSS JOIN LATERAL (SELECT d.updated_at) p;
        IF items IS NULL THEN
            RETURN NULL;
        END IF;
        UPDATE stock_lot_level s SET reserved = s.reserved + d.open
        FROM (SELECT p.lot_id, p.location_id, sum(p.open - b.open) AS open
              FROM posted p JOIN previous b ON b.id = p.id WHERE p.lot_id IS NOT NULL AND p.open <> b.open GROUP BY 1, 2) d
        WHERE s.lot_id = d.lot_id AND s.location_id = d.location_id;
    END IF;
    UPDATE stock_level s SET reserved = s.reserved + d.open, version = s.version + 1, changed_at = at
    FROM unnest(items, locations, held) d (item_id, location_id, open)
    WHERE s.item_id = d.item_id AND s.location_id = d.location_id;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_reservation_holds AFTER INSERT ON stock_reservation
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION stock_hold();
CREATE TRIGGER stock_reservation_lets_go AFTER UPDATE ON stock_reservation
    REFERENCING OLD TABLE AS previous NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION stock_hold();

-- A reservation holds what it held in the beginning, or less: nothing else of it changes.
CREATE FUNCTION stock_reservation_only_shrinks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a reservation is used up or let go, nothing else: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_reservation_only_shrinks';
END $$;
CREATE TRIGGER stock_reservation_only_shrinks BEFORE UPDATE ON stock_reservation FOR EACH ROW
    WHEN (NEW.open > OLD.open OR (NEW.id, NEW.item_id, NEW.location_id, NEW.lot_id, NEW.quantity, NEW.created_at)
          IS DISTINCT FROM (OLD.id, OLD.item_id, OLD.location_id, OLD.lot_id, OLD.quantity, OLD.created_at))
    EXECUTE FUNCTION stock_reservation_only_shrinks();
CREATE TRIGGER stock_reservation_kept BEFORE DELETE OR TRUNCATE ON stock_reservation
    FOR EACH STATEMENT EXECUTE FUNCTION stock_reservation_only_shrinks();
