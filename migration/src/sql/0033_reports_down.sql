DROP TABLE journal_import, report_export, fine_account;
DROP INDEX journal_entry_recorded, journal_line_location, journal_line_subsidiary_of, journal_line_cost_center, journal_line_project;
DROP TRIGGER journal_entry_recorded_later ON journal_entry;
DROP TRIGGER journal_entry_begins ON journal_entry;
DROP TRIGGER journal_entry_known ON journal_entry;
DROP TABLE journal_horizon;
DROP FUNCTION journal_entry_begins, journal_entry_known, journal_entry_recorded, journal_known, commodity_create;
-- Books that hold other commodities do not go back: what their lines are of would be nowhere.
DO $$
BEGIN
    IF EXISTS (SELECT FROM journal_line l JOIN commodity c ON c.code = l.commodity WHERE c.kind = 'other') THEN
        RAISE EXCEPTION 'the books have entries of commodities that this migration brought';
    END IF;
END $$;
ALTER TABLE commodity DISABLE TRIGGER commodity_stays;
DELETE FROM commodity WHERE kind = 'other';
ALTER TABLE commodity ENABLE TRIGGER commodity_stays;
ALTER TABLE commodity
    DROP CONSTRAINT commodity_kind_check,
    DROP CONSTRAINT commodity_code,
    ADD CONSTRAINT commodity_kind_check CHECK (kind IN ('currency', 'metal')),
    ADD CONSTRAINT commodity_code CHECK (CASE kind WHEN 'currency' THEN code ~ '^[A-Z]{3}$' ELSE code ~ '^[A-Z]{4,20}$' END);
