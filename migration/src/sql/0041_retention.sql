-- Retention: how long is kept what says nothing about the business any more. What the application's role may not delete, it has removed by the function
-- here, which asks nobody for an age: it reads the policies, knows the least that each may say, and stops when everything is held.

CREATE FUNCTION retention_minimum(subject text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
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
    END
$$;

CREATE TABLE retention_policy (
    subject    text PRIMARY KEY,
    keep_days  integer NOT NULL,
    enabled    boolean NOT NULL DEFAULT true,
    version    bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    -- A subject that is none has no least, and cannot be kept.
    CONSTRAINT retention_policy_days CHECK (keep_days BETWEEN COALESCE(retention_minimum(subject), 36501) AND 36500)
);
INSERT INTO retention_policy (subject, keep_days, updated_at) VALUES
    ('api_tokens', 365, now()),
    ('events', 90, now()),
    ('exports', 30, now()),
    ('idempotency_keys', 30, now()),
    ('imports', 180, now()),
    ('jobs', 90, now()),
    ('proofs', 730, now()),
    ('schedule_firings', 365, now());

-- Whether everything stays where it is. One row.
CREATE TABLE retention_hold (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    held       boolean NOT NULL DEFAULT false,
    reason     text CHECK (length(reason) BETWEEN 1 AND 2000),
    version    bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    CONSTRAINT retention_hold_reason CHECK (held = (reason IS NOT NULL))
);
INSERT INTO retention_hold (updated_at) VALUES (now());

-- What was cleared up, or would have been.
CREATE TABLE retention_run (
    id           uuid PRIMARY KEY,
    -- The job that does it; none where somebody at the machine does.
    job_id       uuid,
    dry_run      boolean NOT NULL,
    -- How many subjects are done with.
    subjects     integer NOT NULL DEFAULT 0,
    was_held     boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL,
    finished_at  timestamptz
);
CREATE TABLE retention_result (
    run_id       uuid NOT NULL REFERENCES retention_run (id),
    subject      text NOT NULL,
    row_count    bigint NOT NULL DEFAULT 0,
    file_count   bigint NOT NULL DEFAULT 0,
    byte_count   bigint NOT NULL DEFAULT 0,
    -- What was older than this went.
    older_than   timestamptz,
    oldest_kept  timestamptz,
    PRIMARY KEY (run_id, subject)
);
-- Files that nothing leads to any more, until they are removed.
CREATE TABLE retention_file (
    blob_key   text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX api_token_expiry ON api_token (expires_at);

-- What a job is kept as. Jobs of backups are none of these: backups have rules of their own.
CREATE FUNCTION retention_subject(kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN kind IN ('item.export', 'label.print', 'report.export') THEN 'exports'
        WHEN kind IN ('item.import', 'journal.import') THEN 'imports'
        WHEN kind IN ('ledger.verify', 'stock.reconcile', 'trail.verify') THEN 'proofs'
        WHEN kind NOT LIKE 'backup.%' THEN 'jobs'
    END
$$;

-- From when on a subject is kept; nothing where it is kept for ever.
CREATE FUNCTION retention_since(what text) RETURNS timestamptz LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT now() - make_interval(days => GREATEST(p.keep_days, retention_minimum(p.subject))) FROM retention_policy p
    WHERE p.subject = what AND p.enabled
$$;

-- Files of jobs that are finished, and of imports that never were.
CREATE FUNCTION retention_files(jobs uuid[]) RETURNS TABLE (blob_key text, byte_size bigint)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT f.blob_key, f.byte_size FROM job_file f WHERE f.job_id = ANY (jobs)
    UNION ALL SELECT i.blob_key, i.byte_size FROM item_import i WHERE i.job_id = ANY (jobs) AND i.finished_at IS NULL
    UNION ALL SELECT i.blob_key, i.byte_size FROM journal_import i WHERE i.job_id = ANY (jobs) AND i.finished_at IS NULL
$$;

-- What would go of a subject, and what would be the oldest that stays.
CREATE FUNCTION retention_due(what text) RETURNS TABLE (row_count bigint, file_count bigint, byte_count bigint, older_than timestamptz, oldest_kept timestamptz)
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    since timestamptz := retention_since(what);
    bound bigint;
    jobs uuid[];
BEGIN
    older_than := since;
    row_count := 0;
    file_count := 0;
    byte_count := 0;
    IF since IS NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    CASE what
    WHEN 'api_tokens' THEN
        SELECT count(*) FILTER (WHERE LEAST(t.expires_at, t.revoked_at) < since),
               min(LEAST(t.expires_at, t.revoked_at)) FILTER (WHERE LEAST(t.expires_at, t.revoked_at) >= since)
        INTO row_count, oldest_kept FROM api_token t;
    WHEN 'idempotency_keys' THEN
        SELECT count(*) INTO row_count FROM idempotency i WHERE i.created_at < since;
        SELECT min(i.created_at) INTO oldest_kept FROM idempotency i WHERE i.created_at >= since;
    WHEN 'events' THEN
        -- From the beginning up to the first that is young; never the last.
        SELECT LEAST(min(e.position) FILTER (WHERE e.created_at >= since), max(e.position)) INTO bound FROM event e;
        SELECT count(*) INTO row_count FROM event e WHERE e.position < bound;
        SELECT e.created_at INTO oldest_kept FROM event e WHERE e.position >= bound ORDER BY e.position LIMIT 1;
    WHEN 'schedule_firings' THEN
        SELECT count(*) INTO row_count FROM schedule_firing f WHERE f.decided_at < since;
        SELECT min(f.decided_at) INTO oldest_kept FROM schedule_firing f WHERE f.decided_at >= since;
    ELSE
        SELECT array_agg(j.id) INTO jobs FROM job j WHERE j.finished_at < since AND retention_subject(j.kind) = what;
        row_count := COALESCE(cardinality(jobs), 0);
        SELECT count(*), COALESCE(sum(f.byte_size), 0) INTO file_count, byte_count FROM retention_files(jobs) f;
        SELECT min(j.finished_at) INTO oldest_kept FROM job j WHERE j.finished_at >= since AND retention_subject(j.kind) = what;
    END CASE;
    RETURN NEXT;
END $$;

-- Removes at most so many of a subject that are too old, and tells what went. What somebody else has hold of is left for the next time.
CREATE FUNCTION retention_remove(what text, most integer) RETURNS TABLE (row_count bigint, file_count bigint, byte_count bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    since timestamptz;
    bound bigint;
    jobs uuid[];
BEGIN
    -- Whoever sets the hold waits until we are done, and nobody begins behind them. Without the row everything is held.
    PERFORM FROM retention_hold h WHERE NOT h.held FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'everything is held: nothing is removed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'retention_held';
    END IF;
    since := retention_since(what);
    most := LEAST(most, 5000);
    row_count := 0;
    file_count := 0;
    byte_count := 0;
    IF since IS NULL OR most <= 0 THEN
        RETURN NEXT;
        RETURN;
    END IF;
    CASE what
    WHEN 'api_tokens' THEN
        DELETE FROM api_token WHERE id IN (
            SELECT t.id FROM api_token t WHERE LEAST(t.expires_at, t.revoked_at) < since ORDER BY t.expires_at LIMIT most FOR UPDATE SKIP LOCKED);
        GET DIAGNOSTICS row_count = ROW_COUNT;
    WHEN 'idempotency_keys' THEN
        DELETE FROM idempotency WHERE (actor, key) IN (
            SELECT i.actor, i.key FROM idempotency i WHERE i.created_at < since ORDER BY i.created_at LIMIT most FOR UPDATE SKIP LOCKED);
        GET DIAGNOSTICS row_count = ROW_COUNT;
    WHEN 'events' THEN
        -- One by one from the beginning, so that what is left has no holes; and never the last, by which listeners know how far things are.
        SELECT COALESCE(min(f.position) FILTER (WHERE f.created_at >= since), max(f.position) + 1) INTO bound
        FROM (SELECT e.position, e.created_at FROM event e WHERE e.position IS NOT NULL ORDER BY e.position LIMIT most) f;
        DELETE FROM event e WHERE e.position < bound AND e.position < (SELECT max(l.position) FROM event l);
        GET DIAGNOSTICS row_count = ROW_COUNT;
    WHEN 'schedule_firings' THEN
        DELETE FROM schedule_firing WHERE (schedule_id, tick) IN (
            SELECT f.schedule_id, f.tick FROM schedule_firing f WHERE f.decided_at < since ORDER BY f.decided_at LIMIT most FOR UPDATE SKIP LOCKED);
        GET DIAGNOSTICS row_count = ROW_COUNT;
    ELSE
        SELECT array_agg(o.id) INTO jobs FROM (
            SELECT j.id FROM job j WHERE j.finished_at < since AND retention_subject(j.kind) = what
            ORDER BY j.finished_at LIMIT most FOR UPDATE SKIP LOCKED) o;
        row_count := COALESCE(cardinality(jobs), 0);
        SELECT count(*), COALESCE(sum(f.byte_size), 0) INTO file_count, byte_count FROM retention_files(jobs) f;
        INSERT INTO retention_file (blob_key) SELECT f.blob_key FROM retention_files(jobs) f ON CONFLICT DO NOTHING;
        DELETE FROM stock_reconciliation WHERE job_id = ANY (jobs);
        DELETE FROM trail_verification WHERE job_id = ANY (jobs);
        DELETE FROM ledger_verification WHERE job_id = ANY (jobs);
        -- What was asked for, and files, go with their jobs.
        DELETE FROM job WHERE id = ANY (jobs);
    END CASE;
    RETURN NEXT;
END $$;

-- A schedule like others.
INSERT INTO schedule (id, name, cron, errand, when_missed, created_at, updated_at) VALUES
    ('01930000-0000-7000-8000-0000000000a5', 'Retention', '0 3 * * *', 'retention.run', 'run_once', now(), now());
INSERT INTO schedule_state (schedule_id) VALUES ('01930000-0000-7000-8000-0000000000a5');
