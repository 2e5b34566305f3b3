-- Metal rates, what is known of an item's metal, and how items are priced that have no fixed price.

-- What a gram of metal costs. Never changed: a mistake is corrected by a later row.
CREATE TABLE metal_rate (
    id             uuid PRIMARY KEY,
    metal          text NOT NULL CHECK (metal IN ('gold', 'silver', 'platinum', 'palladium')),
    fineness       numeric(7, 3) NOT NULL CHECK (fineness > 0 AND fineness <= 1000),
    currency       text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    price_per_gram numeric(24, 6) NOT NULL CHECK (price_per_gram > 0),
    effective_at   timestamptz NOT NULL,
    source         text NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    created_at     timestamptz NOT NULL
);
-- The latest rate of a metal in a currency is one descent, its history a scan.
CREATE INDEX metal_rate_history ON metal_rate (metal, currency, effective_at, id);
CREATE INDEX metal_rate_newest ON metal_rate (effective_at, id);
CREATE TRIGGER metal_rate_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON metal_rate
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A table of its own, so that the rows of items that are of no metal stay narrow. Weights are grams.
CREATE TABLE item_metal (
    item_id            uuid PRIMARY KEY REFERENCES item (id) ON DELETE CASCADE,
    metal              text NOT NULL CHECK (metal IN ('gold', 'silver', 'platinum', 'palladium')),
    fineness           numeric(7, 3) NOT NULL CHECK (fineness > 0 AND fineness <= 1000),
    gross_weight       numeric(15, 6) CHECK (gross_weight > 0),
    net_weight         numeric(15, 6) CHECK (net_weight > 0),
    stone_weight       numeric(15, 6) CHECK (stone_weight >= 0),
    making_mode        text CHECK (making_mode IN ('fixed', 'per_gram', 'percent')),
    making_value       numeric(24, 6) CHECK (making_value >= 0),
    stones             jsonb NOT NULL CHECK (jsonb_typeof(stones) = 'array'),
    huid               text COLLATE "C" CONSTRAINT item_metal_huid_unique UNIQUE CHECK (huid ~ '^[A-Z0-9]{6}$'),
    certificate_number text CHECK (length(certificate_number) BETWEEN 1 AND 100),
    CONSTRAINT item_metal_weights CHECK (COALESCE(net_weight, 0) + COALESCE(stone_weight, 0) <= gross_weight),
    CONSTRAINT item_metal_making CHECK ((making_mode IS NULL) = (making_value IS NULL))
);

-- A fixed price stays where it was, on the item; an item has either that or a row here.
CREATE TABLE item_pricing (
    item_id          uuid PRIMARY KEY REFERENCES item (id) ON DELETE CASCADE,
    model            text NOT NULL CHECK (model IN ('weight_based', 'time_based', 'formula')),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    profit_percent   numeric(12, 6) CHECK (profit_percent >= 0),
    minimum_price    numeric(24, 6) CHECK (minimum_price >= 0),
    time_rate        numeric(24, 6) CHECK (time_rate >= 0),
    time_unit        text CHECK (time_unit IN ('minute', 'hour', 'day')),
    minimum_duration numeric(15, 6) CHECK (minimum_duration > 0),
    duration_step    numeric(15, 6) CHECK (duration_step > 0),
    formula          text CHECK (length(formula) BETWEEN 1 AND 500),
    CONSTRAINT item_pricing_weight_based CHECK ((model = 'weight_based') = (profit_percent IS NOT NULL)),
    CONSTRAINT item_pricing_minimum_price CHECK (model = 'weight_based' OR minimum_price IS NULL),
    CONSTRAINT item_pricing_time_based CHECK ((model = 'time_based') = (time_rate IS NOT NULL)
                                          AND (model = 'time_based') = (time_unit IS NOT NULL)),
    CONSTRAINT item_pricing_duration CHECK (model = 'time_based' OR (minimum_duration IS NULL AND duration_step IS NULL)),
    CONSTRAINT item_pricing_formula CHECK ((model = 'formula') = (formula IS NOT NULL))
);

UPDATE role SET permissions = array_append(permissions, 'pricing.write') WHERE code = 'manager';
