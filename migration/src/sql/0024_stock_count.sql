-- Counts: what lies at some places is scanned, compared with what should lie there, and put right when somebody has approved it.
--
-- Scans are the truth and are only added to. What was counted follows from them, as levels follow from movements: by triggers that run with
-- the owner's rights, so that whoever may scan can write neither a tally nor what it is compared with.

CREATE TABLE stock_count (
    id            uuid PRIMARY KEY,
    number        bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT stock_count_number_unique UNIQUE,
    -- Scanned; compared; put right, or given up.
    state         text NOT NULL CHECK (state IN ('open', 'review', 'posted', 'cancelled')),
    -- All that is below it at the beginning is counted, too.
    location_id   uuid NOT NULL REFERENCES location (id),
    -- Only items of this category, and of those below it.
    category_id   uuid REFERENCES category (id),
    -- Whoever counts does not see what should be there.
    is_blind      boolean NOT NULL,
    -- What differs by more per cent of what should be there is better counted again.
    tolerance     numeric(9, 6) NOT NULL CHECK (tolerance BETWEEN 0 AND 100),
    round         integer NOT NULL CONSTRAINT stock_count_rounds CHECK (round BETWEEN 1 AND 9),
    -- Which lines are counted again in this round; all above the tolerance when there are none.
    recounted     bigint[] NOT NULL DEFAULT '{}' CHECK (cardinality(recounted) <= 1000),
    note          text CHECK (length(note) BETWEEN 1 AND 2000),
    -- Who opened it, and who approved it.
    actor_kind    text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id      uuid,
    actor_name    text NOT NULL,
    approver_kind text CHECK (approver_kind IN ('user', 'system')),
    approver_id   uuid,
    approver_name text,
    approved_at   timestamptz,
    -- What put it right; nothing when all was as it should be.
    entry_id      uuid CONSTRAINT stock_count_entry_once UNIQUE REFERENCES stock_entry (id),
    finished_at   timestamptz,
    version       bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT stock_count_approved CHECK (
        CASE state WHEN 'posted' THEN num_nulls(approved_at, approver_kind, approver_name) = 0
                   ELSE num_nonnulls(approved_at, approver_kind, approver_id, approver_name, entry_id) = 0 END)
);
-- Those that somebody has still to do something about.
CREATE INDEX stock_count_unfinished ON stock_count (id) WHERE state IN ('open', 'review');
CREATE INDEX stock_count_location_id ON stock_count (location_id, id);

-- Where is counted: all places below the count's location when it was opened. A place is in one count at a time.
CREATE TABLE stock_count_location (
    count_id    uuid NOT NULL REFERENCES stock_count (id),
    location_id uuid NOT NULL REFERENCES location (id),
    -- Until the count has ended.
    is_open     boolean NOT NULL DEFAULT true,
    PRIMARY KEY (count_id, location_id)
);
CREATE UNIQUE INDEX stock_count_location_once ON stock_count_location (location_id) WHERE is_open;

