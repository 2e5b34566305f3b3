DROP TABLE journal_attachment;
DROP TRIGGER journal_entry_of_revaluation ON journal_entry;
DROP FUNCTION journal_revalue, revaluation, revaluation_verify, journal_entry_of_revaluation;
DROP TABLE journal_revaluation, account_valuation;
ALTER TABLE account_role DROP CONSTRAINT account_role_role_check;
ALTER TABLE account_role ADD CONSTRAINT account_role_role_check CHECK (role IN ('retained_earnings'));
ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_kind_check;
ALTER TABLE journal_entry ADD CONSTRAINT journal_entry_kind_check CHECK (kind IN ('general', 'reversal', 'opening', 'closing', 'stock'));
ALTER FUNCTION commodity_rate ROWS 1000;
