DELETE FROM stock_reconciliation WHERE subject = 'costs';
ALTER TABLE stock_reconciliation
    DROP CONSTRAINT stock_reconciliation_subject_check,
    ADD CONSTRAINT stock_reconciliation_subject_check CHECK (subject IN ('levels', 'series'));