-- What was counted of one thing at one place, and what should be there.
CREATE TABLE stock_count_line (
    number          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    count_id        uuid NOT NULL REFERENCES stock_count (id),
    -- In which it was counted. What is counted again gets a new line, and the old one stays for those who read the history.
    round           integer NOT NULL,
    is_current      boolean NOT NULL DEFAULT true,
    item_id         uuid NOT NULL REFERENCES item (id),
    lot_id          uuid REFERENCES lot (id),
    location_id     uuid NOT NULL REFERENCES location (id),
    is_serial       boolean NOT NULL,
    is_weighed      boolean NOT NULL,
    counted         numeric(19, 6) NOT NULL DEFAULT 0 CHECK (counted >= 0),
    -- Grams. A piece that was scanned and not weighed has none until it is compared; then it weighs what it should.
    counted_weight  numeric(19, 6) NOT NULL DEFAULT 0 CHECK (counted_weight >= 0),
    scans           integer NOT NULL DEFAULT 0 CHECK (scans BETWEEN 0 AND 100000),
    -- The moment that the tally is about: what moved before is in it, what moved later is not. Nothing when nobody scanned it.
    last_scan_at    timestamptz,
    -- When it was compared.
    settled_at      timestamptz,
    expected        numeric(19, 6),
    expected_weight numeric(19, 6),
    variance        numeric(19, 6) GENERATED ALWAYS AS (counted - expected) STORED,
    weight_variance numeric(19, 6) GENERATED ALWAYS AS (counted_weight - expected_weight) STORED,
    -- Whether it differs by more than the tolerance.
    needs_recount   boolean,
    CONSTRAINT stock_count_line_settled CHECK (num_nulls(settled_at, expected, expected_weight, needs_recount) IN (0, 4)),
    CONSTRAINT stock_count_line_piece CHECK (NOT is_serial OR counted IN (0, 1)),
    CONSTRAINT stock_count_line_weight CHECK (
        CASE WHEN NOT is_weighed OR counted = 0 THEN counted_weight = 0 ELSE is_serial OR counted_weight > 0 END)
);
CREATE UNIQUE INDEX stock_count_line_once
    ON stock_count_line (count_id, item_id, location_id, COALESCE(lot_id, '00000000-0000-0000-0000-000000000000')) WHERE is_current;
-- A piece is counted at one place.
CREATE UNIQUE INDEX stock_count_line_one_place ON stock_count_line (count_id, lot_id) WHERE is_serial AND is_current AND counted > 0;
CREATE INDEX stock_count_line_of_count ON stock_count_line (count_id, number);
CREATE INDEX stock_count_line_differing ON stock_count_line (count_id, number)
    WHERE is_current AND (variance <> 0 OR weight_variance <> 0);

CREATE TABLE stock_count_scan (
    count_id    uuid NOT NULL REFERENCES stock_count (id),
    -- Given by whoever scans: the same again is the same scan.
    scan_id     text COLLATE "C" NOT NULL CHECK (length(scan_id) BETWEEN 1 AND 100),
    -- Its place among those that were sent at once.
    line        integer NOT NULL CHECK (line BETWEEN 1 AND 1000),
    round       integer NOT NULL,
    -- Keys are looked at last, for the trigger says better what is wrong.
    item_id     uuid NOT NULL REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED,
    lot_id      uuid REFERENCES lot (id) DEFERRABLE INITIALLY DEFERRED,
    location_id uuid NOT NULL REFERENCES location (id) DEFERRABLE INITIALLY DEFERRED,
    -- Less than nothing takes something back.
    quantity    numeric(19, 6) NOT NULL,
    -- Grams.
    weight      numeric(19, 6) NOT NULL,
    actor_kind  text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id    uuid,
    actor_name  text NOT NULL,
    scanned_at  timestamptz NOT NULL,
    PRIMARY KEY (count_id, scan_id),
    CONSTRAINT stock_count_scan_something CHECK (quantity <> 0 OR weight <> 0),
    CONSTRAINT stock_count_scan_one_direction CHECK (quantity * weight >= 0)
);

CREATE TRIGGER stock_count_scan_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_count_scan
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stock_count_kept BEFORE DELETE OR TRUNCATE ON stock_count FOR EACH STATEMENT EXECUTE FUNCTION stays();

-- What should lie somewhere at that moment: what lies there without what moved later. What lies there now without a moment.
CREATE FUNCTION stock_count_expected(of_item uuid, of_lot uuid, of_location uuid, moment timestamptz)
    RETURNS TABLE (quantity numeric, weight numeric) LANGUAGE sql STABLE AS $$
    SELECT COALESCE(s.on_hand, 0) - later.quantity, COALESCE(s.weight, 0) - later.weight
    FROM (SELECT) nothing
    LEFT JOIN LATERAL (
        SELECT on_hand, weight FROM stock_level WHERE of_lot IS NULL AND item_id = of_item AND location_id = of_location
        UNION ALL
        SELECT on_hand, weight FROM stock_lot_level WHERE lot_id = of_lot AND location_id = of_location
    ) s ON true
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(CASE WHEN m.to_location_id = of_location THEN m.quantity ELSE -m.quantity END), 0) AS quantity,
               COALESCE(sum(CASE WHEN m.to_location_id = of_location THEN m.weight ELSE -m.weight END), 0) AS weight
        FROM stock_movement m
        WHERE m.item_id = of_item AND (of_lot IS NULL OR m.lot_id = of_lot) AND m.effective_at > moment
          AND of_location IN (m.from_location_id, m.to_location_id)
    ) later
