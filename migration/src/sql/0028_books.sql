-- The books: commodities, the chart of accounts, fiscal years with their periods, and entries with their lines.
--
-- Entries come whole and balanced, and stay. Turnovers follow from lines in the statement that writes them, by a trigger that runs with the
-- owner's rights (`0028_books_posting.sql`): whoever may insert lines cannot write a turnover, and none is other than the sum of its lines.

-- What amounts are of: currencies, and metals in grams of fine weight. The books carry them side by side.
CREATE TABLE commodity (
    code  text COLLATE "C" PRIMARY KEY,
    kind  text NOT NULL CHECK (kind IN ('currency', 'metal')),
    -- How many digits amounts have behind the point at most.
    scale smallint NOT NULL CHECK (scale BETWEEN 0 AND 6),
    CONSTRAINT commodity_code CHECK (CASE kind WHEN 'currency' THEN code ~ '^[A-Z]{3}$' ELSE code ~ '^[A-Z]{4,20}$' END)
);
-- After ISO 4217, without funds, testing and precious metals by the ounce.
INSERT INTO commodity (code, kind, scale)
SELECT code, 'currency', 2 FROM unnest(string_to_array(
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD '
    'EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA '
    'MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS '
    'SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG', ' ')) code;
INSERT INTO commodity (code, kind, scale)
SELECT code, 'currency', 0 FROM unnest(string_to_array('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF', ' ')) code
UNION ALL SELECT code, 'currency', 3 FROM unnest(string_to_array('BHD IQD JOD KWD LYD OMR TND', ' ')) code
UNION ALL SELECT code, 'currency', 4 FROM unnest(string_to_array('CLF UYW', ' ')) code
-- Grams of fine weight.
UNION ALL SELECT code, 'metal', 6 FROM unnest(string_to_array('GOLD SILVER PLATINUM PALLADIUM', ' ')) code;
CREATE TRIGGER commodity_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON commodity FOR EACH STATEMENT EXECUTE FUNCTION stays();

-- Groups hold accounts, all of one kind. What is no group is posted to.
CREATE TABLE account (
    id                 uuid PRIMARY KEY,
    number             bigint NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT account_number_unique UNIQUE,
    parent_id          uuid,
    path               ltree NOT NULL CONSTRAINT account_depth CHECK (nlevel(path) <= 100),
    code               text COLLATE "C" NOT NULL CONSTRAINT account_code_unique UNIQUE
                       CHECK (length(code) BETWEEN 1 AND 64 AND code = upper(code)),
    name               jsonb NOT NULL,
    kind               text NOT NULL CHECK (kind IN ('asset', 'liability', 'equity', 'revenue', 'expense')),
    -- On which side it usually grows: the other one than its kind's, of what is set against accounts of that kind, such as depreciation.
    normal_side        text NOT NULL CHECK (normal_side IN ('debit', 'credit')),
    is_group           boolean NOT NULL,
    -- The only commodity that is posted to it; any without.
    commodity          text COLLATE "C" REFERENCES commodity (code),
    external_reference text COLLATE "C" CONSTRAINT account_external_reference_unique UNIQUE,
    -- Since when nothing is posted to it any more.
    archived_at        timestamptz,
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    -- A parent is a group of the same kind: so whoever posts to an account need not look whether anything hangs below it.
    parent_is_group    boolean GENERATED ALWAYS AS (true) STORED,
    CONSTRAINT account_nature_key UNIQUE (id, is_group, kind),
    CONSTRAINT account_parent FOREIGN KEY (parent_id, parent_is_group, kind) REFERENCES account (id, is_group, kind),
    CONSTRAINT account_group_is_not_posted_to CHECK (NOT is_group OR commodity IS NULL)
);
CREATE INDEX account_path ON account USING gist (path);
CREATE INDEX account_children ON account (parent_id, code);

-- Whatever a statement writes, a path is the parent's path and the own number, as with categories and locations. What is in use lies below
-- nothing that is archived.
CREATE FUNCTION account_check_paths() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    wrong record;
BEGIN
    SELECT c.id, p.archived_at IS NOT NULL AND c.archived_at IS NULL AS is_below_archived
    INTO wrong
    FROM changed n
    JOIN account c ON c.id = n.id OR c.parent_id = n.id
    LEFT JOIN account p ON p.id = c.parent_id
    WHERE c.path <> CASE WHEN c.parent_id IS NULL THEN c.number::text::ltree ELSE p.path || c.number::text END
       OR p.archived_at IS NOT NULL AND c.archived_at IS NULL
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF wrong.is_below_archived THEN
        RAISE EXCEPTION 'account % would be in use below one that is archived', wrong.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_below_archived';
    END IF;
    RAISE EXCEPTION 'account % would have a path that does not follow from its parent', wrong.id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_path_follows_parent';
END $$;
CREATE TRIGGER account_paths_inserted AFTER INSERT ON account
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION account_check_paths();
CREATE TRIGGER account_paths_updated AFTER UPDATE ON account
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION account_check_paths();

CREATE TABLE fiscal_year (
    id         uuid PRIMARY KEY,
    name       text NOT NULL CONSTRAINT fiscal_year_name_unique UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    starts_on  date NOT NULL,
    ends_on    date NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT fiscal_year_length CHECK (ends_on >= starts_on AND ends_on < starts_on + 800),
    CONSTRAINT fiscal_year_alone EXCLUDE USING gist (daterange(starts_on, ends_on, '[]') WITH &&)
);

