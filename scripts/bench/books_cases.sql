-- What is asked about the books, and what the answer must contain: added up from the lines, where goldshop reads turnovers.
SET client_min_messages = warning;
SET jit = off;
SET work_mem = '256MB';
DROP TABLE IF EXISTS bench.day, bench.center_day, bench.party_day, bench.moment, bench.place CASCADE;

CREATE OR REPLACE FUNCTION bench.url_safe(data text) RETURNS text LANGUAGE sql AS
$$ SELECT translate(encode(convert_to(data, 'UTF8'), 'base64'), E'+/=\n', '-_') $$;
CREATE OR REPLACE FUNCTION bench.global_id(type text, id uuid) RETURNS text LANGUAGE sql AS
$$ SELECT bench.url_safe(type || ':' || replace(id::text, '-', '')) $$;
CREATE OR REPLACE FUNCTION bench.shown(amount numeric) RETURNS text LANGUAGE sql AS $$ SELECT trim_scale(COALESCE(amount, 0))::text $$;

CREATE TABLE bench.day AS
SELECT account_id, date, sum(CASE WHEN is_debit THEN amount ELSE -amount END) AS change FROM journal_line GROUP BY 1, 2;
CREATE TABLE bench.center_day AS
SELECT cost_center_id, date, sum(CASE WHEN is_debit THEN l.amount ELSE -l.amount END) AS change
FROM journal_line l JOIN bench.account a ON a.id = l.account_id
WHERE l.cost_center_id IS NOT NULL AND a.kind IN ('revenue', 'expense') GROUP BY 1, 2;
CREATE TABLE bench.moment AS
SELECT k, y.first + bench.dice(k, 21, 300)::integer AS since, y.first + (300 + bench.dice(k, 22, 420))::integer AS until,
       CASE WHEN k % 2 = 0 THEN 'asset' ELSE 'liability' END AS kind, 5000 + k % 20 AS center, 101 + k % 16 AS n
FROM generate_series(1, 200) k CROSS JOIN (SELECT min(starts_on) AS first FROM bench.year) y;

-- Of accounts of a kind, or of one, from a day on up to another.
CREATE OR REPLACE FUNCTION bench.sum(kinds text[], since date, until date) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT sum(d.change) FROM bench.day d JOIN bench.account a ON a.id = d.account_id
    WHERE a.kind = ANY (kinds) AND d.date <= until AND (since IS NULL OR d.date >= since)
$$;
CREATE OR REPLACE FUNCTION bench.of_account(place bigint, until date) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT sum(d.change) FROM bench.day d WHERE d.account_id = (SELECT id FROM bench.account WHERE n = place) AND d.date <= until
$$;

CREATE OR REPLACE VIEW bench.trial_balance_cases AS
SELECT k AS n, jsonb_build_object('until', until)::text AS variables,
       format('"balance":"%s","account":{"code":"BENCH-ASSET-%s"}', bench.shown(bench.of_account(m.n, until)), lpad((m.n - 100)::text, 2, '0')) AS expected
FROM bench.moment m;
CREATE OR REPLACE VIEW bench.balance_sheet_cases AS
SELECT k AS n, jsonb_build_object('until', until)::text AS variables,
       format('"section":"ASSETS","line":"TOTAL","accountId":null,"depth":0,"commodity":"%s","amounts":["%s"]', (SELECT currency FROM shop),
              bench.shown(bench.sum('{asset}', NULL, until))) AS expected
FROM bench.moment;
CREATE OR REPLACE VIEW bench.profit_and_loss_cases AS
SELECT k AS n, jsonb_build_object('from', since, 'until', until)::text AS variables,
       format('"section":"WHOLE","line":"TOTAL","accountId":null,"depth":0,"commodity":"%s","amounts":["%s"]', (SELECT currency FROM shop),
              bench.shown(-bench.sum('{revenue,expense}', since, until))) AS expected
