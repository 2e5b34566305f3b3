-- Revaluation: what assets and liabilities of other commodities are worth on a day, against what they are carried at. The difference is posted in the
-- shop's currency, on an account that stands beside the one that is valued. Only the function here posts it, with the owner's rights, and it keeps
-- what came out for each account: that is what later revaluations go on from.

ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_kind_check;
ALTER TABLE journal_entry ADD CONSTRAINT journal_entry_kind_check
    CHECK (kind IN ('general', 'reversal', 'opening', 'closing', 'stock', 'revaluation'));
ALTER TABLE account_role DROP CONSTRAINT account_role_role_check;
ALTER TABLE account_role ADD CONSTRAINT account_role_role_check
    CHECK (role IN ('retained_earnings', 'exchange_difference', 'asset_valuation', 'liability_valuation'));

-- Which account stands beside an account that is valued; without, that of its role. Both are assets, or both are liabilities, and no groups.
CREATE TABLE account_valuation (
    account_id   uuid PRIMARY KEY,
    valuation_id uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('asset', 'liability')),
    is_group     boolean NOT NULL GENERATED ALWAYS AS (false) STORED,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT account_valuation_of_another CHECK (account_id <> valuation_id),
    CONSTRAINT account_valuation_account FOREIGN KEY (account_id, is_group, kind) REFERENCES account (id, is_group, kind),
    CONSTRAINT account_valuation_beside FOREIGN KEY (valuation_id, is_group, kind) REFERENCES account (id, is_group, kind)
);

-- What came out for an account and a commodity, in which line of the entry.
CREATE TABLE journal_revaluation (
    entry_id    uuid NOT NULL,
    line        integer NOT NULL CHECK (line >= 1),
    account_id  uuid NOT NULL,
    commodity   text COLLATE "C" NOT NULL,
    -- What the account had: on its debit side, or, negative, on its credit side.
    balance     numeric(28, 6) NOT NULL,
    -- How much of the shop's currency `denominator` of the commodity were worth; nothing where nothing was left.
    numerator   numeric,
    denominator numeric,
    -- In the shop's currency.
    value       numeric(24, 6) NOT NULL,
    carried     numeric(24, 6) NOT NULL,
    difference  numeric(24, 6) NOT NULL CONSTRAINT journal_revaluation_moves CHECK (difference <> 0),
    PRIMARY KEY (entry_id, line),
    CONSTRAINT journal_revaluation_difference CHECK (difference = value - carried)
);
CREATE INDEX journal_revaluation_account ON journal_revaluation (account_id, commodity);
CREATE TRIGGER journal_revaluation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_revaluation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION journal_entry_of_revaluation() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user <> (SELECT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename = 'journal_entry') THEN
        RAISE EXCEPTION 'revaluations are computed by the database'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_of_revaluation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_entry_of_revaluation BEFORE INSERT ON journal_entry FOR EACH ROW
    WHEN (NEW.kind = 'revaluation') EXECUTE FUNCTION journal_entry_of_revaluation();

-- What these accounts, or all assets and liabilities, have at the end of a day of other commodities than the shop's currency, what that is worth after
-- what was known at a moment, and at what it is carried: the values that lines were posted with, and earlier revaluations that were not undone by then.
CREATE FUNCTION revaluation(day date, wanted uuid[], known timestamptz)
    RETURNS TABLE (account_id uuid, code text, kind text, commodity text, balance numeric, unvalued numeric, since date, numerator numeric,
                   denominator numeric, value numeric, carried numeric, valuation_id uuid)
    LANGUAGE sql STABLE SET search_path = public, pg_temp SET jit = off AS $$
    WITH valued AS MATERIALIZED (
        SELECT a.id, a.code, a.kind FROM account a
        WHERE a.kind IN ('asset', 'liability') AND NOT a.is_group
          AND (cardinality(wanted) = 0 OR EXISTS (SELECT FROM account w WHERE w.id = ANY (wanted) AND w.path @> a.path))
    ), held AS MATERIALIZED (
        SELECT v.id, v.code, v.kind, t.commodity
        FROM valued v JOIN account_turnover t ON t.account_id = v.id AND t.span = 'month' AND t.since <= day
        WHERE t.commodity <> (SELECT currency FROM shop)
        GROUP BY v.id, v.code, v.kind, t.commodity
    ), rated AS MATERIALIZED (
        SELECT c.commodity, r.since, r.numerator, r.denominator
        FROM (SELECT DISTINCT commodity FROM held) c CROSS JOIN LATERAL commodity_rate(c.commodity, day, known) r
    ), summed AS (
        SELECT h.id, h.code, h.kind, h.commodity, COALESCE(l.balance, 0) AS balance, COALESCE(l.unvalued, 0) AS unvalued,
               COALESCE(l.given, 0) + COALESCE(p.posted, 0) AS carried
        FROM held h
        CROSS JOIN LATERAL (
            SELECT sum(s.sign * l.amount) AS balance, sum(s.sign * l.base_amount) AS given,
                   sum(s.sign * l.amount) FILTER (WHERE l.base_amount IS NULL) AS unvalued
            FROM journal_line l CROSS JOIN LATERAL (SELECT CASE WHEN l.is_debit THEN 1 ELSE -1 END AS sign) s
            WHERE l.account_id = h.id AND l.commodity = h.commodity AND l.date <= day
        ) l
        CROSS JOIN LATERAL (
            SELECT sum(r.difference) AS posted
            FROM journal_revaluation r JOIN journal_entry e ON e.id = r.entry_id AND e.date <= day
            WHERE r.account_id = h.id AND r.commodity = h.commodity
              AND NOT EXISTS (SELECT FROM journal_entry u WHERE u.reverses_id = r.entry_id AND u.date <= day)
        ) p
    )
    SELECT s.id, s.code, s.kind, s.commodity, s.balance, s.unvalued, r.since, r.numerator, r.denominator,
           CASE WHEN s.balance = 0 THEN 0
                ELSE round(s.balance * r.numerator / r.denominator, (SELECT currency_scale::integer FROM shop)) END,
           s.carried, COALESCE(v.valuation_id, o.account_id)
    FROM summed s
    LEFT JOIN rated r ON r.commodity = s.commodity AND s.balance <> 0
    LEFT JOIN account_valuation v ON v.account_id = s.id
    LEFT JOIN account_role o ON o.role = s.kind || '_valuation'
    WHERE s.balance <> 0 OR s.carried <> 0
    ORDER BY s.code, s.commodity
