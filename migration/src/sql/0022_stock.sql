-- Lots, stock entries with their movements, levels and reservations, and how each item is kept.
--
-- Movements are the truth. Levels follow from them in the same statement, by a trigger that runs with the owner's rights: whoever may
-- insert movements cannot write a level, and no level is other than the sum of its movements. The same holds of what is reserved.

-- For triggers that refuse a change, each by its own name.
CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% stays as it is: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;

-- How an item is kept, where that is not the usual way: counted alone, without a bound.
CREATE TABLE item_stocking (
    item_id          uuid PRIMARY KEY REFERENCES item (id),
    -- Whether every movement has a weight beside its pieces.
    is_weighed       boolean NOT NULL DEFAULT false,
    -- Grams that may be over or missing when the last piece leaves a place: they are written off in the same entry.
    weight_tolerance numeric(15, 6) NOT NULL DEFAULT 0 CHECK (weight_tolerance >= 0),
    -- When no more than this is available, more should be bought: up to the maximum, when there is one.
    reorder_point    numeric(19, 6) CHECK (reorder_point >= 0),
    maximum          numeric(19, 6) CHECK (maximum > 0),
    version          bigint NOT NULL DEFAULT 1,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT item_stocking_tolerance_of_weight CHECK (is_weighed OR weight_tolerance = 0),
    CONSTRAINT item_stocking_maximum_above CHECK (maximum > reorder_point)
);
CREATE INDEX item_stocking_reordered ON item_stocking (item_id) WHERE reorder_point IS NOT NULL;

CREATE TABLE lot (
    id                 uuid PRIMARY KEY,
    item_id            uuid NOT NULL REFERENCES item (id),
    -- A serial is a lot of one piece.
    kind               text NOT NULL CHECK (kind IN ('lot', 'serial')),
    number             text COLLATE "C" NOT NULL CHECK (length(number) BETWEEN 1 AND 100),
    expires_on         date,
    fineness           numeric(7, 3) CHECK (fineness > 0 AND fineness <= 1000),
    gross_weight       numeric(15, 6) CHECK (gross_weight > 0),
    net_weight         numeric(15, 6) CHECK (net_weight > 0),
    unit_cost          numeric(24, 6) CHECK (unit_cost >= 0),
    huid               text COLLATE "C" CONSTRAINT lot_huid_unique UNIQUE CHECK (huid ~ '^[A-Z0-9]{6}$'),
    certificate_number text CHECK (length(certificate_number) BETWEEN 1 AND 100),
    -- What is in quarantine is neither sold nor held for anybody.
    state              text NOT NULL DEFAULT 'available' CHECK (state IN ('available', 'quarantined')),
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CONSTRAINT lot_number_unique UNIQUE (item_id, number),
    CONSTRAINT lot_weights CHECK (net_weight <= gross_weight),
    CONSTRAINT lot_huid_of_piece CHECK (huid IS NULL OR kind = 'serial')
);
-- A scanned number finds its lots, whatever item they are of; what expires first is suggested first.
CREATE INDEX lot_by_number ON lot (number, id);
CREATE INDEX lot_expiry ON lot (expires_on, id) WHERE expires_on IS NOT NULL;
CREATE INDEX lot_item_expiry ON lot (item_id, expires_on, id);

-- Whether items are counted alone, by lot or by piece cannot change once there are lots of one kind: whoever adds lots shares the lock that
-- whoever changes the item owns (`stock_own`).
CREATE FUNCTION lot_as_item_is_tracked() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    wrong text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(8317423741026365291);
    SELECT n.number INTO wrong
    FROM changed n JOIN item i ON i.id = n.item_id
    WHERE i.tracking <> n.kind LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'lot % is not of the kind by which its item is tracked', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'lot_tracking';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lot_tracking AFTER INSERT ON lot
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lot_as_item_is_tracked();

CREATE TRIGGER lot_identity BEFORE UPDATE ON lot FOR EACH ROW
    WHEN ((NEW.id, NEW.item_id, NEW.kind) IS DISTINCT FROM (OLD.id, OLD.item_id, OLD.kind)) EXECUTE FUNCTION stays();
CREATE TRIGGER lot_kept BEFORE DELETE OR TRUNCATE ON lot FOR EACH STATEMENT EXECUTE FUNCTION stays();

