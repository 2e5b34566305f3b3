-- The accounts of stock have what stock is worth: no other entry touches them.
CREATE FUNCTION journal_line_of_stock() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    faults jsonb;
BEGIN
    SELECT jsonb_agg(f.fault) INTO faults
    FROM (
        SELECT jsonb_build_object('entry', p.entry_id, 'line', p.line, 'code', 'account_of_stock', 'account', a.code) AS fault
        FROM posted p
        JOIN stock_account s ON s.account_id = p.account_id AND s.role = 'inventory'
        JOIN journal_entry e ON e.id = p.entry_id AND e.kind <> 'stock'
        JOIN account a ON a.id = p.account_id
        LIMIT 100
    ) f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'accounts of stock follow from stock'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_line_fit', DETAIL = faults::text;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_line_of_stock AFTER INSERT ON journal_line
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION journal_line_of_stock();

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
