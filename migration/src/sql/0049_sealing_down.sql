DROP FUNCTION trail_root(bytea);
-- The root of a Merkle tree: leaves are hashed behind a 0 and nodes behind a 1, and whoever has no neighbour goes up as it is.
CREATE FUNCTION trail_root(leaves bytea[]) RETURNS bytea LANGUAGE plpgsql IMMUTABLE SET search_path = public, pg_temp AS $$
BEGIN
    WHILE cardinality(leaves) > 1 LOOP
        SELECT array_agg(p.node ORDER BY p.place) INTO leaves
        FROM (
            SELECT (l.place - 1) / 2 AS place,
                   CASE count(*) WHEN 1 THEN string_agg(l.leaf, ''::bytea) ELSE sha256('\x01'::bytea || string_agg(l.leaf, ''::bytea ORDER BY l.place)) END AS node
            FROM unnest(leaves) WITH ORDINALITY l (leaf, place) GROUP BY 1
        ) p;
    END LOOP;
    RETURN leaves[1];
END $$;

-- Seals one batch of about so many rows; tells whether there may be more to do. One at a time.
CREATE OR REPLACE FUNCTION trail_seal(most integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET jit = off AS $$
DECLARE
    pending trail_pending;
    upto    bigint;
    last    trail_seal;
    made    trail_seal;
    leaves  bytea[];
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') OR most NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'seals are made in transactions that see what others have committed';
    END IF;
    IF NOT pg_try_advisory_xact_lock(8317423741026365300) THEN
        RETURN false;
    END IF;
    SELECT * INTO pending FROM trail_pending p WHERE p.done < p.bound AND p.waiting = '{}' ORDER BY p.stream, p.part LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    upto := LEAST(pending.bound, pending.done + most);
    -- Entries are sealed with all their lines: as many of them as make up a batch.
    IF pending.stream IN ('stock', 'journal') THEN
        SELECT COALESCE(min(e.number), upto) INTO upto
        FROM (
            SELECT f.number, sum(f.lines + 1) OVER (ORDER BY f.number) AS rows
            FROM (
                SELECT s.number, s.lines FROM stock_entry s
                WHERE pending.stream = 'stock' AND s.number > pending.done AND s.number <= upto
                UNION ALL
                SELECT j.number, j.lines FROM journal_entry j
                WHERE pending.stream = 'journal' AND j.fiscal_year_id = pending.part AND j.number > pending.done AND j.number <= upto
            ) f
        ) e
        WHERE e.rows >= most;
    END IF;
    UPDATE trail_pending p SET done = upto WHERE p.stream = pending.stream AND p.part = pending.part;

    SELECT array_agg(r.number ORDER BY r.number, r.line), array_agg(r.line ORDER BY r.number, r.line),
           string_agg(r.hash, ''::bytea ORDER BY r.number, r.line), count(*),
           array_agg(sha256('\x00'::bytea || int8send(r.number) || int4send(r.line) || r.hash) ORDER BY r.number, r.line)
    INTO made.numbers, made.lines, made.hashes, made.rows, leaves
    FROM trail_rows(pending.stream, pending.part, pending.done, upto) r;
    IF made.rows = 0 THEN
        RETURN true;
    END IF;
    SELECT * INTO last FROM trail_seal s ORDER BY s.number DESC LIMIT 1;
    made.number := COALESCE(last.number, 0) + 1;
    made.format := 1;
    made.stream := pending.stream;
    made.part := pending.part;
    SELECT COALESCE(max(s.until), 0) INTO made.after FROM trail_seal s WHERE s.stream = pending.stream AND s.part = pending.part;
    made.until := upto;
    made.root := trail_root(leaves);
    made.previous := COALESCE(last.hash, '\x0000000000000000000000000000000000000000000000000000000000000000');
    made.sealed_at := clock_timestamp();
    made.hash := sha256(convert_to(concat_ws('|', 'goldshop seal', made.format, made.number, made.stream, made.part, made.after, made.until,
        made.rows, (extract(epoch FROM made.sealed_at) * 1000000)::bigint, encode(made.root, 'hex'), encode(made.previous, 'hex')), 'UTF8'));
    INSERT INTO trail_seal SELECT (made).*;
    RETURN true;
END $$;

ALTER TABLE idempotency ALTER COLUMN answer SET COMPRESSION default;
