-- What triggers take of a statement that adds 1,000 plain entries of six lines, over as many accounts as the chart has: checking them, and keeping
-- turnovers; also what would only be checked at the end of the transaction. Prints the plan in JSON.
SET jit = off;
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
EXPLAIN (ANALYZE, COSTS OFF, FORMAT JSON)
WITH numbered AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, y.fiscal_year_id, y.last_number + n AS number
    FROM journal_numbers(ARRAY[current_date]) y CROSS JOIN generate_series(1, 1000) n
), leaf AS MATERIALIZED (
    SELECT id, row_number() OVER (ORDER BY code) - 1 AS place, count(*) OVER () AS leaves FROM account
    WHERE NOT is_group AND archived_at IS NULL AND commodity IS NULL AND subsidiary_kind IS NULL AND NOT has_floor
), entry AS (
    INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, description, lines, recorded_at, actor_kind, actor_name)
    SELECT id, fiscal_year_id, number, current_date, 'general', 'Sale', 6, now(), 'system', 'bench' FROM numbered ORDER BY number
)
INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number)
SELECT n.id, v.line, l.id, (SELECT currency FROM shop), v.is_debit, v.amount, current_date, n.number
FROM numbered n
CROSS JOIN (VALUES (1, true, 60), (2, true, 50), (3, false, 100), (4, false, 10), (5, true, 70), (6, false, 70)) v (line, is_debit, amount)
JOIN leaf l ON l.place = (n.number * 6 + v.line) % l.leaves;
COMMIT;
