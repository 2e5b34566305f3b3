DROP FUNCTION retention_remove(text, integer), retention_due(text);
ALTER FUNCTION retention_remove_rows(text, integer) RENAME TO retention_remove;
ALTER FUNCTION retention_due_rows(text) RENAME TO retention_due;
CREATE OR REPLACE FUNCTION trail_retire(before date, by_whom text, why text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    part    record;
    bounds  text;
    newest  timestamptz;
    oldest  timestamptz;
    highest bigint;
    counted bigint;
    ranges  int8multirange;
    total   bigint := 0;
BEGIN
    FOR part IN
        SELECT c.oid::regclass AS name, p.relname::text AS parent, CASE p.relname WHEN 'audit' THEN 'audit' ELSE 'change' END AS stream
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE i.inhparent IN ('audit'::regclass, 'trail_change'::regclass) AND c.relname NOT LIKE '%\_rest'
          AND (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz <= LEAST(before, now())
        ORDER BY 2, 1
    LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE MODE', part.name);
        EXECUTE format('SELECT count(*), min(written_at), max(written_at), max(number), range_agg(int8range(number, number, ''[]'')) FROM %s', part.name)
        INTO counted, oldest, newest, highest, ranges;
        IF counted > 0 THEN
            IF highest > (SELECT COALESCE(max(s.until), 0) FROM trail_seal s WHERE s.stream = part.stream) THEN
                RAISE EXCEPTION 'what is not sealed yet is not retired: %', part.name;
            END IF;
            IF part.stream = 'change' THEN
                EXECUTE format($sql$
                    INSERT INTO trail_change (source, operation, about, key, after, who)
                    SELECT o.source, 'c', o.about, o.key, o.after, jsonb_build_object('kind', 'system', 'name', %L::text, 'reason', %L::text)
                    FROM %s o
                    WHERE o.after IS NOT NULL AND NOT EXISTS (SELECT FROM trail_change l WHERE l.about = o.about AND l.number > o.number
                                                              AND l.source = o.source AND l.key = o.key)
                    ORDER BY o.number $sql$, by_whom, why, part.name);
            END IF;
            INSERT INTO trail_retired (stream, numbers, rows, since, until, actor_name, reason)
            VALUES (part.stream, ranges, counted, oldest, newest, by_whom, why);
            INSERT INTO audit (at, actor_kind, actor_name, action, aggregate_type, aggregate_id, reason, after)
            VALUES (now(), 'system', by_whom, 'trail.retire', 'trail', gen_random_uuid(), why,
                    jsonb_build_object('partition', part.name::text, 'rows', counted, 'since', oldest, 'until', newest));
        END IF;
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %s', part.parent, part.name);
        EXECUTE format('DROP TABLE %s', part.name);
        total := total + counted;
    END LOOP;
    RETURN total;
END $$;
DROP FUNCTION trail_drop, trail_stays, trail_months;
ALTER TABLE trail_retired DROP COLUMN kept_days;
DELETE FROM retention_result WHERE subject = 'audit';
DELETE FROM retention_policy WHERE subject = 'audit';
CREATE OR REPLACE FUNCTION retention_minimum(subject text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE subject
        WHEN 'api_tokens' THEN 30
        -- Requests are sent again for hours, not for days.
        WHEN 'idempotency_keys' THEN 1
        -- Whoever listens may come back after a weekend.
        WHEN 'events' THEN 3
        WHEN 'exports' THEN 1
        WHEN 'imports' THEN 7
        WHEN 'jobs' THEN 7
        WHEN 'proofs' THEN 30
        WHEN 'schedule_firings' THEN 30
        -- Longer than a backup takes.
        WHEN 'unreferenced_files' THEN 1
    END
$$;
