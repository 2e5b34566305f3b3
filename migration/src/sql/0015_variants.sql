-- Variants: items that are alike but for the values of some attributes, and the template that they come from.

-- `of_template` is always true: with it a foreign key leads only to items that are templates, and holds them so. A constant column costs
-- no rewrite of the table, as a generated one would.
ALTER TABLE item
    ADD COLUMN is_template     boolean NOT NULL DEFAULT false,
    ADD COLUMN template_id     uuid,
    ADD COLUMN variant_options jsonb,
    ADD COLUMN of_template     boolean NOT NULL DEFAULT true CONSTRAINT item_of_template CHECK (of_template),
    ADD CONSTRAINT item_template_key UNIQUE (id, is_template),
    ADD CONSTRAINT item_template FOREIGN KEY (template_id, of_template) REFERENCES item (id, is_template),
    ADD CONSTRAINT item_template_alone CHECK (NOT (is_template AND template_id IS NOT NULL)),
    ADD CONSTRAINT item_variant_whole CHECK ((template_id IS NULL) = (variant_options IS NULL)),
    ADD CONSTRAINT item_variant_kept CHECK (attributes @> variant_options);
CREATE UNIQUE INDEX item_variant_unique ON item (template_id, variant_options) WHERE template_id IS NOT NULL;
CREATE INDEX item_variants ON item (template_id, id) WHERE template_id IS NOT NULL;
CREATE INDEX item_templates ON item (id) WHERE is_template;

-- Along which attributes the variants of a template differ, and which values each may have. Values are as items keep them.
CREATE TABLE item_option (
    template_id uuid NOT NULL,
    position    integer NOT NULL CHECK (position BETWEEN 0 AND 4),
    key         text COLLATE "C" NOT NULL,
    choices     jsonb NOT NULL CHECK (jsonb_typeof(choices) = 'array' AND jsonb_array_length(choices) BETWEEN 1 AND 100),
    of_template boolean NOT NULL DEFAULT true CHECK (of_template),
    PRIMARY KEY (template_id, key),
    CONSTRAINT item_option_order UNIQUE (template_id, position),
    FOREIGN KEY (template_id, of_template) REFERENCES item (id, is_template) ON DELETE CASCADE
);
CREATE INDEX item_option_key ON item_option (key);

-- What a variant is among its like follows from its attributes: whoever writes those, no code can forget it. The template's options stay
-- as they are until the transaction ends; who changes them locks the template's row.
CREATE FUNCTION item_vary() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    wrong text;
BEGIN
    NEW.variant_options := NULL;
    IF NEW.template_id IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM FROM item WHERE id = NEW.template_id FOR KEY SHARE;
    SELECT jsonb_object_agg(o.key, NEW.attributes -> o.key),
           min(o.key) FILTER (WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(o.choices) c WHERE c = NEW.attributes -> o.key))
    INTO NEW.variant_options, wrong
    FROM item_option o WHERE o.template_id = NEW.template_id;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'item % would have a value of % that its template does not have', NEW.id, wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'item_variant_options';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER item_vary_inserted BEFORE INSERT ON item
    FOR EACH ROW WHEN (NEW.template_id IS NOT NULL OR NEW.variant_options IS NOT NULL) EXECUTE FUNCTION item_vary();
CREATE TRIGGER item_vary_updated BEFORE UPDATE OF attributes, template_id, variant_options ON item
    FOR EACH ROW WHEN (NEW.template_id IS NOT NULL OR NEW.variant_options IS NOT NULL) EXECUTE FUNCTION item_vary();
