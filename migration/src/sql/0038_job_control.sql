-- Job control: what operators steer jobs by, what a job says of itself, and queues that stand still.

ALTER TABLE job
    -- What it is at, for people.
    ADD COLUMN message             text CHECK (length(message) <= 200),
    -- What came of it: small things, such as how many rows.
    ADD COLUMN result              jsonb CHECK (octet_length(result::text) <= 8192),
    -- A higher one comes first.
    ADD COLUMN priority            smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
    -- While a job with this key has not ended, there is no other.
    ADD COLUMN unique_key          text COLLATE "C" CHECK (length(unique_key) BETWEEN 1 AND 200),
    ADD COLUMN cancel_requested_at timestamptz,
    -- Of which schedule it is, and which of its moments.
    ADD COLUMN schedule_id         uuid,
    ADD COLUMN tick                timestamptz,
    ADD CONSTRAINT job_of_schedule CHECK ((schedule_id IS NULL) = (tick IS NULL));

-- Each queue's own line, so that one that stands still, however long, is in nobody's way.
DROP INDEX job_to_relay;
CREATE INDEX job_to_relay ON job (queue, priority DESC, created_at, id) WHERE relayed_at IS NULL AND state = 'queued';
-- What Redis may have lost, and all that is asked of a queue.
DROP INDEX job_unfinished;
CREATE INDEX job_unfinished ON job (queue, relayed_at) INCLUDE (state, created_at) WHERE state IN ('queued', 'running', 'failed');
CREATE UNIQUE INDEX job_unique ON job (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued', 'running', 'failed');
CREATE UNIQUE INDEX job_of_tick ON job (schedule_id, tick) WHERE schedule_id IS NOT NULL;
CREATE INDEX job_finished ON job (finished_at) INCLUDE (queue, state) WHERE finished_at IS NOT NULL;
CREATE INDEX job_dead ON job (queue, kind, id) WHERE state = 'dead';
CREATE INDEX job_dead_unique ON job (unique_key, id) WHERE state = 'dead' AND unique_key IS NOT NULL;
-- Each job changes its row a few times within seconds: what is left behind is cleared away before a fifth of all jobs there ever were has changed.
ALTER TABLE job SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);

-- Queues that stand still.
CREATE TABLE queue_pause (
    id         uuid PRIMARY KEY,
    queue      text NOT NULL CONSTRAINT queue_pause_queue_unique UNIQUE,
    reason     text CHECK (length(reason) BETWEEN 1 AND 500),
    since      timestamptz NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id   uuid,
    actor_name text NOT NULL
);

-- Begins an attempt, in one statement; no row when that is not to be, for whatever reason. Whoever pauses a queue has this lock alone until the
-- pause is committed. Here it is shared, and what stands behind it sees what was committed before it was had: so none begins after a pause.
CREATE FUNCTION job_begin(which uuid, moment timestamptz, request text) RETURNS SETOF job
LANGUAGE plpgsql ROWS 1 AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(x'6a6f627061757365'::bigint);
    RETURN QUERY
    WITH begun AS (
        -- Redis has it, whatever a relay that gave it back believes: from here on it is the reclaim that must find it.
        UPDATE job j
        SET state = 'running', attempts = j.attempts + 1, progress = 0, message = NULL, version = j.version + 1, started_at = moment,
            relayed_at = moment
        WHERE j.id = which AND j.state IN ('queued', 'running', 'failed') AND j.attempts < j.max_attempts AND j.cancel_requested_at IS NULL
          AND NOT EXISTS (SELECT FROM queue_pause p WHERE p.queue = j.queue)
        RETURNING j.*
    ), told AS (
        INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
        SELECT 'job.changed', 'job', b.id, b.version, jsonb_build_object('state', b.state, 'progress', b.progress), request, moment FROM begun b
    )
    SELECT * FROM begun;
END
$$;
