-- Attribute schemas of categories.

-- An attribute is declared by a category and holds for all that is below it. A category further down may declare the same one again,
-- narrower: that row has the same key.
CREATE TABLE attribute (
    id           uuid PRIMARY KEY,
    category_id  uuid NOT NULL REFERENCES category (id),
    -- Under which items keep their values, for ever: what people call the attribute may change without touching an item.
    key          text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z][a-z0-9_]{0,79}$'),
    name         text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    label        jsonb NOT NULL,
    kind         text NOT NULL
                 CHECK (kind IN ('text', 'number', 'decimal', 'boolean', 'date', 'enum', 'multi_enum', 'reference')),
    -- In what a decimal is written and shown; items keep it in the base unit of that unit's dimension.
    unit_id      uuid REFERENCES unit_of_measure (id),
    refers_to    text CHECK (refers_to IN ('item', 'category')),
    required     boolean NOT NULL,
    is_unique    boolean NOT NULL,
    searchable   boolean NOT NULL,
    facet        boolean NOT NULL,
    initial      jsonb,
    -- Smallest and largest value: of a number or a decimal (in the base unit), of a date, of a text's length.
    min          text,
    max          text,
    pattern      text,
    options      jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(options) = 'array'),
    position     integer NOT NULL,
    retired_at   timestamptz,
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT attribute_name_unique UNIQUE (category_id, name),
    CONSTRAINT attribute_key_unique UNIQUE (category_id, key),
    CONSTRAINT attribute_unit CHECK (unit_id IS NULL OR kind = 'decimal'),
    CONSTRAINT attribute_reference CHECK ((refers_to IS NOT NULL) = (kind = 'reference')),
    CONSTRAINT attribute_options CHECK (options = '[]' OR kind IN ('enum', 'multi_enum'))
);
-- Who filters by an attribute names it, and no category.
CREATE INDEX attribute_name ON attribute (name);
CREATE INDEX attribute_unit ON attribute (unit_id) WHERE unit_id IS NOT NULL;

-- Values that only one item may have. The attribute is the topmost of those that share its key.
CREATE TABLE item_attribute_unique (
    attribute_id uuid NOT NULL REFERENCES attribute (id),
    value        text COLLATE "C" NOT NULL CHECK (length(value) <= 1000),
    item_id      uuid NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    CONSTRAINT item_attribute_unique_value PRIMARY KEY (attribute_id, value)
);
CREATE INDEX item_attribute_unique_item ON item_attribute_unique (item_id, attribute_id);
