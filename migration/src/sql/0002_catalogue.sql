-- Units of measure, the category tree, items, their barcodes and pictures.

CREATE EXTENSION IF NOT EXISTS ltree;

CREATE TABLE unit_of_measure (
    id          uuid PRIMARY KEY,
    code        text NOT NULL CONSTRAINT unit_code_unique UNIQUE,
    name        jsonb NOT NULL,
    dimension   text NOT NULL CHECK (dimension IN ('count', 'mass', 'length', 'area', 'volume', 'time')),
    numerator   numeric NOT NULL CHECK (numerator > 0 AND numerator = trunc(numerator)),
    denominator numeric NOT NULL CHECK (denominator > 0 AND denominator = trunc(denominator))
);

-- Exact factors: an international ounce is 28.349523125 g and a troy ounce 31.1034768 g by definition (NIST Handbook 44,
-- appendix C); the metric carat is 0.2 g; a mesghal of the Iranian gold market is 4.6083 g; a tola is 3/8 troy ounce.
INSERT INTO unit_of_measure (id, code, name, dimension, numerator, denominator) VALUES
    ('01930000-0000-7000-8001-000000000001', 'piece',      '{"en": "piece", "fa": "عدد"}',           'count',  1, 1),
    ('01930000-0000-7000-8001-000000000002', 'pair',       '{"en": "pair", "fa": "جفت"}',            'count',  2, 1),
    ('01930000-0000-7000-8001-000000000003', 'dozen',      '{"en": "dozen", "fa": "دوجین"}',         'count',  12, 1),
    ('01930000-0000-7000-8001-000000000004', 'pack',       '{"en": "pack", "fa": "بسته"}',           'count',  1, 1),
    ('01930000-0000-7000-8001-000000000005', 'box',        '{"en": "box", "fa": "جعبه"}',            'count',  1, 1),
    ('01930000-0000-7000-8001-000000000006', 'portion',    '{"en": "portion", "fa": "پرس"}',         'count',  1, 1),
    ('01930000-0000-7000-8001-000000000011', 'gram',       '{"en": "gram", "fa": "گرم"}',            'mass',   1, 1),
    ('01930000-0000-7000-8001-000000000012', 'milligram',  '{"en": "milligram", "fa": "میلی‌گرم"}',   'mass',   1, 1000),
    ('01930000-0000-7000-8001-000000000013', 'kilogram',   '{"en": "kilogram", "fa": "کیلوگرم"}',    'mass',   1000, 1),
    ('01930000-0000-7000-8001-000000000014', 'carat',      '{"en": "carat", "fa": "قیراط"}',         'mass',   1, 5),
    ('01930000-0000-7000-8001-000000000015', 'mesghal',    '{"en": "mesghal", "fa": "مثقال"}',       'mass',   46083, 10000),
    ('01930000-0000-7000-8001-000000000016', 'tola',       '{"en": "tola", "fa": "توله"}',           'mass',   116638038, 10000000),
    ('01930000-0000-7000-8001-000000000017', 'troy_ounce', '{"en": "troy ounce", "fa": "اونس طلا"}', 'mass',   311034768, 10000000),
    ('01930000-0000-7000-8001-000000000018', 'ounce',      '{"en": "ounce", "fa": "اونس"}',          'mass',   28349523125, 1000000000),
    ('01930000-0000-7000-8001-000000000021', 'metre',      '{"en": "metre", "fa": "متر"}',           'length', 1, 1),
    ('01930000-0000-7000-8001-000000000022', 'centimetre', '{"en": "centimetre", "fa": "سانتی‌متر"}', 'length', 1, 100),
    ('01930000-0000-7000-8001-000000000023', 'millimetre', '{"en": "millimetre", "fa": "میلی‌متر"}',  'length', 1, 1000),
    ('01930000-0000-7000-8001-000000000031', 'square_metre', '{"en": "square metre", "fa": "متر مربع"}', 'area', 1, 1),
    ('01930000-0000-7000-8001-000000000041', 'litre',      '{"en": "litre", "fa": "لیتر"}',          'volume', 1, 1),
    ('01930000-0000-7000-8001-000000000042', 'millilitre', '{"en": "millilitre", "fa": "میلی‌لیتر"}', 'volume', 1, 1000),
    ('01930000-0000-7000-8001-000000000051', 'second',     '{"en": "second", "fa": "ثانیه"}',        'time',   1, 1),
    ('01930000-0000-7000-8001-000000000052', 'minute',     '{"en": "minute", "fa": "دقیقه"}',        'time',   60, 1),
    ('01930000-0000-7000-8001-000000000053', 'hour',       '{"en": "hour", "fa": "ساعت"}',           'time',   3600, 1),
    ('01930000-0000-7000-8001-000000000054', 'day',        '{"en": "day", "fa": "روز"}',             'time',   86400, 1);

