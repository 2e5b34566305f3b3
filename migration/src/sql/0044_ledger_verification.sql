-- Proofs of the books that were asked for, and what they have found.
CREATE TABLE ledger_verification (
    id               uuid PRIMARY KEY,
    job_id           uuid NOT NULL REFERENCES job (id),
    note             text CHECK (length(note) BETWEEN 1 AND 2000),
    created_at       timestamptz NOT NULL,
    -- The moment that the books were seen at.
    as_of            timestamptz,
    finished_at      timestamptz,
    difference_count bigint CHECK (difference_count >= 0),
    -- The first of them.
    differences      jsonb,
    CONSTRAINT ledger_verification_finished
        CHECK ((finished_at IS NULL) = (as_of IS NULL) AND (finished_at IS NULL) = (difference_count IS NULL)
               AND (finished_at IS NULL) = (differences IS NULL))
);
CREATE INDEX ledger_verification_job ON ledger_verification (job_id);
