DELETE FROM schedule_firing USING schedule s WHERE s.id = schedule_id AND s.errand IN ('backup.create', 'backup.verify');
DELETE FROM schedule_state USING schedule s WHERE s.id = schedule_id AND s.errand IN ('backup.create', 'backup.verify');
DELETE FROM schedule WHERE errand IN ('backup.create', 'backup.verify');
DROP TRIGGER category_path_books ON category;
CREATE CONSTRAINT TRIGGER category_path_books AFTER UPDATE OF path ON category DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.path IS DISTINCT FROM OLD.path) EXECUTE FUNCTION category_path_books();
DROP TRIGGER location_path_books ON location;
CREATE CONSTRAINT TRIGGER location_path_books AFTER UPDATE OF path ON location DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.path IS DISTINCT FROM OLD.path) EXECUTE FUNCTION location_path_books();
UPDATE role SET permissions = array_remove(array_remove(permissions, 'backup.manage'), 'backup.read') WHERE code = 'manager';
DROP TABLE backup;
