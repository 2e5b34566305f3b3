//! Schedules: what is done by itself, and when.
//!
//! Whoever is at work looks once a second for times that have come. One that has come is decided about in one transaction, which holds the row that
//! says how far its schedule has got: the job is made there, and the next time written down. So each time comes once, however many look
//! ([ADR 28](../docs/adr/0028-schedules.md)). The clock is the database's: there is one, whatever the clocks of those who look say.

mod fire;
mod query;
mod rules;
mod timetable;
mod write;

use chrono::{DateTime, Utc};
use entity::id::{JobId, ScheduleId};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

pub use entity::{
    schedule::{Model as ScheduleRow, WhenMissed},
    schedule_firing::{Model as Firing, Outcome},
};
pub use rules::{SCHEDULES_MAX, UPCOMING_MAX};
use timetable::Timetable;

use crate::{
    Domain,
    errand::Errand,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    page::{Page, PageArgs},
    patch::Patch,
    permission::Permission,
    version,
    viewer::Viewer,
};

/// A schedule to be.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// What people call it; unique.
    pub name: String,
    /// When: five fields of cron, or a word such as `@daily`.
    pub cron: String,
    /// Where those hours are: an IANA name; where the shop is without.
    pub time_zone: Option<String>,
    /// What is done.
    pub errand: Errand,
    /// Whether it is done at all.
    pub enabled: bool,
    /// What becomes of times that nobody was at work at.
    pub when_missed: WhenMissed,
    /// Whether it is begun while the last one is not finished.
    pub allow_overlap: bool,
}

/// A change of a schedule. What is not given stays.
#[derive(Clone, Debug, Default)]
pub struct ScheduleChange {
    /// What people call it.
    pub name: Option<String>,
    /// When.
    pub cron: Option<String>,
    /// Where those hours are; cleared where the shop is.
    pub time_zone: Patch<String>,
    /// What becomes of times that nobody was at work at.
    pub when_missed: Option<WhenMissed>,
    /// Whether it is begun while the last one is not finished.
    pub allow_overlap: Option<bool>,
}

/// A schedule, and how far it has got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// What is said of it.
    pub row: ScheduleRow,
    /// Where its hours are: its own time zone, or the shop's.
    pub zone: String,
    /// The next time; none when it rests, or no worker has computed it yet.
    pub next_at: Option<DateTime<Utc>>,
    /// The last time that has come.
    pub last_tick: Option<DateTime<Utc>>,
    /// The last job.
    pub last_job_id: Option<JobId>,
}

/// Schedules: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Schedules<'a> {
    pub(crate) domain: &'a Domain,
}

