-- What stands for a picture until it is there, what of it must stay to be seen, and when it was last rendered.

ALTER TABLE item_image
    -- A ThumbHash, and a colour as 0xRRGGBB; none until it is rendered with them.
    ADD COLUMN thumb_hash     bytea,
    ADD COLUMN dominant_color integer,
    -- Percent of width and height, from the upper left corner.
    ADD COLUMN focus_x        smallint NOT NULL DEFAULT 50,
    ADD COLUMN focus_y        smallint NOT NULL DEFAULT 50,
    ADD COLUMN rendered_at    timestamptz,
    ADD CONSTRAINT item_image_thumb_hash CHECK (length(thumb_hash) BETWEEN 1 AND 32),
    ADD CONSTRAINT item_image_dominant_color CHECK (dominant_color BETWEEN 0 AND 16777215),
    ADD CONSTRAINT item_image_focus CHECK (focus_x BETWEEN 0 AND 100 AND focus_y BETWEEN 0 AND 100);

-- Whoever renders all of them anew begins with those that were rendered first, or never.
CREATE INDEX item_image_rendered ON item_image (rendered_at NULLS FIRST, id) WHERE state <> 'processing';
