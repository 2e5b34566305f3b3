-- The books of a shop over two fiscal years: 1,000,000 entries of six lines each, of which the first third of the first year has a million
-- lines in one period. Half of the entries are sales, half of these on credit; the others are purchases, wages and payments, of 5,000 parties
-- and 20 cost centres. The rows go in as they are, while the triggers rest, and turnovers are the sums: `worker ledger-verify` then proves them.
-- Everything is one transaction, so that the triggers are never left off.
--
--   :entries  how many entries
SET client_min_messages = warning;
SET jit = off;
SET work_mem = '512MB';
BEGIN;
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;

-- A number that is always the same for the same n, and looks like any.
CREATE FUNCTION bench.dice(n bigint, throw bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, throw) & 9007199254740991) % sides $$;

CREATE TABLE bench.account (n bigint PRIMARY KEY, kind text NOT NULL, id uuid NOT NULL);
-- Sixteen accounts of each kind, and one of receivables and one of payables with a ledger for each party.
WITH made AS (
    SELECT k.kind, k.side, n, nextval(pg_get_serial_sequence('account', 'number')) AS number, gen_random_uuid() AS id,
           CASE WHEN n = 17 AND k.kind IN ('asset', 'liability') THEN 'party' END AS subsidiary_kind
    FROM (VALUES ('asset', 'debit', 1), ('liability', 'credit', 2), ('revenue', 'credit', 4), ('expense', 'debit', 5)) k (kind, side, first)
    CROSS JOIN generate_series(1, 17) n
), written AS (
    INSERT INTO account (id, number, path, code, name, kind, normal_side, is_group, subsidiary_kind, created_at, updated_at) OVERRIDING SYSTEM VALUE
    SELECT id, number, number::text::ltree, 'BENCH-' || upper(kind) || '-' || lpad(n::text, 2, '0'), jsonb_build_object('en', 'Bench ' || kind || ' ' || n),
           kind, side, false, subsidiary_kind, now(), now()
    FROM made
)
INSERT INTO bench.account
SELECT CASE kind WHEN 'asset' THEN 100 WHEN 'liability' THEN 200 WHEN 'revenue' THEN 300 ELSE 400 END + n, kind, id FROM made;

CREATE TABLE bench.value (n bigint PRIMARY KEY, id uuid NOT NULL);
WITH made AS (
    SELECT n, CASE WHEN n < 5000 THEN 'party' ELSE 'cost_center' END AS kind, gen_random_uuid() AS id FROM generate_series(0, 5019) n
), written AS (
    INSERT INTO dimension_value (id, kind, code, name, created_at, updated_at)
    SELECT id, kind, 'BENCH-' || lpad(n::text, 4, '0'), jsonb_build_object('en', 'Bench ' || n), now(), now() FROM made
)
INSERT INTO bench.value SELECT n, id FROM made;

CREATE TABLE bench.year (n bigint PRIMARY KEY, id uuid NOT NULL, starts_on date NOT NULL, ends_on date NOT NULL);
INSERT INTO bench.year
SELECT n, gen_random_uuid(), date_trunc('year', current_date)::date - make_interval(years => 2 - n), date_trunc('year', current_date)::date - make_interval(years => 1 - n) - interval '1 day'
FROM generate_series(0, 1) n;
INSERT INTO fiscal_year (id, name, starts_on, ends_on, created_at) SELECT id, 'Bench ' || n, starts_on, ends_on, now() FROM bench.year;
INSERT INTO period (id, fiscal_year_id, name, starts_on, ends_on, updated_at)
SELECT gen_random_uuid(), y.id, 'Third ' || t, y.starts_on + make_interval(months => 4 * t), y.starts_on + make_interval(months => 4 * t + 4) - interval '1 day', now()
FROM bench.year y CROSS JOIN generate_series(0, 2) t;
INSERT INTO journal_sequence (fiscal_year_id, last_number) SELECT id, 0 FROM bench.year ON CONFLICT DO NOTHING;

CREATE TABLE bench.entry AS
SELECT k AS n, gen_random_uuid() AS id, y.id AS fiscal_year_id, y.starts_on + ((k - y.first) * (y.ends_on - y.starts_on + 1) / y.entries)::integer AS date,
       k - y.first + 1 AS number, bench.dice(k, 1, 4) AS sort
FROM (SELECT *, n * (:entries / 2) AS first, :entries / 2 AS entries FROM bench.year) y
CROSS JOIN LATERAL generate_series(y.first, y.first + y.entries - 1) k;

