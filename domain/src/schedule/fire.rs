//! Times that have come: a worker decides about them, and somebody may ask for one more.

use chrono::{DateTime, Utc};
use entity::id::{JobId, ScheduleId};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};

use super::{
    Firing, Outcome, Schedule, ScheduleRow, Schedules, lock_in_tx, next_of, query,
    rules::{self, Decision, Due},
    timetable_of, write,
};
use crate::{
    errand::Order,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    job::Enqueued,
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

impl Schedules<'_> {
    /// Which schedules have a time that has come. Others may be faster: [`Schedules::fire`] finds out.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn due(&self, viewer: &Viewer) -> Result<Vec<ScheduleId>> {
        viewer.require_system()?;
        query::due(&self.domain.db).await
    }

    /// Decides about the times of a schedule that have come: makes the job, and writes the next time down. Of several, the last counts for all.
    /// Tells what became of it; nothing when somebody else was faster.
    ///
    /// # Errors
    /// When a person asks, or the database fails: then nothing is decided, and it is tried again.
    pub async fn fire(&self, viewer: &Viewer, id: ScheduleId) -> Result<Option<Firing>> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        let Some(schedule) = query::take_in_tx(&tx, id).await? else {
            return Ok(None);
        };
        let now = query::clock_in_tx(&tx).await?;
        let firing = match schedule.next_at {
            Some(since) => Some(decide_in_tx(&tx, viewer, &schedule, since, now).await?),
            None => None,
        };
        let next = next_of(&timetable_of(&schedule)?, now)?;
        write::plan_in_tx(&tx, id, Some(next)).await?;
        self.domain.commit(tx).await?;
        Ok(firing.flatten())
    }

    /// Does it now, beside its times, which stay as they are; also while the schedule rests.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, there is no such schedule, or the last job is not finished and may not be overtaken.
    pub async fn run_now(
        &self,
        viewer: &Viewer,
        id: ScheduleId,
        key: Option<&str>,
    ) -> Result<(Schedule, JobId)> {
        viewer.require(Permission::JobManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "schedule.run", &id, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let row = lock_in_tx(&tx, id, None).await?;
        hold_in_tx(&tx, id).await?;
        let before = query::get_in_tx(&tx, id).await?;
        if is_occupied_in_tx(&tx, &before).await? {
            return Err(Refusal::new(Code::StillRunning, "id")
                .with("name", row.name)
                .into());
        }
        let tick = query::clock_in_tx(&tx).await?;
        let asked = ask_in_tx(&tx, viewer, tick, &row).await?;
        let job = asked.id;
        let requested = Decision {
            tick,
            missed_since: None,
            outcome: Outcome::Requested,
        };
        let firing = firing(id, requested, Some(job), tick);
        if !write::decide_in_tx(&tx, &firing).await? {
            return Err(Error::internal("two of a schedule at the same microsecond"));
        }
        name_in_tx(&tx, asked, &firing).await?;
        write::arrive_in_tx(&tx, id, None, Some(job)).await?;
        write::record_in_tx(&tx, viewer, now, "schedule.run", Some(&row), Some(&row)).await?;
        let schedule = query::get_in_tx(&tx, id).await?;
        let answer = (schedule, job);
        claim.keep_in_tx(&tx, &answer).await?;
        self.domain.commit(tx).await?;
        Ok(answer)
    }
}

/// Nothing when the time was decided about before: the clock was put back.
async fn decide_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    schedule: &Schedule,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Firing>> {
    let ScheduleRow {
        id, when_missed, ..
    } = &schedule.row;
    let due = Due {
        since,
        now,
        when_missed: *when_missed,
        is_occupied: is_occupied_in_tx(tx, schedule).await?,
    };
    let decision = rules::decide(&timetable_of(schedule)?, due);
    if is_decided_in_tx(tx, *id, decision.tick).await? {
        return Ok(None);
    }
    let asked = match decision.outcome {
        Outcome::Fired => Some(ask_in_tx(tx, viewer, now, &schedule.row).await?),
        Outcome::Missed | Outcome::Overlapped | Outcome::Requested => None,
    };
    let job = asked.map(|asked| asked.id);
    let firing = firing(*id, decision, job, now);
    if let Some(asked) = asked {
        name_in_tx(tx, asked, &firing).await?;
    }
    if !write::decide_in_tx(tx, &firing).await? {
        return Err(Error::internal("a time of a schedule has come twice"));
    }
    write::arrive_in_tx(tx, *id, Some(firing.tick), job).await?;
    write::tell_in_tx(tx, viewer, now, "schedule.fire", &schedule.row).await?;
    Ok(Some(firing))
}

/// Asks for the job, whose note says which schedule it was.
async fn ask_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    schedule: &ScheduleRow,
) -> Result<Enqueued> {
    let order = Order::parse_scheduled(schedule.errand)?;
    let note = Some(schedule.name.clone());
    order.ask_in_tx(tx, viewer, now, note).await
}

/// Says which schedule a job is of, and which of its times; one that somebody else had asked for stays theirs.
async fn name_in_tx(tx: &DatabaseTransaction, asked: Enqueued, firing: &Firing) -> Result<()> {
    if asked.is_new {
        write::name_in_tx(tx, asked.id, firing).await?;
    }
    Ok(())
}

fn firing(
    schedule_id: ScheduleId,
    decision: Decision,
    job_id: Option<JobId>,
    decided_at: DateTime<Utc>,
) -> Firing {
    let Decision {
        tick,
        missed_since,
        outcome,
    } = decision;
    Firing {
        schedule_id,
        tick,
        outcome,
        job_id,
        missed_since,
        decided_at,
    }
}

/// Keeps workers from deciding until the transaction ends.
async fn hold_in_tx(tx: &DatabaseTransaction, id: ScheduleId) -> Result<()> {
    let sql = "SELECT FROM schedule_state WHERE schedule_id = $1 FOR UPDATE";
    tx.execute_raw(statement(sql, [id.into()])).await?;
    Ok(())
}

/// Whether the last job is not finished, and may not be overtaken.
async fn is_occupied_in_tx(tx: &DatabaseTransaction, schedule: &Schedule) -> Result<bool> {
    let Some(job) = schedule.last_job_id.filter(|_| !schedule.row.allow_overlap) else {
        return Ok(false);
    };
    let sql = "SELECT EXISTS (SELECT FROM job WHERE id = $1 AND finished_at IS NULL)";
    is_true(tx, sql, [job.into()]).await
}

async fn is_decided_in_tx(
    tx: &DatabaseTransaction,
    id: ScheduleId,
    tick: DateTime<Utc>,
) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM schedule_firing WHERE schedule_id = $1 AND tick = $2)";
    is_true(tx, sql, [id.into(), tick.into()]).await
}

async fn is_true<const N: usize>(
    tx: &DatabaseTransaction,
    sql: &'static str,
    values: [sea_orm::Value; N],
) -> Result<bool> {
    let row = tx.query_one_raw(statement(sql, values)).await?;
    let row = row.ok_or_else(|| Error::internal("a question gave no row"))?;
    Ok(row.try_get_by_index(0)?)
}
