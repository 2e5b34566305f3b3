DROP INDEX item_image_rendered;
ALTER TABLE item_image
    DROP COLUMN thumb_hash, DROP COLUMN dominant_color, DROP COLUMN focus_x, DROP COLUMN focus_y, DROP COLUMN rendered_at;
