DELETE FROM schedule_firing WHERE schedule_id IN (SELECT id FROM schedule WHERE errand = 'retention.run');
DELETE FROM schedule_state WHERE schedule_id IN (SELECT id FROM schedule WHERE errand = 'retention.run');
DELETE FROM schedule WHERE errand = 'retention.run';
DROP FUNCTION retention_remove, retention_due, retention_files, retention_since, retention_subject;
DROP INDEX api_token_expiry;
DROP TABLE retention_file, retention_result, retention_run, retention_hold, retention_policy;
DROP FUNCTION retention_minimum;
