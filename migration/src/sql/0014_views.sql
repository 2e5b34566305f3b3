-- What people keep of lists, the tags there are, and what makes two items look like one.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Managers read what has become of things; owners may do everything already.
UPDATE role SET permissions = permissions || '{audit.read}' WHERE code = 'manager' AND NOT permissions @> '{audit.read}';

-- A list as somebody wants to see it again. What it asks is kept as it was written, and understood anew each time.
CREATE TABLE saved_view (
    id         uuid PRIMARY KEY,
    list       text NOT NULL CHECK (list IN ('items')),
    user_id    uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    shared     boolean NOT NULL,
    request    jsonb NOT NULL CHECK (jsonb_typeof(request) = 'object'),
    columns    text[] NOT NULL,
    version    bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT saved_view_name_unique UNIQUE (user_id, list, name)
);
CREATE INDEX saved_view_shared ON saved_view (list) WHERE shared;

-- What a user sees first of a list.
CREATE TABLE saved_view_default (
    user_id uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    list    text NOT NULL,
    view_id uuid NOT NULL REFERENCES saved_view (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, list)
);
CREATE INDEX saved_view_default_view ON saved_view_default (view_id);

-- Every tag that an item ever had, in one spelling of its letters. Nothing is ever taken out: whoever adds a tag to an item looks here
-- whether it is known, and must not be deceived by somebody who takes it out meanwhile.
CREATE TABLE tag (
    tag    text COLLATE "C" PRIMARY KEY,
    folded text COLLATE "C" NOT NULL GENERATED ALWAYS AS (left(btrim(search_fold(tag)), 200)) STORED
);
CREATE INDEX tag_folded ON tag (folded, tag);

-- A name without what people write in several ways: the case, Arabic or Persian letters and digits, accents, everything between words.
-- None when nothing is left. Some letters become many, and an index has its bounds.
CREATE FUNCTION name_form(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN NULLIF(left(replace(search_fold(name), ' ', ''), 200), '');

-- Names of items in use, each in the form in which they are compared.
CREATE TABLE item_name_form (
    form        text COLLATE "C" NOT NULL,
    item_id     uuid NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    category_id uuid NOT NULL
);

-- The number that a barcode stands for, when it is one of GS1: with the zeros that its shorter forms leave out.
CREATE FUNCTION gtin14(barcode text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN barcode ~ '^([0-9]{8}|[0-9]{12,14})$' THEN lpad(barcode, 14, '0') END;

-- Both are kept by the database, a statement's rows at once.
CREATE FUNCTION item_looks_like() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO tag (tag)
        SELECT DISTINCT t COLLATE "C" FROM changed c JOIN previous p ON p.id = c.id CROSS JOIN LATERAL unnest(c.tags) t
        WHERE p.tags IS DISTINCT FROM c.tags AND NOT EXISTS (SELECT FROM tag k WHERE k.tag = t)
        ORDER BY 1
        ON CONFLICT DO NOTHING;
        DELETE FROM item_name_form f USING changed c JOIN previous p ON p.id = c.id
        WHERE f.item_id = c.id AND (p.name, p.category_id, p.archived_at IS NULL) IS DISTINCT FROM (c.name, c.category_id, c.archived_at IS NULL);
        INSERT INTO item_name_form (form, item_id, category_id)
        SELECT f.form, f.id, f.category_id FROM (
            SELECT DISTINCT name_form(n.value) AS form, c.id, c.category_id
            FROM changed c JOIN previous p ON p.id = c.id CROSS JOIN LATERAL jsonb_each_text(c.name) n
            WHERE c.archived_at IS NULL
              AND (p.name, p.category_id, p.archived_at IS NULL) IS DISTINCT FROM (c.name, c.category_id, c.archived_at IS NULL)
        ) f WHERE f.form IS NOT NULL;
    ELSE
        INSERT INTO tag (tag)
        SELECT DISTINCT t COLLATE "C" FROM changed c CROSS JOIN LATERAL unnest(c.tags) t
        WHERE NOT EXISTS (SELECT FROM tag k WHERE k.tag = t)
        ORDER BY 1
        ON CONFLICT DO NOTHING;
        INSERT INTO item_name_form (form, item_id, category_id)
        SELECT f.form, f.id, f.category_id FROM (
            SELECT DISTINCT name_form(n.value) AS form, c.id, c.category_id
            FROM changed c CROSS JOIN LATERAL jsonb_each_text(c.name) n
            WHERE c.archived_at IS NULL
        ) f WHERE f.form IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

-- Nobody writes items between what is read here and the triggers: creating these locks the table first.
CREATE TRIGGER item_looks_like_inserted AFTER INSERT ON item
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION item_looks_like();
CREATE TRIGGER item_looks_like_updated AFTER UPDATE ON item
    REFERENCING OLD TABLE AS previous NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION item_looks_like();

INSERT INTO tag (tag) SELECT DISTINCT t FROM item CROSS JOIN LATERAL unnest(tags) t;
INSERT INTO item_name_form (form, item_id, category_id)
SELECT f.form, f.id, f.category_id FROM (
    SELECT DISTINCT name_form(n.value) AS form, i.id, i.category_id
    FROM item i CROSS JOIN LATERAL jsonb_each_text(i.name) n
    WHERE i.archived_at IS NULL
) f WHERE f.form IS NOT NULL;
-- Equal names, wherever they are, and those of one category in their order.
CREATE INDEX item_name_form_equal ON item_name_form (form, item_id);
CREATE INDEX item_name_form_near ON item_name_form (category_id, form, item_id);
CREATE INDEX item_name_form_item ON item_name_form (item_id);
-- With the barcode, or PostgreSQL would read the rows for it.
CREATE INDEX item_barcode_gtin ON item_barcode (gtin14(barcode), item_id) INCLUDE (barcode) WHERE gtin14(barcode) IS NOT NULL;