-- What was done at once: all of it happened, or nothing.
CREATE TABLE stock_entry (
    id           uuid PRIMARY KEY,
    number       bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT stock_entry_number_unique UNIQUE,
    kind         text NOT NULL CHECK (kind IN ('receive', 'move', 'issue', 'adjust', 'transform', 'reverse')),
    reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 50),
    document     text CHECK (length(document) BETWEEN 1 AND 200),
    note         text CHECK (length(note) BETWEEN 1 AND 2000),
    effective_at timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id     uuid,
    actor_name   text NOT NULL,
    reverses_id  uuid CONSTRAINT stock_entry_reversed_once UNIQUE REFERENCES stock_entry (id),
    lines        integer NOT NULL CHECK (lines BETWEEN 1 AND 50000),
    CONSTRAINT stock_entry_reversal CHECK ((kind = 'reverse') = (reverses_id IS NOT NULL)),
    -- Clocks differ by minutes; beyond, nothing happens before its time.
    CONSTRAINT stock_entry_not_ahead CHECK (effective_at <= recorded_at + interval '5 minutes')
);
CREATE INDEX stock_entry_effective ON stock_entry (effective_at, id);
CREATE INDEX stock_entry_document ON stock_entry (document, id) WHERE document IS NOT NULL;

-- Goods go from one location to another, with pieces and net weight as two quantities that do not follow from each other.
CREATE TABLE stock_movement (
    entry_id         uuid NOT NULL,
    line             integer NOT NULL CHECK (line >= 1),
    number           bigint GENERATED ALWAYS AS IDENTITY,
    item_id          uuid NOT NULL,
    lot_id           uuid,
    from_location_id uuid NOT NULL,
    to_location_id   uuid NOT NULL,
    quantity         numeric(19, 6) NOT NULL CHECK (quantity >= 0),
    -- Grams, without stones.
    weight           numeric(19, 6) NOT NULL DEFAULT 0 CHECK (weight >= 0),
    -- Grams of pure metal in it. Rounded once, when it comes in; from then on it is divided and joined without loss.
    fine_weight      numeric(19, 6) NOT NULL DEFAULT 0 CHECK (fine_weight >= 0),
    -- Of one unit that comes in; in the shop's currency.
    unit_cost        numeric(24, 6) CHECK (unit_cost >= 0),
    -- The entry's, for the sake of the indexes.
    effective_at     timestamptz NOT NULL,
    PRIMARY KEY (entry_id, line),
    CONSTRAINT stock_movement_moves CHECK (from_location_id <> to_location_id),
    -- Fine weight alone is corrected when an assay finds another.
    CONSTRAINT stock_movement_something CHECK (quantity > 0 OR weight > 0 OR fine_weight > 0)
);
CREATE INDEX stock_movement_item ON stock_movement (item_id, effective_at, number);
CREATE INDEX stock_movement_lot ON stock_movement (lot_id, effective_at, number) WHERE lot_id IS NOT NULL;
CREATE INDEX stock_movement_from ON stock_movement (from_location_id, effective_at, number);
CREATE INDEX stock_movement_to ON stock_movement (to_location_id, effective_at, number);

-- Goods that come from outside or leave are not counted there: only where somebody could go and look.
ALTER TABLE location ADD COLUMN keeps_stock boolean NOT NULL
    GENERATED ALWAYS AS (kind NOT IN ('supplier', 'customer', 'adjustment', 'loss', 'production')) STORED;
-- What is on its way has been sent by somebody: there is never less than nothing of it. Levels hold a copy; the key keeps it true.
ALTER TABLE location ADD COLUMN may_run_short boolean NOT NULL GENERATED ALWAYS AS (negative_allowed AND kind <> 'transit') STORED;
ALTER TABLE location ADD CONSTRAINT location_may_run_short UNIQUE (id, may_run_short);

