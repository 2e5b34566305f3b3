-- Posting costs less: entries are looked at one by one, lines by account and day, and what is wrong with a single line is asked only when something is.
-- And subsidiary accounts have turnovers of years, so that what is old is read in few rows.

ALTER TABLE subsidiary_turnover DROP CONSTRAINT subsidiary_turnover_span_check;
ALTER TABLE subsidiary_turnover ADD CONSTRAINT subsidiary_turnover_span_check CHECK (span IN ('day', 'month', 'year'));
INSERT INTO subsidiary_turnover (account_id, subsidiary_id, commodity, span, since, debit, credit)
SELECT account_id, subsidiary_id, commodity, 'year', date_trunc('year', since)::date, sum(debit), sum(credit)
FROM subsidiary_turnover WHERE span = 'month' GROUP BY account_id, subsidiary_id, commodity, date_trunc('year', since);

CREATE OR REPLACE FUNCTION journal_post() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET jit = off AS $$
DECLARE
    is_whole    boolean;
    is_balanced boolean;
    reverses    boolean;
    is_closed   boolean;
    -- Whether lines are to be looked at one by one.
    is_doubtful boolean;
    closed   jsonb;
    faults   jsonb;
    -- Of what only some lines have: nobody pays for it who posts others.
    locations    boolean;
    subsidiaries boolean;
    dimensions   boolean;
    is_floored   boolean;
    floors       uuid[];
