-- Files that jobs leave behind for people; imports and exports of items.

CREATE TABLE job_file (
    id         uuid PRIMARY KEY,
    job_id     uuid NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    media_type text NOT NULL CHECK (length(media_type) BETWEEN 1 AND 100),
    -- In the private part of the blob store; never told to clients.
    blob_key   text NOT NULL,
    byte_size  bigint NOT NULL CHECK (byte_size >= 0),
    created_at timestamptz NOT NULL,
    CONSTRAINT job_file_name_unique UNIQUE (job_id, name)
);

-- Imports of items, and what is wrong with their rows until that is in a file of the job. An import goes on where it stopped: each
-- chunk of rows is written by the transaction that moves `next_row` behind it.
CREATE TABLE item_import (
    id          uuid PRIMARY KEY,
    job_id      uuid NOT NULL CONSTRAINT item_import_job_unique UNIQUE REFERENCES job (id) ON DELETE CASCADE,
    blob_key    text NOT NULL,
    byte_size   bigint NOT NULL CHECK (byte_size >= 0),
    format      text CHECK (format IN ('csv', 'json_lines')),
    mode        text NOT NULL CHECK (mode IN ('create_only', 'upsert')),
    match_by    text NOT NULL CHECK (match_by IN ('sku', 'external_reference')),
    policy      text NOT NULL CHECK (policy IN ('reject_all', 'reject_failed_rows')),
    dry_run     boolean NOT NULL,
    draw_codes  boolean NOT NULL,
    locale      text NOT NULL,
    -- Whose name is in the audit trail.
    user_id     uuid REFERENCES app_user (id),
    phase       text NOT NULL CHECK (phase IN ('check', 'write', 'done', 'rejected')),
    next_row    bigint NOT NULL DEFAULT 0 CHECK (next_row >= 0),
    rows_read   bigint NOT NULL DEFAULT 0,
    created     bigint NOT NULL DEFAULT 0,
    updated     bigint NOT NULL DEFAULT 0,
    unchanged   bigint NOT NULL DEFAULT 0,
    failed      bigint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT item_import_counts CHECK (rows_read = created + updated + unchanged + failed)
);

CREATE TABLE item_import_error (
    number     bigint GENERATED ALWAYS AS IDENTITY,
    import_id  uuid NOT NULL REFERENCES item_import (id) ON DELETE CASCADE,
    row_number bigint NOT NULL,
    refusal    jsonb NOT NULL,
    PRIMARY KEY (import_id, number)
);

CREATE TABLE item_export (
    id         uuid PRIMARY KEY,
    job_id     uuid NOT NULL CONSTRAINT item_export_job_unique UNIQUE REFERENCES job (id) ON DELETE CASCADE,
    format     text NOT NULL CHECK (format IN ('csv', 'json_lines')),
    request    jsonb NOT NULL,
    locale     text NOT NULL,
    row_count  bigint,
    created_at timestamptz NOT NULL
);
