-- Changes of rows are kept by triggers on their tables, a row for each, in the statement that makes them.

-- Has changes of a table kept from now on, and keeps how its rows are at present; after a change of its columns, anew. Tells whether there was
-- anything to do. `about_column` is what people know the thing by that a row is a part of; columns of `hidden` are kept as hashes.
CREATE FUNCTION trail_capture(target text, about_column text, hidden text[]) RETURNS boolean
    LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' SET client_min_messages = 'warning' AS $$
DECLARE
    source  regclass := target::regclass;
    keeper  text := 'trail_keep_' || target;
    about   text;
    key     text;
    image   text;
    body    text;
    known   text;
    names   text[];
    verb    text;
BEGIN
    SELECT array_agg(a.attname::text ORDER BY a.attnum),
           'jsonb_build_object(' || string_agg(format('%L, ', a.attname) || CASE
               WHEN a.attname <> ALL (hidden) THEN format('r.%I', a.attname)
               WHEN a.atttypid = 'bytea'::regtype THEN format('encode(sha256(r.%I), ''hex'')', a.attname)
               ELSE format('encode(sha256(convert_to(r.%I::text, ''UTF8'')), ''hex'')', a.attname)
           END, ', ' ORDER BY a.attnum) || ')'
    INTO names, image
    FROM pg_attribute a WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    -- Without anything hidden it is cheaper to take the whole row.
    IF hidden = '{}' THEN
        image := 'to_jsonb(r)';
    END IF;
    SELECT CASE count(*) WHEN 1 THEN format('r.%I::text', min(a.attname))
               ELSE 'concat_ws(''/'', ' || string_agg(format('r.%I', a.attname), ', ' ORDER BY k.place) || ')' END
    INTO key
    FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = source AND i.indisprimary;
    about := CASE WHEN about_column IS NULL THEN '''00000000-0000-0000-0000-000000000000''::uuid' ELSE format('r.%I', about_column) END;

    body := E'\nBEGIN\n';
    FOREACH verb IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] LOOP
        body := body || format(E'    %s TG_OP = %L THEN\n        INSERT INTO public.trail_change (source, operation, about, key, after, who)\n'
            '        SELECT %L, %L, %s, %s, %s, NULLIF(current_setting(''goldshop.actor'', true), '''')::jsonb\n        FROM (SELECT %s FROM %s) r;\n',
            CASE verb WHEN 'INSERT' THEN 'IF' ELSE 'ELSIF' END, verb, target, left(replace(lower(verb), 'truncate', 'delete'), 1), about, key,
            CASE WHEN verb IN ('INSERT', 'UPDATE') THEN image ELSE 'NULL::jsonb' END,
            (SELECT string_agg(quote_ident(n.name), ', ' ORDER BY n.place) FROM unnest(names) WITH ORDINALITY n (name, place)),
            CASE verb WHEN 'TRUNCATE' THEN format('public.%I', target) WHEN 'DELETE' THEN 'gone' ELSE 'changed' END);
    END LOOP;
    body := body || E'    END IF;\n    RETURN NULL;\nEND ';
    SELECT p.prosrc INTO known FROM pg_proc p WHERE p.oid = to_regproc(keeper);
    IF known = body AND (SELECT count(*) = 5 FROM pg_trigger t
                         WHERE t.tgrelid = source AND t.tgname LIKE '%\_trail\_%' AND t.tgenabled = 'O') THEN
        RETURN false;
    END IF;

    EXECUTE format('LOCK TABLE public.%I IN SHARE ROW EXCLUSIVE MODE', target);
    EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp '
                   'SET timezone = ''UTC'' AS %L', keeper, body);
    FOREACH verb IN ARRAY ARRAY['insert', 'update', 'delete', 'truncate'] LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS %I ON public.%I', target || '_trail_' || verb, target);
        EXECUTE format('CREATE TRIGGER %I %s %s ON public.%I %s FOR EACH STATEMENT EXECUTE FUNCTION %I()', target || '_trail_' || verb,
            CASE verb WHEN 'truncate' THEN 'BEFORE' ELSE 'AFTER' END, verb, target,
            CASE verb WHEN 'truncate' THEN '' WHEN 'delete' THEN 'REFERENCING OLD TABLE AS gone' ELSE 'REFERENCING NEW TABLE AS changed' END,
            keeper);
    END LOOP;
    -- A row that became another one would be two.
    EXECUTE format('DROP TRIGGER IF EXISTS %I ON public.%I', target || '_trail_key', target);
    EXECUTE (SELECT format('CREATE TRIGGER %I BEFORE UPDATE ON public.%I FOR EACH ROW WHEN (ROW(%s) IS DISTINCT FROM ROW(%s)) EXECUTE FUNCTION stays()',
                           target || '_trail_key', target, string_agg(format('OLD.%I', a.attname), ', '), string_agg(format('NEW.%I', a.attname), ', '))
             FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
             WHERE i.indrelid = source AND i.indisprimary);

    -- How rows are at present. When changes were kept before, only what columns have brought or taken is new: a row that differs in something
    -- else was changed behind the trail's back, and stays different.
    EXECUTE format($sql$
        INSERT INTO trail_change (source, operation, about, key, after)
        SELECT %1$L, 'p', n.about, n.key, n.after
        FROM (SELECT %2$s AS about, %3$s AS key, %4$s AS after FROM (SELECT %5$s FROM public.%6$I) r) n
        LEFT JOIN LATERAL (SELECT c.after FROM trail_change c WHERE c.about = n.about AND c.source = %1$L AND c.key = n.key
                           ORDER BY c.number DESC LIMIT 1) c ON true
        WHERE CASE WHEN %7$L THEN n.after IS DISTINCT FROM c.after
                                  AND n.after - ARRAY(SELECT k FROM jsonb_object_keys(n.after) k WHERE NOT c.after ? k)
                                      = c.after - ARRAY(SELECT k FROM jsonb_object_keys(c.after) k WHERE NOT n.after ? k)
                   ELSE true END
        $sql$, target, about, key, image,
        (SELECT string_agg(quote_ident(n.name), ', ' ORDER BY n.place) FROM unnest(names) WITH ORDINALITY n (name, place)), target,
        known IS NOT NULL);
    RETURN true;
