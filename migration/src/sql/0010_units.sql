-- How units are written, and more of them.

ALTER TABLE unit_of_measure
    -- As people write it behind a number. One that two units have is refused as ambiguous wherever it is read.
    ADD COLUMN spellings text[] NOT NULL DEFAULT '{}' CHECK (cardinality(spellings) <= 50),
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    -- What exact conversion is made for; no unit of any trade comes near it.
    ADD CONSTRAINT unit_factor_bounds CHECK (numerator <= 1000000000000000000 AND denominator <= 1000000000000000000);

-- Whether a unit is in use is asked before its factor is changed. Few distinct values: the index is small, and made in a second or two.
CREATE INDEX item_unit ON item (unit_id);

-- Grain, pennyweight and pound: NIST Handbook 44, appendix C. A sut of the Iranian gold market is the thousandth part of a gram. The
-- mesghal has had many weights; the 4.6083 g of ours are the Tehran gold market's, in which the price of a mesghal is quoted there.
INSERT INTO unit_of_measure (id, code, name, dimension, numerator, denominator) VALUES
    ('01930000-0000-7000-8001-000000000019', 'sut',         '{"en": "sut", "fa": "سوت"}',             'mass', 1, 1000),
    ('01930000-0000-7000-8001-00000000001a', 'grain',       '{"en": "grain", "fa": "گرین"}',          'mass', 6479891, 100000000),
    ('01930000-0000-7000-8001-00000000001b', 'pennyweight', '{"en": "pennyweight", "fa": "پنی‌ویت"}',  'mass', 155517384, 100000000),
    ('01930000-0000-7000-8001-00000000001c', 'pound',       '{"en": "pound", "fa": "پوند"}',          'mass', 45359237, 100000)
ON CONFLICT (id) DO NOTHING;

-- An ounce that is not said to be troy is read as neither, and اونس is the troy ounce: so the other one is called what tells it apart.
UPDATE unit_of_measure SET name = '{"en": "avoirdupois ounce", "fa": "اونس معمولی"}' WHERE code = 'ounce';

-- Upper and lower case, blanks, full stops, hyphens, zero-width non-joiners and the two forms of ی and ک make no difference when they
-- are read.
UPDATE unit_of_measure u SET spellings = s.spellings
FROM (VALUES
    ('piece',        ARRAY['piece', 'pieces', 'pc', 'pcs', 'عدد', 'دانه', 'قطعه']),
    ('pair',         ARRAY['pair', 'pairs', 'pr', 'جفت']),
    ('dozen',        ARRAY['dozen', 'dozens', 'doz', 'dz', 'دوجین']),
    ('pack',         ARRAY['pack', 'packs', 'pk', 'بسته']),
    ('box',          ARRAY['box', 'boxes', 'bx', 'جعبه']),
    ('portion',      ARRAY['portion', 'portions', 'پرس']),
    ('gram',         ARRAY['g', 'gr', 'gm', 'gms', 'gram', 'grams', 'gramme', 'grammes', 'گرم']),
    ('milligram',    ARRAY['mg', 'milligram', 'milligrams', 'milligramme', 'milligrammes', 'میلی‌گرم']),
    ('kilogram',     ARRAY['kg', 'kgs', 'kilo', 'kilos', 'kilogram', 'kilograms', 'kilogramme', 'kilogrammes', 'کیلوگرم', 'کیلو']),
    ('carat',        ARRAY['ct', 'cts', 'carat', 'carats', 'قیراط']),
    ('mesghal',      ARRAY['mesghal', 'mesghals', 'mithqal', 'mithqals', 'mesqal', 'misqal', 'مثقال']),
    ('tola',         ARRAY['tola', 'tolas', 'tolah', 'tolahs', 'توله']),
    ('troy_ounce',   ARRAY['ozt', 'troy oz', 'oz troy', 'troy ounce', 'troy ounces', 'oz', 'ounce', 'ounces',
                           'اونس', 'اونس طلا', 'اونس تروا', 'انس', 'انس طلا']),
    ('ounce',        ARRAY['oz av', 'avoirdupois ounce', 'avoirdupois ounces', 'oz', 'ounce', 'ounces', 'اونس معمولی']),
    ('sut',          ARRAY['sut', 'suts', 'soot', 'سوت']),
    ('grain',        ARRAY['grain', 'grains', 'gr', 'گرین']),
    ('pennyweight',  ARRAY['dwt', 'pennyweight', 'pennyweights', 'پنی‌ویت']),
    ('pound',        ARRAY['lb', 'lbs', 'pound', 'pounds', 'پوند']),
    ('metre',        ARRAY['m', 'metre', 'metres', 'meter', 'meters', 'متر']),
    ('centimetre',   ARRAY['cm', 'centimetre', 'centimetres', 'centimeter', 'centimeters', 'سانتی‌متر', 'سانت']),
    ('millimetre',   ARRAY['mm', 'millimetre', 'millimetres', 'millimeter', 'millimeters', 'میلی‌متر']),
    ('square_metre', ARRAY['m²', 'm2', 'sqm', 'square metre', 'square metres', 'square meter', 'square meters', 'متر مربع']),
    ('litre',        ARRAY['l', 'litre', 'litres', 'liter', 'liters', 'لیتر']),
    ('millilitre',   ARRAY['ml', 'cc', 'millilitre', 'millilitres', 'milliliter', 'milliliters', 'میلی‌لیتر', 'سی‌سی']),
    ('second',       ARRAY['s', 'sec', 'secs', 'second', 'seconds', 'ثانیه']),
    ('minute',       ARRAY['min', 'mins', 'minute', 'minutes', 'دقیقه']),
    ('hour',         ARRAY['h', 'hr', 'hrs', 'hour', 'hours', 'ساعت']),
    ('day',          ARRAY['d', 'day', 'days', 'روز'])
) AS s (code, spellings)
WHERE u.code = s.code;
