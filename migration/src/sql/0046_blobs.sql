-- Files that nothing refers to any more. The blob store knows no transactions, so which of its names may be used is decided here: one that is retired
-- is referred to never again, and its file is removed later, by whoever, however late they are. Content that comes again gets another name.

-- What is locked of a name: shared by who refers to it, until they have committed; alone by who retires it, if that is possible at once.
CREATE FUNCTION blob_lock(blob_key text) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT hashtextextended(blob_key, 8317423741026365310)';

CREATE TABLE blob_retired (
    blob_key   text COLLATE "C" PRIMARY KEY CHECK (length(blob_key) BETWEEN 1 AND 255),
    byte_size  bigint NOT NULL CHECK (byte_size >= 0),
    retired_at timestamptz NOT NULL DEFAULT now(),
    -- When its file was given up. The name stays retired for as long as somebody may still be removing it.
    removed_at timestamptz,
    -- Content that comes again is kept as `original/g2/…` instead of `original/…`.
    name       text COLLATE "C" NOT NULL GENERATED ALWAYS AS (regexp_replace(blob_key, '^([a-z]+)/g[0-9]+/', '\1/')) STORED,
    generation integer NOT NULL GENERATED ALWAYS AS (COALESCE(substring(blob_key FROM '^[a-z]+/g([0-9]{1,9})/')::integer, 1)) STORED
);
CREATE INDEX blob_retired_name ON blob_retired (name, generation);
CREATE INDEX blob_retired_waiting ON blob_retired (retired_at) WHERE removed_at IS NULL;
CREATE INDEX blob_retired_removed ON blob_retired (removed_at) WHERE removed_at IS NOT NULL;

-- What refers to files is found by these, 500 names at a time. The end of an upload's name is the hash that renditions have in theirs.
CREATE INDEX item_qr_svg_key ON item (qr_svg_key) WHERE qr_svg_key IS NOT NULL;
CREATE INDEX item_qr_png_key ON item (qr_png_key) WHERE qr_png_key IS NOT NULL;
CREATE INDEX item_image_original ON item_image ((right(original_key, 64)));
CREATE INDEX item_import_blob_key ON item_import (blob_key);
CREATE INDEX job_file_blob_key ON job_file (blob_key);
CREATE INDEX journal_attachment_blob_key ON journal_attachment (blob_key);
CREATE INDEX journal_import_blob_key ON journal_import (blob_key);

-- The one place that knows what refers to files: which of these keys something does. Whoever adds a column that refers to files adds it here, and a
-- trigger of those below; a test finds columns that are missing.
CREATE FUNCTION blob_referenced(keys text[]) RETURNS SETOF text LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT k FROM unnest(keys) k
    WHERE EXISTS (SELECT FROM item i WHERE i.qr_svg_key = k)
       OR EXISTS (SELECT FROM item i WHERE i.qr_png_key = k)
       OR EXISTS (SELECT FROM item_image p WHERE right(p.original_key, 64) = right(k, 64) AND p.original_key = k)
       OR EXISTS (SELECT FROM item_image p
                  WHERE right(p.original_key, 64) = substring(k FROM '^rendition/(?:g[0-9]+/)?[0-9a-f]{2}/([0-9a-f]{64})/')
                    AND p.renditions @> jsonb_build_array(jsonb_build_object('key', k)))
       OR EXISTS (SELECT FROM item_import i WHERE i.blob_key = k)
       OR EXISTS (SELECT FROM job_file f WHERE f.blob_key = k)
       OR EXISTS (SELECT FROM journal_attachment a WHERE a.blob_key = k)
       OR EXISTS (SELECT FROM journal_import i WHERE i.blob_key = k)
       -- On its way out already.
       OR EXISTS (SELECT FROM retention_file f WHERE f.blob_key = k)
$$;

-- Which of these keys are of ours, not retired yet, and referred to by nothing that is committed.
CREATE FUNCTION blob_unreferenced(keys text[]) RETURNS SETOF text LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT k FROM unnest(keys) k
    WHERE k ~ '^(attachment|code|import|job|original|rendition)/'
      AND NOT EXISTS (SELECT FROM blob_retired r WHERE r.blob_key = k)
      AND k <> ALL (ARRAY(SELECT blob_referenced(keys)))
$$;