END $$;

-- Drops the partitions of months that are over and end before a day, for good, and writes down that it was done. For the owner alone: the
-- application's role cannot. Everything in them is sealed by then, and the seals stay. Rows whose last change goes with them are carried on.
-- Tells how many rows are gone.
CREATE FUNCTION trail_retire(before date, by_whom text, why text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    part    record;
    bounds  text;
    newest  timestamptz;
    oldest  timestamptz;
    highest bigint;
    counted bigint;
    ranges  int8multirange;
    total   bigint := 0;
BEGIN
    FOR part IN
        SELECT c.oid::regclass AS name, p.relname::text AS parent, CASE p.relname WHEN 'audit' THEN 'audit' ELSE 'change' END AS stream
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE i.inhparent IN ('audit'::regclass, 'trail_change'::regclass) AND c.relname NOT LIKE '%\_rest'
          AND (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz <= LEAST(before, now())
        ORDER BY 2, 1
    LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE MODE', part.name);
        EXECUTE format('SELECT count(*), min(written_at), max(written_at), max(number), range_agg(int8range(number, number, ''[]'')) FROM %s', part.name)
        INTO counted, oldest, newest, highest, ranges;
        IF counted > 0 THEN
            IF highest > (SELECT COALESCE(max(s.until), 0) FROM trail_seal s WHERE s.stream = part.stream) THEN
                RAISE EXCEPTION 'what is not sealed yet is not retired: %', part.name;
            END IF;
            IF part.stream = 'change' THEN
                EXECUTE format($sql$
                    INSERT INTO trail_change (source, operation, about, key, after, who)
                    SELECT o.source, 'c', o.about, o.key, o.after, jsonb_build_object('kind', 'system', 'name', %L::text, 'reason', %L::text)
                    FROM %s o
                    WHERE o.after IS NOT NULL AND NOT EXISTS (SELECT FROM trail_change l WHERE l.about = o.about AND l.number > o.number
                                                              AND l.source = o.source AND l.key = o.key)
                    ORDER BY o.number $sql$, by_whom, why, part.name);
            END IF;
            INSERT INTO trail_retired (stream, numbers, rows, since, until, actor_name, reason)
            VALUES (part.stream, ranges, counted, oldest, newest, by_whom, why);
            INSERT INTO audit (at, actor_kind, actor_name, action, aggregate_type, aggregate_id, reason, after)
            VALUES (now(), 'system', by_whom, 'trail.retire', 'trail', gen_random_uuid(), why,
                    jsonb_build_object('partition', part.name::text, 'rows', counted, 'since', oldest, 'until', newest));
        END IF;
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %s', part.parent, part.name);
        EXECUTE format('DROP TABLE %s', part.name);
        total := total + counted;
    END LOOP;
    RETURN total;
END $$;
