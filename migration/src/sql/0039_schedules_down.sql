DROP TRIGGER schedule_follow_shop ON shop;
DROP FUNCTION schedule_follow_shop;
DROP TABLE schedule_firing, schedule_state, schedule;
DROP FUNCTION refuse_change_to_others;
