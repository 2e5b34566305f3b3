-- Files that jobs leave behind for people.

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
