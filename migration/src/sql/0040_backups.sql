-- Backups: asked for by people, by a schedule or from the command line. What is in them is told by the manifest beside their files; this is what
-- people see of them.
CREATE TABLE backup (
    id                  uuid PRIMARY KEY,
    job_id              uuid CONSTRAINT backup_job_unique UNIQUE REFERENCES job (id) ON DELETE SET NULL,
    state               text NOT NULL CHECK (state IN ('running', 'complete', 'failed')),
    is_incremental      boolean NOT NULL,
    note                text,
    name                text CONSTRAINT backup_name_unique UNIQUE,
    byte_size           bigint CHECK (byte_size >= 0),
    parts               jsonb NOT NULL DEFAULT '[]',
    is_copied           boolean NOT NULL DEFAULT false,
    error               text,
    created_at          timestamptz NOT NULL,
    finished_at         timestamptz,
    removed_at          timestamptz CHECK (removed_at IS NULL OR state = 'complete'),
    verification_job_id uuid REFERENCES job (id) ON DELETE SET NULL,
    verified_at         timestamptz,
    verification        jsonb,
    CONSTRAINT backup_finished CHECK ((finished_at IS NULL) = (state = 'running')),
    CONSTRAINT backup_complete CHECK ((state = 'complete') = (name IS NOT NULL AND byte_size IS NOT NULL)),
    CONSTRAINT backup_failed CHECK ((state = 'failed') = (error IS NOT NULL)),
    CONSTRAINT backup_verified CHECK ((verified_at IS NULL) = (verification IS NULL))
);
-- Two who press the same button get one backup.
CREATE UNIQUE INDEX backup_running ON backup ((true)) WHERE state = 'running';
CREATE INDEX backup_verification_job ON backup (verification_job_id) WHERE verification_job_id IS NOT NULL;

UPDATE role SET permissions = permissions || '{backup.manage,backup.read}' WHERE code = 'manager';

-- A dump could not be read: it writes IS DISTINCT FROM without the schema of the operator that it means, which is not PostgreSQL's own for paths.
-- Paths are never null.
DROP TRIGGER category_path_books ON category;
CREATE CONSTRAINT TRIGGER category_path_books AFTER UPDATE OF path ON category DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.path <> OLD.path) EXECUTE FUNCTION category_path_books();
DROP TRIGGER location_path_books ON location;
CREATE CONSTRAINT TRIGGER location_path_books AFTER UPDATE OF path ON location DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.path <> OLD.path) EXECUTE FUNCTION location_path_books();

-- Schedules like others.
INSERT INTO schedule (id, name, cron, errand, when_missed, created_at, updated_at) VALUES
    ('01930000-0000-7000-8000-0000000000a6', 'Backup', '0 2 * * *', 'backup.create', 'run_once', now(), now()),
    ('01930000-0000-7000-8000-0000000000a7', 'Proof of the newest backup', '0 6 * * SUN', 'backup.verify', 'run_once', now(), now());
INSERT INTO schedule_state (schedule_id) VALUES ('01930000-0000-7000-8000-0000000000a6'), ('01930000-0000-7000-8000-0000000000a7');
