-- Lists that are narrowed down, searches with a typo and facets: what is asked, and what plain SQL answers. `small_part` is how many
-- items the facets are to be counted of.
SET client_min_messages = warning;
SET jit = off;
DROP TABLE IF EXISTS bench.kept, bench.counted, bench.filtered, bench.typo, bench.facets CASCADE;

-- What decides, in an order that answers each question quickly.
CREATE TABLE bench.kept AS
SELECT i.id, c.path, i.attributes->>'colour' AS colour, i.price_amount AS price
FROM item i JOIN category c ON c.id = i.category_id WHERE i.archived_at IS NULL;
CREATE INDEX ON bench.kept (colour, price, id);
CREATE TABLE bench.counted AS
SELECT c.path, i.attributes->>'colour' AS colour, i.attributes->>'material' AS material, count(*) AS count
FROM item i JOIN category c ON c.id = i.category_id WHERE i.archived_at IS NULL GROUP BY 1, 2, 3;
CREATE INDEX ON bench.counted USING gist (path);
ANALYZE bench.kept, bench.counted;

-- A subtree around a random item, as wide as a root or as narrow as a leaf; its colour; prices up to four times dearer or cheaper.
CREATE TABLE bench.filtered AS
SELECT row_number() OVER () AS n, asked.*, met.id AS first
FROM (SELECT a.id AS category, a.path, i.attributes->>'colour' AS colour, round(i.price_amount / 4) AS low, round(i.price_amount * 4) AS high
      FROM bench.item s JOIN item i ON i.id = s.id JOIN category c ON c.id = i.category_id
      JOIN category a ON a.path = subpath(c.path, 0, 1 + (s.n % nlevel(c.path))::int)
      -- Others have colours of their own, which the category above does not know.
      WHERE i.external_reference LIKE 'demo:generated:%' AND i.attributes ? 'colour' AND i.price_amount IS NOT NULL
      ORDER BY s.n LIMIT 200) asked
CROSS JOIN LATERAL (
    SELECT k.id FROM bench.kept k
    WHERE k.colour = asked.colour AND k.price BETWEEN asked.low AND asked.high AND k.path <@ asked.path
    ORDER BY k.price, k.id LIMIT 1) met;

-- The longest word of a random item's name in one language with its third letter left out, and the last word of the name. Only typos that
-- no word begins with and that are near to one word alone; only searches that few enough items pass to be ranked. Words of two letters may
-- be such as say nothing, which are passed over.
CREATE TABLE bench.typo AS
WITH named AS (
    SELECT s.n, string_to_array(btrim(search_fold(i.name->>CASE WHEN s.n % 2 = 0 THEN 'en' ELSE 'fa' END)), ' ') AS words
    FROM bench.item s JOIN item i ON i.id = s.id WHERE s.n <= 3000 AND i.external_reference LIKE 'demo:generated:%'
), chosen AS (
    SELECT DISTINCT ON (n) n, word, words[cardinality(words)] AS last
    FROM named, unnest(words[:cardinality(words) - 1]) word
    WHERE length(word) BETWEEN 6 AND 20 AND word !~ '[0-9]' ORDER BY n, length(word) DESC, word
), mistyped AS (
    SELECT DISTINCT word, last, left(word, 2) || substr(word, 4) AS typo FROM chosen WHERE word <> last AND length(last) > 2
), clear AS (
    SELECT m.* FROM (SELECT DISTINCT word, typo FROM mistyped) t
    JOIN mistyped m USING (word, typo)
    WHERE NOT EXISTS (SELECT FROM search_word s WHERE starts_with(s.word, t.typo))
      AND 1 = (SELECT count(*) FROM search_word s WHERE levenshtein_less_equal(s.word, t.typo, 1) <= 1)
)
SELECT row_number() OVER (ORDER BY md5(typo || last)) AS n, typo || ' ' || last AS search, met.first
FROM clear CROSS JOIN LATERAL (
    SELECT count(*), (array_agg(i.id ORDER BY LEAST(length(i.search), 9), i.id DESC))[1] AS first FROM item i
    WHERE i.archived_at IS NULL AND i.search @@ (quote_literal(word) || ' & ' || quote_literal(last))::tsquery) met
WHERE met.count BETWEEN 1 AND 4000
LIMIT 300;

-- Subtrees and colours that about so many items have.
CREATE TABLE bench.facets AS
WITH leaf AS (
    SELECT path, sum(count) AS size FROM bench.counted GROUP BY path
), subtree AS (
    SELECT c.id, c.path, sum(l.size) AS size FROM category c JOIN leaf l ON l.path <@ c.path GROUP BY c.id
    HAVING sum(l.size) >= :small_part * 0.8
), colour AS (
    SELECT colour, row_number() OVER (ORDER BY colour) AS place, count(*) OVER () AS all
    FROM (SELECT DISTINCT i.attributes->>'colour' AS colour FROM bench.item s JOIN item i ON i.id = s.id
          WHERE i.external_reference LIKE 'demo:generated:%') c
), asked AS (
    SELECT s.id AS category, s.path, turn, array_agg(c.colour) AS colours
    FROM subtree s CROSS JOIN generate_series(0, 3) turn JOIN colour c
      ON (c.place + turn * 4) % c.all < GREATEST(1, round(c.all * :small_part / s.size))
    GROUP BY s.id, s.path, turn
)
SELECT row_number() OVER (ORDER BY a.category, a.turn) AS n, a.category, a.path, a.colours, met.count, top.material, top.count AS materials
FROM asked a
CROSS JOIN LATERAL (SELECT sum(k.count) AS count FROM bench.counted k WHERE k.path <@ a.path AND k.colour = ANY (a.colours)) met
CROSS JOIN LATERAL (SELECT k.material, sum(k.count) AS count FROM bench.counted k
                    WHERE k.path <@ a.path AND k.colour = ANY (a.colours) AND k.material IS NOT NULL
                    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1) top
WHERE met.count BETWEEN :small_part * 0.8 AND :small_part * 1.2;

CREATE VIEW bench.filtered_cases AS
SELECT n, jsonb_build_object('category', bench.global_id('Category', category), 'colour', colour, 'min', low::text, 'max', high::text)::text AS variables,
       format('"nodes":[{"id":"%s"', bench.global_id('Item', first)) AS expected FROM bench.filtered;
CREATE VIEW bench.typo_cases AS
SELECT n, jsonb_build_object('search', search)::text AS variables,
       format('"nodes":[{"id":"%s"', bench.global_id('Item', first)) AS expected FROM bench.typo;
CREATE VIEW bench.facets_cases AS
SELECT n, jsonb_build_object('category', bench.global_id('Category', category), 'colours', colours)::text AS variables,
       format('"values":[{"value":%s,"count":%s,', to_json(material), materials) AS expected FROM bench.facets;
