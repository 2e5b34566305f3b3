-- The trail can be proved: what is written is sealed, batch by batch, in a chain of hashes; and changes of rows are kept by the database
-- itself, whoever makes them (`0030_trail_capture.sql`).

-- Why something was done, as far as anybody has said; and in which transaction, by which clock: a number of a transaction may come again when a
-- database is restored elsewhere, both together do not. (Made in front of this: `written_at`, and a unique index with it.)
ALTER TABLE audit ADD COLUMN reason text, ADD COLUMN tx xid8;

-- Partitions by month. What there is becomes the first of them where it lies.
ALTER TABLE audit ALTER COLUMN number DROP IDENTITY;
ALTER TABLE audit RENAME TO audit_before;
ALTER TABLE audit_before DROP CONSTRAINT audit_pkey;
ALTER TABLE audit_before ADD CONSTRAINT audit_before_pkey PRIMARY KEY USING INDEX audit_before_number;
ALTER INDEX audit_aggregate RENAME TO audit_before_aggregate;
ALTER TRIGGER audit_append_only ON audit_before RENAME TO audit_before_append_only;
CREATE TABLE audit (
    number         bigint GENERATED ALWAYS AS IDENTITY,
    at             timestamptz NOT NULL,
    actor_kind     text NOT NULL CONSTRAINT audit_actor_kind_check CHECK (actor_kind IN ('user', 'system')),
    actor_id       uuid,
    actor_name     text NOT NULL,
    request_id     text,
    action         text NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id   uuid NOT NULL,
    before         jsonb,
    after          jsonb,
    written_at     timestamptz NOT NULL DEFAULT now(),
    -- Whoever has said why has said it to the transaction.
    reason         text DEFAULT NULLIF(current_setting('goldshop.reason', true), ''),
    tx             xid8 DEFAULT pg_current_xact_id(),
    CONSTRAINT audit_pkey PRIMARY KEY (number, written_at)
) PARTITION BY RANGE (written_at);
CREATE INDEX audit_aggregate ON audit (aggregate_type, aggregate_id, number);
-- Who made a change of a row: the first that its transaction has written. Rows of before have none.
CREATE INDEX audit_transaction ON audit (written_at, tx, number) WHERE tx IS NOT NULL;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DO $$
DECLARE
    last bigint;
BEGIN
    SELECT max(a.number) INTO last FROM audit_before a;
    PERFORM setval('audit_number_seq', COALESCE(last, 1), last IS NOT NULL);
    EXECUTE format('ALTER TABLE audit ATTACH PARTITION audit_before FOR VALUES FROM (MINVALUE) TO (%L)',
                   date_trunc('month', now(), 'UTC') + interval '1 month');
END $$;

-- Rows as they were after each change. How a row was before is how the change before that left it.
CREATE TABLE trail_change (
    number     bigint GENERATED ALWAYS AS IDENTITY,
    -- Of which table.
    source     text COLLATE "C" NOT NULL,
    -- Inserted, updated, deleted; present when changes were first kept, or carried on when older ones were retired.
    operation  "char" NOT NULL CHECK (operation IN ('i', 'u', 'd', 'p', 'c')),
    -- The thing that the row is a part of, by the id that people know it by; nothing but zeros where there is none.
    about      uuid NOT NULL,
    -- The primary key.
    key        text COLLATE "C" NOT NULL,
    -- The row, without what is generated from it, and with hashes instead of secrets. None when it is gone.
    after      jsonb,
    -- Who, when the transaction has said so; otherwise its rows in `audit` tell, or else the role.
    who        jsonb,
    role       text NOT NULL DEFAULT session_user,
    tx         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (number, written_at),
    CONSTRAINT trail_change_gone CHECK ((after IS NULL) = (operation = 'd'))
) PARTITION BY RANGE (written_at);
CREATE INDEX trail_change_about ON trail_change (about, number);
CREATE TRIGGER trail_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- For months that nobody has made a partition for: better there than nowhere.
CREATE TABLE audit_rest PARTITION OF audit DEFAULT;
CREATE TRIGGER audit_rest_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_rest
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE trail_change_rest PARTITION OF trail_change DEFAULT;
CREATE TRIGGER trail_change_rest_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail_change_rest
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Makes the partitions of this month and of some to come. Nobody waits: when somebody would have to, it is left for another time.
CREATE FUNCTION trail_prepare() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '1s' SET timezone = 'UTC' AS $$
DECLARE
    parent  text;
    month   timestamptz;
    name    text;
    is_used boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(8317423741026365301);
    FOREACH parent IN ARRAY ARRAY['audit', 'trail_change'] LOOP
        FOR month IN SELECT date_trunc('month', now()) + n * interval '1 month' FROM generate_series(0, 3) n LOOP
            name := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            -- The rows that were there before have the month of the migration.
            CONTINUE WHEN parent = 'audit' AND month <= now() AND to_regclass('audit_before') IS NOT NULL;
            EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE written_at >= %L AND written_at < %L)', parent || '_rest', month,
                           month + interval '1 month') INTO is_used;
            CONTINUE WHEN is_used;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', name, parent);
            EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                           name || '_append_only', name);
            BEGIN
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, month, month + interval '1 month');
            EXCEPTION WHEN invalid_object_definition THEN
                -- A partition that was there before has these days.
                EXECUTE format('DROP TABLE %I', name);
            END;
        END LOOP;
    END LOOP;
