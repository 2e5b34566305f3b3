//! Jobs: work done in the background.
//!
//! The row in PostgreSQL is the truth of a job, written by the transaction that causes it; Redis only carries its id to a worker. So the
//! table is its own outbox: the relay hands over what has no `relayed_at`, and [`Jobs::reclaim`] hands over again what Redis may have
//! lost. A worker that was taken for dead cannot end a job any more: each attempt has a number, and only the latest one counts.

mod query;
mod write;

use std::time::Duration;

use chrono::TimeDelta;
use entity::id::{ItemId, ItemImageId, JobId};
use serde::{Deserialize, Serialize};

pub use entity::job::{Model as Job, State};
pub(crate) use write::{enqueue_in_tx, succeed_in_tx};

use crate::{
    Domain,
    error::{Code, Error, Refusal, Result},
    permission::Permission,
    viewer::Viewer,
    wake::Wakeups,
};

/// What is to be done, and to what: ids, never copies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Task {
    /// Make the renditions of an uploaded picture.
    #[serde(rename = "item.render_image")]
    RenderImage {
        /// The picture.
        image_id: ItemImageId,
    },
    /// Draw the item's QR code.
    #[serde(rename = "item.render_code")]
    RenderCode {
        /// The item.
        item_id: ItemId,
    },
}

/// What carries jobs of one nature, with limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Small things: milliseconds.
    Codes,
    /// Pictures: seconds of processor time and much memory.
    Media,
}

impl Queue {
    /// Every queue there is.
    pub const ALL: &[Self] = &[Self::Codes, Self::Media];

    /// The stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Codes => "codes",
            Self::Media => "media",
        }
    }
}

impl Task {
    /// The stable text of what is to be done.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RenderImage { .. } => "item.render_image",
            Self::RenderCode { .. } => "item.render_code",
        }
    }

    /// What carries it.
    #[must_use]
    pub fn queue(&self) -> Queue {
        match self {
            Self::RenderImage { .. } => Queue::Media,
            Self::RenderCode { .. } => Queue::Codes,
        }
    }

    /// How long one attempt may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        match self {
            Self::RenderImage { .. } => Duration::from_secs(120),
            Self::RenderCode { .. } => Duration::from_secs(20),
        }
    }

    /// How often it is tried: enough to outlast an outage of a few minutes.
    fn max_attempts(&self) -> i32 {
        8
    }
}

/// A job that the relay has to hand to Redis.
#[derive(Clone, Debug, PartialEq, Eq, sea_orm::FromQueryResult)]
pub struct Relayed {
    /// Which job.
    pub id: JobId,
    /// The queue that carries it.
    pub queue: String,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// How often a worker may begin it.
    pub max_attempts: i32,
}

/// What a worker finds when it begins a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    /// It is ours: this is the attempt's number.
    Attempt {
        /// What to do.
        task: Task,
        /// Which attempt this is, from 1.
        attempt: i32,
        /// Whether it is the last one.
        is_last: bool,
    },
    /// There is nothing to do: it has ended before, or was begun too often.
    Over(State),
}

/// Jobs: what workers and operators do with them.
#[derive(Clone, Copy, Debug)]
pub struct Jobs<'a> {
    pub(crate) domain: &'a Domain,
}

impl Jobs<'_> {
    /// Woken whenever jobs are committed.
    #[must_use]
    pub fn wakeups(&self) -> Wakeups {
        Wakeups::new(&self.domain.settings, "goldshop_job")
    }

    /// The job with this id.
    ///
    /// # Errors
    /// When the viewer may not see jobs, or there is no such job.
    pub async fn get(&self, viewer: &Viewer, id: JobId) -> Result<Job> {
        viewer.require(Permission::JobRead)?;
        query::find(&self.domain.db, id)
            .await?
            .ok_or_else(|| Refusal::new(Code::NotFound, "id").into())
    }

    /// The jobs with these ids, in any order; those that do not exist are left out.
    ///
    /// # Errors
    /// When the viewer may not see jobs.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[JobId]) -> Result<Vec<Job>> {
        viewer.require(Permission::JobRead)?;
        query::by_ids(&self.domain.db, ids).await
    }

    /// Takes at most `limit` jobs that Redis does not have yet. Several relays never take the same one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_for_relay(&self, limit: i64) -> Result<Vec<Relayed>> {
        write::claim(&self.domain.db, self.domain.now(), limit).await
    }

    /// Takes at most `limit` unfinished jobs that were handed over longer than `since` ago: Redis may have lost them. Handing over a job
    /// that it still has changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reclaim(&self, since: TimeDelta, limit: i64) -> Result<Vec<Relayed>> {
        let now = self.domain.now();
        write::reclaim(&self.domain.db, now, now - since, limit).await
    }

    /// Gives jobs back that could not be handed over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&self, ids: &[JobId]) -> Result<()> {
        write::release(&self.domain.db, ids).await
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// When there is no such job, its payload means nothing, or the database fails.
    pub async fn start(&self, viewer: &Viewer, id: JobId) -> Result<Started> {
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let job = query::lock_in_tx(&tx, id)
            .await?
            .ok_or_else(|| Error::internal("a queued job does not exist"))?;
        let started = if job.state.is_final() {
            Started::Over(job.state)
        } else if job.attempts >= job.max_attempts {
            write::end_in_tx(
                &tx,
                viewer,
                now,
                job,
                State::Dead,
                Some("every attempt ended with the worker's death"),
            )
            .await?;
            Started::Over(State::Dead)
        } else {
            let job = write::begin_in_tx(&tx, viewer, now, job).await?;
            let task = serde_json::from_value(job.payload)?;
            Started::Attempt {
                task,
                attempt: job.attempts,
                is_last: job.attempts >= job.max_attempts,
            }
        };
        tx.commit().await?;
        Ok(started)
    }

    /// Ends an attempt that failed: the job waits for its next one, or is given up.
    ///
    /// Returns whether the attempt was still the latest one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail(
        &self,
        viewer: &Viewer,
        id: JobId,
        attempt: i32,
        error: &str,
        again: bool,
    ) -> Result<bool> {
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let Some(job) = query::lock_attempt_in_tx(&tx, id, attempt).await? else {
            return Ok(false);
        };
        let state = if again { State::Failed } else { State::Dead };
        write::end_in_tx(&tx, viewer, now, job, state, Some(error)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends an attempt that found nothing to do.
    ///
    /// # Errors
    /// When another worker has taken the job over, or the database fails.
    pub async fn succeed(&self, viewer: &Viewer, id: JobId, attempt: i32) -> Result<()> {
        let tx = self.domain.begin().await?;
        succeed_in_tx(&tx, viewer, self.domain.now(), id, attempt).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Says how far an attempt has got, in percent. An attempt that is no longer the latest one says nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn report_progress(
        &self,
        viewer: &Viewer,
        id: JobId,
        attempt: i32,
        percent: i16,
    ) -> Result<()> {
        let tx = self.domain.begin().await?;
        if let Some(job) = query::lock_attempt_in_tx(&tx, id, attempt).await? {
            write::progress_in_tx(&tx, viewer, self.domain.now(), job, percent.clamp(0, 100))
                .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Puts an attempt back that a worker could not finish because it is going down. It does not count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&self, id: JobId, attempt: i32) -> Result<()> {
        write::give_back(&self.domain.db, id, attempt).await
    }
}