-- Somebody refers to these: from now on until they have committed nobody retires them, and what is retired is refused.
CREATE FUNCTION blob_use(keys text[]) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    retired text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(blob_lock(k)) FROM unnest(keys) k WHERE k IS NOT NULL;
    -- A statement of its own: it sees what was committed before the locks were had.
    SELECT r.blob_key INTO retired FROM blob_retired r WHERE r.blob_key = ANY (keys) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the file % is retired', retired USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'blob_retired';
    END IF;
END $$;

CREATE FUNCTION blob_used() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM blob_use(ARRAY[NEW.blob_key]);
    RETURN NEW;
END $$;
CREATE FUNCTION blob_used_by_item() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM blob_use(ARRAY[NEW.qr_svg_key, NEW.qr_png_key]);
    RETURN NEW;
END $$;
CREATE FUNCTION blob_used_by_image() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM blob_use(NEW.original_key || ARRAY(SELECT r->>'key' FROM jsonb_array_elements(NEW.renditions) r));
    RETURN NEW;
END $$;

CREATE TRIGGER item_blob_inserted BEFORE INSERT ON item FOR EACH ROW
    WHEN (NEW.qr_svg_key IS NOT NULL OR NEW.qr_png_key IS NOT NULL) EXECUTE FUNCTION blob_used_by_item();
CREATE TRIGGER item_blob_updated BEFORE UPDATE ON item FOR EACH ROW
    WHEN (NEW.qr_svg_key IS DISTINCT FROM OLD.qr_svg_key OR NEW.qr_png_key IS DISTINCT FROM OLD.qr_png_key) EXECUTE FUNCTION blob_used_by_item();
CREATE TRIGGER item_image_blob_inserted BEFORE INSERT ON item_image FOR EACH ROW EXECUTE FUNCTION blob_used_by_image();
CREATE TRIGGER item_image_blob_updated BEFORE UPDATE ON item_image FOR EACH ROW
    WHEN (NEW.original_key <> OLD.original_key OR NEW.renditions <> OLD.renditions) EXECUTE FUNCTION blob_used_by_image();
CREATE TRIGGER item_import_blob_inserted BEFORE INSERT ON item_import FOR EACH ROW EXECUTE FUNCTION blob_used();
CREATE TRIGGER item_import_blob_updated BEFORE UPDATE ON item_import FOR EACH ROW WHEN (NEW.blob_key <> OLD.blob_key) EXECUTE FUNCTION blob_used();
CREATE TRIGGER job_file_blob_inserted BEFORE INSERT ON job_file FOR EACH ROW EXECUTE FUNCTION blob_used();
CREATE TRIGGER job_file_blob_updated BEFORE UPDATE ON job_file FOR EACH ROW WHEN (NEW.blob_key <> OLD.blob_key) EXECUTE FUNCTION blob_used();
CREATE TRIGGER journal_attachment_blob_inserted BEFORE INSERT ON journal_attachment FOR EACH ROW EXECUTE FUNCTION blob_used();
CREATE TRIGGER journal_attachment_blob_updated BEFORE UPDATE ON journal_attachment FOR EACH ROW
    WHEN (NEW.blob_key <> OLD.blob_key) EXECUTE FUNCTION blob_used();
CREATE TRIGGER journal_import_blob_inserted BEFORE INSERT ON journal_import FOR EACH ROW EXECUTE FUNCTION blob_used();
CREATE TRIGGER journal_import_blob_updated BEFORE UPDATE ON journal_import FOR EACH ROW
    WHEN (NEW.blob_key <> OLD.blob_key) EXECUTE FUNCTION blob_used();