END $$;
SELECT trail_prepare();

-- A batch of rows of one stream, and its place in the chain.
CREATE TABLE trail_seal (
    -- From 1 on, without gaps.
    number    bigint PRIMARY KEY,
    -- How rows are written down to be hashed (docs/adr/0022-the-trail-is-sealed.md).
    format    smallint NOT NULL,
    -- `audit`, `change`, `stock`, `journal` or `cost`; and the fiscal year of entries of the books, otherwise zeros.
    stream    text COLLATE "C" NOT NULL,
    part      uuid NOT NULL,
    -- All rows with numbers above the one and up to the other.
    after     bigint NOT NULL,
    until     bigint NOT NULL,
    rows      integer NOT NULL CHECK (rows > 0),
    -- Of each row, in their order: its number, its line where an entry has lines (0 is the entry itself), and the hash of its content.
    numbers   bigint[] NOT NULL,
    lines     integer[] NOT NULL,
    hashes    bytea NOT NULL,
    root      bytea NOT NULL,
    previous  bytea NOT NULL,
    hash      bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT trail_seal_forward CHECK (until > after)
);
-- Hashes cannot be compressed.
ALTER TABLE trail_seal ALTER COLUMN hashes SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX trail_seal_stream ON trail_seal (stream, part, until);
CREATE TRIGGER trail_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail_seal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How far each stream may be sealed.
CREATE TABLE trail_pending (
    stream  text COLLATE "C" NOT NULL,
    part    uuid NOT NULL,
    -- Nobody adds a row with this number or a lower one any more, once those who were writing when it was taken have ended.
    bound   bigint NOT NULL,
    waiting text[] NOT NULL,
    -- Up to this number everything is sealed, or was never there.
    done    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (stream, part)
);

