-- Bulks of entries cost less. Whether entries have lines is asked once for all that were numbered together, not of each by itself: an entry gets its
-- number from the row that has the last one, so whoever adds entries changes that row, by as many as there are (`journal_entry_number`).
CREATE FUNCTION journal_sequence_complete() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (SELECT FROM public.journal_entry e
               WHERE e.fiscal_year_id = NEW.fiscal_year_id AND e.number > OLD.last_number AND e.number <= NEW.last_number
                 AND NOT EXISTS (SELECT FROM public.journal_line l WHERE l.entry_id = e.id AND l.line = 1 OFFSET 0)) THEN
        RAISE EXCEPTION 'an entry has lines'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_sequence_complete AFTER UPDATE ON journal_sequence DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION journal_sequence_complete();
DROP TRIGGER journal_entry_complete ON journal_entry;
DROP FUNCTION journal_entry_complete();

-- Whether an account has what stock is worth is asked of accounts, together with what else is asked of them (`journal_post`), not of each line.
DROP TRIGGER journal_line_of_stock ON journal_line;
DROP FUNCTION journal_line_of_stock();
