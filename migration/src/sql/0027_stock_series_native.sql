-- Days in PostgreSQL itself: a partition a month. There is none for what fits no other: a row without a place would be a fault, and is one.
INSERT INTO stock_series_mark (store, time_zone) SELECT 'native', s.time_zone FROM shop s;

ALTER TABLE stock_flow_day RENAME TO stock_flow_day_as_made;
CREATE TABLE stock_flow_day (LIKE stock_flow_day_as_made INCLUDING ALL) PARTITION BY RANGE (day);
DROP TABLE stock_flow_day_as_made;
ALTER TABLE stock_level_day RENAME TO stock_level_day_as_made;
CREATE TABLE stock_level_day (LIKE stock_level_day_as_made INCLUDING ALL) PARTITION BY RANGE (day);
DROP TABLE stock_level_day_as_made;

-- Makes what is missing for the months that begin on these days. A partition is made by itself and attached: nobody who reads has to wait.
CREATE FUNCTION stock_series_prepare(months date[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parent text;
    month  date;
    name   text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['stock_flow_day', 'stock_level_day'] LOOP
        FOR month IN SELECT DISTINCT m FROM unnest(months) m ORDER BY m LOOP
            name := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, month, month + interval '1 month');
        END LOOP;
    END LOOP;
END $$;
