-- Costs can be proved, as levels and series can.
ALTER TABLE stock_reconciliation
    DROP CONSTRAINT stock_reconciliation_subject_check,
    ADD CONSTRAINT stock_reconciliation_subject_check CHECK (subject IN ('levels', 'series', 'costs'));
