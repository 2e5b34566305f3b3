-- Search: words of items, and numbers among their attributes.

CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

-- Words as they are compared: lower case; Arabic letters as Persian ones; digits as ASCII; without accents, vowel signs and tatweel;
-- everything between them is a space. NFKD takes signs off their letters and gives each presentation form its letter. What is a letter
-- does not depend on the locale of the database.
CREATE FUNCTION search_fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(
        regexp_replace(
            regexp_replace(normalize(lower(value), NFKD), '[\u0300-\u036F\u0640\u064B-\u0655\u0670]', '', 'g'),
            '[\u0002-\u002F\u003A-\u0060\u007B-\u00BF\u2000-\u206F\u060C\u061B\u061F\u066A-\u066D\u06D4\u3000-\u303F]+', ' ', 'g'),
        U&'\064A\0643\0649\0629\06D5\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\06F0\06F1\06F2\06F3\06F4\06F5\06F6\06F7\06F8\06F9',
        U&'\06CC\06A9\06CC\0647\0647' || '01234567890123456789');

-- Folded words as lexemes with this prefix, as the text of a tsvector.
CREATE FUNCTION quoted_lexemes(prefix text, words text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    quoted text := replace(replace(prefix, '\', '\\'), '''', '''''');
BEGIN
    RETURN '''' || quoted || replace(words, ' ', ''' ''' || quoted) || ''' ';
END $$;

-- What an item is found by: the words of its names as they are, those of its tags as `#word`, and those of a value of an attribute as
-- `:key:word`. So it is decided when somebody searches which attributes are searched, and no item is touched when that changes. Words
-- that a zero-width non-joiner divides are found by their parts and as a whole.
CREATE FUNCTION item_search(name jsonb, tags text[], attributes jsonb) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
    fact     record;
    prefixes text[] := ARRAY['', '#'];
    texts    text := '';
    folded   text[];
    words    text;
    lexemes  text := '';
BEGIN
    FOR fact IN SELECT value FROM jsonb_each_text(name) LOOP
        texts := texts || ' ' || replace(fact.value, E'\x01', ' ');
    END LOOP;
    IF strpos(texts, U&'\200C') > 0 THEN
        texts := texts || ' ' || replace(texts, U&'\200C', '');
    END IF;
    texts := texts || E'\x01' || replace(array_to_string(tags, ' '), E'\x01', ' ');
    -- A decimal is looked for by its value, and not by its digits.
    FOR fact IN SELECT key, value FROM jsonb_each_text(attributes) WHERE value ~ '[^-0-9.]|^[0-9]+$' LOOP
        prefixes := prefixes || (':' || left(fact.key, 80) || ':');
        texts := texts || E'\x01' || left(replace(fact.value, E'\x01', ' '), 1000);
    END LOOP;
    -- Folded at once, for that costs by the call.
    folded := string_to_array(search_fold(texts), E'\x01');
    FOR i IN 1 .. cardinality(prefixes) LOOP
        words := btrim(folded[i]);
        CONTINUE WHEN words = '';
        IF length(words) > 100 THEN
            -- A lexeme has its bounds.
            words := regexp_replace(words, '([^ ]{100})[^ ]+', '\1', 'g');
        END IF;
        lexemes := lexemes || quoted_lexemes(prefixes[i], words);
    END LOOP;
    RETURN lexemes::tsvector;
END $$;

ALTER TABLE item ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (item_search(name, tags, attributes)) STORED;
CREATE INDEX item_search_index ON item USING gin (search);
-- Values of attributes, equal to one that is asked for.
CREATE INDEX item_attributes ON item USING gin (attributes jsonb_path_ops);
-- How many items have a value is estimated from a sample of this size.
ALTER TABLE item ALTER COLUMN attributes SET STATISTICS 500;

-- Items without a fixed price come last, whichever end comes first.
CREATE INDEX item_price_up ON item (COALESCE(price_amount, 'Infinity'), id);
CREATE INDEX item_price_down ON item (COALESCE(price_amount, -1), id);
CREATE INDEX item_name_en ON item ((COALESCE(name->>'en', name->>'fa', '') COLLATE "en-x-icu"), id);
CREATE INDEX item_name_fa ON item ((COALESCE(name->>'fa', name->>'en', '') COLLATE "fa-x-icu"), id);

-- Barcodes by their beginning, whatever the locale of the database.
CREATE INDEX item_barcode_prefix ON item_barcode (barcode COLLATE "C");

-- Numbers and days among the values of attributes, for ranges: a day as the number that its digits make.
CREATE TABLE item_number (
    key     text COLLATE "C" NOT NULL,
    value   numeric NOT NULL,
    item_id uuid NOT NULL REFERENCES item (id) ON DELETE CASCADE
);

-- A text that is a decimal, or a day. Others are no number.
CREATE FUNCTION search_number(value text) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN value ~ '^-?[0-9]{1,18}([.][0-9]{1,12})?$' THEN value::numeric
                WHEN value ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' THEN replace(value, '-', '')::numeric END;

CREATE FUNCTION item_numbers(attributes jsonb) RETURNS TABLE (key text, value numeric)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
        SELECT n.key, n.value
        FROM (SELECT a.key, search_number(a.value) AS value FROM jsonb_each_text(attributes) a) n
        WHERE n.value IS NOT NULL;
    END;

-- Every word that an item was ever found by and that has no digits: what a mistyped word may have meant.
CREATE TABLE search_word (
    word text COLLATE "C" PRIMARY KEY
);
-- Whoever mistypes a word gets its first letter right, or its last.
CREATE INDEX search_word_first ON search_word (left(word, 1), length(word));
CREATE INDEX search_word_last ON search_word (right(word, 1), length(word));

CREATE FUNCTION search_vocabulary(search tsvector) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT substring(lexeme FROM '[^:#]+$')
    FROM unnest(search)
    WHERE lexeme !~ '[0-9]' AND length(lexeme) BETWEEN 2 AND 100
$$;

-- Both are kept by the database, in the order of their keys, a statement's rows at once.
CREATE FUNCTION item_found_by() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO search_word (word)
    SELECT DISTINCT w FROM changed c CROSS JOIN LATERAL search_vocabulary(c.search) w
    WHERE NOT EXISTS (SELECT FROM search_word s WHERE s.word = w)
    ORDER BY w
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

INSERT INTO search_word (word)
SELECT DISTINCT w FROM item i CROSS JOIN LATERAL search_vocabulary(i.search) w;
INSERT INTO item_number (key, value, item_id)
SELECT n.key, n.value, i.id FROM item i CROSS JOIN LATERAL item_numbers(i.attributes) n;
CREATE INDEX item_number_value ON item_number (key, value, item_id);
CREATE INDEX item_number_item ON item_number (item_id);

CREATE TRIGGER item_found_by_inserted AFTER INSERT ON item
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION item_found_by();
CREATE TRIGGER item_found_by_updated AFTER UPDATE ON item
    REFERENCING OLD TABLE AS previous NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION item_found_by();