-- For how long they are kept when nothing refers to them: a policy like others.
CREATE OR REPLACE FUNCTION retention_minimum(subject text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE subject
        WHEN 'api_tokens' THEN 30
        -- Requests are sent again for hours, not for days.
        WHEN 'idempotency_keys' THEN 1
        -- Whoever listens may come back after a weekend.
        WHEN 'events' THEN 3
        WHEN 'exports' THEN 1
        WHEN 'imports' THEN 7
        WHEN 'jobs' THEN 7
        WHEN 'proofs' THEN 30
        WHEN 'schedule_firings' THEN 30
        -- Longer than a backup takes.
        WHEN 'unreferenced_files' THEN 1
    END
$$;
INSERT INTO retention_policy (subject, keep_days, updated_at) VALUES ('unreferenced_files', 7, now());

ALTER TABLE retention_run
    -- Whether all files were looked at.
    ADD COLUMN surveyed boolean NOT NULL DEFAULT false;
ALTER TABLE retention_result
    -- Files that turned out to be referred to by nothing; they go later.
    ADD COLUMN found_count bigint NOT NULL DEFAULT 0,
    ADD COLUMN found_bytes bigint NOT NULL DEFAULT 0;

-- Nothing is retired, nor removed, while everything is held: whoever sets the hold waits until we are done, and nobody begins behind them.
CREATE FUNCTION blob_not_held() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM retention_hold h WHERE NOT h.held FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'everything is held: nothing is removed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'retention_held';
    END IF;
END $$;

-- Retires those of these keys that nothing refers to, and tells how many they were. What somebody is just referring to is left for the next time.
CREATE FUNCTION blob_retire(keys text[], sizes bigint[]) RETURNS TABLE (found_count bigint, found_bytes bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ours text[];
BEGIN
    PERFORM blob_not_held();
    IF retention_since('unreferenced_files') IS NOT NULL THEN
        -- Few are left after a look without locks.
        ours := ARRAY(SELECT blob_unreferenced(keys[1:5000]));
        ours := ARRAY(SELECT k FROM unnest(ours) k WHERE pg_try_advisory_xact_lock(blob_lock(k)));
        -- Each statement sees what was committed before it, and whoever refers to one of them from now on waits for us.
        ours := ARRAY(SELECT blob_unreferenced(ours));
    END IF;
    RETURN QUERY
        WITH retired AS (
            INSERT INTO blob_retired (blob_key, byte_size)
            SELECT f.k, f.size FROM unnest(keys, sizes) f (k, size) WHERE f.k = ANY (ours)
            ON CONFLICT DO NOTHING RETURNING byte_size
        )
        SELECT count(*), COALESCE(sum(r.byte_size), 0)::bigint FROM retired r;
END $$;

-- What would go of the retired, and what would be the oldest that stays.
CREATE FUNCTION blob_due() RETURNS TABLE (row_count bigint, file_count bigint, byte_count bigint, older_than timestamptz, oldest_kept timestamptz)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT count(*) FILTER (WHERE b.retired_at < s.since), count(*) FILTER (WHERE b.retired_at < s.since),
           COALESCE(sum(b.byte_size) FILTER (WHERE b.retired_at < s.since), 0)::bigint, s.since,
           min(b.retired_at) FILTER (WHERE b.retired_at >= s.since)
    FROM (SELECT retention_since('unreferenced_files') AS since) s LEFT JOIN blob_retired b ON b.removed_at IS NULL
    GROUP BY s.since
$$;

-- Gives up the files of at most so many that were retired long enough ago, and tells what went. Whoever deletes files finds them in `retention_file`.
CREATE FUNCTION blob_remove(most integer) RETURNS TABLE (row_count bigint, file_count bigint, byte_count bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    since timestamptz := retention_since('unreferenced_files');
    due text[];
BEGIN
    PERFORM blob_not_held();
    most := LEAST(most, 5000);
    due := ARRAY(SELECT r.blob_key FROM blob_retired r WHERE r.removed_at IS NULL AND r.retired_at < since
                 ORDER BY r.retired_at LIMIT GREATEST(most, 0) FOR UPDATE SKIP LOCKED);
    -- What came in behind the triggers, as when an older database was restored into this one, brings its file back.
    DELETE FROM blob_retired r WHERE r.blob_key IN (SELECT blob_referenced(due));
    RETURN QUERY
        WITH gone AS (
            UPDATE blob_retired r SET removed_at = now() WHERE r.blob_key = ANY (due) RETURNING r.blob_key, r.byte_size
        ), handed_over AS (
            INSERT INTO retention_file (blob_key) SELECT g.blob_key FROM gone g ON CONFLICT DO NOTHING
        )
        SELECT count(*), count(*), COALESCE(sum(g.byte_size), 0)::bigint FROM gone g;
    -- Nobody who was told to delete a file is still at it after a month.
    DELETE FROM blob_retired r WHERE r.blob_key IN (
        SELECT o.blob_key FROM blob_retired o WHERE o.removed_at < now() - interval '30 days'
          AND NOT EXISTS (SELECT FROM retention_file f WHERE f.blob_key = o.blob_key)
        ORDER BY o.removed_at LIMIT GREATEST(most, 0) FOR UPDATE SKIP LOCKED);
END $$;
