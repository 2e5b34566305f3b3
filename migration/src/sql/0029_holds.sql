-- Floors, below which an account may not fall, and holds: what is going to be posted, and counts already in what is available.

-- What an account, or one of its subsidiary accounts, must keep of a commodity on one of its sides, with what is held against it: cash in a drawer
-- at least 0 on the debit side, a customer's debt at most 1,000, which is at least -1,000 on the credit side. Whoever takes something away
-- holds this row until the commit.
CREATE TABLE account_floor (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL REFERENCES account (id),
    subsidiary_id uuid REFERENCES dimension_value (id),
    commodity     text COLLATE "C" NOT NULL REFERENCES commodity (code),
    side          text NOT NULL CHECK (side IN ('debit', 'credit')),
    amount        numeric(24, 6) NOT NULL,
    version       bigint NOT NULL DEFAULT 1,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT account_floor_alone UNIQUE NULLS NOT DISTINCT (account_id, subsidiary_id, commodity, side)
);
-- Whether there is one: so that posting to all other accounts looks for none.
ALTER TABLE account ADD COLUMN has_floor boolean NOT NULL DEFAULT false;

CREATE FUNCTION account_floor_owns() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM books_own();
    RETURN NULL;
END $$;
CREATE TRIGGER account_floor_changes_alone BEFORE INSERT OR UPDATE OR DELETE ON account_floor
    FOR EACH STATEMENT EXECUTE FUNCTION account_floor_owns();
CREATE TRIGGER account_floor_kept BEFORE TRUNCATE ON account_floor FOR EACH STATEMENT EXECUTE FUNCTION stays();
CREATE TRIGGER account_floor_identity BEFORE UPDATE ON account_floor FOR EACH ROW
    WHEN ((NEW.id, NEW.account_id, NEW.subsidiary_id, NEW.commodity, NEW.side)
          IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.subsidiary_id, OLD.commodity, OLD.side))
    EXECUTE FUNCTION stays();
CREATE FUNCTION account_floor_mark() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE account a SET has_floor = NOT a.has_floor
    WHERE a.id IN (SELECT account_id FROM changed)
      AND a.has_floor <> EXISTS (SELECT FROM account_floor f WHERE f.account_id = a.id);
    RETURN NULL;
END $$;
CREATE TRIGGER account_floor_marks AFTER INSERT ON account_floor
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION account_floor_mark();
CREATE TRIGGER account_floor_unmarks AFTER DELETE ON account_floor
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION account_floor_mark();
CREATE FUNCTION account_floor_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.has_floor <> EXISTS (SELECT FROM account_floor f WHERE f.account_id = NEW.id) THEN
        RAISE EXCEPTION 'account % has a floor, or has none, whatever is said', NEW.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_floor_told';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER account_floor_told AFTER UPDATE OF has_floor ON account FOR EACH ROW EXECUTE FUNCTION account_floor_told();
CREATE TRIGGER account_begins_without_floor AFTER INSERT ON account FOR EACH ROW WHEN (NEW.has_floor) EXECUTE FUNCTION account_floor_told();

-- What is going to be posted, whole or in part, until some time.
CREATE TABLE journal_hold (
    id            uuid PRIMARY KEY,
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'posted', 'voided', 'expired')),
    description   text CHECK (length(description) BETWEEN 1 AND 2000),
    document_type text COLLATE "C" CHECK (length(document_type) BETWEEN 1 AND 50),
    document_id   text COLLATE "C" CHECK (length(document_id) BETWEEN 1 AND 200),
    lines         integer NOT NULL CHECK (lines BETWEEN 2 AND 10000),
    -- When it ends by itself; never without.
    expires_at    timestamptz,
    created_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    -- What was posted of it.
    entry_id      uuid CONSTRAINT journal_hold_entry_once UNIQUE,
    actor_kind    text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id      uuid,
    actor_name    text NOT NULL,
    version       bigint NOT NULL DEFAULT 1,
    CONSTRAINT journal_hold_document_whole CHECK ((document_type IS NULL) = (document_id IS NULL)),
    CONSTRAINT journal_hold_lasts CHECK (expires_at > created_at),
    CONSTRAINT journal_hold_end CHECK ((state = 'pending') = (ended_at IS NULL) AND (state = 'posted') = (entry_id IS NOT NULL)),
    -- What is over is not posted.
    CONSTRAINT journal_hold_over CHECK (state <> 'posted' OR expires_at IS NULL OR ended_at < expires_at)
);
CREATE INDEX journal_hold_state ON journal_hold (state, id);
CREATE INDEX journal_hold_document ON journal_hold (document_type, document_id, id) WHERE document_type IS NOT NULL;
CREATE INDEX journal_hold_expiring ON journal_hold (expires_at) WHERE state = 'pending' AND expires_at IS NOT NULL;

