DROP TABLE journal_draft_line, journal_draft;
DROP FUNCTION journal_draft_line_open, journal_draft_fit;
DROP TABLE exchange_rate;
DROP FUNCTION commodity_rate;
