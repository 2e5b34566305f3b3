-- What lines are about besides their account: subsidiary accounts (a party, a bank, an employee, …), cost centres and projects. All of them are
-- values of dimensions, kept in one table.
CREATE TABLE dimension_value (
    id                 uuid PRIMARY KEY,
    -- Subsidiary accounts are of the kind that accounts demand; cost centres and projects are dimensions of their own.
    kind               text COLLATE "C" NOT NULL CHECK (kind IN ('party', 'bank', 'employee', 'other', 'cost_center', 'project')),
    dimension          text COLLATE "C" NOT NULL
                       GENERATED ALWAYS AS (CASE WHEN kind IN ('cost_center', 'project') THEN kind ELSE 'subsidiary' END) STORED,
    code               text COLLATE "C" NOT NULL CHECK (length(code) BETWEEN 1 AND 64 AND code = upper(code)),
    name               jsonb NOT NULL,
    external_reference text COLLATE "C",
    -- Since when nothing is posted to it any more.
    archived_at        timestamptz,
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CONSTRAINT dimension_value_code_unique UNIQUE (dimension, code),
    CONSTRAINT dimension_value_external_reference_unique UNIQUE (dimension, external_reference)
);
CREATE TRIGGER dimension_value_kept BEFORE DELETE OR TRUNCATE ON dimension_value FOR EACH STATEMENT EXECUTE FUNCTION stays();
CREATE TRIGGER dimension_value_identity BEFORE UPDATE ON dimension_value FOR EACH ROW
    WHEN ((NEW.id, NEW.kind) IS DISTINCT FROM (OLD.id, OLD.kind)) EXECUTE FUNCTION stays();
-- Whoever posts does not see what is being archived: so nobody posts meanwhile.
CREATE TRIGGER dimension_value_archived_alone BEFORE UPDATE OF archived_at ON dimension_value
    FOR EACH STATEMENT EXECUTE FUNCTION account_owns();

ALTER TABLE account
    -- Each line names a subsidiary account of this kind; none does without.
    ADD COLUMN subsidiary_kind text COLLATE "C" CHECK (subsidiary_kind IN ('party', 'bank', 'employee', 'other')),
    ADD CONSTRAINT account_group_has_no_subsidiaries CHECK (NOT is_group OR subsidiary_kind IS NULL);
DROP TRIGGER account_changes_alone ON account;
CREATE TRIGGER account_changes_alone BEFORE UPDATE OF archived_at, commodity, normal_side, subsidiary_kind ON account
    FOR EACH STATEMENT EXECUTE FUNCTION account_owns();
DROP TRIGGER account_stays_as_posted ON account;
CREATE TRIGGER account_stays_as_posted BEFORE UPDATE OF commodity, normal_side, subsidiary_kind ON account FOR EACH ROW
    WHEN ((NEW.commodity, NEW.normal_side, NEW.subsidiary_kind) IS DISTINCT FROM (OLD.commodity, OLD.normal_side, OLD.subsidiary_kind))
    EXECUTE FUNCTION account_stays_as_posted();

ALTER TABLE journal_line ADD COLUMN subsidiary_id uuid, ADD COLUMN cost_center_id uuid, ADD COLUMN project_id uuid;
-- The ledger of a subsidiary account, as that of an account; and what is closed by cost centre and project.
CREATE INDEX journal_line_subsidiary ON journal_line (account_id, subsidiary_id, commodity, date, number, line) WHERE subsidiary_id IS NOT NULL;
CREATE INDEX journal_line_dimensions ON journal_line (account_id, date) WHERE cost_center_id IS NOT NULL OR project_id IS NOT NULL;

-- How much went to each side of an account for one of its subsidiary accounts: as account_turnover, of lines that name one.
CREATE TABLE subsidiary_turnover (
    account_id    uuid NOT NULL,
    subsidiary_id uuid NOT NULL,
    commodity     text COLLATE "C" NOT NULL,
    span          text COLLATE "C" NOT NULL CHECK (span IN ('day', 'month')),
    since         date NOT NULL,
    debit         numeric(28, 6) NOT NULL,
    credit        numeric(28, 6) NOT NULL,
    PRIMARY KEY (account_id, subsidiary_id, commodity, span, since)
) WITH (fillfactor = 70);
-- For what all of an account's had on a day, and for what one has wherever.
CREATE INDEX subsidiary_turnover_span ON subsidiary_turnover (account_id, span, since);
CREATE INDEX subsidiary_turnover_of ON subsidiary_turnover (subsidiary_id, span, since);

-- What is wrong with a line by itself, of what its account and commodity say.
CREATE FUNCTION journal_line_fault(account_code text, is_group boolean, archived_at timestamptz, expected text, scale smallint, commodity text,
                                   amount numeric) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN account_code IS NULL THEN 'account_unknown'
        WHEN is_group THEN 'account_is_group'
        WHEN archived_at IS NOT NULL THEN 'account_archived'
        WHEN scale IS NULL THEN 'commodity_unknown'
        WHEN expected <> commodity THEN 'commodity_unfit'
        WHEN amount <> trunc(amount, scale) THEN 'too_fine'
    END
$$;
-- What is wrong with the value of a dimension that a line names, or does not.
CREATE FUNCTION dimension_fault(demanded text, named uuid, kind text, archived_at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN demanded IS NULL AND named IS NULL THEN NULL
        WHEN demanded IS NULL THEN 'unwanted'
        WHEN named IS NULL THEN 'missing'
        WHEN kind IS NULL THEN 'unknown'
        WHEN kind <> demanded THEN 'wrong_kind'
        WHEN archived_at IS NOT NULL THEN 'archived'
    END
$$;
