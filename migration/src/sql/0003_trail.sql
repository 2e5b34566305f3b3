-- What every change leaves behind: audit rows, events, jobs, and answers kept for repeated requests.

CREATE TABLE audit (
    number         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             timestamptz NOT NULL,
    actor_kind     text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id       uuid,
    actor_name     text NOT NULL,
    request_id     text,
    action         text NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id   uuid NOT NULL,
    before         jsonb,
    after          jsonb
);
CREATE INDEX audit_aggregate ON audit (aggregate_type, aggregate_id, number);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Events are numbered when written and given their position after the commit, by one sequencer at a time: a position that
-- can be seen never has a smaller one come after it.
CREATE SEQUENCE event_position;
CREATE TABLE event (
    number            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position          bigint CONSTRAINT event_position_unique UNIQUE,
    kind              text NOT NULL,
    aggregate_type    text NOT NULL,
    aggregate_id      uuid NOT NULL,
    aggregate_version bigint NOT NULL,
    payload           jsonb NOT NULL,
    request_id        text,
    created_at        timestamptz NOT NULL
);
CREATE INDEX event_unsequenced ON event (number) WHERE position IS NULL;
-- For listeners that catch up: they want one kind each.
CREATE INDEX event_kind ON event (kind, position) WHERE position IS NOT NULL;

CREATE TABLE job (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL,
    queue        text NOT NULL,
    payload      jsonb NOT NULL,
    state        text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'dead', 'cancelled')),
    attempts     integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL CHECK (max_attempts > 0),
    progress     smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    version      bigint NOT NULL DEFAULT 1,
    error        text,
    request_id   text,
    user_id      uuid,
    relayed_at   timestamptz,
    created_at   timestamptz NOT NULL,
    started_at   timestamptz,
    finished_at  timestamptz,
    CONSTRAINT job_finished CHECK ((finished_at IS NOT NULL) = (state IN ('succeeded', 'dead', 'cancelled'))),
    -- What was begun and not handed over would be found by neither of the indexes below, and never run again.
    CONSTRAINT job_handed_over CHECK (relayed_at IS NOT NULL OR state IN ('queued', 'cancelled'))
);
CREATE INDEX job_to_relay ON job (created_at, id) WHERE relayed_at IS NULL AND state = 'queued';
-- The newest jobs of one state; those of any state come by their ids.
CREATE INDEX job_state ON job (state, id);
CREATE INDEX job_unfinished ON job (relayed_at) WHERE relayed_at IS NOT NULL AND state IN ('queued', 'running', 'failed');

CREATE TABLE idempotency (
    actor        text NOT NULL,
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    operation    text NOT NULL,
    request_hash bytea NOT NULL,
    answer       jsonb,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
