-- What came in and left at each place, week by week, of items that move often. What was there at a moment of the past is what is there now
-- without what moved since: whole weeks, and the movements of one week. Of items that move seldom there are no weeks: their movements are few.
--
-- Weeks are made behind posting, by a worker, and add nothing to what posting costs. Whoever reads is right whether they are there or not: it is
-- known up to which number movements are in them, and the others are added. So what is back-dated is right, too.

CREATE TABLE stock_week (
    item_id     uuid NOT NULL,
    location_id uuid NOT NULL,
    -- Its Monday, in UTC.
    week        date NOT NULL,
    quantity    numeric(24, 6) NOT NULL,
    weight      numeric(24, 6) NOT NULL,
    fine_weight numeric(24, 6) NOT NULL,
    PRIMARY KEY (item_id, location_id, week)
) WITH (fillfactor = 80);

-- Items that have weeks.
CREATE TABLE stock_week_item (
    item_id uuid PRIMARY KEY
);

-- How far the movements of all items have got. One row.
CREATE TABLE stock_week_mark (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    -- Nobody adds a movement with this number or a lower one any more.
    number    bigint NOT NULL,
    -- Up to this one, the movements of items that have weeks are in them.
    looked    bigint NOT NULL CHECK (looked <= number)
);
INSERT INTO stock_week_mark (number, looked) VALUES (0, 0);

-- Movements lie in the order in which they came, so an index of their numbers costs next to nothing.
CREATE INDEX stock_movement_number ON stock_movement USING brin (number) WITH (pages_per_range = 32);

-- All that levels of the past and the lines of a card need: of an item that moves often, most movements that are looked at are elsewhere, and
-- each would be a block to read.
DROP INDEX stock_movement_item;
CREATE INDEX stock_movement_item ON stock_movement (item_id, effective_at, number)
    INCLUDE (from_location_id, to_location_id, quantity, weight, fine_weight);

