-- Where stock lies: the tree of places in the shop, and the places outside of it that are the other side of every movement.

CREATE TABLE location (
    id                 uuid PRIMARY KEY,
    number             bigint NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT location_number_unique UNIQUE,
    parent_id          uuid REFERENCES location (id),
    path               ltree NOT NULL CONSTRAINT location_depth CHECK (nlevel(path) <= 100),
    code               text COLLATE "C" NOT NULL CONSTRAINT location_code_unique UNIQUE
                       CHECK (length(code) BETWEEN 1 AND 64 AND code = upper(code)),
    name               jsonb NOT NULL,
    kind               text NOT NULL CHECK (kind IN ('shop', 'floor', 'showcase', 'tray', 'safe', 'storage',
                                                     'supplier', 'customer', 'adjustment', 'loss', 'transit', 'production')),
    is_virtual         boolean NOT NULL
                       GENERATED ALWAYS AS (kind IN ('supplier', 'customer', 'adjustment', 'loss', 'transit', 'production')) STORED,
    position           integer NOT NULL,
    negative_allowed   boolean NOT NULL DEFAULT false,
    -- The most that may lie in it at once, of all items together, without what is below it.
    capacity           numeric(19, 6) CHECK (capacity > 0),
    external_reference text COLLATE "C" CONSTRAINT location_external_reference_unique UNIQUE,
    -- Since when it is closed: nothing is moved into it or out of it.
    archived_at        timestamptz,
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    -- What suppliers have given us is missing there: that is how both sides of a movement are in the books.
    CONSTRAINT location_virtual_unbounded CHECK (NOT is_virtual OR negative_allowed AND capacity IS NULL),
    -- Movements know these by their ids.
    CONSTRAINT location_seeded_open CHECK (archived_at IS NULL OR id NOT IN (
        '01930000-0000-7000-8003-000000000001', '01930000-0000-7000-8003-000000000002', '01930000-0000-7000-8003-000000000003',
        '01930000-0000-7000-8003-000000000004', '01930000-0000-7000-8003-000000000005', '01930000-0000-7000-8003-000000000006')),
    -- For `location_category`.
    CONSTRAINT location_id_virtual UNIQUE (id, is_virtual)
);
CREATE INDEX location_path ON location USING gist (path);
CREATE INDEX location_siblings ON location (parent_id, position, number);

-- Only items of these categories, and of those below them, may lie in a location and below it; of all categories when there are none.
CREATE TABLE location_category (
    location_id uuid NOT NULL,
    category_id uuid NOT NULL REFERENCES category (id),
    -- A virtual location takes everything.
    is_virtual  boolean NOT NULL DEFAULT false CHECK (NOT is_virtual),
    PRIMARY KEY (location_id, category_id),
    CONSTRAINT location_category_physical
        FOREIGN KEY (location_id, is_virtual) REFERENCES location (id, is_virtual) ON DELETE CASCADE
);
CREATE INDEX location_category_category ON location_category (category_id);

-- Whatever a statement writes, a path is the parent's path and the own number, and a virtual location lies below its like only, as a
-- physical one lies below no virtual one. Checked per statement, as the paths of categories are.
CREATE FUNCTION location_check_paths() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT c.id,
           c.path <> CASE WHEN c.parent_id IS NULL THEN c.number::text::ltree ELSE p.path || c.number::text END AS is_elsewhere
    INTO wrong
    FROM changed n
    JOIN location c ON c.id = n.id OR c.parent_id = n.id
    LEFT JOIN location p ON p.id = c.parent_id
    WHERE c.path <> CASE WHEN c.parent_id IS NULL THEN c.number::text::ltree
                         ELSE p.path || c.number::text END
       OR (c.is_virtual OR p.is_virtual) AND c.kind <> p.kind
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF wrong.is_elsewhere THEN
        RAISE EXCEPTION 'location % would have a path that does not follow from its parent', wrong.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'location_path_follows_parent';
    END IF;
    RAISE EXCEPTION 'location % would lie below one of another kind, and one of the two is virtual', wrong.id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'location_virtual_below_its_like';
END $$;
CREATE TRIGGER location_paths_inserted AFTER INSERT ON location
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION location_check_paths();
CREATE TRIGGER location_paths_updated AFTER UPDATE ON location
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION location_check_paths();

-- The other sides of movements, which every shop has.
INSERT INTO location (id, number, path, code, name, kind, position, negative_allowed, created_at, updated_at)
OVERRIDING SYSTEM VALUE
SELECT s.id, s.number, s.number::text::ltree, s.code, s.name, s.kind, s.position, true, now(), now()
FROM (
    SELECT v.*, nextval(pg_get_serial_sequence('location', 'number')) AS number
    FROM (VALUES
        ('01930000-0000-7000-8003-000000000001'::uuid, 'SUPPLIER',   '{"en": "Supplier", "fa": "تأمین‌کننده"}'::jsonb, 'supplier',   0),
        ('01930000-0000-7000-8003-000000000002',       'CUSTOMER',   '{"en": "Customer", "fa": "مشتری"}',              'customer',   1),
        ('01930000-0000-7000-8003-000000000003',       'ADJUSTMENT', '{"en": "Adjustment", "fa": "اصلاح موجودی"}',     'adjustment', 2),
        ('01930000-0000-7000-8003-000000000004',       'LOSS',       '{"en": "Loss", "fa": "ضایعات"}',                 'loss',       3),
        ('01930000-0000-7000-8003-000000000005',       'TRANSIT',    '{"en": "In transit", "fa": "در راه"}',           'transit',    4),
        ('01930000-0000-7000-8003-000000000006',       'PRODUCTION', '{"en": "Production", "fa": "تولید"}',            'production', 5)
    ) AS v (id, code, name, kind, position)
) s;

-- Owners may do everything already.
UPDATE role SET permissions = permissions || '{stock.read,stock.write,location.write}' WHERE code = 'manager';
UPDATE role SET permissions = permissions || '{stock.read,stock.write}' WHERE code = 'clerk';
