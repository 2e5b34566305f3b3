DROP TRIGGER journal_entry_closes ON journal_entry;
DROP TRIGGER period_stays_closed ON period;
DROP TABLE account_role, journal_hold_open, journal_hold_line, journal_hold, subsidiary_turnover;
DROP INDEX journal_entry_closing, journal_line_dimensions, journal_line_subsidiary;
DROP TABLE account_floor;
DROP TRIGGER account_floor_told ON account;
DROP TRIGGER account_begins_without_floor ON account;
DROP TRIGGER account_changes_alone ON account;
CREATE TRIGGER account_changes_alone BEFORE UPDATE OF archived_at, commodity, normal_side ON account
    FOR EACH STATEMENT EXECUTE FUNCTION account_owns();
DROP TRIGGER account_stays_as_posted ON account;
CREATE TRIGGER account_stays_as_posted BEFORE UPDATE OF commodity, normal_side ON account FOR EACH ROW
    WHEN ((NEW.commodity, NEW.normal_side) IS DISTINCT FROM (OLD.commodity, OLD.normal_side)) EXECUTE FUNCTION account_stays_as_posted();
ALTER TABLE account DROP CONSTRAINT account_group_has_no_subsidiaries, DROP COLUMN subsidiary_kind, DROP COLUMN has_floor;
ALTER TABLE journal_line DROP COLUMN subsidiary_id, DROP COLUMN cost_center_id, DROP COLUMN project_id;
DROP TABLE dimension_value;
DROP FUNCTION account_floor_owns, account_floor_mark, account_floor_told, account_floor_keep, journal_line_fault, dimension_fault,
    journal_hold_begin, journal_hold_complete, journal_hold_release, journal_hold_fit, fiscal_year_closed, books_result, fiscal_year_keep_closed;