ALTER TABLE journal_entry DISABLE TRIGGER USER;
ALTER TABLE journal_line DISABLE TRIGGER USER;

INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, description, lines, recorded_at, actor_kind, actor_name)
SELECT id, fiscal_year_id, number, date, 'general', 'Bench ' || n, 6, date + interval '12 hours', 'system', 'bench' FROM bench.entry ORDER BY n;

-- Which accounts: of cash and revenue one of sixteen; what is owed is on the seventeenth. Two pairs of goods and their cost follow each.
CREATE FUNCTION bench.lines(sort bigint) RETURNS TABLE (line integer, kind bigint, is_owed boolean, is_debit boolean, share bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT l.* FROM (VALUES
        (0, 1, 100, false, true, 110), (0, 2, 300, false, false, 100), (0, 3, 200, false, false, 10),
        (1, 1, 100, true, true, 110), (1, 2, 300, false, false, 100), (1, 3, 200, false, false, 10),
        (2, 1, 400, false, true, 100), (2, 2, 100, false, true, 10), (2, 3, 200, true, false, 110),
        (3, 1, 200, true, true, 60), (3, 2, 100, false, true, 50), (3, 3, 100, true, false, 110)) v (sort, line, kind, is_owed, is_debit, share)
    CROSS JOIN LATERAL (SELECT v.line, v.kind::bigint, v.is_owed, v.is_debit, v.share::bigint) l WHERE v.sort = $1
    UNION ALL VALUES (4, 400, false, true, 70), (5, 100, false, false, 40), (6, 100, false, false, 30)
$$;
INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, subsidiary_id, cost_center_id, date, number)
SELECT e.id, l.line, a.id, (SELECT currency FROM shop), l.is_debit, l.share * (1 + bench.dice(e.n, 2, 1000)), CASE WHEN l.is_owed THEN v.id END,
       CASE WHEN l.kind >= 300 AND bench.dice(e.n, 5, 2) = 0 THEN c.id END, e.date, e.number
FROM bench.entry e CROSS JOIN LATERAL bench.lines(e.sort) l
JOIN bench.account a ON a.n = l.kind + CASE WHEN l.is_owed THEN 17 ELSE 1 + bench.dice(e.n + l.line, 3, 16) END
JOIN bench.value v ON v.n = bench.dice(e.n, 4, 5000)
JOIN bench.value c ON c.n = 5000 + bench.dice(e.n, 6, 20)
ORDER BY e.n, l.line;

UPDATE journal_sequence q SET last_number = y.entries
FROM (SELECT fiscal_year_id, count(*) AS entries FROM bench.entry GROUP BY 1) y WHERE q.fiscal_year_id = y.fiscal_year_id;
INSERT INTO account_turnover (account_id, commodity, span, since, debit, credit)
SELECT l.account_id, l.commodity, s.span, s.since, COALESCE(sum(l.amount) FILTER (WHERE l.is_debit), 0), COALESCE(sum(l.amount) FILTER (WHERE NOT l.is_debit), 0)
FROM journal_line l CROSS JOIN LATERAL (VALUES ('day', l.date), ('month', date_trunc('month', l.date)::date)) s (span, since)
GROUP BY 1, 2, 3, 4
ORDER BY min(l.date), min(l.number), s.span;
INSERT INTO subsidiary_turnover (account_id, subsidiary_id, commodity, span, since, debit, credit)
SELECT l.account_id, l.subsidiary_id, l.commodity, s.span, s.since, COALESCE(sum(l.amount) FILTER (WHERE l.is_debit), 0),
       COALESCE(sum(l.amount) FILTER (WHERE NOT l.is_debit), 0)
FROM journal_line l CROSS JOIN LATERAL (VALUES ('day', l.date), ('month', date_trunc('month', l.date)::date), ('year', date_trunc('year', l.date)::date)) s (span, since)
WHERE l.subsidiary_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5
-- As they come when entries are posted: what begins later lies behind what began before, and not in the order of a hash.
ORDER BY min(l.date), min(l.number), s.span;

ALTER TABLE journal_entry ENABLE TRIGGER USER;
ALTER TABLE journal_line ENABLE TRIGGER USER;
COMMIT;
VACUUM ANALYZE journal_entry;
VACUUM ANALYZE journal_line;
VACUUM ANALYZE account_turnover;
VACUUM ANALYZE subsidiary_turnover;
ANALYZE account;
ANALYZE dimension_value;
