DROP FUNCTION blob_remove(integer);
DROP FUNCTION blob_due();
DROP FUNCTION blob_retire(text[], bigint[]);
DROP FUNCTION blob_not_held();
ALTER TABLE retention_result DROP COLUMN found_bytes, DROP COLUMN found_count;
ALTER TABLE retention_run DROP COLUMN surveyed;
DELETE FROM retention_result WHERE subject = 'unreferenced_files';
DELETE FROM retention_policy WHERE subject = 'unreferenced_files';
CREATE OR REPLACE FUNCTION retention_minimum(subject text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE subject
        WHEN 'api_tokens' THEN 30
        -- Requests are sent again for hours, not for days.
        WHEN 'idempotency_keys' THEN 1
        -- Whoever listens may come back after a weekend.
        WHEN 'events' THEN 3
        WHEN 'exports' THEN 1
        WHEN 'imports' THEN 7
        WHEN 'jobs' THEN 7
        WHEN 'proofs' THEN 30
        WHEN 'schedule_firings' THEN 30
    END
$$;
DROP TRIGGER journal_import_blob_updated ON journal_import;
DROP TRIGGER journal_import_blob_inserted ON journal_import;
DROP TRIGGER journal_attachment_blob_updated ON journal_attachment;
DROP TRIGGER journal_attachment_blob_inserted ON journal_attachment;
DROP TRIGGER job_file_blob_updated ON job_file;
DROP TRIGGER job_file_blob_inserted ON job_file;
DROP TRIGGER item_import_blob_updated ON item_import;
DROP TRIGGER item_import_blob_inserted ON item_import;
DROP TRIGGER item_image_blob_updated ON item_image;
DROP TRIGGER item_image_blob_inserted ON item_image;
DROP TRIGGER item_blob_updated ON item;
DROP TRIGGER item_blob_inserted ON item;
DROP FUNCTION blob_used_by_image();
DROP FUNCTION blob_used_by_item();
DROP FUNCTION blob_used();
DROP FUNCTION blob_use(text[]);
DROP FUNCTION blob_unreferenced(text[]);
DROP FUNCTION blob_referenced(text[]);
DROP INDEX journal_import_blob_key;
DROP INDEX journal_attachment_blob_key;
DROP INDEX job_file_blob_key;
DROP INDEX item_import_blob_key;
DROP INDEX item_image_original;
DROP INDEX item_qr_png_key;
DROP INDEX item_qr_svg_key;
DROP TABLE blob_retired;
DROP FUNCTION blob_lock(text);
