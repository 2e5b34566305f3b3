CREATE OR REPLACE FUNCTION retention_subject(kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN kind IN ('item.export', 'label.print', 'report.export') THEN 'exports'
        WHEN kind IN ('item.import', 'journal.import') THEN 'imports'
        WHEN kind IN ('ledger.verify', 'stock.reconcile', 'trail.verify') THEN 'proofs'
        WHEN kind NOT LIKE 'backup.%' THEN 'jobs'
    END
$$;
DROP TABLE code_batch;