CREATE FUNCTION stock_week_of(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS
$$ SELECT date_trunc('week', at AT TIME ZONE 'UTC')::date $$;
CREATE FUNCTION stock_week_end(at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
$$ SELECT (date_trunc('week', at AT TIME ZONE 'UTC') + interval '7 days') AT TIME ZONE 'UTC' $$;

-- Movements that are in no week yet, found by their numbers. A function of its own, for only so it is certain that they are: the planner does
-- not know how few they are.
CREATE FUNCTION stock_movements_behind_weeks()
RETURNS TABLE (number bigint, item_id uuid, from_location_id uuid, to_location_id uuid, effective_at timestamptz,
               quantity numeric, weight numeric, fine_weight numeric)
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_indexonlyscan = off SET jit = off AS $$
    SELECT m.number, m.item_id, m.from_location_id, m.to_location_id, m.effective_at, m.quantity, m.weight, m.fine_weight
    FROM stock_movement m
    WHERE m.number > (SELECT k.looked FROM stock_week_mark k) AND m.number <= (SELECT k.looked + 1000000000000 FROM stock_week_mark k)
$$;

-- By how much an item has become more at each place since a moment, and since the movement with this number among those of that moment: any
-- number of rows for each place, also for those outside. It becomes a part of whatever statement asks.
CREATE FUNCTION stock_changes_since(item uuid, since timestamptz, since_number bigint)
RETURNS TABLE (place uuid, quantity numeric, weight numeric, fine_weight numeric) LANGUAGE sql STABLE AS $$
    SELECT w.location_id, w.quantity, w.weight, w.fine_weight
    FROM stock_week w
    WHERE w.item_id = item AND w.week > stock_week_of(since)
    UNION ALL
    SELECT e.place, e.sign * m.quantity, e.sign * m.weight, e.sign * m.fine_weight
    FROM stock_movement m CROSS JOIN LATERAL (VALUES (m.to_location_id, 1), (m.from_location_id, -1)) e (place, sign)
    WHERE m.item_id = item AND (m.effective_at, m.number) > (since, since_number) AND m.effective_at < stock_week_end(since)
    UNION ALL
    -- Behind that week: what is in no week, because the item has none, or because it is new.
    SELECT e.place, e.sign * m.quantity, e.sign * m.weight, e.sign * m.fine_weight
    FROM stock_movement m CROSS JOIN LATERAL (VALUES (m.to_location_id, 1), (m.from_location_id, -1)) e (place, sign)
    WHERE NOT EXISTS (SELECT FROM stock_week_item s WHERE s.item_id = item)
      AND m.item_id = item AND m.effective_at >= stock_week_end(since)
    UNION ALL
    SELECT e.place, e.sign * m.quantity, e.sign * m.weight, e.sign * m.fine_weight
    FROM stock_movements_behind_weeks() m CROSS JOIN LATERAL (VALUES (m.to_location_id, 1), (m.from_location_id, -1)) e (place, sign)
    WHERE EXISTS (SELECT FROM stock_week_item s WHERE s.item_id = item)
      AND m.item_id = item AND m.effective_at >= stock_week_end(since)
$$;

-- Sets the mark to the last movement there is, if it is at least so many behind; answers whether it did. For an instant nobody adds movements:
-- a number is taken before its movement can be seen, and the numbers that are taken then are those of movements that are there or never will
-- be. When somebody takes long it is given up, for others would wait behind us.
CREATE FUNCTION stock_week_set_mark(behind bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    marked bigint;
    last   bigint;
BEGIN
    SELECT m.number INTO marked FROM stock_week_mark m FOR UPDATE SKIP LOCKED;
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last FROM stock_movement_number_seq s;
    -- Somebody else is at it.
    IF marked IS NULL OR last < marked + behind THEN
        RETURN false;
    END IF;
    LOCK TABLE stock_movement IN SHARE MODE;
    SELECT s.last_value INTO last FROM stock_movement_number_seq s;
    UPDATE stock_week_mark SET number = last;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;

-- Looks at so many movements up to the mark: gives weeks to items that have moved so often by then, five at most, for each may have moved very
-- often; else adds those of items that have weeks. Answers whether there may be more to do.
CREATE FUNCTION stock_week_add(most bigint, enough bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    mark  bigint;
    begun bigint;
    ended bigint;
    items uuid[];
BEGIN
    SELECT m.number, m.looked, LEAST(m.looked + most, m.number) INTO mark, begun, ended
    FROM stock_week_mark m WHERE m.looked < m.number FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT array_agg(d.item_id) INTO items
    FROM (
        SELECT i.item_id
        FROM (SELECT DISTINCT m.item_id FROM stock_movement m WHERE m.number > begun AND m.number <= ended) i
        CROSS JOIN LATERAL (SELECT FROM stock_movement m WHERE m.item_id = i.item_id AND m.number <= ended OFFSET enough - 1 LIMIT 1) m
        WHERE NOT EXISTS (SELECT FROM stock_week_item s WHERE s.item_id = i.item_id)
        LIMIT 5
    ) d;
    INSERT INTO stock_week AS w (item_id, location_id, week, quantity, weight, fine_weight)
    SELECT m.item_id, e.location_id, stock_week_of(m.effective_at), sum(e.sign * m.quantity), sum(e.sign * m.weight), sum(e.sign * m.fine_weight)
    FROM (
        -- Of an item that gets weeks, what was looked at before.
        SELECT m.item_id, m.from_location_id, m.to_location_id, m.effective_at, m.quantity, m.weight, m.fine_weight
        FROM unnest(items) i (item_id)
        CROSS JOIN LATERAL (SELECT * FROM stock_movement m WHERE m.item_id = i.item_id AND m.number <= begun OFFSET 0) m
        UNION ALL
        SELECT m.item_id, m.from_location_id, m.to_location_id, m.effective_at, m.quantity, m.weight, m.fine_weight
        FROM stock_movement m
        WHERE items IS NULL AND m.number > begun AND m.number <= ended
          AND EXISTS (SELECT FROM stock_week_item s WHERE s.item_id = m.item_id)
    ) m
    CROSS JOIN LATERAL (VALUES (m.to_location_id, 1), (m.from_location_id, -1)) e (location_id, sign)
    WHERE e.location_id IN (SELECT l.id FROM location l WHERE l.keeps_stock)
    GROUP BY m.item_id, e.location_id, stock_week_of(m.effective_at)
    ON CONFLICT (item_id, location_id, week) DO UPDATE
    SET quantity = w.quantity + EXCLUDED.quantity, weight = w.weight + EXCLUDED.weight, fine_weight = w.fine_weight + EXCLUDED.fine_weight;
    IF items IS NULL THEN
        UPDATE stock_week_mark SET looked = ended;
        RETURN ended < mark;
    END IF;
    INSERT INTO stock_week_item (item_id) SELECT i.item_id FROM unnest(items) i (item_id);
    -- The same movements are looked at once more.
    RETURN true;
END $$;