FROM bench.moment;
CREATE OR REPLACE VIEW bench.profit_of_cost_center_cases AS
SELECT k AS n, jsonb_build_object('from', m.since, 'until', m.until, 'value', bench.global_id('DimensionValue', v.id))::text AS variables,
       format('"section":"WHOLE","line":"TOTAL","accountId":null,"depth":0,"commodity":"%s","amounts":["%s"]', (SELECT currency FROM shop),
              bench.shown((SELECT -sum(d.change) FROM bench.center_day d WHERE d.cost_center_id = v.id AND d.date BETWEEN m.since AND m.until))) AS expected
FROM bench.moment m JOIN bench.value v ON v.n = m.center;
CREATE TABLE bench.party_day AS
SELECT account_id, subsidiary_id, date, sum(CASE WHEN is_debit THEN amount ELSE -amount END) AS change
FROM journal_line WHERE subsidiary_id IS NOT NULL GROUP BY 1, 2, 3;
CREATE INDEX ON bench.party_day (account_id, subsidiary_id, date);
-- What the first of the parties owes that owes anything, by their codes.
CREATE OR REPLACE VIEW bench.ageing_cases AS
SELECT m.k AS n, jsonb_build_object('until', m.until, 'owing', CASE m.kind WHEN 'asset' THEN 'RECEIVABLE' ELSE 'PAYABLE' END)::text AS variables,
       format('"agedBalances":{"nodes":[{"balance":"%s"', bench.shown(CASE m.kind WHEN 'asset' THEN 1 ELSE -1 END * f.balance)) AS expected
FROM bench.moment m JOIN bench.account a ON a.n = CASE m.kind WHEN 'asset' THEN 117 ELSE 217 END
CROSS JOIN LATERAL (
    SELECT b.balance FROM bench.value v
    CROSS JOIN LATERAL (SELECT sum(d.change) AS balance FROM bench.party_day d WHERE d.account_id = a.id AND d.subsidiary_id = v.id AND d.date <= m.until) b
    WHERE v.n < 5000 AND b.balance <> 0 ORDER BY v.n LIMIT 1) f;
CREATE OR REPLACE VIEW bench.ageing_totals_cases AS
SELECT k AS n, jsonb_build_object('until', until, 'owing', CASE kind WHEN 'asset' THEN 'RECEIVABLE' ELSE 'PAYABLE' END)::text AS variables,
       format('"agedBalanceTotals":[{"commodity":"%s","balance":"%s"', (SELECT currency FROM shop),
              bench.shown(CASE kind WHEN 'asset' THEN bench.of_account(117, until) ELSE -bench.of_account(217, until) END)) AS expected
FROM bench.moment;

-- Anywhere in the ledger of an account: behind which line the page begins, and what there is after its first line.
CREATE TABLE bench.place AS
SELECT m.k, a.id AS account_id, p.date, p.number, p.line, f.date AS first_date, f.number AS first_number, f.line AS first_line
FROM bench.moment m JOIN bench.account a ON a.n = m.n
CROSS JOIN LATERAL (SELECT date, number, line FROM journal_line WHERE account_id = a.id AND commodity = (SELECT currency FROM shop) AND date >= m.until
                    ORDER BY date, number, line LIMIT 1) p
CROSS JOIN LATERAL (SELECT date, number, line FROM journal_line l WHERE account_id = a.id AND commodity = (SELECT currency FROM shop)
                      AND (l.date, l.number, l.line) > (p.date, p.number, p.line) ORDER BY date, number, line LIMIT 1) f
WHERE m.k <= 60;
CREATE OR REPLACE VIEW bench.general_ledger_cases AS
SELECT k AS n, jsonb_build_object('account', bench.global_id('Account', account_id),
                                  'after', bench.url_safe(format('["%s","%s","%s"]', date, number, line)))::text AS variables,
       format('"generalLedger":{"nodes":[{"balance":"%s"', bench.shown((
           SELECT sum(CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END) FROM journal_line l
           WHERE l.account_id = p.account_id AND (l.date, l.number, l.line) <= (p.first_date, p.first_number, p.first_line)))) AS expected
FROM bench.place p;
