-- Writing an item costs less: what is kept for searching and for finding duplicates says the same as before, with fewer steps and indexes.

-- Only triggers on items write these rows, of an item that they have just seen. So what goes with an item is left to a trigger as well: a
-- foreign key would look for the item of each row once more.
ALTER TABLE item_number DROP CONSTRAINT item_number_item_id_fkey;
ALTER TABLE item_name_form DROP CONSTRAINT item_name_form_item_id_fkey;
CREATE FUNCTION item_forgotten() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM item_number n USING previous p WHERE n.item_id = p.id;
    DELETE FROM item_name_form f USING previous p WHERE f.item_id = p.id;
    RETURN NULL;
END $$;
CREATE TRIGGER item_forgotten_deleted AFTER DELETE ON item
    REFERENCING OLD TABLE AS previous FOR EACH STATEMENT EXECUTE FUNCTION item_forgotten();

-- Scanners' codes are compared byte by byte, so that one index serves codes and their beginnings.
DROP INDEX item_barcode_prefix;
ALTER TABLE item_barcode ALTER COLUMN barcode TYPE text COLLATE "C";

-- The names of a category are found by its items.
DROP INDEX item_name_form_near;
ALTER TABLE item_name_form DROP COLUMN category_id;

-- As before; but only texts that are not plain ASCII go the long way, and translate looks through its whole list at each character, so it
-- is asked only when there is something to translate.
CREATE OR REPLACE FUNCTION search_fold(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text;
BEGIN
    IF octet_length(value) = length(value) THEN
        RETURN regexp_replace(lower(value), '[\u0002-\u002F\u003A-\u0060\u007B-\u007F]+', ' ', 'g');
    END IF;
    folded := regexp_replace(
        regexp_replace(normalize(lower(value), NFKD), '[\u0300-\u036F\u0640\u064B-\u0655\u0670]', '', 'g'),
        '[\u0002-\u002F\u003A-\u0060\u007B-\u00BF\u2000-\u206F\u060C\u061B\u061F\u066A-\u066D\u06D4\u3000-\u303F]+', ' ', 'g');
    IF folded ~ '[\u064A\u0643\u0649\u0629\u06D5\u0660-\u0669\u06F0-\u06F9]' THEN
        folded := translate(folded,
            U&'\064A\0643\0649\0629\06D5\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\06F0\06F1\06F2\06F3\06F4\06F5\06F6\06F7\06F8\06F9',
            U&'\06CC\06A9\06CC\0647\0647' || '01234567890123456789');
    END IF;
    RETURN folded;
END $$;

CREATE OR REPLACE FUNCTION item_search(name jsonb, tags text[], attributes jsonb) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
    fact     record;
    -- Each as it stands between the quotation marks of a lexeme.
    prefixes text[] := ARRAY['', '#'];
    texts    text := '';
    facts    text;
    folded   text[];
    words    text;
    lexemes  text := '';
BEGIN
    -- One after the other: of the usual two only the Persian one goes the long way.
    FOR fact IN SELECT replace(value, E'\x01', ' ') AS value FROM jsonb_each_text(name) LOOP
        words := btrim(search_fold(fact.value));
        IF strpos(fact.value, U&'\200C') > 0 THEN
            words := btrim(words || ' ' || btrim(search_fold(replace(fact.value, U&'\200C', ''))));
        END IF;
        IF words <> '' THEN
            texts := texts || ' ' || words;
        END IF;
    END LOOP;
    facts := replace(array_to_string(tags, ' '), E'\x01', ' ');
    -- A decimal is looked for by its value, and not by its digits.
    FOR fact IN SELECT key, value FROM jsonb_each_text(attributes)
                WHERE ltrim(value, '-.0123456789') <> '' OR ltrim(value, '0123456789') = '' LOOP
        prefixes := prefixes || (':' || replace(replace(left(fact.key, 80), '\', '\\'), '''', '''''') || ':');
        facts := facts || E'\x01' || left(replace(fact.value, E'\x01', ' '), 1000);
    END LOOP;
    -- Folded at once, for that costs by the call.
    folded := string_to_array(texts || E'\x01' || search_fold(facts), E'\x01');
    FOR i IN 1 .. cardinality(prefixes) LOOP
        words := btrim(folded[i]);
        CONTINUE WHEN words = '';
        IF length(words) > 100 THEN
            -- A lexeme has its bounds.
            words := regexp_replace(words, '([^ ]{100})[^ ]+', '\1', 'g');
        END IF;
        -- Folded words have no quotation marks.
        lexemes := lexemes || '''' || prefixes[i] || replace(words, ' ', ''' ''' || prefixes[i]) || ''' ';
    END LOOP;
    RETURN lexemes::tsvector;
END $$;

-- Functions of SQL become a part of what asks them only when they are not STRICT, where they have a CASE or NULLIF; else each call is a
-- statement of its own. What is not there still gives what is not there.
CREATE OR REPLACE FUNCTION search_number(value text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value ~ '^-?[0-9]{1,18}([.][0-9]{1,12})?$' THEN value::numeric
                WHEN value ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' THEN replace(value, '-', '')::numeric END;

CREATE OR REPLACE FUNCTION name_form(name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN NULLIF(left(replace(search_fold(name), ' ', ''), 200), '');

CREATE OR REPLACE FUNCTION gtin14(barcode text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN barcode ~ '^([0-9]{8}|[0-9]{12,14})$' THEN lpad(barcode, 14, '0') END;

-- The same holds for what gives rows. Most values are told by their first character to be no number.
CREATE OR REPLACE FUNCTION item_numbers(attributes jsonb) RETURNS TABLE (key text, value numeric)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT n.key, n.value
        FROM (SELECT a.key, search_number(a.value) AS value
              FROM jsonb_each_text(attributes) a
              WHERE a.value COLLATE "C" >= '-' AND a.value COLLATE "C" < ':'
              -- Computed once, and not once more to be compared.
              OFFSET 0) n
        WHERE n.value IS NOT NULL;
    END;

-- A statement's items have many words in common: each is looked at once.
CREATE OR REPLACE FUNCTION item_found_by() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO search_word (word)
    SELECT DISTINCT w.word
    FROM (SELECT substring(l.lexeme FROM '[^:#]+$') COLLATE "C" AS word
          FROM (SELECT DISTINCT u.lexeme COLLATE "C" AS lexeme FROM changed c CROSS JOIN LATERAL unnest(c.search) u) l
          WHERE l.lexeme !~ '[0-9]' AND length(l.lexeme) BETWEEN 2 AND 100) w
    WHERE NOT EXISTS (SELECT FROM search_word s WHERE s.word = w.word)
    ORDER BY w.word
    ON CONFLICT DO NOTHING;
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM item_number n USING changed c JOIN previous p ON p.id = c.id
        WHERE n.item_id = c.id AND p.attributes IS DISTINCT FROM c.attributes;
        INSERT INTO item_number (key, value, item_id)
        SELECT n.key, n.value, c.id
        FROM changed c JOIN previous p ON p.id = c.id CROSS JOIN LATERAL item_numbers(c.attributes) n
        WHERE p.attributes IS DISTINCT FROM c.attributes;
    ELSE
        INSERT INTO item_number (key, value, item_id)
        SELECT n.key, n.value, c.id FROM changed c CROSS JOIN LATERAL item_numbers(c.attributes) n;
    END IF;
    RETURN NULL;
END $$;
DROP FUNCTION search_vocabulary;

CREATE OR REPLACE FUNCTION item_looks_like() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO tag (tag)
        SELECT DISTINCT t COLLATE "C" FROM changed c JOIN previous p ON p.id = c.id CROSS JOIN LATERAL unnest(c.tags) t
        WHERE p.tags IS DISTINCT FROM c.tags AND NOT EXISTS (SELECT FROM tag k WHERE k.tag = t)
        ORDER BY 1
        ON CONFLICT DO NOTHING;
        DELETE FROM item_name_form f USING changed c JOIN previous p ON p.id = c.id
        WHERE f.item_id = c.id AND (p.name, p.archived_at IS NULL) IS DISTINCT FROM (c.name, c.archived_at IS NULL);
        INSERT INTO item_name_form (form, item_id)
        SELECT f.form, f.id FROM (
            SELECT DISTINCT name_form(n.value) AS form, c.id
            FROM changed c JOIN previous p ON p.id = c.id CROSS JOIN LATERAL jsonb_each_text(c.name) n
            WHERE c.archived_at IS NULL AND (p.name, p.archived_at IS NULL) IS DISTINCT FROM (c.name, c.archived_at IS NULL)
        ) f WHERE f.form IS NOT NULL;
    ELSE
        INSERT INTO tag (tag)
        SELECT DISTINCT t COLLATE "C" FROM changed c CROSS JOIN LATERAL unnest(c.tags) t
        WHERE NOT EXISTS (SELECT FROM tag k WHERE k.tag = t)
        ORDER BY 1
        ON CONFLICT DO NOTHING;
        INSERT INTO item_name_form (form, item_id)
        SELECT f.form, f.id FROM (
            SELECT DISTINCT name_form(n.value) AS form, c.id
            FROM changed c CROSS JOIN LATERAL jsonb_each_text(c.name) n
            WHERE c.archived_at IS NULL
        ) f WHERE f.form IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