-- Partitions that were dropped, with who did it and why.
CREATE TABLE trail_retired (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    stream     text COLLATE "C" NOT NULL CHECK (stream IN ('audit', 'change')),
    numbers    int8multirange NOT NULL,
    rows       bigint NOT NULL,
    -- When the rows were written.
    since      timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    actor_name text NOT NULL CHECK (length(actor_name) BETWEEN 1 AND 200),
    reason     text NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    retired_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER trail_retired_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail_retired
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Proofs that were asked for, and what they have found.
CREATE TABLE trail_verification (
    id          uuid PRIMARY KEY,
    job_id      uuid NOT NULL,
    note        text CHECK (length(note) BETWEEN 1 AND 2000),
    created_at  timestamptz NOT NULL,
    -- Where it goes on, and what it has found up to there.
    progress    jsonb,
    finished_at timestamptz
);

-- The rows of a stream that are hashed, with their places and the hashes of their content. What `record_send` writes says of each column how
-- long it is, and depends on no setting.
CREATE FUNCTION trail_rows(stream text, part uuid, after bigint, until bigint) RETURNS TABLE (number bigint, line integer, hash bytea)
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    CASE stream
    WHEN 'audit' THEN RETURN QUERY
        SELECT a.number, 0, sha256(record_send(ROW('audit'::text, a.at, a.actor_kind, a.actor_id, a.actor_name, a.request_id, a.reason, a.action,
            a.aggregate_type, a.aggregate_id, a.before, a.after, a.tx, a.written_at)))
        FROM audit a WHERE a.number > trail_rows.after AND a.number <= until ORDER BY 1;
    WHEN 'change' THEN RETURN QUERY
        SELECT c.number, 0, sha256(record_send(ROW('trail_change'::text, c.source, c.operation, c.about, c.key, c.after, c.who, c.role, c.tx,
            c.written_at)))
        FROM trail_change c WHERE c.number > trail_rows.after AND c.number <= until ORDER BY 1;
    WHEN 'stock' THEN RETURN QUERY
        SELECT e.number, 0, sha256(record_send(ROW('stock_entry'::text, e.id, e.kind, e.reason, e.document, e.note, e.effective_at, e.recorded_at,
            e.actor_kind, e.actor_id, e.actor_name, e.reverses_id, e.lines)))
        FROM stock_entry e WHERE e.number > trail_rows.after AND e.number <= until
        UNION ALL
        SELECT e.number, m.line, sha256(record_send(ROW('stock_movement'::text, m.number, m.item_id, m.lot_id, m.from_location_id, m.to_location_id,
            m.quantity, m.weight, m.fine_weight, m.unit_cost, m.effective_at)))
        FROM stock_entry e JOIN stock_movement m ON m.entry_id = e.id WHERE e.number > trail_rows.after AND e.number <= until
        ORDER BY 1, 2;
    WHEN 'journal' THEN RETURN QUERY
        SELECT e.number, 0, sha256(record_send(ROW('journal_entry'::text, e.id, e.date, e.kind, e.description, e.document_type, e.document_id,
            e.reverses_id, e.lines, e.recorded_at, e.actor_kind, e.actor_id, e.actor_name)))
        FROM journal_entry e WHERE e.fiscal_year_id = part AND e.number > trail_rows.after AND e.number <= until
        UNION ALL
        SELECT e.number, l.line, sha256(record_send(ROW('journal_line'::text, l.account_id, l.commodity, l.is_debit, l.amount, l.base_amount,
            l.quantity, l.location_id, l.subsidiary_id, l.cost_center_id, l.project_id, l.description, l.date, l.number)))
        FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id
        WHERE e.fiscal_year_id = part AND e.number > trail_rows.after AND e.number <= until
        ORDER BY 1, 2;
    WHEN 'cost' THEN RETURN QUERY
        SELECT c.number, 0, sha256(record_send(ROW('stock_cost'::text, c.entry_id, c.line, c.item_id, c.layer_id, c.amount, c.value,
            c.effective_at, c.recorded_at, c.corrects)))
        FROM stock_cost c WHERE c.number > trail_rows.after AND c.number <= until ORDER BY 1;
    END CASE;
END $$;

-- The root of a Merkle tree: leaves are hashed behind a 0 and nodes behind a 1, and whoever has no neighbour goes up as it is.
CREATE FUNCTION trail_root(leaves bytea[]) RETURNS bytea LANGUAGE plpgsql IMMUTABLE SET search_path = public, pg_temp AS $$
BEGIN
    WHILE cardinality(leaves) > 1 LOOP
        SELECT array_agg(p.node ORDER BY p.place) INTO leaves
        FROM (
            SELECT (l.place - 1) / 2 AS place,
                   CASE count(*) WHEN 1 THEN string_agg(l.leaf, ''::bytea) ELSE sha256('\x01'::bytea || string_agg(l.leaf, ''::bytea ORDER BY l.place)) END AS node
            FROM unnest(leaves) WITH ORDINALITY l (leaf, place) GROUP BY 1
        ) p;
    END LOOP;
    RETURN leaves[1];
END $$;

-- Takes new bounds where the old ones are reached. Tells whether somebody has to be waited for.
--
-- A number is taken by whoever holds the lock that writing takes, and can be seen when that one has ended: behind those who hold it now, no row
-- comes any more with a number that has been given. Entries of the books are numbered by one transaction after the other, without gaps.
CREATE FUNCTION trail_bound() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given record;
    busy  text[];
BEGIN
    IF NOT pg_try_advisory_xact_lock(8317423741026365300) THEN
        RETURN false;
    END IF;
    FOR given IN
        SELECT 'audit' AS stream, 'audit'::regclass AS source, last_value AS last FROM audit_number_seq WHERE is_called
        UNION ALL SELECT 'change', 'trail_change', last_value FROM trail_change_number_seq WHERE is_called
        UNION ALL SELECT 'stock', 'stock_entry', last_value FROM stock_entry_number_seq WHERE is_called
        UNION ALL SELECT 'cost', 'stock_cost', last_value FROM stock_cost_number_seq WHERE is_called
    LOOP
        SELECT COALESCE(array_agg(DISTINCT l.virtualtransaction), '{}') INTO busy
        FROM pg_locks l
        WHERE l.locktype = 'relation' AND l.relation = given.source AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
          AND l.pid <> pg_backend_pid();
        INSERT INTO trail_pending AS p (stream, part, bound, waiting)
        VALUES (given.stream, '00000000-0000-0000-0000-000000000000', given.last, busy)
        ON CONFLICT (stream, part) DO UPDATE SET
            bound = CASE WHEN p.done < p.bound THEN p.bound ELSE GREATEST(p.bound, EXCLUDED.bound) END,
            waiting = CASE WHEN p.done < p.bound THEN ARRAY(SELECT w FROM unnest(p.waiting) w WHERE w = ANY (EXCLUDED.waiting))
                           ELSE EXCLUDED.waiting END
        WHERE p.waiting <> '{}' OR p.done = p.bound AND p.bound < EXCLUDED.bound;
    END LOOP;
    INSERT INTO trail_pending AS p (stream, part, bound, waiting)
    SELECT 'journal', q.fiscal_year_id, q.last_number, '{}' FROM journal_sequence q WHERE q.last_number > 0
    ON CONFLICT (stream, part) DO UPDATE SET bound = EXCLUDED.bound WHERE p.bound < EXCLUDED.bound;
    RETURN EXISTS (SELECT FROM trail_pending p WHERE p.done < p.bound AND p.waiting <> '{}');
END $$;

-- Seals one batch of about so many rows; tells whether there may be more to do. One at a time.
CREATE FUNCTION trail_seal(most integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET jit = off AS $$
DECLARE
    pending trail_pending;
    upto    bigint;
    last    trail_seal;
    made    trail_seal;
    leaves  bytea[];
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') OR most NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'seals are made in transactions that see what others have committed';
    END IF;
    IF NOT pg_try_advisory_xact_lock(8317423741026365300) THEN
        RETURN false;
    END IF;
    SELECT * INTO pending FROM trail_pending p WHERE p.done < p.bound AND p.waiting = '{}' ORDER BY p.stream, p.part LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    upto := LEAST(pending.bound, pending.done + most);
    -- Entries are sealed with all their lines: as many of them as make up a batch.
    IF pending.stream IN ('stock', 'journal') THEN
        SELECT COALESCE(min(e.number), upto) INTO upto
        FROM (
            SELECT f.number, sum(f.lines + 1) OVER (ORDER BY f.number) AS rows
            FROM (
                SELECT s.number, s.lines FROM stock_entry s
                WHERE pending.stream = 'stock' AND s.number > pending.done AND s.number <= upto
                UNION ALL
                SELECT j.number, j.lines FROM journal_entry j
                WHERE pending.stream = 'journal' AND j.fiscal_year_id = pending.part AND j.number > pending.done AND j.number <= upto
            ) f
        ) e
        WHERE e.rows >= most;
    END IF;
    UPDATE trail_pending p SET done = upto WHERE p.stream = pending.stream AND p.part = pending.part;

    SELECT array_agg(r.number ORDER BY r.number, r.line), array_agg(r.line ORDER BY r.number, r.line),
           string_agg(r.hash, ''::bytea ORDER BY r.number, r.line), count(*),
           array_agg(sha256('\x00'::bytea || int8send(r.number) || int4send(r.line) || r.hash) ORDER BY r.number, r.line)
    INTO made.numbers, made.lines, made.hashes, made.rows, leaves
    FROM trail_rows(pending.stream, pending.part, pending.done, upto) r;
    IF made.rows = 0 THEN
        RETURN true;
    END IF;
    SELECT * INTO last FROM trail_seal s ORDER BY s.number DESC LIMIT 1;
    made.number := COALESCE(last.number, 0) + 1;
    made.format := 1;
    made.stream := pending.stream;
    made.part := pending.part;
    SELECT COALESCE(max(s.until), 0) INTO made.after FROM trail_seal s WHERE s.stream = pending.stream AND s.part = pending.part;
    made.until := upto;
    made.root := trail_root(leaves);
    made.previous := COALESCE(last.hash, '\x0000000000000000000000000000000000000000000000000000000000000000');
    made.sealed_at := clock_timestamp();
    made.hash := sha256(convert_to(concat_ws('|', 'goldshop seal', made.format, made.number, made.stream, made.part, made.after, made.until,
        made.rows, (extract(epoch FROM made.sealed_at) * 1000000)::bigint, encode(made.root, 'hex'), encode(made.previous, 'hex')), 'UTF8'));
    INSERT INTO trail_seal SELECT (made).*;
    RETURN true;
END $$;