$$;

-- A count begins with all the places that it is about. In the order of their keys, so that of two who want one place the second waits, and
-- nobody in a circle.
CREATE FUNCTION stock_count_begin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    places integer;
BEGIN
    INSERT INTO stock_count_location (count_id, location_id)
    SELECT NEW.id, l.id
    FROM location w JOIN location l ON l.path <@ w.path
    WHERE w.id = NEW.location_id AND l.keeps_stock AND NOT l.is_virtual AND l.archived_at IS NULL
    ORDER BY l.id LIMIT 10001;
    GET DIAGNOSTICS places = ROW_COUNT;
    IF places = 0 OR places > 10000 THEN
        RAISE EXCEPTION 'a count is about 1 to 10000 places'
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = CASE places WHEN 0 THEN 'stock_count_somewhere' ELSE 'stock_count_bounded' END;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_count_begins AFTER INSERT ON stock_count FOR EACH ROW EXECUTE FUNCTION stock_count_begin();
CREATE TRIGGER stock_count_begins_open BEFORE INSERT ON stock_count FOR EACH ROW
    WHEN (NEW.state <> 'open' OR NEW.round <> 1) EXECUTE FUNCTION stays();

-- Nothing of a count changes but by a step.
CREATE TRIGGER stock_count_identity BEFORE UPDATE ON stock_count FOR EACH ROW
    WHEN (NEW.state = OLD.state
          OR (NEW.id, NEW.number, NEW.location_id, NEW.category_id, NEW.is_blind, NEW.tolerance, NEW.actor_kind, NEW.actor_id, NEW.actor_name,
              NEW.created_at)
             IS DISTINCT FROM (OLD.id, OLD.number, OLD.location_id, OLD.category_id, OLD.is_blind, OLD.tolerance, OLD.actor_kind, OLD.actor_id,
                               OLD.actor_name, OLD.created_at))
    EXECUTE FUNCTION stays();

CREATE FUNCTION stock_count_step() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (('open', 'review'), ('open', 'cancelled'), ('review', 'open'), ('review', 'posted'), ('review', 'cancelled'))
       OR NEW.round <> OLD.round + (NEW.state = 'open')::integer THEN
        RAISE EXCEPTION 'a count does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_count_step';
    END IF;
    -- What differs is put right by an entry of its own.
    IF NEW.state = 'posted'
       AND (NEW.entry_id IS NOT NULL) <> EXISTS (SELECT FROM stock_count_line
                                                 WHERE count_id = NEW.id AND is_current AND (variance <> 0 OR weight_variance <> 0))
       OR NEW.entry_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM stock_entry
                       WHERE id = NEW.entry_id AND kind = 'adjust' AND reason = 'counted' AND document = 'C-' || NEW.number) THEN
        RAISE EXCEPTION 'an entry puts right what differs, and nothing else'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_count_posts';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stock_count_step BEFORE UPDATE ON stock_count FOR EACH ROW
    WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION stock_count_step();

-- Scans make the tally. Whoever scans shares the count with others who do, and waits for whoever brings it on. The levels are locked, and
-- pushed on to the moment of the scan: so whatever moves is in front of it or behind it, whose clocks say what they may.
CREATE FUNCTION stock_count_take() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    counts     uuid[];
    rounds     integer[];
    counting   stock_count%ROWTYPE;
    scope      ltree;
    at         timestamptz;
    faults     jsonb;
    items      uuid[];
    lots       uuid[];
    locations  uuid[];
    quantities numeric[];
    weights    numeric[];
    taken      integer[];
    lines      integer[];
    serials    boolean[];
    weighed    boolean[];
    found      boolean[];
    elsewheres uuid[];
    lefts      uuid[];