CREATE TABLE stock_level (
    item_id          uuid NOT NULL REFERENCES item (id),
    location_id      uuid NOT NULL,
    on_hand          numeric(19, 6) NOT NULL DEFAULT 0,
    reserved         numeric(19, 6) NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    weight           numeric(19, 6) NOT NULL DEFAULT 0,
    fine_weight      numeric(19, 6) NOT NULL DEFAULT 0,
    may_run_short    boolean NOT NULL,
    version          bigint NOT NULL DEFAULT 0,
    changed_at       timestamptz NOT NULL,
    PRIMARY KEY (item_id, location_id),
    CONSTRAINT stock_level_location FOREIGN KEY (location_id, may_run_short) REFERENCES location (id, may_run_short) ON UPDATE CASCADE,
    CONSTRAINT stock_level_not_negative CHECK (may_run_short OR (on_hand >= 0 AND weight >= 0 AND fine_weight >= 0)),
    CONSTRAINT stock_level_not_oversold CHECK (may_run_short OR reserved <= on_hand),
    CONSTRAINT stock_level_weight_of_nothing CHECK (on_hand <> 0 OR weight = 0 AND fine_weight = 0)
) WITH (fillfactor = 70);
CREATE INDEX stock_level_location_item ON stock_level (location_id, item_id);

-- The same of each lot: never negative, wherever it is.
CREATE TABLE stock_lot_level (
    lot_id      uuid NOT NULL REFERENCES lot (id),
    location_id uuid NOT NULL REFERENCES location (id),
    item_id     uuid NOT NULL,
    is_serial   boolean NOT NULL,
    on_hand     numeric(19, 6) NOT NULL DEFAULT 0 CONSTRAINT stock_lot_level_not_negative CHECK (on_hand >= 0),
    reserved    numeric(19, 6) NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    weight      numeric(19, 6) NOT NULL DEFAULT 0 CONSTRAINT stock_lot_level_weight CHECK (weight >= 0),
    fine_weight numeric(19, 6) NOT NULL DEFAULT 0 CONSTRAINT stock_lot_level_fine_weight CHECK (fine_weight >= 0),
    PRIMARY KEY (lot_id, location_id),
    CONSTRAINT stock_lot_level_not_oversold CHECK (reserved <= on_hand),
    CONSTRAINT stock_lot_level_weight_of_nothing CHECK (on_hand <> 0 OR weight = 0 AND fine_weight = 0),
    CONSTRAINT stock_lot_level_one_piece CHECK (NOT is_serial OR on_hand IN (0, 1))
) WITH (fillfactor = 80);
-- A serial is in one place.
CREATE UNIQUE INDEX stock_lot_level_one_place ON stock_lot_level (lot_id) WHERE is_serial AND on_hand > 0;
CREATE INDEX stock_lot_level_there ON stock_lot_level (item_id, location_id, lot_id) WHERE on_hand > 0;
CREATE INDEX stock_lot_level_location ON stock_lot_level (location_id, lot_id) WHERE on_hand > 0;

CREATE TABLE stock_reservation (
    id          uuid PRIMARY KEY,
    -- Keys are looked at last, for the trigger says better what is wrong.
    item_id     uuid NOT NULL REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED,
    location_id uuid NOT NULL REFERENCES location (id) DEFERRABLE INITIALLY DEFERRED,
    -- Any of the item's lots without.
    lot_id      uuid REFERENCES lot (id) DEFERRABLE INITIALLY DEFERRED,
    quantity    numeric(19, 6) NOT NULL CHECK (quantity > 0),
    -- What is still held of it.
    open        numeric(19, 6) NOT NULL CHECK (open >= 0 AND open <= quantity),
    state       text NOT NULL CHECK (state IN ('active', 'fulfilled', 'released', 'expired')),
    -- Who it is held for.
    consumer    text NOT NULL CHECK (length(consumer) BETWEEN 1 AND 50),
    document    text CHECK (length(document) BETWEEN 1 AND 200),
    expires_at  timestamptz,
    actor_kind  text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id    uuid,
    actor_name  text NOT NULL,
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT stock_reservation_holds CHECK ((state = 'active') = (open > 0)),
    CONSTRAINT stock_reservation_lasts CHECK (expires_at > created_at)
) WITH (fillfactor = 80);
CREATE INDEX stock_reservation_item ON stock_reservation (item_id, location_id, id);
CREATE INDEX stock_reservation_document ON stock_reservation (document, id) WHERE document IS NOT NULL;
-- Those that may have run out: few, and looked for whenever stock is.
CREATE INDEX stock_reservation_expiring ON stock_reservation (item_id, location_id, expires_at) WHERE open > 0 AND expires_at IS NOT NULL;
CREATE INDEX stock_reservation_expired ON stock_reservation (expires_at) WHERE open > 0 AND expires_at IS NOT NULL;