CREATE TABLE journal_hold_line (
    hold_id        uuid NOT NULL,
    line           integer NOT NULL CHECK (line >= 1),
    account_id     uuid NOT NULL,
    commodity      text COLLATE "C" NOT NULL,
    is_debit       boolean NOT NULL,
    amount         numeric(24, 6) NOT NULL CONSTRAINT journal_hold_line_positive CHECK (amount > 0),
    quantity       numeric(19, 6) CHECK (quantity <> 0),
    location_id    uuid,
    subsidiary_id  uuid,
    cost_center_id uuid,
    project_id     uuid,
    description    text CHECK (length(description) BETWEEN 1 AND 500),
    PRIMARY KEY (hold_id, line)
);

-- Lines of holds that are pending: few, however many there have been.
CREATE TABLE journal_hold_open (
    hold_id       uuid NOT NULL,
    line          integer NOT NULL,
    account_id    uuid NOT NULL,
    subsidiary_id uuid,
    commodity     text COLLATE "C" NOT NULL,
    is_debit      boolean NOT NULL,
    amount        numeric(24, 6) NOT NULL,
    expires_at    timestamptz,
    PRIMARY KEY (hold_id, line)
);
CREATE INDEX journal_hold_open_account ON journal_hold_open (account_id, commodity) INCLUDE (subsidiary_id, is_debit, amount, expires_at);

CREATE TRIGGER journal_hold_line_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_hold_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_hold_kept BEFORE DELETE OR TRUNCATE ON journal_hold FOR EACH STATEMENT EXECUTE FUNCTION stays();
CREATE TRIGGER journal_hold_begins BEFORE INSERT ON journal_hold FOR EACH ROW WHEN (NEW.state <> 'pending') EXECUTE FUNCTION stays();
-- It ends once, and is otherwise what it was.
CREATE TRIGGER journal_hold_ends_once BEFORE UPDATE ON journal_hold FOR EACH ROW
    WHEN (OLD.state <> 'pending' OR NEW.state = 'pending'
          OR (NEW.id, NEW.description, NEW.document_type, NEW.document_id, NEW.lines, NEW.expires_at, NEW.created_at, NEW.actor_kind,
              NEW.actor_id, NEW.actor_name)
             IS DISTINCT FROM (OLD.id, OLD.description, OLD.document_type, OLD.document_id, OLD.lines, OLD.expires_at, OLD.created_at,
                               OLD.actor_kind, OLD.actor_id, OLD.actor_name))
    EXECUTE FUNCTION stays();

