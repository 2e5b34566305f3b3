-- What one of a currency is worth in the shop's currency, by days. Of several rates of a day the one that was recorded last counts. Rates of metals
-- are those that prices follow, as they hold at the end of the day.

CREATE TABLE exchange_rate (
    id            uuid PRIMARY KEY,
    currency      text COLLATE "C" NOT NULL REFERENCES commodity (code) CHECK (currency ~ '^[A-Z]{3}$'),
    -- The shop's, when it was recorded.
    base_currency text COLLATE "C" NOT NULL REFERENCES commodity (code) CHECK (base_currency ~ '^[A-Z]{3}$'),
    date          date NOT NULL,
    rate          numeric(24, 12) NOT NULL CONSTRAINT exchange_rate_positive CHECK (rate > 0),
    source        text NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    recorded_at   timestamptz NOT NULL,
    actor_kind    text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id      uuid,
    actor_name    text NOT NULL,
    CONSTRAINT exchange_rate_of_another CHECK (currency <> base_currency)
);
CREATE INDEX exchange_rate_currency ON exchange_rate (currency, date, id);
CREATE INDEX exchange_rate_date ON exchange_rate (date, id);
CREATE TRIGGER exchange_rate_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_rate
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How much of the shop's currency `denominator` of a commodity are worth at the end of a day, after what was known at a moment. No row when nobody
-- knew.
CREATE FUNCTION commodity_rate(wanted text, day date, known timestamptz)
    RETURNS TABLE (since date, numerator numeric, denominator numeric)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT r.since, r.numerator, r.denominator
    FROM shop s
    CROSS JOIN LATERAL (
        SELECT NULL::date AS since, 1::numeric AS numerator, 1::numeric AS denominator WHERE wanted = s.currency
        UNION ALL
        (SELECT x.date, x.rate, 1 FROM exchange_rate x
         WHERE x.currency = wanted AND x.base_currency = s.currency AND x.date <= day AND x.recorded_at <= known
         ORDER BY x.date DESC, x.id DESC LIMIT 1)
        UNION ALL
        (SELECT (m.effective_at AT TIME ZONE s.time_zone)::date, m.price_per_gram * 1000, m.fineness FROM metal_rate m
         WHERE m.metal = lower(wanted) AND m.currency = s.currency AND m.created_at <= known
           AND m.effective_at < (day + 1)::timestamp AT TIME ZONE s.time_zone
         ORDER BY m.effective_at DESC, m.id DESC LIMIT 1)
    ) r
    LIMIT 1
$$;