BEGIN
    SELECT array_agg(DISTINCT p.count_id), array_agg(DISTINCT p.round), max(p.scanned_at) INTO counts, rounds, at FROM posted p;
    IF counts IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(8317423741026365291);
    SELECT * INTO counting FROM stock_count WHERE id = counts[1] FOR SHARE;
    IF cardinality(counts) > 1 OR counting.state IS DISTINCT FROM 'open' OR rounds <> ARRAY[counting.round] THEN
        RAISE EXCEPTION 'scans are of one count that is open, and of its round'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_count_open';
    END IF;
    SELECT path INTO scope FROM category WHERE id = counting.category_id;

    SELECT jsonb_agg(f.fault) INTO faults
    FROM (
        SELECT jsonb_build_object('line', p.line, 'code', w.code, 'sku', i.sku, 'location', t.code) AS fault
        FROM posted p
        LEFT JOIN LATERAL (SELECT sku, kind, tracking, unit_id, is_template, category_id FROM item WHERE id = p.item_id OFFSET 0) i ON true
        LEFT JOIN LATERAL (SELECT dimension FROM unit_of_measure WHERE id = i.unit_id OFFSET 0) u ON true
        LEFT JOIN LATERAL (SELECT is_weighed FROM item_stocking WHERE item_id = p.item_id OFFSET 0) k ON true
        LEFT JOIN LATERAL (SELECT item_id FROM lot WHERE id = p.lot_id OFFSET 0) l ON true
        LEFT JOIN LATERAL (SELECT code FROM location WHERE id = p.location_id OFFSET 0) t ON true
        LEFT JOIN LATERAL (SELECT path FROM category WHERE id = i.category_id OFFSET 0) c ON true
        LEFT JOIN LATERAL (SELECT true AS is_in FROM stock_count_location
                           WHERE count_id = counting.id AND location_id = p.location_id OFFSET 0) s ON true
        CROSS JOIN LATERAL (SELECT CASE
            WHEN i.kind IS NULL THEN 'item_unknown'
            WHEN i.is_template OR i.kind IN ('service', 'digital') THEN 'item_without_stock'
            WHEN p.lot_id IS NOT NULL AND l.item_id IS DISTINCT FROM p.item_id THEN 'lot_unknown'
            WHEN p.lot_id IS NULL AND i.tracking <> 'none' THEN 'lot_missing'
            WHEN p.lot_id IS NOT NULL AND i.tracking = 'none' THEN 'lot_unexpected'
            WHEN t.code IS NULL THEN 'location_unknown'
            WHEN s.is_in IS NULL THEN 'location_outside'
            WHEN scope IS NOT NULL AND NOT c.path <@ scope THEN 'item_outside'
            WHEN i.tracking = 'serial' AND abs(p.quantity) <> 1 THEN 'serial_is_one'
            WHEN u.dimension = 'count' AND p.quantity <> trunc(p.quantity) THEN 'quantity_not_whole'
            WHEN k.is_weighed IS NOT TRUE AND p.weight <> 0 THEN 'weight_unexpected'
            WHEN k.is_weighed AND i.tracking <> 'serial' AND p.quantity <> 0 AND p.weight = 0 THEN 'weight_missing'
        END AS code) w
        WHERE w.code IS NOT NULL ORDER BY p.line LIMIT 100
    ) f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'scans that cannot be'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_count_scan_fits', DETAIL = faults::text;
    END IF;

    -- Of each thing at each place: what is more; of a piece, whether it is there, as the last scan says. In the order of the keys, and what a
    -- place is left by in front.
    SELECT array_agg(d.item_id), array_agg(d.lot_id), array_agg(d.location_id), array_agg(d.quantity), array_agg(d.weight), array_agg(d.scans),
           array_agg(d.line), array_agg(d.is_serial), array_agg(d.is_weighed), array_agg(d.is_found), array_agg(d.elsewhere), array_agg(d.leaves)
    INTO items, lots, locations, quantities, weights, taken, lines, serials, weighed, found, elsewheres, lefts
    FROM (
        SELECT d.*,
               -- Where else the same piece is found here, and which place it leaves.
               (array_remove(array_agg(d.location_id) FILTER (WHERE d.is_serial AND d.quantity > 0) OVER same, d.location_id))[1] AS elsewhere,
               (array_agg(d.location_id) FILTER (WHERE d.quantity = 0 AND NOT d.is_found) OVER same)[1] AS leaves
        FROM (
            SELECT p.item_id, p.lot_id, p.location_id, i.is_serial, COALESCE(k.is_weighed, false) AS is_weighed,
                   CASE WHEN i.is_serial THEN GREATEST((array_agg(p.quantity ORDER BY p.line DESC))[1], 0) ELSE sum(p.quantity) END AS quantity,
                   CASE WHEN i.is_serial THEN COALESCE((array_agg(p.weight ORDER BY p.line DESC) FILTER (WHERE p.weight > 0))[1], 0)
                        ELSE sum(p.weight) END AS weight,
                   bool_or(p.quantity > 0) AS is_found, count(*)::integer AS scans, max(p.line) AS line
            FROM posted p
            CROSS JOIN LATERAL (SELECT tracking = 'serial' AS is_serial FROM item WHERE id = p.item_id OFFSET 0) i
            LEFT JOIN LATERAL (SELECT is_weighed FROM item_stocking WHERE item_id = p.item_id OFFSET 0) k ON true
            GROUP BY p.item_id, p.lot_id, p.location_id, i.is_serial, k.is_weighed
        ) d
        WINDOW same AS (PARTITION BY d.lot_id)
        ORDER BY d.lot_id, d.quantity, d.item_id, d.location_id
    ) d;
    at := stock_moment(items, locations, at);
    INSERT INTO stock_level (item_id, location_id, may_run_short, changed_at)
    SELECT DISTINCT k.item_id, k.location_id, l.may_run_short, at
    FROM unnest(items, locations) k (item_id, location_id)
    CROSS JOIN LATERAL (SELECT may_run_short FROM location WHERE id = k.location_id OFFSET 0) l
    ON CONFLICT (item_id, location_id) DO UPDATE SET changed_at = GREATEST(stock_level.changed_at, EXCLUDED.changed_at);

    FOR attempt IN 1..3 LOOP
        SELECT jsonb_agg(f.fault) INTO faults
        FROM (
            SELECT jsonb_build_object('line', d.line, 'code', w.code, 'sku', (SELECT sku FROM item WHERE id = d.item_id),
                       'number', (SELECT number FROM lot WHERE id = d.lot_id), 'counted', trim_scale(COALESCE(l.counted, 0))::text, 'left', trim_scale(n.weight)::text,
                       'location', (SELECT code FROM location WHERE id = CASE w.code
                           WHEN 'elsewhere' THEN COALESCE(d.elsewhere, o.location_id) ELSE d.location_id END)) AS fault
            FROM unnest(items, lots, locations, quantities, weights, taken, lines, serials, weighed, found, elsewheres, lefts)
                d (item_id, lot_id, location_id, quantity, weight, scans, line, is_serial, is_weighed, is_found, elsewhere, leaves)
            LEFT JOIN LATERAL (
                SELECT * FROM stock_count_line l
                WHERE l.count_id = counting.id AND l.item_id = d.item_id AND l.location_id = d.location_id AND l.is_current
                  AND COALESCE(l.lot_id, '00000000-0000-0000-0000-000000000000') = COALESCE(d.lot_id, '00000000-0000-0000-0000-000000000000')
                OFFSET 0) l ON true
            LEFT JOIN LATERAL (
                SELECT location_id FROM stock_count_line o
                WHERE d.is_serial AND d.quantity > 0 AND o.count_id = counting.id AND o.lot_id = d.lot_id AND o.is_serial AND o.is_current
                  AND o.counted > 0 AND o.location_id <> d.location_id AND o.location_id IS DISTINCT FROM d.leaves
                OFFSET 0) o ON true
            CROSS JOIN LATERAL (SELECT COALESCE(l.counted, 0) + d.quantity AS quantity, COALESCE(l.counted_weight, 0) + d.weight AS weight) n
            CROSS JOIN LATERAL (SELECT CASE
                WHEN l.settled_at IS NOT NULL THEN 'settled'
                WHEN COALESCE(l.scans, 0) + d.scans > 100000 THEN 'too_many'
                WHEN n.quantity > 9999999999999 OR n.weight > 9999999999999 THEN 'too_much'
                WHEN d.is_serial AND d.quantity = 0 AND COALESCE(l.counted, 0) = 0 AND NOT d.is_found THEN 'below_nothing'
                WHEN NOT d.is_serial AND (n.quantity < 0 OR n.weight < 0) THEN 'below_nothing'
                WHEN NOT d.is_serial AND d.is_weighed AND n.quantity = 0 AND n.weight > 0 THEN 'weight_left'
                WHEN NOT d.is_serial AND d.is_weighed AND n.quantity > 0 AND n.weight = 0 THEN 'weight_missing'
                WHEN d.is_serial AND d.quantity > 0 AND (d.elsewhere IS NOT NULL OR o.location_id IS NOT NULL) THEN 'elsewhere'
            END AS code) w
            WHERE w.code IS NOT NULL ORDER BY d.line LIMIT 100
        ) f;
        IF faults IS NOT NULL THEN
            RAISE EXCEPTION 'scans that do not go with others'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_count_scan_fits', DETAIL = faults::text;
        END IF;
        BEGIN
            -- Updates as well: what a line is to be is known before, for nobody else scans the same thing at the same place.
            INSERT INTO stock_count_line (count_id, round, item_id, lot_id, location_id, is_serial, is_weighed, counted, counted_weight, scans,
                                          last_scan_at)
            SELECT counting.id, counting.round, d.item_id, d.lot_id, d.location_id, d.is_serial, d.is_weighed,
                   CASE WHEN d.is_serial THEN d.quantity ELSE COALESCE(l.counted, 0) + d.quantity END,
                   CASE WHEN NOT d.is_serial THEN COALESCE(l.counted_weight, 0) + d.weight
                        WHEN d.quantity = 0 THEN 0
                        ELSE COALESCE(NULLIF(d.weight, 0), l.counted_weight, 0) END,
                   COALESCE(l.scans, 0) + d.scans, at
            FROM unnest(items, lots, locations, quantities, weights, taken, serials, weighed)
                d (item_id, lot_id, location_id, quantity, weight, scans, is_serial, is_weighed)
            LEFT JOIN LATERAL (
                SELECT * FROM stock_count_line l
                WHERE l.count_id = counting.id AND l.item_id = d.item_id AND l.location_id = d.location_id AND l.is_current
                  AND COALESCE(l.lot_id, '00000000-0000-0000-0000-000000000000') = COALESCE(d.lot_id, '00000000-0000-0000-0000-000000000000')
                OFFSET 0) l ON true
            ON CONFLICT (count_id, item_id, location_id, COALESCE(lot_id, '00000000-0000-0000-0000-000000000000')) WHERE is_current DO UPDATE
            SET counted = EXCLUDED.counted, counted_weight = EXCLUDED.counted_weight, scans = EXCLUDED.scans, last_scan_at = EXCLUDED.last_scan_at;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            -- Somebody has just scanned a piece at another place: now it is seen where.
            IF attempt = 3 THEN
                RAISE;
            END IF;
        END;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_count_scan_counts AFTER INSERT ON stock_count_scan
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION stock_count_take();

