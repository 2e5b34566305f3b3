-- For each entry, at the end of its transaction: a query and as little around it as can be. It reads what whoever wrote the entry may read anyway.
CREATE FUNCTION journal_entry_complete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.journal_line WHERE entry_id = NEW.id AND line = 1) THEN
        RAISE EXCEPTION 'an entry has lines'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_entry_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_entry_complete AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION journal_entry_complete();
DROP TRIGGER journal_sequence_complete ON journal_sequence;
DROP FUNCTION journal_sequence_complete();
