-- How fiscal years are closed, and which account is for what.

-- The accounts that use cases post to by themselves.
CREATE TABLE account_role (
    role       text COLLATE "C" PRIMARY KEY CHECK (role IN ('retained_earnings')),
    account_id uuid NOT NULL REFERENCES account (id),
    updated_at timestamptz NOT NULL
);

CREATE INDEX journal_entry_closing ON journal_entry (fiscal_year_id) WHERE kind = 'closing';
-- Whether a fiscal year has a closing entry that was not undone.
CREATE FUNCTION fiscal_year_closed(year uuid) RETURNS boolean LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM journal_entry e
                   WHERE e.fiscal_year_id = year AND e.kind = 'closing' AND NOT EXISTS (SELECT FROM journal_entry r WHERE r.reverses_id = e.id))
$$;
-- What went to each side of accounts of revenue and expenses up to the end of a day: whole months, and the days of the last.
CREATE FUNCTION books_result(day date) RETURNS TABLE (account_id uuid, commodity text, debit numeric, credit numeric)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT t.account_id, t.commodity, sum(t.debit), sum(t.credit)
    FROM account a JOIN account_turnover t ON t.account_id = a.id
    WHERE a.kind IN ('revenue', 'expense') AND NOT a.is_group
      AND (t.span = 'month' AND t.since < date_trunc('month', day)::date
           OR t.span = 'day' AND t.since >= date_trunc('month', day)::date AND t.since <= day)
    GROUP BY t.account_id, t.commodity
$$;

-- What is closed has nothing left of revenue and expenses, and no open period, by the end of the transaction.
CREATE FUNCTION fiscal_year_keep_closed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT fiscal_year_closed(NEW.fiscal_year_id) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM period p WHERE p.fiscal_year_id = NEW.fiscal_year_id AND p.closed_at IS NULL) THEN
        RAISE EXCEPTION 'a fiscal year that was closed has no open period'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'fiscal_year_kept_closed';
    END IF;
    IF TG_TABLE_NAME = 'journal_entry' AND EXISTS (
        SELECT FROM fiscal_year f CROSS JOIN LATERAL books_result(f.ends_on) r WHERE f.id = NEW.fiscal_year_id AND r.debit <> r.credit
    ) THEN
        RAISE EXCEPTION 'a fiscal year that is closed leaves neither revenue nor expenses'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'fiscal_year_closed_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_entry_closes AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'closing') EXECUTE FUNCTION fiscal_year_keep_closed();
CREATE CONSTRAINT TRIGGER period_stays_closed AFTER UPDATE OF closed_at ON period DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL AND NEW.closed_at IS NULL) EXECUTE FUNCTION fiscal_year_keep_closed();
