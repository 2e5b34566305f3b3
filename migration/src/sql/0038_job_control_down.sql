DROP FUNCTION job_begin;
DROP TABLE queue_pause;
DROP INDEX job_to_relay, job_unfinished, job_unique, job_of_tick, job_finished, job_dead, job_dead_unique;
CREATE INDEX job_to_relay ON job (created_at, id) WHERE relayed_at IS NULL AND state = 'queued';
CREATE INDEX job_unfinished ON job (relayed_at) WHERE relayed_at IS NOT NULL AND state IN ('queued', 'running', 'failed');
ALTER TABLE job RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE job
    DROP CONSTRAINT job_of_schedule,
    DROP COLUMN message, DROP COLUMN result, DROP COLUMN priority, DROP COLUMN unique_key, DROP COLUMN cancel_requested_at,
    DROP COLUMN schedule_id, DROP COLUMN tick;
