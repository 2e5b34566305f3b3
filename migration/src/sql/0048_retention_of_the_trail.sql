-- Retention of the trail. Its months go whole: when they are older than the policy says, all of them is sealed, and is what was sealed. Seals stay, and
-- what went, when, why and by whose policy is written down where the trail keeps it, so that what is left is proved as before.

CREATE OR REPLACE FUNCTION retention_minimum(subject text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE subject
        WHEN 'api_tokens' THEN 30
        -- Five years: somebody may ask for as long who has done what.
        WHEN 'audit' THEN 1827
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

-- Nothing goes until somebody says so.
INSERT INTO retention_policy (subject, keep_days, enabled, updated_at) VALUES ('audit', 3653, false, now());

-- For how many days the policy had them kept; none where the owner of the database has dropped them.
ALTER TABLE trail_retired ADD COLUMN kept_days integer CONSTRAINT trail_retired_kept CHECK (kept_days > 0);

-- Partitions of months that are over by this time, oldest first, and between which times their rows were written.
CREATE FUNCTION trail_months(before timestamptz) RETURNS TABLE (part regclass, parent text, stream text, starts timestamptz, ends timestamptz)
    LANGUAGE sql STABLE SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT m.part, m.parent, CASE m.parent WHEN 'audit' THEN 'audit' ELSE 'change' END,
           COALESCE((regexp_match(m.bound, 'FROM \(''([^'']+)''\)'))[1]::timestamptz, '-infinity'), m.ends
    FROM (
        SELECT c.oid::regclass AS part, p.relname::text AS parent, pg_get_expr(c.relpartbound, c.oid) AS bound,
               (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz AS ends
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE i.inhparent IN ('public.audit'::regclass, 'public.trail_change'::regclass) AND c.relname NOT LIKE '%\_rest'
    ) m
    WHERE m.ends <= LEAST(before, now())
    ORDER BY m.ends, m.parent
$$;

-- Why rows that were written between these times may not go; nothing when they may. A row that is not what was sealed of it is what a proof finds: it has
-- to stay for that, and so has its month.
CREATE FUNCTION trail_stays(of_stream text, from_time timestamptz, to_time timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp SET timezone = 'UTC' SET jit = off AS $$
DECLARE
    lowest  bigint;
    highest bigint;
BEGIN
    IF of_stream = 'audit' THEN
        SELECT min(a.number), max(a.number) INTO lowest, highest FROM audit a WHERE a.written_at >= from_time AND a.written_at < to_time;
    ELSE
        SELECT min(c.number), max(c.number) INTO lowest, highest FROM trail_change c WHERE c.written_at >= from_time AND c.written_at < to_time;
    END IF;
    IF lowest IS NULL THEN
        RETURN NULL;
    END IF;
    IF highest > (SELECT COALESCE(max(s.until), 0) FROM trail_seal s WHERE s.stream = of_stream) THEN
        RETURN 'not sealed yet';
    END IF;
    -- Rows of neighbouring months have numbers in between; some of those may have gone before.
    IF EXISTS (
        SELECT
        FROM (
            SELECT n.number, substring(s.hashes FROM (n.place::integer - 1) * 32 + 1 FOR 32) AS hash
            FROM trail_seal s CROSS JOIN LATERAL unnest(s.numbers) WITH ORDINALITY n (number, place)
            WHERE s.stream = of_stream AND s.until >= lowest AND s.after < highest AND n.number BETWEEN lowest AND highest
        ) sealed
        FULL JOIN trail_rows(of_stream, '00000000-0000-0000-0000-000000000000', lowest - 1, highest) present ON present.number = sealed.number
        WHERE sealed.hash IS DISTINCT FROM present.hash
          AND NOT (present.number IS NULL AND EXISTS (SELECT FROM trail_retired r WHERE r.stream = of_stream AND r.numbers @> sealed.number))
    ) THEN
        RETURN 'not as it was sealed';
    END IF;
    RETURN NULL;
END $$;

-- Drops one of these partitions for good, writes down that it was done, and carries rows on whose last change goes with it. Tells how many rows are
-- gone. Who calls it has asked `trail_stays`. For the owner: the application's role cannot, and has `retention_remove`. Nobody waits for long: when
-- somebody would have to, it fails.
CREATE FUNCTION trail_drop(part regclass, parent text, by_whom text, why text, policy_days integer) RETURNS bigint
    LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '1s' AS $$
DECLARE
    newest  timestamptz;
    oldest  timestamptz;
    counted bigint;
    ranges  int8multirange;
BEGIN
    -- Whoever sets the hold waits until we are done, and nobody begins behind them. Without the row everything is held.
    PERFORM FROM retention_hold h WHERE NOT h.held FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'everything is held: nothing is removed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'retention_held';
    END IF;
    EXECUTE format('LOCK TABLE %s IN SHARE MODE', part);
    EXECUTE format('SELECT count(*), min(written_at), max(written_at), range_agg(int8range(number, number, ''[]'')) FROM %s', part)
    INTO counted, oldest, newest, ranges;
    IF counted > 0 THEN
        IF parent = 'trail_change' THEN
            EXECUTE format($sql$
                INSERT INTO trail_change (source, operation, about, key, after, who)
                SELECT o.source, 'c', o.about, o.key, o.after, jsonb_build_object('kind', 'system', 'name', %L::text, 'reason', %L::text)
                FROM %s o
                WHERE o.after IS NOT NULL AND NOT EXISTS (SELECT FROM trail_change l WHERE l.about = o.about AND l.number > o.number
                                                          AND l.source = o.source AND l.key = o.key)
                ORDER BY o.number $sql$, by_whom, why, part);
        END IF;
        INSERT INTO trail_retired (stream, numbers, rows, since, until, actor_name, reason, kept_days)
        VALUES (CASE parent WHEN 'audit' THEN 'audit' ELSE 'change' END, ranges, counted, oldest, newest, by_whom, why, policy_days);
        INSERT INTO audit (at, actor_kind, actor_name, action, aggregate_type, aggregate_id, reason, after)
        VALUES (now(), 'system', by_whom, 'trail.retire', 'trail', gen_random_uuid(), why,
                jsonb_build_object('partition', part::text, 'rows', counted, 'since', oldest, 'until', newest, 'keptDays', policy_days));
    END IF;
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %s', parent, part);
    EXECUTE format('DROP TABLE %s', part);
    RETURN counted;
END $$;

-- As before, but held by a hold, and of months that are as they were sealed. Tells how many rows are gone.
CREATE OR REPLACE FUNCTION trail_retire(before date, by_whom text, why text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month record;
    stays text;
    total bigint := 0;
BEGIN
    FOR month IN SELECT * FROM trail_months(before) LOOP
        stays := trail_stays(month.stream, month.starts, month.ends);
        IF stays IS NOT NULL THEN
            RAISE EXCEPTION 'what is % is not retired: %', stays, month.part;
        END IF;
        total := total + trail_drop(month.part, month.parent, by_whom, why, NULL);
    END LOOP;
    RETURN total;
END $$;

-- The trail goes by months, everything else by rows.
ALTER FUNCTION retention_due(text) RENAME TO retention_due_rows;
ALTER FUNCTION retention_remove(text, integer) RENAME TO retention_remove_rows;

-- What would go of a subject, and what would be the oldest that stays. The bytes of months are what the disk gets back.
CREATE FUNCTION retention_due(what text) RETURNS TABLE (row_count bigint, file_count bigint, byte_count bigint, older_than timestamptz, oldest_kept timestamptz)
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month   record;
    counted bigint;
    going   oid[] := '{}';
BEGIN
    IF what <> 'audit' THEN
        RETURN QUERY SELECT * FROM retention_due_rows(what);
        RETURN;
    END IF;
    older_than := retention_since(what);
    row_count := 0;
    file_count := 0;
    byte_count := 0;
    IF older_than IS NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    FOR month IN SELECT * FROM trail_months(older_than) LOOP
        CONTINUE WHEN trail_stays(month.stream, month.starts, month.ends) IS NOT NULL;
        EXECUTE format('SELECT count(*) FROM %I WHERE written_at >= $1 AND written_at < $2', month.parent) INTO counted USING month.starts, month.ends;
        CONTINUE WHEN counted = 0;
        going := going || month.part::oid;
        row_count := row_count + counted;
        byte_count := byte_count + pg_total_relation_size(month.part);
    END LOOP;
    oldest_kept := LEAST((SELECT a.written_at FROM audit a WHERE a.tableoid <> ALL (going) ORDER BY a.number LIMIT 1),
                         (SELECT c.written_at FROM trail_change c WHERE c.tableoid <> ALL (going) ORDER BY c.number LIMIT 1));
    RETURN NEXT;
END $$;

-- Removes at most so many rows of a subject that are too old, or one month of the trail, and tells what went. What somebody else has hold of is left for
-- the next time, and so is a month that is not sealed, or not as it was sealed.
CREATE FUNCTION retention_remove(what text, most integer) RETURNS TABLE (row_count bigint, file_count bigint, byte_count bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month   record;
    since   timestamptz;
    days    integer;
    is_used boolean;
BEGIN
    IF what <> 'audit' THEN
        RETURN QUERY SELECT * FROM retention_remove_rows(what, most);
        RETURN;
    END IF;
    PERFORM FROM retention_hold h WHERE NOT h.held FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'everything is held: nothing is removed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'retention_held';
    END IF;
    since := retention_since(what);
    row_count := 0;
    file_count := 0;
    byte_count := 0;
    IF since IS NULL OR most <= 0 THEN
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT GREATEST(p.keep_days, retention_minimum(p.subject)) INTO days FROM retention_policy p WHERE p.subject = what;
    FOR month IN SELECT * FROM trail_months(since) LOOP
        CONTINUE WHEN trail_stays(month.stream, month.starts, month.ends) IS NOT NULL;
        -- Empty ones take no room. To drop one would keep writers away while the next one is looked at.
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', month.part) INTO is_used;
        CONTINUE WHEN NOT is_used;
        byte_count := pg_total_relation_size(month.part);
        BEGIN
            row_count := trail_drop(month.part, month.parent, 'Retention', format('The policy keeps it for %s days.', days), days);
        EXCEPTION WHEN lock_not_available THEN
            byte_count := 0;
        END;
        EXIT;
    END LOOP;
    RETURN NEXT;
END $$;
