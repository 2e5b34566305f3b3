-- Drafts: entries that are prepared and not posted. They count nowhere. What they still lack is found when they are posted, by what finds it in
-- every entry.

CREATE TABLE journal_draft (
    id            uuid PRIMARY KEY,
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'posted', 'discarded')),
    -- When it happened, as far as that is known.
    date          date,
    kind          text NOT NULL CHECK (kind IN ('general', 'opening')),
    description   text CHECK (length(description) BETWEEN 1 AND 2000),
    document_type text COLLATE "C" CHECK (length(document_type) BETWEEN 1 AND 50),
    document_id   text COLLATE "C" CHECK (length(document_id) BETWEEN 1 AND 200),
    lines         integer NOT NULL CHECK (lines BETWEEN 0 AND 10000),
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    -- What it was posted as.
    entry_id      uuid CONSTRAINT journal_draft_entry_once UNIQUE,
    actor_kind    text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id      uuid,
    actor_name    text NOT NULL,
    version       bigint NOT NULL DEFAULT 1,
    CONSTRAINT journal_draft_document_whole CHECK ((document_type IS NULL) = (document_id IS NULL)),
    CONSTRAINT journal_draft_end CHECK ((state = 'open') = (ended_at IS NULL) AND (state = 'posted') = (entry_id IS NOT NULL))
);
CREATE INDEX journal_draft_state ON journal_draft (state, id);
CREATE INDEX journal_draft_document ON journal_draft (document_type, document_id, id) WHERE document_type IS NOT NULL;

-- What is known of a line.
CREATE TABLE journal_draft_line (
    draft_id       uuid NOT NULL,
    line           integer NOT NULL CHECK (line BETWEEN 1 AND 10000),
    account_id     uuid,
    -- The shop's currency without.
    commodity      text COLLATE "C",
    is_debit       boolean,
    amount         numeric(24, 6) CONSTRAINT journal_draft_line_positive CHECK (amount > 0),
    quantity       numeric(19, 6) CHECK (quantity <> 0),
    location_id    uuid,
    subsidiary_id  uuid,
    cost_center_id uuid,
    project_id     uuid,
    description    text CHECK (length(description) BETWEEN 1 AND 500),
    PRIMARY KEY (draft_id, line),
    CONSTRAINT journal_draft_line_side CHECK ((is_debit IS NULL) = (amount IS NULL))
);
CREATE INDEX journal_draft_line_account ON journal_draft_line (account_id, draft_id);

CREATE TRIGGER journal_draft_kept BEFORE DELETE OR TRUNCATE ON journal_draft FOR EACH STATEMENT EXECUTE FUNCTION stays();
CREATE TRIGGER journal_draft_line_kept BEFORE TRUNCATE ON journal_draft_line FOR EACH STATEMENT EXECUTE FUNCTION stays();
CREATE TRIGGER journal_draft_begins BEFORE INSERT ON journal_draft FOR EACH ROW WHEN (NEW.state <> 'open') EXECUTE FUNCTION stays();
-- It ends once, and is then what it was.
CREATE TRIGGER journal_draft_ends_once BEFORE UPDATE ON journal_draft FOR EACH ROW
    WHEN (OLD.state <> 'open'
          OR (NEW.id, NEW.created_at, NEW.actor_kind, NEW.actor_id, NEW.actor_name)
             IS DISTINCT FROM (OLD.id, OLD.created_at, OLD.actor_kind, OLD.actor_id, OLD.actor_name))
    EXECUTE FUNCTION stays();

-- Lines change only while their draft is open: whoever ends it waits for them, and they for it.
CREATE FUNCTION journal_draft_line_open() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM journal_draft WHERE id IN (SELECT draft_id FROM changed) ORDER BY id FOR SHARE;
    IF EXISTS (SELECT FROM changed c LEFT JOIN journal_draft d ON d.id = c.draft_id WHERE d.state IS DISTINCT FROM 'open') THEN
        RAISE EXCEPTION 'lines change only while their draft is open'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_draft_line_open';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_draft_line_inserted AFTER INSERT ON journal_draft_line
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION journal_draft_line_open();
CREATE TRIGGER journal_draft_line_updated AFTER UPDATE ON journal_draft_line
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION journal_draft_line_open();
CREATE TRIGGER journal_draft_line_deleted AFTER DELETE ON journal_draft_line
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION journal_draft_line_open();
CREATE TRIGGER journal_draft_line_identity BEFORE UPDATE ON journal_draft_line FOR EACH ROW
    WHEN ((NEW.draft_id, NEW.line) IS DISTINCT FROM (OLD.draft_id, OLD.line)) EXECUTE FUNCTION stays();

-- What it was posted as says what it says, by the end of the transaction.
CREATE FUNCTION journal_draft_fit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM journal_entry e
        WHERE e.id = NEW.entry_id AND e.kind = NEW.kind AND e.date = NEW.date
          AND (e.description, e.document_type, e.document_id) IS NOT DISTINCT FROM (NEW.description, NEW.document_type, NEW.document_id)
          AND e.lines = (SELECT count(*) FROM journal_draft_line d WHERE d.draft_id = NEW.id)
    ) OR EXISTS (
        SELECT FROM journal_line l
        LEFT JOIN journal_draft_line d ON d.draft_id = NEW.id AND d.line = l.line
        CROSS JOIN shop s
        WHERE l.entry_id = NEW.entry_id
          AND (l.account_id, l.commodity, l.is_debit, l.amount, l.quantity, l.location_id, l.subsidiary_id, l.cost_center_id, l.project_id,
               l.description)
              IS DISTINCT FROM (d.account_id, COALESCE(d.commodity, s.currency), d.is_debit, d.amount, d.quantity, d.location_id, d.subsidiary_id,
                                d.cost_center_id, d.project_id, d.description)
    ) THEN
        RAISE EXCEPTION 'draft % was not posted so', NEW.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_draft_fit';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_draft_fit AFTER UPDATE OF state ON journal_draft DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'posted') EXECUTE FUNCTION journal_draft_fit();
