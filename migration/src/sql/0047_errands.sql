-- The books are proved by themselves, as the trail and stock are. A name that is taken is left alone, and so is everything else then: it is for people
-- to say.
WITH made AS (
    INSERT INTO schedule (id, name, cron, errand, when_missed, created_at, updated_at)
    VALUES ('01930000-0000-7000-8000-0000000000a8', 'Proof of the books', '0 6 * * SUN', 'ledger.verify', 'run_once', now(), now())
    ON CONFLICT DO NOTHING
    RETURNING id
)
INSERT INTO schedule_state (schedule_id) SELECT id FROM made;

-- The jobs of a schedule, newest first.
CREATE INDEX job_by_schedule ON job (schedule_id, id) WHERE schedule_id IS NOT NULL;
