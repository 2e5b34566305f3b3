DROP INDEX job_by_schedule;
-- An older release cannot read what it does not know.
DELETE FROM schedule_firing USING schedule s WHERE s.id = schedule_id AND s.errand IN ('images.regenerate', 'ledger.verify');
DELETE FROM schedule_state USING schedule s WHERE s.id = schedule_id AND s.errand IN ('images.regenerate', 'ledger.verify');
DELETE FROM schedule WHERE errand IN ('images.regenerate', 'ledger.verify');