-- Up to when nothing is posted any more. One row.
CREATE TABLE stock_closing (
    singleton    boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    closed_until timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL
);

-- Proofs that levels are the sums of movements: asked for by somebody, made by a job.
CREATE TABLE stock_reconciliation (
    id               uuid PRIMARY KEY,
    job_id           uuid NOT NULL REFERENCES job (id),
    note             text CHECK (length(note) BETWEEN 1 AND 2000),
    created_at       timestamptz NOT NULL,
    finished_at      timestamptz,
    level_count      bigint,
    movement_count   bigint,
    difference_count bigint,
    -- The first of them.
    differences      jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT stock_reconciliation_finished
        CHECK ((finished_at IS NULL) = (level_count IS NULL) AND (finished_at IS NULL) = (movement_count IS NULL)
               AND (finished_at IS NULL) = (difference_count IS NULL))
);
CREATE INDEX stock_reconciliation_job ON stock_reconciliation (job_id);

CREATE TRIGGER stock_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stock_movement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Locations stay for those who read the history.
CREATE TRIGGER location_kept BEFORE DELETE OR TRUNCATE ON location FOR EACH STATEMENT EXECUTE FUNCTION stays();
-- What a location keeps cannot change under its levels.
CREATE TRIGGER location_nature BEFORE UPDATE ON location FOR EACH ROW
    WHEN (NEW.kind <> OLD.kind
          AND (OLD.is_virtual OR NEW.kind IN ('supplier', 'customer', 'adjustment', 'loss', 'transit', 'production')))
    EXECUTE FUNCTION stays();

-- Whoever posts or reserves shares this lock (`stock_post`, `stock_hold`); whoever closes a location or a period, or changes how an item is
-- kept, owns it. It is asked for before any row is locked that those who share it lock, too.
CREATE FUNCTION stock_own() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_xact_lock(8317423741026365291)';

-- In what an item is counted, how its pieces are told apart and whether there are any cannot change under its stock.
CREATE FUNCTION item_stays_as_stocked() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM stock_own();
    IF EXISTS (SELECT FROM stock_level WHERE item_id = NEW.id) OR EXISTS (SELECT FROM lot WHERE item_id = NEW.id) THEN
        RAISE EXCEPTION 'item % has stock or lots that are kept otherwise', NEW.id
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = CASE WHEN NEW.tracking <> OLD.tracking THEN 'item_tracking_stays' WHEN NEW.unit_id <> OLD.unit_id THEN 'item_unit_stays'
                                    WHEN NEW.kind <> OLD.kind THEN 'item_kind_stays' ELSE 'item_template_without_stock' END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER item_stays_as_stocked BEFORE UPDATE OF tracking, unit_id, kind, is_template ON item FOR EACH ROW
    WHEN (NEW.tracking <> OLD.tracking OR NEW.unit_id <> OLD.unit_id OR NEW.is_template AND NOT OLD.is_template
          OR NEW.kind IN ('service', 'digital') AND OLD.kind NOT IN ('service', 'digital'))
    EXECUTE FUNCTION item_stays_as_stocked();

CREATE FUNCTION item_weighing_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM stock_own();
    IF EXISTS (SELECT FROM stock_level WHERE item_id = NEW.item_id) THEN
        RAISE EXCEPTION 'item % has stock that is kept otherwise', NEW.item_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'item_weighing_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER item_weighing_begins BEFORE INSERT ON item_stocking FOR EACH ROW
    WHEN (NEW.is_weighed) EXECUTE FUNCTION item_weighing_stays();
CREATE TRIGGER item_weighing_stays BEFORE UPDATE OF item_id, is_weighed ON item_stocking FOR EACH ROW
    WHEN ((NEW.item_id, NEW.is_weighed) IS DISTINCT FROM (OLD.item_id, OLD.is_weighed)) EXECUTE FUNCTION item_weighing_stays();
CREATE TRIGGER item_stocking_kept BEFORE DELETE OR TRUNCATE ON item_stocking FOR EACH STATEMENT EXECUTE FUNCTION stays();
