-- Sheets of labels: what was asked for. The file that a worker draws is a file of the job.

CREATE TABLE label_sheet (
    id          uuid PRIMARY KEY,
    job_id      uuid NOT NULL CONSTRAINT label_sheet_job_unique UNIQUE REFERENCES job (id) ON DELETE CASCADE,
    -- What each label shows, on what, how often, in which language.
    request     jsonb NOT NULL,
    -- Who gets labels, in this order, decided when it was asked. No references: an item may go before its label is drawn.
    item_ids    uuid[] NOT NULL CHECK (cardinality(item_ids) >= 1),
    label_count integer NOT NULL CHECK (label_count >= 1),
    created_at  timestamptz NOT NULL
);
