-- What follows from entries and their lines, in the statement that writes them; and how periods are closed.

-- Whoever posts shares this lock; whoever closes a period, or changes what an account is, owns it. A transaction with a snapshot of its own
-- would not see what was closed while it waited: it may not post.
CREATE FUNCTION books_share() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(8317423741026365292);
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'entries are posted in transactions that see what others have committed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_isolation';
    END IF;
END $$;
-- Behind the lock of stock, for whoever posts stock goes on to the books.
CREATE FUNCTION books_own() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM stock_own();
    PERFORM pg_advisory_xact_lock(8317423741026365292);
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'the books are changed in transactions that see what others have committed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_isolation';
    END IF;
END $$;

-- The fiscal years of these days with the last number of each, which stays the last until the transaction ends. Locked in the order of their
-- keys: so nobody waits in a circle.
CREATE FUNCTION journal_numbers(dates date[]) RETURNS TABLE (fiscal_year_id uuid, starts_on date, ends_on date, last_number bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM books_share();
    RETURN QUERY
    SELECT y.id, y.starts_on, y.ends_on, s.last_number
    FROM (SELECT f.id, f.starts_on, f.ends_on FROM fiscal_year f
          WHERE EXISTS (SELECT FROM unnest(dates) d WHERE d BETWEEN f.starts_on AND f.ends_on)
          ORDER BY f.id) y
    CROSS JOIN LATERAL (SELECT q.last_number FROM journal_sequence q WHERE q.fiscal_year_id = y.id FOR NO KEY UPDATE OFFSET 0) s;
END $$;

-- Entries go on where the last number was, in the fiscal year of their day, whoever gave the numbers.
CREATE FUNCTION journal_entry_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    years      integer;
    counted    integer;
    is_of_year boolean;
    reverses   boolean;
BEGIN
    PERFORM books_share();
    SELECT count(*), bool_and(p.is_of_year), bool_or(p.reverses) INTO years, is_of_year, reverses
    FROM (
        SELECT COALESCE(bool_and(p.date BETWEEN f.starts_on AND f.ends_on), false) AS is_of_year, bool_or(p.kind = 'reversal') AS reverses
        FROM posted p LEFT JOIN fiscal_year f ON f.id = p.fiscal_year_id
        GROUP BY p.fiscal_year_id
    ) p;
    IF NOT is_of_year THEN
        RAISE EXCEPTION 'the day of an entry is in its fiscal year'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_fiscal_year';
    END IF;
    UPDATE journal_sequence q SET last_number = p.last
    FROM (SELECT fiscal_year_id, min(number) AS first, max(number) AS last, count(*) AS entries FROM posted GROUP BY fiscal_year_id) p
    WHERE q.fiscal_year_id = p.fiscal_year_id AND p.first = q.last_number + 1 AND p.last = q.last_number + p.entries;
    GET DIAGNOSTICS counted = ROW_COUNT;
    IF counted < years THEN
        RAISE EXCEPTION 'numbers have no gaps'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_gapless';
    END IF;
    IF reverses AND EXISTS (
        SELECT FROM posted p LEFT JOIN journal_entry o ON o.id = p.reverses_id
        WHERE p.kind = 'reversal' AND (o.kind <> 'reversal' AND o.lines = p.lines AND o.date <= p.date) IS NOT TRUE
    ) THEN
        RAISE EXCEPTION 'a reversal is the mirror of an earlier entry that is none itself'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_reversal_mirrors';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_entry_numbered AFTER INSERT ON journal_entry
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION journal_entry_number();

-- Lines make entries whole and balanced, and change turnovers. Few statements, for each costs, and plans that are made once: each row is
-- looked up by its key, however few or many there are.
CREATE FUNCTION journal_post() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    is_whole boolean;
    reverses boolean;
    closed   jsonb;
    faults   jsonb;
BEGIN
    PERFORM books_share();

    -- Entries come whole, in one statement: a line that comes later finds its number taken, or is one too many.
    SELECT bool_and(p.is_whole), bool_or(p.reverses), jsonb_agg(p.closed) FILTER (WHERE p.closed IS NOT NULL)
    INTO is_whole, reverses, closed
    FROM (
        SELECT e.reverses_id IS NOT NULL AS reverses,
               COALESCE(e.lines = p.lines AND e.lines = p.last_line AND e.date = p.first_date AND e.date = p.last_date
                        AND e.number = p.first_number AND e.number = p.last_number, false) AS is_whole,
               CASE WHEN t.is_open IS NOT TRUE
                   THEN jsonb_build_object('entry', p.entry_id, 'code', CASE WHEN t.is_open IS NULL THEN 'no_period' ELSE 'period_closed' END)
               END AS closed
        FROM (
            SELECT entry_id, count(*) AS lines, max(line) AS last_line, min(date) AS first_date, max(date) AS last_date,
                   min(number) AS first_number, max(number) AS last_number
            FROM posted GROUP BY entry_id
        ) p
        LEFT JOIN LATERAL (SELECT lines, date, number, reverses_id FROM journal_entry WHERE id = p.entry_id OFFSET 0) e ON true
        LEFT JOIN LATERAL (SELECT t.closed_at IS NULL AS is_open FROM period t
                           WHERE t.starts_on <= p.first_date AND t.ends_on >= p.first_date OFFSET 0) t ON true
    ) p;
    IF is_whole IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT is_whole THEN
        RAISE EXCEPTION 'an entry has all its lines, from one on, of one day'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_whole';
    END IF;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'the period is closed, or there is none'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_period_open',
                  DETAIL = to_jsonb(ARRAY(SELECT c FROM jsonb_array_elements(closed) c LIMIT 100))::text;
    END IF;

    -- What a line may be.
    SELECT jsonb_agg(f.fault) INTO faults
    FROM (
        SELECT jsonb_build_object('entry', p.entry_id, 'line', p.line, 'code', w.code, 'account', a.code, 'commodity', p.commodity,
                                  'expected', a.commodity, 'scale', c.scale) AS fault
        FROM posted p
        LEFT JOIN LATERAL (SELECT code, is_group, archived_at, commodity FROM account WHERE id = p.account_id OFFSET 0) a ON true
        LEFT JOIN LATERAL (SELECT scale FROM commodity WHERE code = p.commodity OFFSET 0) c ON true
        CROSS JOIN LATERAL (SELECT CASE
            WHEN a.code IS NULL THEN 'account_unknown'
            WHEN a.is_group THEN 'account_is_group'
            WHEN a.archived_at IS NOT NULL THEN 'account_archived'
            WHEN c.scale IS NULL THEN 'commodity_unknown'
            WHEN a.commodity <> p.commodity THEN 'commodity_unfit'
            WHEN p.amount <> trunc(p.amount, c.scale) THEN 'too_fine'
            WHEN p.location_id IS NOT NULL AND NOT EXISTS (SELECT FROM location l WHERE l.id = p.location_id) THEN 'location_unknown'
        END AS code) w
        WHERE w.code IS NOT NULL
        ORDER BY p.entry_id, p.line LIMIT 100
    ) f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'lines that cannot be posted'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_line_fit', DETAIL = faults::text;
    END IF;

    SELECT jsonb_agg(f.fault) INTO faults
    FROM (
        SELECT jsonb_build_object('entry', p.entry_id, 'code', 'unbalanced', 'commodity', p.commodity,
                                  'debit', p.debit::text, 'credit', p.credit::text) AS fault
        FROM (
            SELECT entry_id, commodity, COALESCE(sum(amount) FILTER (WHERE is_debit), 0) AS debit,
                   COALESCE(sum(amount) FILTER (WHERE NOT is_debit), 0) AS credit
            FROM posted GROUP BY entry_id, commodity
        ) p
        WHERE p.debit <> p.credit
        ORDER BY p.entry_id, p.commodity LIMIT 100
    ) f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'entries balance in each commodity'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_balanced', DETAIL = faults::text;
    END IF;

    IF reverses AND EXISTS (
        SELECT FROM posted p
        CROSS JOIN LATERAL (SELECT reverses_id FROM journal_entry WHERE id = p.entry_id AND reverses_id IS NOT NULL OFFSET 0) e
        LEFT JOIN LATERAL (SELECT * FROM journal_line WHERE entry_id = e.reverses_id AND line = p.line OFFSET 0) m ON true
        WHERE (p.account_id, p.commodity, p.is_debit, p.amount, p.base_amount, p.quantity, p.location_id)
              IS DISTINCT FROM (m.account_id, m.commodity, NOT m.is_debit, m.amount, m.base_amount, m.quantity, m.location_id)
    ) THEN
        RAISE EXCEPTION 'a reversal is the mirror of an earlier entry that is none itself'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_reversal_mirrors';
    END IF;

    -- In the order of the keys, behind the numbers of fiscal years.
    INSERT INTO account_turnover AS t (account_id, commodity, span, since, debit, credit)
    SELECT d.account_id, d.commodity, s.span, s.since, sum(d.debit), sum(d.credit)
    FROM (
        SELECT account_id, commodity, date, COALESCE(sum(amount) FILTER (WHERE is_debit), 0) AS debit,
               COALESCE(sum(amount) FILTER (WHERE NOT is_debit), 0) AS credit
        FROM posted GROUP BY account_id, commodity, date
    ) d
    CROSS JOIN LATERAL (VALUES ('day', d.date), ('month', date_trunc('month', d.date)::date)) s (span, since)
    GROUP BY d.account_id, d.commodity, s.span, s.since
    ORDER BY d.account_id, d.commodity, s.span, s.since
    ON CONFLICT (account_id, commodity, span, since) DO UPDATE
    SET debit = t.debit + EXCLUDED.debit, credit = t.credit + EXCLUDED.credit;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_line_posts AFTER INSERT ON journal_line
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION journal_post();

CREATE FUNCTION journal_entry_complete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM journal_line WHERE entry_id = NEW.id AND line = 1) THEN
        RAISE EXCEPTION 'an entry has lines'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_entry_complete AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION journal_entry_complete();