-- Counting has come to an end: what was found is compared with what should have been there, in a statement that sees one moment. What lies
-- somewhere and nobody has scanned was not there.
CREATE FUNCTION stock_count_settle() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET jit = off AS $$
BEGIN
    IF NEW.round = 1 THEN
        INSERT INTO stock_count_line (count_id, round, item_id, lot_id, location_id, is_serial, is_weighed)
        SELECT NEW.id, NEW.round, t.item_id, t.lot_id, t.location_id, i.tracking = 'serial', COALESCE(k.is_weighed, false)
        FROM stock_count_location c
        CROSS JOIN LATERAL (
            SELECT item_id, NULL::uuid AS lot_id, location_id FROM stock_level WHERE location_id = c.location_id AND on_hand <> 0
            UNION ALL
            SELECT item_id, lot_id, location_id FROM stock_lot_level WHERE location_id = c.location_id AND on_hand > 0
        ) t
        JOIN item i ON i.id = t.item_id AND (i.tracking = 'none') = (t.lot_id IS NULL)
        LEFT JOIN item_stocking k ON k.item_id = t.item_id
        WHERE c.count_id = NEW.id
          AND (NEW.category_id IS NULL
               OR i.category_id IN (SELECT b.id FROM category w JOIN category b ON b.path <@ w.path WHERE w.id = NEW.category_id))
        LIMIT 100001
        ON CONFLICT DO NOTHING;
    END IF;
    IF (SELECT count(*) FROM stock_count_line WHERE count_id = NEW.id AND is_current) > 50000 THEN
        RAISE EXCEPTION 'a count has at most 50000 lines'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_count_bounded';
    END IF;
    UPDATE stock_count_line l
    SET settled_at = NEW.updated_at, expected = e.expected, expected_weight = e.expected_weight, counted_weight = e.counted_weight,
        needs_recount = abs(l.counted - e.expected) * 100 > NEW.tolerance * abs(e.expected)
                        OR abs(e.counted_weight - e.expected_weight) * 100 > NEW.tolerance * abs(e.expected_weight)
    FROM (
        SELECT o.number, x.quantity AS expected, x.weight AS expected_weight,
               -- A piece that was found and not weighed weighs what it should.
               CASE WHEN NOT (o.is_serial AND o.is_weighed AND o.counted = 1 AND o.counted_weight = 0) THEN o.counted_weight
                    WHEN x.quantity = 1 THEN x.weight
                    ELSE COALESCE((SELECT net_weight FROM lot WHERE id = o.lot_id), 0) END AS counted_weight
        FROM stock_count_line o
        CROSS JOIN LATERAL stock_count_expected(o.item_id, o.lot_id, o.location_id, o.last_scan_at) x
        WHERE o.count_id = NEW.id AND o.is_current AND o.settled_at IS NULL
    ) e
    WHERE l.number = e.number AND l.count_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_count_settles AFTER UPDATE ON stock_count FOR EACH ROW
    WHEN (NEW.state = 'review') EXECUTE FUNCTION stock_count_settle();

