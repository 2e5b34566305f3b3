-- The yardstick of posting to the books: one function, written by hand, that writes the same rows as an entry of six lines does in goldshop, on
-- tables of its own with the same columns, indexes and constraints, but without triggers. It checks nothing. Its accounts are as hot as
-- goldshop's: six, and always the same.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS plain CASCADE;
CREATE SCHEMA plain;

CREATE TABLE plain.idempotency (LIKE public.idempotency INCLUDING ALL);
CREATE TABLE plain.audit (LIKE public.audit INCLUDING ALL);
CREATE TABLE plain.event (LIKE public.event INCLUDING ALL);
CREATE TABLE plain.journal_sequence (LIKE public.journal_sequence INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE plain.journal_entry (LIKE public.journal_entry INCLUDING ALL);
CREATE TABLE plain.journal_line (LIKE public.journal_line INCLUDING ALL);
CREATE TABLE plain.account_turnover (LIKE public.account_turnover INCLUDING ALL) WITH (fillfactor = 70);

CREATE FUNCTION plain.id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('01900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
INSERT INTO plain.journal_sequence VALUES (plain.id(1), 0);

-- Ids that grow with time, as goldshop's do.
CREATE FUNCTION plain.new_id(at timestamptz) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(gen_random_uuid()::text, 16))::uuid
$$;

-- The key is claimed first, the answer kept last. The number of the entry is taken as late as it can be: whoever has it holds up all others.
CREATE FUNCTION plain.post(asked_key text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    at     timestamptz := clock_timestamp();
    id     uuid := plain.new_id(at);
    place  bigint;
BEGIN
    INSERT INTO plain.idempotency (actor, key, operation, request_hash, created_at)
    VALUES ('user:01900000000070008000000000000001', asked_key, 'journal.post', sha256(asked_key::bytea), at) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'asked before';
    END IF;
    INSERT INTO plain.audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
    VALUES (at, 'user', plain.id(1), 'Goldshop Demo', asked_key, 'journal.post', 'journal_entry', id,
            jsonb_build_object('date', at::date, 'kind', 'general', 'description', 'Sale', 'document', NULL, 'lines', 6));
    UPDATE plain.journal_sequence SET last_number = last_number + 1 WHERE fiscal_year_id = plain.id(1) RETURNING last_number INTO place;
    INSERT INTO plain.event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
    VALUES ('journal.posted', 'journal_entry', id, 1, jsonb_build_object('number', place, 'date', at::date), asked_key, at);
    INSERT INTO plain.journal_entry (id, fiscal_year_id, number, date, kind, description, lines, recorded_at, actor_kind, actor_id, actor_name)
    VALUES (id, plain.id(1), place, at::date, 'general', 'Sale', 6, at, 'user', plain.id(1), 'Goldshop Demo');
    INSERT INTO plain.journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number)
    SELECT id, l.line, plain.id(l.line), 'IRR', l.is_debit, l.amount, at::date, place
    FROM (VALUES (1, true, 60), (2, true, 50), (3, false, 100), (4, false, 10), (5, true, 70), (6, false, 70)) l (line, is_debit, amount);
    INSERT INTO plain.account_turnover AS t (account_id, commodity, span, since, debit, credit)
    SELECT plain.id(l.line), 'IRR', s.span, s.since, l.debit, l.credit
    FROM (VALUES (1, 60, 0), (2, 50, 0), (3, 0, 100), (4, 0, 10), (5, 70, 0), (6, 0, 70)) l (line, debit, credit)
    CROSS JOIN (VALUES ('day', at::date), ('month', date_trunc('month', at)::date)) s (span, since)
    ON CONFLICT (account_id, commodity, span, since) DO UPDATE SET debit = t.debit + EXCLUDED.debit, credit = t.credit + EXCLUDED.credit;
    UPDATE plain.idempotency i
    SET answer = jsonb_build_array(id)
    WHERE i.actor = 'user:01900000000070008000000000000001' AND i.key = asked_key;
    RETURN id;
END $$;
