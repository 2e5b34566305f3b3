-- Schedules: what is done by itself, and when. What people say is one table, which the trail keeps; how far it has got is another, which changes each
-- time something is done.

CREATE TABLE schedule (
    id            uuid PRIMARY KEY,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- Five fields of cron.
    cron          text NOT NULL CHECK (length(cron) BETWEEN 1 AND 100),
    -- Where those hours are; where the shop is, without.
    time_zone     text CHECK (length(time_zone) BETWEEN 1 AND 64),
    errand        text NOT NULL CHECK (length(errand) BETWEEN 1 AND 100),
    enabled       boolean NOT NULL DEFAULT true,
    when_missed   text NOT NULL CHECK (when_missed IN ('run_once', 'skip')),
    allow_overlap boolean NOT NULL DEFAULT false,
    version       bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    -- What was taken away stays, for what it did.
    deleted_at    timestamptz,
    CONSTRAINT schedule_deleted_rests CHECK (deleted_at IS NULL OR NOT enabled)
);
CREATE UNIQUE INDEX schedule_name_unique ON schedule (name) WHERE deleted_at IS NULL;

CREATE TABLE schedule_state (
    schedule_id uuid PRIMARY KEY REFERENCES schedule (id),
    -- The next time; nothing where a worker has yet to compute it, or the schedule rests.
    next_at     timestamptz,
    -- The last time that has come.
    last_tick   timestamptz,
    last_job_id uuid
);

-- Each time that has come, once, with the job that was made. No reference: jobs go earlier.
CREATE TABLE schedule_firing (
    schedule_id  uuid NOT NULL REFERENCES schedule (id),
    tick         timestamptz NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('fired', 'missed', 'overlapped', 'requested')),
    job_id       uuid,
    -- Of several that were missed, only the last is a row.
    missed_since timestamptz,
    decided_at   timestamptz NOT NULL,
    PRIMARY KEY (schedule_id, tick),
    CONSTRAINT schedule_firing_job CHECK ((job_id IS NOT NULL) = (outcome IN ('fired', 'requested'))),
    CONSTRAINT schedule_firing_missed CHECK (missed_since < tick)
);
-- For whoever clears up what is old.
CREATE INDEX schedule_firing_age ON schedule_firing (decided_at);

-- What keeps a table append-only for everybody but functions of the owner, which remove what is old.
CREATE FUNCTION refuse_change_to_others() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;
CREATE TRIGGER schedule_firing_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON schedule_firing
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_to_others();

-- In another time zone, what follows the shop has another next time. One that has come already stays.
CREATE FUNCTION schedule_follow_shop() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE schedule_state t SET next_at = NULL
    FROM schedule s WHERE s.id = t.schedule_id AND s.time_zone IS NULL AND t.next_at > now();
    RETURN NULL;
END $$;
CREATE TRIGGER schedule_follow_shop AFTER UPDATE OF time_zone ON shop FOR EACH ROW
    WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION schedule_follow_shop();

-- What there is from the beginning. These are schedules like others: what is changed or taken away stays so.
INSERT INTO schedule (id, name, cron, errand, when_missed, created_at, updated_at) VALUES
    ('01930000-0000-7000-8000-0000000000a1', 'Proof of the trail', '0 4 * * SUN', 'trail.verify', 'run_once', now(), now()),
    ('01930000-0000-7000-8000-0000000000a2', 'Proof of stock levels', '30 4 * * SUN', 'stock.reconcile_levels', 'run_once', now(), now()),
    ('01930000-0000-7000-8000-0000000000a3', 'Proof of the days of stock', '0 5 * * SUN', 'stock.reconcile_series', 'run_once', now(), now()),
    ('01930000-0000-7000-8000-0000000000a4', 'Proof of costs', '30 5 * * SUN', 'stock.reconcile_costs', 'run_once', now(), now());
INSERT INTO schedule_state (schedule_id) SELECT id FROM schedule;