-- What is counted again begins anew; what was counted stays beside it.
CREATE FUNCTION stock_count_recount() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old bigint[];
BEGIN
    WITH past AS (
        UPDATE stock_count_line SET is_current = false
        WHERE count_id = NEW.id AND is_current
          AND (number = ANY (NEW.recounted) OR needs_recount AND cardinality(NEW.recounted) = 0)
        RETURNING number
    )
    SELECT array_agg(number) INTO old FROM past;
    IF old IS NULL OR EXISTS (SELECT FROM unnest(NEW.recounted) w WHERE w <> ALL (old)) THEN
        RAISE EXCEPTION 'lines of the count are counted again, and there are some'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_count_recounts';
    END IF;
    INSERT INTO stock_count_line (count_id, round, item_id, lot_id, location_id, is_serial, is_weighed)
    SELECT count_id, NEW.round, item_id, lot_id, location_id, is_serial, is_weighed
    FROM stock_count_line WHERE number = ANY (old) ORDER BY number;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_count_recounts AFTER UPDATE ON stock_count FOR EACH ROW
    WHEN (NEW.state = 'open') EXECUTE FUNCTION stock_count_recount();

-- The places of a count that has ended may be counted again.
CREATE FUNCTION stock_count_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE stock_count_location SET is_open = false WHERE count_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_count_ends AFTER UPDATE ON stock_count FOR EACH ROW
    WHEN (NEW.state IN ('posted', 'cancelled')) EXECUTE FUNCTION stock_count_end();

-- Owners may do everything already.
UPDATE role SET permissions = permissions || '{stock.approve}' WHERE code = 'manager';
