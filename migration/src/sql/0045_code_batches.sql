-- Batches of codes: what was asked for. The file that a worker makes is a file of the job.

CREATE TABLE code_batch (
    id          uuid PRIMARY KEY,
    job_id      uuid NOT NULL CONSTRAINT code_batch_job_unique UNIQUE REFERENCES job (id) ON DELETE CASCADE,
    -- What the codes lead to, how they are drawn, and into what file.
    request     jsonb NOT NULL,
    -- What they lead to, in this order, decided when it was asked.
    subject_ids uuid[] NOT NULL CHECK (cardinality(subject_ids) BETWEEN 1 AND 1000),
    -- The picture in the middle, as it was sent: small, and gone with the batch.
    logo        bytea CHECK (octet_length(logo) BETWEEN 1 AND 524288),
    created_at  timestamptz NOT NULL
);

-- Batches of codes are kept as labels are.
CREATE OR REPLACE FUNCTION retention_subject(kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN kind IN ('code.draw', 'item.export', 'label.print', 'report.export') THEN 'exports'
        WHEN kind IN ('item.import', 'journal.import') THEN 'imports'
        WHEN kind IN ('ledger.verify', 'stock.reconcile', 'trail.verify') THEN 'proofs'
        WHEN kind NOT LIKE 'backup.%' THEN 'jobs'
    END
$$;