CREATE TABLE category (
    id                 uuid PRIMARY KEY,
    number             bigint NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT category_number_unique UNIQUE,
    parent_id          uuid REFERENCES category (id),
    path               ltree NOT NULL CONSTRAINT category_depth CHECK (nlevel(path) <= 100),
    name               jsonb NOT NULL,
    position           integer NOT NULL,
    icon               text,
    colour             text CHECK (colour ~ '^#[0-9a-f]{6}$'),
    external_reference text CONSTRAINT category_external_reference_unique UNIQUE,
    archived_at        timestamptz,
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE INDEX category_path ON category USING gist (path);
CREATE INDEX category_siblings ON category (parent_id, position, number);
-- The upper levels of a tree, without sorting the whole of it.
CREATE INDEX category_level ON category (nlevel(path), number);

-- Whatever a statement writes, a path is the parent's path and the own number. Checked per statement, over all rows it touched and
-- the children of those, so that moving a thousand rows costs one query more and not a thousand.
CREATE FUNCTION category_check_paths() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT c.id INTO wrong
    FROM changed n
    JOIN category c ON c.id = n.id OR c.parent_id = n.id
    LEFT JOIN category p ON p.id = c.parent_id
    WHERE c.path <> CASE WHEN c.parent_id IS NULL THEN c.number::text::ltree
                         ELSE p.path || c.number::text END
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'category % would have a path that does not follow from its parent', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'category_path_follows_parent';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER category_paths_inserted AFTER INSERT ON category
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION category_check_paths();
CREATE TRIGGER category_paths_updated AFTER UPDATE ON category
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION category_check_paths();

CREATE TABLE item (
    id                 uuid PRIMARY KEY,
    kind               text NOT NULL CHECK (kind IN ('goods', 'service', 'digital', 'consumable')),
    sku                text COLLATE "C" NOT NULL CONSTRAINT item_sku_unique UNIQUE
                       CHECK (length(sku) BETWEEN 1 AND 64 AND sku = upper(sku)),
    name               jsonb NOT NULL,
    description        jsonb NOT NULL DEFAULT '{}',
    category_id        uuid NOT NULL REFERENCES category (id),
    unit_id            uuid NOT NULL REFERENCES unit_of_measure (id),
    tracking           text NOT NULL CHECK (tracking IN ('none', 'lot', 'serial')),
    price_amount       numeric(24, 6) CHECK (price_amount >= 0),
    price_currency     text CHECK (price_currency ~ '^[A-Z]{3}$'),
    attributes         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
    tags               text[] NOT NULL DEFAULT '{}',
    primary_image_id   uuid,
    qr_svg_key         text,
    qr_png_key         text,
    external_reference text COLLATE "C" CONSTRAINT item_external_reference_unique UNIQUE,
    archived_at        timestamptz,
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CONSTRAINT item_price_whole CHECK ((price_amount IS NULL) = (price_currency IS NULL))
);
CREATE INDEX item_category ON item (category_id, id);
CREATE INDEX item_updated ON item (updated_at, id);
CREATE INDEX item_tags ON item USING gin (tags);
CREATE INDEX item_archived ON item (id) WHERE archived_at IS NOT NULL;

CREATE TABLE item_barcode (
    barcode  text CONSTRAINT item_barcode_unique PRIMARY KEY CHECK (length(barcode) BETWEEN 1 AND 80),
    item_id  uuid NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    position integer NOT NULL
);
CREATE INDEX item_barcode_item ON item_barcode (item_id, position);

CREATE TABLE item_image (
    id           uuid PRIMARY KEY,
    item_id      uuid NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    position     integer NOT NULL,
    state        text NOT NULL CHECK (state IN ('processing', 'ready', 'failed')),
    failure      text,
    original_key text NOT NULL,
    media_type   text NOT NULL,
    width        integer NOT NULL CHECK (width > 0),
    height       integer NOT NULL CHECK (height > 0),
    byte_size    bigint NOT NULL CHECK (byte_size > 0),
    renditions   jsonb NOT NULL DEFAULT '[]',
    created_at   timestamptz NOT NULL,
    CONSTRAINT item_image_failure CHECK ((state = 'failed') = (failure IS NOT NULL)),
    -- What an item shows first must be one of its own pictures.
    CONSTRAINT item_image_owner UNIQUE (item_id, id)
);
CREATE INDEX item_image_order ON item_image (item_id, position, id);
ALTER TABLE item ADD CONSTRAINT item_primary_image_own
    FOREIGN KEY (id, primary_image_id) REFERENCES item_image (item_id, id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX item_primary_image ON item (primary_image_id) WHERE primary_image_id IS NOT NULL;