BEGIN
    PERFORM books_share();

    -- Entries come whole, in one statement: a line that comes later finds its number taken, or is one too many. One that has lines of several
    -- commodities may balance.
    SELECT bool_and(p.is_whole), bool_and(p.is_balanced), bool_or(p.reverses) INTO is_whole, is_balanced, reverses
    FROM (
        SELECT e.reverses_id IS NOT NULL AS reverses, p.is_balanced,
               COALESCE(e.lines = p.lines AND e.lines = p.last_line AND e.date = p.first_date AND e.date = p.last_date
                        AND e.number = p.first_number AND e.number = p.last_number, false) AS is_whole
        FROM (
            SELECT entry_id, count(*) AS lines, max(line) AS last_line, min(date) AS first_date, max(date) AS last_date,
                   min(number) AS first_number, max(number) AS last_number,
                   min(commodity) = max(commodity) AND sum(CASE WHEN is_debit THEN amount ELSE -amount END) = 0 AS is_balanced
            FROM posted GROUP BY entry_id
        ) p
        LEFT JOIN LATERAL (SELECT lines, date, number, reverses_id FROM journal_entry WHERE id = p.entry_id OFFSET 0) e ON true
    ) p;
    IF is_whole IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT is_whole THEN
        RAISE EXCEPTION 'an entry has all its lines, from one on, of one day'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_whole';
    END IF;

    -- What accounts and days say; and what they come to, in the order of the keys, behind the numbers of fiscal years.
    WITH had AS MATERIALIZED (
        SELECT account_id, commodity, date, COALESCE(sum(amount) FILTER (WHERE is_debit), 0) AS debit,
               COALESCE(sum(amount) FILTER (WHERE NOT is_debit), 0) AS credit, max(scale(trim_scale(amount))) AS places,
               bool_or(location_id IS NOT NULL) AS has_location, bool_or(subsidiary_id IS NOT NULL) AS has_subsidiary,
               bool_or(cost_center_id IS NOT NULL OR project_id IS NOT NULL) AS has_dimension
        FROM posted GROUP BY account_id, commodity, date
    ), kept AS (
        INSERT INTO account_turnover AS t (account_id, commodity, span, since, debit, credit)
        SELECT h.account_id, h.commodity, s.span, s.since, sum(h.debit), sum(h.credit)
        FROM had h
        CROSS JOIN LATERAL (VALUES ('day', h.date), ('month', date_trunc('month', h.date)::date)) s (span, since)
        GROUP BY h.account_id, h.commodity, s.span, s.since
        ORDER BY h.account_id, h.commodity, s.span, s.since
        ON CONFLICT (account_id, commodity, span, since) DO UPDATE
        SET debit = t.debit + EXCLUDED.debit, credit = t.credit + EXCLUDED.credit
    )
    SELECT bool_or(p.is_open IS NOT TRUE),
           bool_or(journal_line_fault(a.code, a.is_group, a.archived_at, a.commodity, c.scale, h.commodity, 0) IS NOT NULL OR h.places > c.scale),
           bool_or(h.has_location), bool_or(h.has_subsidiary OR a.subsidiary_kind IS NOT NULL), bool_or(h.has_dimension), bool_or(a.has_floor)
    INTO is_closed, is_doubtful, locations, subsidiaries, dimensions, is_floored
    FROM had h
    LEFT JOIN LATERAL (SELECT code, is_group, archived_at, commodity, subsidiary_kind, has_floor FROM account
                       WHERE id = h.account_id OFFSET 0) a ON true
    LEFT JOIN LATERAL (SELECT scale FROM commodity WHERE code = h.commodity OFFSET 0) c ON true
    LEFT JOIN LATERAL (SELECT closed_at IS NULL AS is_open FROM period
                       WHERE starts_on <= h.date AND ends_on >= h.date OFFSET 0) p ON true;
    IF is_closed THEN
        SELECT jsonb_agg(c.fault) INTO closed
        FROM (
            SELECT jsonb_build_object('entry', p.entry_id, 'code',
                                      CASE WHEN t.is_open IS NULL THEN 'no_period' ELSE 'period_closed' END) AS fault
            FROM (SELECT DISTINCT entry_id, date FROM posted) p
            LEFT JOIN LATERAL (SELECT closed_at IS NULL AS is_open FROM period
                               WHERE starts_on <= p.date AND ends_on >= p.date OFFSET 0) t ON true
            WHERE t.is_open IS NOT TRUE
            LIMIT 100
        ) c;
        RAISE EXCEPTION 'the period is closed, or there is none'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_period_open', DETAIL = closed::text;
    END IF;
    IF locations AND NOT is_doubtful THEN
        is_doubtful := EXISTS (SELECT FROM (SELECT DISTINCT location_id AS id FROM posted WHERE location_id IS NOT NULL) p
                               WHERE NOT EXISTS (SELECT FROM location l WHERE l.id = p.id));
    END IF;

    -- What a line may be.
    IF is_doubtful THEN
        SELECT jsonb_agg(f.fault) FILTER (WHERE f.fault IS NOT NULL) INTO faults
        FROM (
            SELECT CASE WHEN w.code IS NOT NULL AND (w.code <> 'too_fine' OR NOT EXISTS (SELECT FROM fine_account f WHERE f.account_id = p.account_id)) THEN
                       jsonb_build_object('entry', p.entry_id, 'line', p.line, 'code', w.code, 'account', a.code, 'commodity', p.commodity,
                                          'expected', a.commodity, 'scale', c.scale) END AS fault
            FROM posted p
            LEFT JOIN LATERAL (SELECT code, is_group, archived_at, commodity FROM account WHERE id = p.account_id OFFSET 0) a ON true
            LEFT JOIN LATERAL (SELECT scale FROM commodity WHERE code = p.commodity OFFSET 0) c ON true
            CROSS JOIN LATERAL (SELECT COALESCE(
                journal_line_fault(a.code, a.is_group, a.archived_at, a.commodity, c.scale, p.commodity, p.amount),
                CASE WHEN p.location_id IS NOT NULL AND NOT EXISTS (SELECT FROM location l WHERE l.id = p.location_id)
                    THEN 'location_unknown' END) AS code) w
        ) f;
    END IF;
    IF faults IS NULL AND (subsidiaries OR dimensions) THEN
        SELECT jsonb_agg(jsonb_build_object('entry', f.entry_id, 'line', f.line, 'code', f.code, 'account', f.account, 'kind', f.kind))
        INTO faults
        FROM (
            SELECT p.entry_id, p.line, a.code AS account, a.subsidiary_kind AS kind, COALESCE(
                'subsidiary_' || dimension_fault(a.subsidiary_kind, p.subsidiary_id, s.kind, s.archived_at),
                CASE WHEN p.cost_center_id IS NOT NULL
                    THEN 'cost_center_' || dimension_fault('cost_center', p.cost_center_id, d.kind, d.archived_at) END,
                CASE WHEN p.project_id IS NOT NULL
                    THEN 'project_' || dimension_fault('project', p.project_id, j.kind, j.archived_at) END) AS code
            FROM posted p
            CROSS JOIN LATERAL (SELECT code, subsidiary_kind FROM account WHERE id = p.account_id OFFSET 0) a
            LEFT JOIN LATERAL (SELECT kind, archived_at FROM dimension_value WHERE id = p.subsidiary_id OFFSET 0) s ON true
            LEFT JOIN LATERAL (SELECT kind, archived_at FROM dimension_value WHERE id = p.cost_center_id OFFSET 0) d ON true
            LEFT JOIN LATERAL (SELECT kind, archived_at FROM dimension_value WHERE id = p.project_id OFFSET 0) j ON true
        ) f
        WHERE f.code IS NOT NULL;
    END IF;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'lines that cannot be posted'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_line_fit',
                  DETAIL = to_jsonb(ARRAY(SELECT f FROM jsonb_array_elements(faults) f ORDER BY f ->> 'entry', (f ->> 'line')::integer LIMIT 100))::text;
    END IF;

    IF is_balanced IS NOT TRUE THEN
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
    END IF;

    IF reverses AND EXISTS (
        SELECT FROM posted p
        CROSS JOIN LATERAL (SELECT reverses_id FROM journal_entry WHERE id = p.entry_id AND reverses_id IS NOT NULL OFFSET 0) e
        LEFT JOIN LATERAL (SELECT * FROM journal_line WHERE entry_id = e.reverses_id AND line = p.line OFFSET 0) m ON true
        WHERE (p.account_id, p.commodity, p.is_debit, p.amount, p.base_amount, p.quantity, p.location_id, p.subsidiary_id, p.cost_center_id,
               p.project_id)
              IS DISTINCT FROM (m.account_id, m.commodity, NOT m.is_debit, m.amount, m.base_amount, m.quantity, m.location_id, m.subsidiary_id,
                                m.cost_center_id, m.project_id)
    ) THEN
        RAISE EXCEPTION 'a reversal is the mirror of an earlier entry that is none itself'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_reversal_mirrors';
    END IF;

    IF subsidiaries THEN
        INSERT INTO subsidiary_turnover AS t (account_id, subsidiary_id, commodity, span, since, debit, credit)
        SELECT d.account_id, d.subsidiary_id, d.commodity, s.span, s.since, sum(d.debit), sum(d.credit)
        FROM (
            SELECT account_id, subsidiary_id, commodity, date, COALESCE(sum(amount) FILTER (WHERE is_debit), 0) AS debit,
                   COALESCE(sum(amount) FILTER (WHERE NOT is_debit), 0) AS credit
            FROM posted WHERE subsidiary_id IS NOT NULL GROUP BY account_id, subsidiary_id, commodity, date
        ) d
        CROSS JOIN LATERAL (VALUES ('day', d.date), ('month', date_trunc('month', d.date)::date), ('year', date_trunc('year', d.date)::date)) s (span, since)
        GROUP BY d.account_id, d.subsidiary_id, d.commodity, s.span, s.since
        ORDER BY d.account_id, d.subsidiary_id, d.commodity, s.span, s.since
        ON CONFLICT (account_id, subsidiary_id, commodity, span, since) DO UPDATE
        SET debit = t.debit + EXCLUDED.debit, credit = t.credit + EXCLUDED.credit;
    END IF;
    IF is_floored THEN
        -- Those that something is taken from.
        SELECT array_agg(f.id) INTO floors
        FROM (
            SELECT f.id
            FROM posted p
            JOIN account_floor f ON f.account_id = p.account_id AND f.commodity = p.commodity
                                    AND (f.subsidiary_id IS NULL OR f.subsidiary_id = p.subsidiary_id)
            GROUP BY f.id, f.side
            HAVING sum(CASE WHEN p.is_debit = (f.side = 'debit') THEN p.amount ELSE -p.amount END) < 0
        ) f;
        IF floors IS NOT NULL THEN
            PERFORM account_floor_keep(floors, (SELECT max(e.recorded_at) FROM journal_entry e WHERE e.id IN (SELECT entry_id FROM posted)));
        END IF;
    END IF;
    RETURN NULL;
END $$;


-- For each entry, at the end of its transaction: a query and as little around it as can be. It reads what whoever wrote the entry may read anyway.
CREATE OR REPLACE FUNCTION journal_entry_complete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.journal_line WHERE entry_id = NEW.id AND line = 1) THEN
        RAISE EXCEPTION 'an entry has lines'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_whole';
    END IF;
    RETURN NULL;
END $$;