$$;

-- Posts what is different, and keeps what came out. Nothing is posted when nothing is different; where nobody has said on which account, or what
-- something is worth, it fails. Nobody posts meanwhile.
CREATE FUNCTION journal_revalue(new_entry uuid, day date, wanted uuid[], about text, moment timestamptz, by_kind text, by_id uuid, by_name text)
    RETURNS SETOF journal_entry LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET jit = off AS $$
BEGIN
    PERFORM books_own();
    RETURN QUERY
    WITH moved AS MATERIALIZED (
        SELECT r.*, r.value - r.carried AS difference, row_number() OVER (ORDER BY r.code, r.commodity)::integer AS line
        FROM revaluation(day, wanted, moment) r
        WHERE r.value IS DISTINCT FROM r.carried
    ), line AS MATERIALIZED (
        SELECT m.line, m.valuation_id AS account_id, m.difference AS amount, m.code || ' ' || m.commodity AS description FROM moved m
        UNION ALL
        -- All gains together, and all losses.
        SELECT ((SELECT count(*) FROM moved) + row_number() OVER (ORDER BY d.amount))::integer,
               (SELECT o.account_id FROM account_role o WHERE o.role = 'exchange_difference'), d.amount, NULL
        FROM (SELECT -sum(m.difference) AS amount FROM moved m GROUP BY m.difference > 0) d
    ), numbered AS MATERIALIZED (
        SELECT y.fiscal_year_id, y.last_number + 1 AS number FROM journal_numbers(ARRAY[day]) y WHERE EXISTS (SELECT FROM moved)
    ), entry AS (
        INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, description, lines, recorded_at, actor_kind, actor_id, actor_name)
        SELECT new_entry, n.fiscal_year_id, n.number, day, 'revaluation', about, (SELECT count(*) FROM line), moment, by_kind, by_id, by_name
        FROM numbered n
        RETURNING *
    ), posted AS (
        INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, description, date, number)
        SELECT new_entry, l.line, l.account_id, s.currency, l.amount > 0, abs(l.amount), l.description, day, n.number
        FROM line l CROSS JOIN numbered n CROSS JOIN shop s
    ), kept AS (
        INSERT INTO journal_revaluation (entry_id, line, account_id, commodity, balance, numerator, denominator, value, carried, difference)
        SELECT new_entry, m.line, m.account_id, m.commodity, m.balance, m.numerator, m.denominator, m.value, m.carried, m.difference
        FROM moved m CROSS JOIN numbered n
    )
    SELECT * FROM entry;
END $$;

-- The proof: what was kept of each revaluation is what its lines say, line by line.
CREATE FUNCTION revaluation_verify() RETURNS TABLE (kind text, subject text, expected text, actual text)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT 'revaluation', COALESCE(r.entry_id, l.entry_id) || ' ' || COALESCE(r.line, l.line), r.difference::text,
           CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END::text
    FROM journal_revaluation r
    FULL JOIN (
        SELECT l.* FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id
        -- What stands on the account for differences has no description.
        WHERE e.kind = 'revaluation' AND l.description IS NOT NULL
    ) l ON l.entry_id = r.entry_id AND l.line = r.line
    WHERE (r.difference = CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END) IS NOT TRUE
$$;

-- Of a commodity there is one rate at most.
ALTER FUNCTION commodity_rate ROWS 1;