impl Schedules<'_> {
    /// Adds a schedule. Its first time is the first one behind now.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, a value is refused, the errand is nothing for a schedule, the name is taken, or there are too many.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewSchedule,
        key: Option<&str>,
    ) -> Result<Schedule> {
        viewer.require(Permission::JobManage)?;
        let now = self.domain.now();
        let draft = rules::parse_new(new, now)?;
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "schedule.create", &draft, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        write::own_in_tx(&tx).await?;
        if query::count_in_tx(&tx).await? >= SCHEDULES_MAX {
            return Err(Refusal::new(Code::TooMany, "")
                .with("max", SCHEDULES_MAX)
                .into());
        }
        let row = write::insert_in_tx(&tx, now, draft).await?;
        let schedule = plan_in_tx(&tx, row.id).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "schedule.create",
            None,
            Some(&schedule.row),
        )
        .await?;
        claim.keep_in_tx(&tx, &schedule).await?;
        self.domain.commit(tx).await?;
        Ok(schedule)
    }

    /// Changes a schedule. Its next time is the first one behind now that follows from what is said then.
    ///
    /// # Errors
    /// As [`Schedules::create`], and when there is no such schedule, or somebody changed it since `expected_version`.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: ScheduleId,
        change: ScheduleChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Schedule> {
        viewer.require(Permission::JobManage)?;
        let now = self.domain.now();
        let draft = rules::parse_change(change, now)?;
        let tx = self.domain.begin().await?;
        let request = (id, &draft, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "schedule.update", &request, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_tx(&tx, id, expected_version).await?;
        let is_moved = draft.cron.is_some() || !draft.time_zone.is_keep();
        let row = write::update_in_tx(&tx, now, before.clone(), draft).await?;
        let schedule = if is_moved {
            plan_in_tx(&tx, id).await?
        } else {
            query::get_in_tx(&tx, id).await?
        };
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "schedule.update",
            Some(&before),
            Some(&row),
        )
        .await?;
        claim.keep_in_tx(&tx, &schedule).await?;
        self.domain.commit(tx).await?;
        Ok(schedule)
    }

    /// Lets a schedule rest, or go on. What would have come meanwhile was not missed: the next time is the first one behind now. One that
    /// rests, or goes on, already stays as it is.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, there is no such schedule, or somebody changed it since `expected_version`.
    pub async fn enable(
        &self,
        viewer: &Viewer,
        id: ScheduleId,
        enabled: bool,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Schedule> {
        viewer.require(Permission::JobManage)?;
        let action = if enabled {
            "schedule.resume"
        } else {
            "schedule.pause"
        };
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let request = (id, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, action, &request, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_tx(&tx, id, expected_version).await?;
        let schedule = if before.enabled == enabled {
            query::get_in_tx(&tx, id).await?
        } else {
            let row = write::enable_in_tx(&tx, now, before.clone(), enabled).await?;
            write::record_in_tx(&tx, viewer, now, action, Some(&before), Some(&row)).await?;
            plan_in_tx(&tx, id).await?
        };
        claim.keep_in_tx(&tx, &schedule).await?;
        self.domain.commit(tx).await?;
        Ok(schedule)
    }

    /// Takes a schedule away, and its name is free. What it did stays.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, there is no such schedule, or somebody changed it since `expected_version`.
    pub async fn delete(
        &self,
        viewer: &Viewer,
        id: ScheduleId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<ScheduleId> {
        viewer.require(Permission::JobManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let request = (id, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "schedule.delete", &request, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = lock_in_tx(&tx, id, expected_version).await?;
        write::delete_in_tx(&tx, now, before.clone()).await?;
        write::record_in_tx(&tx, viewer, now, "schedule.delete", Some(&before), None).await?;
        claim.keep_in_tx(&tx, &id).await?;
        self.domain.commit(tx).await?;
        Ok(id)
    }

    /// The schedule with this id.
    ///
    /// # Errors
    /// When the viewer may not see jobs.
    pub async fn find(&self, viewer: &Viewer, id: ScheduleId) -> Result<Option<Schedule>> {
        viewer.require(Permission::JobRead)?;
        query::find(&self.domain.reads, id).await
    }

    /// The schedules with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see jobs.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[ScheduleId]) -> Result<Vec<Schedule>> {
        viewer.require(Permission::JobRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// All schedules, by name: at most [`SCHEDULES_MAX`].
    ///
    /// # Errors
    /// When the viewer may not see jobs.
    pub async fn all(&self, viewer: &Viewer) -> Result<Vec<Schedule>> {
        viewer.require(Permission::JobRead)?;
        query::all(&self.domain.reads).await
    }

    /// A page of the times of a schedule that have come, latest first.
    ///
    /// # Errors
    /// When the viewer may not see jobs, or an argument is wrong.
    pub async fn firings(
        &self,
        viewer: &Viewer,
        id: ScheduleId,
        args: &PageArgs,
    ) -> Result<Page<Firing>> {
        viewer.require(Permission::JobRead)?;
        query::firings(&self.domain.reads, id, args).await
    }

    /// The next so many times of a schedule; none while it rests.
    ///
    /// # Errors
    /// When there are to be more than [`UPCOMING_MAX`], or its time zone is none.
    pub fn upcoming(&self, schedule: &Schedule, count: i32) -> Result<Vec<DateTime<Utc>>> {
        let count = rules::parse_count(count)?;
        if !schedule.row.enabled {
            return Ok(Vec::new());
        }
        let timetable = timetable_of(schedule)?;
        Ok(match schedule.next_at {
            Some(next) => std::iter::once(next)
                .chain(timetable.upcoming(next, count.saturating_sub(1)))
                .take(count)
                .collect(),
            None => timetable.upcoming(self.domain.now(), count),
        })
    }

    /// The next so many times of an expression that is not a schedule yet, and where its hours are.
    ///
    /// # Errors
    /// When the viewer may not see jobs, or a value is refused.
    pub async fn preview(
        &self,
        viewer: &Viewer,
        cron: &str,
        time_zone: Option<&str>,
        count: i32,
    ) -> Result<Vec<DateTime<Utc>>> {
        viewer.require(Permission::JobRead)?;
        let (now, count) = (self.domain.now(), rules::parse_count(count)?);
        let cron = timetable::parse_cron(cron, now)?;
        let zone = match time_zone {
            Some(zone) => zone.to_owned(),
            None => query::shop_zone(&self.domain.reads).await?,
        };
        Ok(Timetable::new(&cron, &zone)?.upcoming(now, count))
    }
}

/// The schedule, locked, of the version that is expected.
async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: ScheduleId,
    expected_version: Option<i64>,
) -> Result<ScheduleRow> {
    let row = query::lock_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(row.version, expected_version)?;
    Ok(row)
}

/// Writes down the next time: the first one behind now, by the database's clock. The schedule must be locked.
async fn plan_in_tx(tx: &DatabaseTransaction, id: ScheduleId) -> Result<Schedule> {
    let mut schedule = query::get_in_tx(tx, id).await?;
    schedule.next_at = if schedule.row.enabled {
        let now = query::clock_in_tx(tx).await?;
        Some(next_of(&timetable_of(&schedule)?, now)?)
    } else {
        None
    };
    write::plan_in_tx(tx, id, schedule.next_at).await?;
    Ok(schedule)
}

/// What was kept was understood when it was.
fn timetable_of(schedule: &Schedule) -> Result<Timetable> {
    Timetable::new(&schedule.row.cron, &schedule.zone).map_err(|refusal| {
        Error::internal(format!(
            "the schedule {} cannot be understood any more: {refusal:?}",
            schedule.row.id
        ))
    })
}

fn next_of(timetable: &Timetable, after: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let next = timetable.next(after);
    next.ok_or_else(|| Error::internal("a schedule that came will not come again"))
}
