-- Reports of the books: what was known when, exports into files, imports of journals.

-- Whatever else is counted in the books of others: shares, hours of leave.
ALTER TABLE commodity
    DROP CONSTRAINT commodity_kind_check,
    DROP CONSTRAINT commodity_code,
    ADD CONSTRAINT commodity_kind_check CHECK (kind IN ('currency', 'metal', 'other')),
    ADD CONSTRAINT commodity_code CHECK (CASE kind
        WHEN 'currency' THEN code ~ '^[A-Z]{3}$'
        WHEN 'metal' THEN code ~ '^[A-Z]{4,20}$'
        ELSE code ~ '^[A-Z][A-Z0-9._-]{0,22}[A-Z0-9]$'
    END);
-- Those of these codes that are not there yet are from now on, and are given back.
CREATE FUNCTION commodity_create(codes text[]) RETURNS SETOF text
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO commodity (code, kind, scale) SELECT DISTINCT c, 'other', 6 FROM unnest(codes) c ON CONFLICT (code) DO NOTHING RETURNING code
$$;

-- Accounts of what is left over when something is counted in one commodity and paid in another: amounts on them have six digits behind the
-- point, however few their commodities have.
CREATE TABLE fine_account (
    account_id uuid PRIMARY KEY,
    is_group   boolean NOT NULL GENERATED ALWAYS AS (false) STORED,
    kind       text NOT NULL GENERATED ALWAYS AS ('equity') STORED,
    CONSTRAINT fine_account_is_equity FOREIGN KEY (account_id, is_group, kind) REFERENCES account (id, is_group, kind)
);
CREATE TRIGGER fine_account_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fine_account
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Up to which moment somebody was told what the books knew. Whatever is recorded from then on says that it was recorded later, so that what was
-- told stays true.
CREATE TABLE journal_horizon (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    known_until timestamptz NOT NULL
);
INSERT INTO journal_horizon (known_until) VALUES ('1970-01-01');

-- To be called, and committed, before a report as known at this moment is read. Whoever is just posting has the lock shared until the end of its
-- transaction: what it recorded up to then is there when this returns. Whoever posts later sees the moment that was told.
CREATE FUNCTION journal_known(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Everything that is recorded from then on would say so.
    IF moment > clock_timestamp() + interval '5 minutes' THEN
        RAISE EXCEPTION 'nobody knows yet what will be known'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_known_past';
    END IF;
    IF moment <= (SELECT h.known_until FROM journal_horizon h) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(8317423741026365292);
    UPDATE journal_horizon SET known_until = moment WHERE known_until < moment;
END $$;

CREATE FUNCTION journal_entry_begins() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM books_share();
    -- In microseconds, for what is looked at for each entry: a setting costs less than a query.
    PERFORM set_config('goldshop.known_until', (SELECT (extract(epoch FROM h.known_until) * 1000000)::bigint::text FROM journal_horizon h), true);
    RETURN NULL;
END $$;
CREATE TRIGGER journal_entry_begins BEFORE INSERT ON journal_entry FOR EACH STATEMENT EXECUTE FUNCTION journal_entry_begins();
CREATE FUNCTION journal_entry_recorded() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    SELECT h.known_until + interval '1 microsecond' INTO NEW.recorded_at FROM journal_horizon h;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_entry_recorded_later BEFORE INSERT ON journal_entry FOR EACH ROW
    WHEN (extract(epoch FROM NEW.recorded_at) * 1000000 <= current_setting('goldshop.known_until')::bigint) EXECUTE FUNCTION journal_entry_recorded();
-- Whatever became of the setting.
CREATE FUNCTION journal_entry_known() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT min(p.recorded_at) FROM posted p) <= (SELECT h.known_until FROM journal_horizon h) THEN
        RAISE EXCEPTION 'what was known at a moment stays as it was told'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_recorded_later';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_entry_known AFTER INSERT ON journal_entry
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION journal_entry_known();

-- What was recorded since a moment.
CREATE INDEX journal_entry_recorded ON journal_entry (recorded_at);
-- What went on at a location.
CREATE INDEX journal_line_location ON journal_line (location_id, date) WHERE location_id IS NOT NULL;
-- What went on for one subsidiary account, cost centre or project, whichever accounts it was posted to.
CREATE INDEX journal_line_subsidiary_of ON journal_line (subsidiary_id, date) WHERE subsidiary_id IS NOT NULL;
CREATE INDEX journal_line_cost_center ON journal_line (cost_center_id, date) WHERE cost_center_id IS NOT NULL;
CREATE INDEX journal_line_project ON journal_line (project_id, date) WHERE project_id IS NOT NULL;

CREATE TABLE report_export (
    id         uuid PRIMARY KEY,
    job_id     uuid NOT NULL CONSTRAINT report_export_job_unique UNIQUE REFERENCES job (id) ON DELETE CASCADE,
    format     text NOT NULL CHECK (format IN ('csv', 'hledger', 'beancount')),
    request    jsonb NOT NULL,
    locale     text NOT NULL,
    row_count  bigint,
    created_at timestamptz NOT NULL
);

CREATE TABLE journal_import (
    id             uuid PRIMARY KEY,
    job_id         uuid NOT NULL CONSTRAINT journal_import_job_unique UNIQUE REFERENCES job (id) ON DELETE CASCADE,
    blob_key       text NOT NULL,
    byte_size      bigint NOT NULL CHECK (byte_size >= 0),
    format         text NOT NULL CHECK (format IN ('hledger', 'beancount')),
    options        jsonb NOT NULL,
    dry_run        boolean NOT NULL,
    locale         text NOT NULL,
    -- Whose name is in the audit trail.
    user_id        uuid REFERENCES app_user (id),
    state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'rejected')),
    posted         bigint NOT NULL DEFAULT 0,
    lines          bigint NOT NULL DEFAULT 0,
    present        bigint NOT NULL DEFAULT 0,
    accounts       bigint NOT NULL DEFAULT 0,
    failed         bigint NOT NULL DEFAULT 0,
    -- What was left over, by commodity.
    rounding       jsonb NOT NULL DEFAULT '{}',
    -- What was wrong first: the line, and the refusal.
    first_line     bigint,
    first_refusal  jsonb,
    created_at     timestamptz NOT NULL,
    finished_at    timestamptz
);