-- The parts of a fiscal year. They are closed from the first on, and opened again from the last on: what is closed is the past up to a day.
CREATE TABLE period (
    id             uuid PRIMARY KEY,
    fiscal_year_id uuid NOT NULL REFERENCES fiscal_year (id),
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    starts_on      date NOT NULL,
    ends_on        date NOT NULL,
    closed_at      timestamptz,
    version        bigint NOT NULL DEFAULT 1,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT period_length CHECK (ends_on >= starts_on),
    CONSTRAINT period_alone EXCLUDE USING gist (daterange(starts_on, ends_on, '[]') WITH &&)
);
CREATE INDEX period_days ON period (starts_on, ends_on);
CREATE INDEX period_fiscal_year ON period (fiscal_year_id, starts_on);

-- The last number that was given in a fiscal year. Whoever posts holds this row until the end of the transaction: so numbers have no gaps.
CREATE TABLE journal_sequence (
    fiscal_year_id uuid PRIMARY KEY REFERENCES fiscal_year (id),
    last_number    bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- What was posted at once: balanced, and for ever.
CREATE TABLE journal_entry (
    id             uuid PRIMARY KEY,
    fiscal_year_id uuid NOT NULL,
    -- From 1 on in each fiscal year, without gaps.
    number         bigint NOT NULL,
    date           date NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('general', 'reversal', 'opening', 'closing')),
    description    text CHECK (length(description) BETWEEN 1 AND 2000),
    -- What it was posted for: the type and the id of something in goldshop, or in somebody else's system.
    document_type  text COLLATE "C" CHECK (length(document_type) BETWEEN 1 AND 50),
    document_id    text COLLATE "C" CHECK (length(document_id) BETWEEN 1 AND 200),
    reverses_id    uuid CONSTRAINT journal_entry_reversed_once UNIQUE,
    lines          integer NOT NULL CHECK (lines BETWEEN 2 AND 10000),
    recorded_at    timestamptz NOT NULL,
    actor_kind     text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id       uuid,
    actor_name     text NOT NULL,
    CONSTRAINT journal_entry_number_unique UNIQUE (fiscal_year_id, number),
    CONSTRAINT journal_entry_document_whole CHECK ((document_type IS NULL) = (document_id IS NULL)),
    CONSTRAINT journal_entry_reversal CHECK ((kind = 'reversal') = (reverses_id IS NOT NULL))
);
CREATE INDEX journal_entry_date ON journal_entry (date, number);
CREATE INDEX journal_entry_document ON journal_entry (document_type, document_id, date, number) WHERE document_type IS NOT NULL;

-- An amount on one side of an account.
CREATE TABLE journal_line (
    entry_id    uuid NOT NULL,
    line        integer NOT NULL CHECK (line >= 1),
    account_id  uuid NOT NULL,
    commodity   text COLLATE "C" NOT NULL,
    -- On the debit side, or on the credit side.
    is_debit    boolean NOT NULL,
    -- No finer than the commodity.
    amount      numeric(24, 6) NOT NULL CONSTRAINT journal_line_positive CHECK (amount > 0),
    -- The same in the shop's currency, where the commodity is another one and a rate was known.
    base_amount numeric(24, 6) CHECK (base_amount >= 0),
    -- Of how many, in whatever unit the account counts.
    quantity    numeric(19, 6) CHECK (quantity <> 0),
    location_id uuid,
    description text CHECK (length(description) BETWEEN 1 AND 500),
    -- The entry's, for the sake of the index.
    date        date NOT NULL,
    number      bigint NOT NULL,
    PRIMARY KEY (entry_id, line)
);
-- The ledger of an account, in the order of days and of numbers.
CREATE INDEX journal_line_ledger ON journal_line (account_id, commodity, date, number, line);

-- How much went to each side of an account on a day, or in a month of the Gregorian calendar.
CREATE TABLE account_turnover (
    account_id uuid NOT NULL,
    commodity  text COLLATE "C" NOT NULL,
    span       text COLLATE "C" NOT NULL CHECK (span IN ('day', 'month')),
    -- The day, or the first of the month.
    since      date NOT NULL,
    debit      numeric(28, 6) NOT NULL,
    credit     numeric(28, 6) NOT NULL,
    PRIMARY KEY (account_id, commodity, span, since)
) WITH (fillfactor = 70);
-- For what all accounts had on a day: whole months, and the days of the last.
CREATE INDEX account_turnover_span ON account_turnover (span, since);

-- What happened stays, and so does what it refers to.
CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_line_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_kept BEFORE DELETE OR TRUNCATE ON account FOR EACH STATEMENT EXECUTE FUNCTION stays();
CREATE TRIGGER account_identity BEFORE UPDATE ON account FOR EACH ROW
    WHEN ((NEW.id, NEW.number, NEW.kind, NEW.is_group) IS DISTINCT FROM (OLD.id, OLD.number, OLD.kind, OLD.is_group))
    EXECUTE FUNCTION stays();
CREATE TRIGGER fiscal_year_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fiscal_year
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER period_kept BEFORE DELETE OR TRUNCATE ON period FOR EACH STATEMENT EXECUTE FUNCTION stays();
CREATE TRIGGER period_identity BEFORE UPDATE ON period FOR EACH ROW
    WHEN ((NEW.id, NEW.fiscal_year_id, NEW.starts_on, NEW.ends_on) IS DISTINCT FROM (OLD.id, OLD.fiscal_year_id, OLD.starts_on, OLD.ends_on))
    EXECUTE FUNCTION stays();
CREATE TRIGGER journal_sequence_kept BEFORE DELETE OR TRUNCATE ON journal_sequence FOR EACH STATEMENT EXECUTE FUNCTION stays();

UPDATE role SET permissions = permissions || '{books.manage,books.post,books.read,period.close}' WHERE code = 'manager';