-- What is posted to an account, and whether anything is, cannot change under whoever posts: they would not see it.
CREATE FUNCTION account_owns() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM books_own();
    RETURN NULL;
END $$;
CREATE TRIGGER account_changes_alone BEFORE UPDATE OF archived_at, commodity, normal_side ON account
    FOR EACH STATEMENT EXECUTE FUNCTION account_owns();
CREATE FUNCTION account_stays_as_posted() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM account_turnover WHERE account_id = NEW.id) THEN
        RAISE EXCEPTION 'account % has been posted to', NEW.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_stays_as_posted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_stays_as_posted BEFORE UPDATE OF commodity, normal_side ON account FOR EACH ROW
    WHEN ((NEW.commodity, NEW.normal_side) IS DISTINCT FROM (OLD.commodity, OLD.normal_side)) EXECUTE FUNCTION account_stays_as_posted();

-- A fiscal year counts from 1.
CREATE FUNCTION fiscal_year_begin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO journal_sequence (fiscal_year_id) SELECT id FROM begun;
    RETURN NULL;
END $$;
CREATE TRIGGER fiscal_year_begins AFTER INSERT ON fiscal_year
    REFERENCING NEW TABLE AS begun FOR EACH STATEMENT EXECUTE FUNCTION fiscal_year_begin();

