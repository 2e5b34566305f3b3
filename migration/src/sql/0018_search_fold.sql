-- As before. Looking at each character of a text costs more than a look whether there is anything to replace: what most texts have not, or
-- have one kind of, is looked for first. Persian digits are the usual ones.
CREATE OR REPLACE FUNCTION search_fold(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text;
BEGIN
    IF octet_length(value) = length(value) THEN
        RETURN regexp_replace(lower(value), '[\u0002-\u002F\u003A-\u0060\u007B-\u007F]+', ' ', 'g');
    END IF;
    folded := normalize(lower(value), NFKD);
    IF folded ~ '[\u0300-\u036F\u0640\u064B-\u0655\u0670]' THEN
        folded := regexp_replace(folded, '[\u0300-\u036F\u0640\u064B-\u0655\u0670]', '', 'g');
    END IF;
    folded := regexp_replace(folded,
        '[\u0002-\u002F\u003A-\u0060\u007B-\u00BF\u2000-\u206F\u060C\u061B\u061F\u066A-\u066D\u06D4\u3000-\u303F]+', ' ', 'g');
    IF folded ~ '[\u06F0-\u06F9]' THEN
        folded := replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(folded,
            U&'\06F0', '0'), U&'\06F1', '1'), U&'\06F2', '2'), U&'\06F3', '3'), U&'\06F4', '4'),
            U&'\06F5', '5'), U&'\06F6', '6'), U&'\06F7', '7'), U&'\06F8', '8'), U&'\06F9', '9');
    END IF;
    IF folded ~ '[\u064A\u0643\u0649\u0629\u06D5\u0660-\u0669]' THEN
        folded := translate(folded,
            U&'\064A\0643\0649\0629\06D5\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669',
            U&'\06CC\06A9\06CC\0647\0647' || '0123456789');
    END IF;
    RETURN folded;
END $$;