-- What floors keep, less what is held, is not below them. Locked in the order of their keys, behind the numbers of fiscal years, and then read by a
-- statement that sees what others have committed meanwhile.
CREATE FUNCTION account_floor_keep(floors uuid[], moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    faults jsonb;
BEGIN
    PERFORM FROM account_floor WHERE id = ANY (floors) ORDER BY id FOR NO KEY UPDATE;
    SELECT jsonb_agg(jsonb_build_object(
        'code', 'below_floor', 'account', a.code, 'commodity', f.commodity, 'subsidiary', s.code,
        'available', (f.balance - f.held)::text, 'floor', f.amount::text) ORDER BY a.code, f.commodity)
    INTO faults
    FROM (
        SELECT f.*,
               CASE WHEN f.subsidiary_id IS NULL THEN
                   (SELECT COALESCE(sum(CASE f.side WHEN 'debit' THEN t.debit - t.credit ELSE t.credit - t.debit END), 0) FROM account_turnover t
                    WHERE t.account_id = f.account_id AND t.commodity = f.commodity AND t.span = 'month')
               ELSE
                   (SELECT COALESCE(sum(CASE f.side WHEN 'debit' THEN t.debit - t.credit ELSE t.credit - t.debit END), 0) FROM subsidiary_turnover t
                    WHERE t.account_id = f.account_id AND t.subsidiary_id = f.subsidiary_id AND t.commodity = f.commodity AND t.span = 'month')
               END AS balance,
               (SELECT COALESCE(sum(h.amount), 0) FROM journal_hold_open h
                WHERE h.account_id = f.account_id AND h.commodity = f.commodity AND h.is_debit = (f.side = 'credit')
                  AND (f.subsidiary_id IS NULL OR h.subsidiary_id = f.subsidiary_id) AND (h.expires_at IS NULL OR h.expires_at > moment)) AS held
        FROM account_floor f WHERE f.id = ANY (floors)
    ) f
    JOIN account a ON a.id = f.account_id
    LEFT JOIN dimension_value s ON s.id = f.subsidiary_id
    WHERE f.balance - f.held < f.amount;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'an account would fall below what it has to keep'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_floor_kept_up', DETAIL = faults::text;
    END IF;
END $$;

CREATE FUNCTION journal_hold_begin() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
    is_whole boolean;
    moment   timestamptz;
    faults   jsonb;
    floors   uuid[];
BEGIN
    PERFORM books_share();
    SELECT bool_and(h.id IS NOT NULL AND h.state = 'pending' AND h.lines = p.lines AND h.lines = p.last_line), max(h.created_at)
    INTO is_whole, moment
    FROM (SELECT hold_id, count(*) AS lines, max(line) AS last_line FROM held GROUP BY hold_id) p LEFT JOIN journal_hold h ON h.id = p.hold_id;
    IF is_whole IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT is_whole THEN
        RAISE EXCEPTION 'a hold has all its lines, from one on'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_hold_whole';
    END IF;
    SELECT jsonb_agg(jsonb_build_object('entry', f.hold_id, 'line', f.line, 'code', f.code, 'account', f.account, 'commodity', f.commodity,
                                        'expected', f.expected, 'scale', f.scale, 'kind', f.kind) ORDER BY f.hold_id, f.line)
    INTO faults
    FROM (
        SELECT p.hold_id, p.line, a.code AS account, p.commodity, a.commodity AS expected, c.scale, a.subsidiary_kind AS kind, COALESCE(
            journal_line_fault(a.code, a.is_group, a.archived_at, a.commodity, c.scale, p.commodity, p.amount),
            CASE WHEN p.location_id IS NOT NULL AND NOT EXISTS (SELECT FROM location l WHERE l.id = p.location_id) THEN 'location_unknown' END,
            'subsidiary_' || dimension_fault(a.subsidiary_kind, p.subsidiary_id, s.kind, s.archived_at),
            CASE WHEN p.cost_center_id IS NOT NULL
                THEN 'cost_center_' || dimension_fault('cost_center', p.cost_center_id, d.kind, d.archived_at) END,
            CASE WHEN p.project_id IS NOT NULL THEN 'project_' || dimension_fault('project', p.project_id, j.kind, j.archived_at) END) AS code
        FROM held p
        LEFT JOIN account a ON a.id = p.account_id
        LEFT JOIN commodity c ON c.code = p.commodity
        LEFT JOIN dimension_value s ON s.id = p.subsidiary_id
        LEFT JOIN dimension_value d ON d.id = p.cost_center_id
        LEFT JOIN dimension_value j ON j.id = p.project_id
    ) f
    WHERE f.code IS NOT NULL;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'lines that cannot be posted'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_line_fit', DETAIL = faults::text;
    END IF;
    SELECT jsonb_agg(jsonb_build_object('entry', f.hold_id, 'code', 'unbalanced', 'commodity', f.commodity,
                                        'debit', f.debit::text, 'credit', f.credit::text) ORDER BY f.hold_id, f.commodity)
    INTO faults
    FROM (
        SELECT hold_id, commodity, COALESCE(sum(amount) FILTER (WHERE is_debit), 0) AS debit,
               COALESCE(sum(amount) FILTER (WHERE NOT is_debit), 0) AS credit
        FROM held GROUP BY hold_id, commodity
    ) f
    WHERE f.debit <> f.credit;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'entries balance in each commodity'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_balanced', DETAIL = faults::text;
    END IF;
    INSERT INTO journal_hold_open (hold_id, line, account_id, subsidiary_id, commodity, is_debit, amount, expires_at)
    SELECT p.hold_id, p.line, p.account_id, p.subsidiary_id, p.commodity, p.is_debit, p.amount, h.expires_at
    FROM held p JOIN journal_hold h ON h.id = p.hold_id;
    SELECT array_agg(DISTINCT f.id) INTO floors
    FROM held p
    JOIN account_floor f ON f.account_id = p.account_id AND f.commodity = p.commodity AND p.is_debit = (f.side = 'credit')
                            AND (f.subsidiary_id IS NULL OR f.subsidiary_id = p.subsidiary_id);
    IF floors IS NOT NULL THEN
        PERFORM account_floor_keep(floors, moment);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_hold_line_holds AFTER INSERT ON journal_hold_line
    REFERENCING NEW TABLE AS held FOR EACH STATEMENT EXECUTE FUNCTION journal_hold_begin();
CREATE FUNCTION journal_hold_complete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM journal_hold_line WHERE hold_id = NEW.id AND line = 1) THEN
        RAISE EXCEPTION 'a hold has lines'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_hold_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_hold_complete AFTER INSERT ON journal_hold DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION journal_hold_complete();

-- What has ended holds nothing. That is nothing to wait for: it only leaves more.
CREATE FUNCTION journal_hold_release() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM journal_hold_open o WHERE o.hold_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_hold_releases AFTER UPDATE OF state ON journal_hold FOR EACH ROW EXECUTE FUNCTION journal_hold_release();
-- What was posted of it is an entry by the end of the transaction, with no more of anything than was held.
CREATE FUNCTION journal_hold_fit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM journal_entry WHERE id = NEW.entry_id AND kind = 'general') OR EXISTS (
        SELECT FROM (
            SELECT account_id, commodity, is_debit, subsidiary_id, cost_center_id, project_id, location_id, amount
            FROM journal_line WHERE entry_id = NEW.entry_id
            UNION ALL
            SELECT account_id, commodity, is_debit, subsidiary_id, cost_center_id, project_id, location_id, -amount
            FROM journal_hold_line WHERE hold_id = NEW.id
        ) l
        GROUP BY account_id, commodity, is_debit, subsidiary_id, cost_center_id, project_id, location_id
        HAVING sum(amount) > 0
    ) THEN
        RAISE EXCEPTION 'hold % was not posted so', NEW.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_hold_fit';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_hold_fit AFTER UPDATE OF state ON journal_hold DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'posted') EXECUTE FUNCTION journal_hold_fit();