CREATE FUNCTION period_owns() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM books_own();
    RETURN NULL;
END $$;
CREATE TRIGGER period_changes_alone BEFORE INSERT OR UPDATE ON period FOR EACH STATEMENT EXECUTE FUNCTION period_owns();

-- Periods are of their fiscal year's days. What is closed is the past up to a day, of the books and of stock alike.
CREATE FUNCTION period_keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until timestamptz;
BEGIN
    IF EXISTS (
        SELECT FROM period p LEFT JOIN fiscal_year f ON f.id = p.fiscal_year_id
        WHERE (p.starts_on >= f.starts_on AND p.ends_on <= f.ends_on) IS NOT TRUE
    ) THEN
        RAISE EXCEPTION 'a period is a part of its fiscal year'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'period_of_fiscal_year';
    END IF;
    IF EXISTS (SELECT FROM period o JOIN period c ON c.starts_on > o.starts_on WHERE o.closed_at IS NULL AND c.closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'no open period lies before a closed one'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'period_closed_in_order';
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NULL;
    END IF;
    -- Up to the midnight that ends the day where the shop is.
    SELECT (max(p.ends_on) + 1)::timestamp AT TIME ZONE (SELECT s.time_zone FROM shop s) - interval '1 microsecond'
    INTO until FROM period p WHERE p.closed_at IS NOT NULL;
    IF until IS NULL THEN
        DELETE FROM stock_closing;
    ELSE
        INSERT INTO stock_closing (closed_until, changed_at) VALUES (until, now())
        ON CONFLICT (singleton) DO UPDATE SET closed_until = EXCLUDED.closed_until, changed_at = EXCLUDED.changed_at;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER period_kept_in_order AFTER INSERT OR UPDATE OF closed_at ON period FOR EACH STATEMENT EXECUTE FUNCTION period_keep();
-- A period begins open.
CREATE TRIGGER period_begins BEFORE INSERT ON period FOR EACH ROW WHEN (NEW.closed_at IS NOT NULL) EXECUTE FUNCTION stays();

-- What the books should be, compared with what they are: each difference in a row, and none when all is well. Reads every line.
CREATE FUNCTION journal_verify() RETURNS TABLE (kind text, subject text, expected text, actual text)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    -- Lines without an entry, entries without all their lines, or with lines of another day.
    SELECT 'lines', COALESCE(e.id, l.entry_id)::text, e.lines::text, COALESCE(l.lines, 0)::text
    FROM journal_entry e
    FULL JOIN (SELECT entry_id, count(*) AS lines, max(line) AS last, min(date) AS first_date, max(date) AS last_date,
                      min(number) AS first_number, max(number) AS last_number
               FROM journal_line GROUP BY entry_id) l ON l.entry_id = e.id
    WHERE (e.lines = l.lines AND e.lines = l.last AND e.date = l.first_date AND e.date = l.last_date
           AND e.number = l.first_number AND e.number = l.last_number) IS NOT TRUE
    UNION ALL
    SELECT 'balance', entry_id || ' ' || commodity, sum(amount) FILTER (WHERE is_debit)::text, sum(amount) FILTER (WHERE NOT is_debit)::text
    FROM journal_line GROUP BY entry_id, commodity
    HAVING sum(CASE WHEN is_debit THEN amount ELSE -amount END) <> 0
    UNION ALL
    SELECT 'line', l.entry_id || ' ' || l.line, COALESCE(a.commodity, l.commodity), l.commodity || ' ' || l.amount
    FROM journal_line l LEFT JOIN account a ON a.id = l.account_id LEFT JOIN commodity c ON c.code = l.commodity
    WHERE (NOT a.is_group AND COALESCE(a.commodity, l.commodity) = l.commodity AND l.amount = trunc(l.amount, c.scale) AND l.amount > 0) IS NOT TRUE
    UNION ALL
    SELECT 'numbers', f.name, q.last_number::text, count(e.id) || ' up to ' || COALESCE(max(e.number), 0)
    FROM fiscal_year f
    LEFT JOIN journal_sequence q ON q.fiscal_year_id = f.id
    LEFT JOIN journal_entry e ON e.fiscal_year_id = f.id
    GROUP BY f.id, f.name, q.last_number
    HAVING (q.last_number = count(e.id) AND q.last_number = COALESCE(max(e.number), 0)) IS NOT TRUE
    UNION ALL
    SELECT 'fiscal_year', e.id::text, f.name, e.date::text
    FROM journal_entry e LEFT JOIN fiscal_year f ON f.id = e.fiscal_year_id
    WHERE (e.date BETWEEN f.starts_on AND f.ends_on) IS NOT TRUE
    UNION ALL
    SELECT 'reversal', e.id::text, e.reverses_id::text, l.line::text
    FROM journal_entry e
    JOIN journal_line l ON l.entry_id = e.id
    LEFT JOIN journal_line o ON o.entry_id = e.reverses_id AND o.line = l.line
    WHERE e.reverses_id IS NOT NULL
      AND (l.account_id, l.commodity, l.is_debit, l.amount, l.quantity, l.location_id)
          IS DISTINCT FROM (o.account_id, o.commodity, NOT o.is_debit, o.amount, o.quantity, o.location_id)
    UNION ALL
    SELECT 'turnover', concat_ws(' ', (SELECT a.code FROM account a WHERE a.id = account_id), commodity, span, since),
           COALESCE(s.debit, 0) || ' ' || COALESCE(s.credit, 0), COALESCE(t.debit, 0) || ' ' || COALESCE(t.credit, 0)
    FROM account_turnover t
    FULL JOIN (
        SELECT d.account_id, d.commodity, s.span, s.since, sum(d.debit) AS debit, sum(d.credit) AS credit
        FROM (SELECT account_id, commodity, date, COALESCE(sum(amount) FILTER (WHERE is_debit), 0) AS debit,
                     COALESCE(sum(amount) FILTER (WHERE NOT is_debit), 0) AS credit
              FROM journal_line GROUP BY account_id, commodity, date) d
        CROSS JOIN LATERAL (VALUES ('day', d.date), ('month', date_trunc('month', d.date)::date)) s (span, since)
        GROUP BY d.account_id, d.commodity, s.span, s.since
    ) s USING (account_id, commodity, span, since)
    WHERE (t.debit, t.credit) IS DISTINCT FROM (s.debit, s.credit)
    UNION ALL
    SELECT 'period', p.name, 'open', 'closed' FROM period p
    WHERE p.closed_at IS NOT NULL AND EXISTS (SELECT FROM period o WHERE o.starts_on < p.starts_on AND o.closed_at IS NULL)
$$;
