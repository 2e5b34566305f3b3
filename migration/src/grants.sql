-- What is still to be said to PostgreSQL so that the application's role ($1) may do what it needs and nothing else: a GRANT or REVOKE
-- a row, and no row when all is as it should be. Everything is found in the catalogue, so that a table of tomorrow is covered.
WITH app AS (
    SELECT oid FROM pg_roles WHERE rolname = $1::text
),
-- Everything of ours, with its privileges as they are and those that the application needs. What extensions bring is theirs, and what
-- others have put beside it is no business of ours.
object (kind, oid, name, privileges, needed) AS (
    -- No TEMPORARY: a temporary table could stand in for a table of ours in the functions of triggers.
    SELECT 'DATABASE', oid, quote_ident(datname), COALESCE(datacl, acldefault('d', datdba)), '{CONNECT}'::text[]
    FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 'SCHEMA', oid, quote_ident(nspname), COALESCE(nspacl, acldefault('n', nspowner)), '{USAGE}'
    FROM pg_namespace WHERE nspname = 'public'
    UNION ALL
    SELECT 'SEQUENCE', c.oid, format('public.%I', c.relname), COALESCE(c.relacl, acldefault('s', c.relowner)), '{USAGE}'
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S' AND pg_has_role(c.relowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'TABLE', c.oid, format('public.%I', c.relname), COALESCE(c.relacl, acldefault('r', c.relowner)),
        CASE
            -- Partitions are read and written through their tables.
            WHEN c.relispartition THEN '{}'::text[]
            -- Views are looked at, and the history of the database is migration's.
            WHEN c.relkind IN ('v', 'm') OR c.relname = 'seaql_migrations' THEN '{SELECT}'::text[]
             -- Levels and values follow from movements and reservations, and what was counted from scans, by their triggers; weeks and
             -- days from movements, by functions. Turnovers follow from lines of entries, numbers from entries, what is held from holds, and what is
             -- closed of stock from periods. Changes of rows are kept by triggers, and seals made by functions. Names of files are retired by functions.
             WHEN c.relname IN ('blob_retired', 'stock_level', 'stock_lot_level', 'stock_value', 'stock_cost', 'stock_cost_layer', 'stock_count_location',
                                'stock_count_line', 'stock_week', 'stock_week_item', 'stock_week_mark', 'stock_flow_day', 'stock_level_day',
                                'stock_flow_total', 'stock_series_mark', 'stock_closing', 'commodity', 'journal_sequence',
                                 'account_turnover', 'subsidiary_turnover', 'journal_hold_open', 'journal_horizon', 'stock_account', 'stock_booking', 'stock_booked', 'stock_recosting', 'stock_landed_value', 'journal_revaluation',
                                 'trail_change', 'trail_seal', 'trail_pending', 'trail_retired') THEN '{SELECT}'
            WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname LIKE '%\_append\_only') THEN '{SELECT,INSERT}'
            -- What is kept for a time is removed by a function that knows for how long.
            WHEN c.relname IN ('api_token', 'code_batch', 'event', 'idempotency', 'item_export', 'item_import', 'job', 'job_file', 'journal_import', 'label_sheet',
                               'report_export', 'retention_hold', 'retention_policy', 'retention_result', 'retention_run', 'schedule',
                               'schedule_state', 'stock_reconciliation', 'trail_verification') THEN '{SELECT,INSERT,UPDATE}'
            ELSE '{SELECT,INSERT,UPDATE,DELETE}'
        END
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND pg_has_role(c.relowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    -- Triggers call their functions whoever writes.
    SELECT 'ROUTINE', p.oid, p.oid::regprocedure::text, COALESCE(p.proacl, acldefault('f', p.proowner)),
        CASE WHEN p.prorettype = 'trigger'::regtype THEN '{}'::text[] ELSE '{EXECUTE}' END
    FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND pg_has_role(p.proowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
),
held (kind, oid, name, needed, grantee, privilege, is_grantable, is_of_column) AS (
    SELECT o.kind, o.oid, o.name, o.needed, p.grantee, p.privilege_type, p.is_grantable, false
    FROM object o CROSS JOIN LATERAL aclexplode(o.privileges) p
    UNION ALL
    SELECT o.kind, o.oid, o.name, o.needed, p.grantee, p.privilege_type, p.is_grantable, true
    FROM object o JOIN pg_attribute a ON a.attrelid = o.oid CROSS JOIN LATERAL aclexplode(a.attacl) p
    WHERE o.kind = 'TABLE'
),
line (verb, privilege, kind, name, whom) AS (
    -- Nobody may do anything by being somebody.
    SELECT 'REVOKE', h.privilege, h.kind, h.name, 'FROM PUBLIC CASCADE' FROM held h WHERE h.grantee = 0
    UNION ALL
    SELECT 'REVOKE', h.privilege, h.kind, h.name, format('FROM %I CASCADE', $1)
    FROM held h JOIN app ON h.grantee = app.oid WHERE h.privilege <> ALL (h.needed)
    UNION ALL
    SELECT 'REVOKE GRANT OPTION FOR', h.privilege, h.kind, h.name, format('FROM %I CASCADE', $1)
    FROM held h JOIN app ON h.grantee = app.oid WHERE h.privilege = ANY (h.needed) AND h.is_grantable
    UNION ALL
    SELECT 'GRANT', n.privilege, o.kind, o.name, format('TO %I', $1)
    FROM object o CROSS JOIN app CROSS JOIN LATERAL unnest(o.needed) n (privilege)
    WHERE NOT EXISTS (
        SELECT FROM held h
        WHERE (h.kind, h.oid, h.grantee, h.privilege) = (o.kind, o.oid, app.oid, n.privilege) AND NOT h.is_of_column
    )
)
SELECT format('%s %s ON %s %s %s', verb, privilege, kind, string_agg(DISTINCT name, ', '), whom)
FROM line GROUP BY verb, privilege, kind, whom
-- What is taken first, then what is given.
ORDER BY verb DESC, kind, privilege
