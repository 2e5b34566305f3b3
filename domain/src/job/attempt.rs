//! Attempts at a job: a worker begins one, and says how it ended. Each has a number; only the latest one counts.

use entity::{id::JobId, job::Model as Job};
use sea_orm::ConnectionTrait as _;
use serde::Deserialize as _;
use serde_json::Value;

use super::{
    Jobs, Task, death, pause, query,
    rules::{self, Hindrance},
    write,
};
use crate::{
    error::{Error, Result},
    item::ImageState,
    sql::{statement, uuids},
    viewer::Viewer,
};

/// How often it is tried to begin a job that nothing keeps from it when it is looked at more closely.
const LOOKS: usize = 5;

/// What a worker finds when it begins a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    /// It is ours.
    Attempt {
        /// What to do; or why this release cannot tell, in which case another one may.
        task: Result<Task, String>,
        /// Which attempt this is, from 1.
        attempt: i32,
        /// Whether it is the last one.
        is_last: bool,
    },
    /// There is nothing to do: it has ended before, was begun too often, was cancelled, or no longer exists.
    Over,
    /// Its queue stands still: it waits in PostgreSQL until that goes on, and is handed over again then.
    Paused,
}

/// What became of an attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The job waits for its next one.
    Again,
    /// The job was given up, or cancelled.
    Over,
    /// It did not count: another worker has the job, and will have its own word.
    Superseded,
}

impl Jobs<'_> {
    /// Begins an attempt. Nothing in its way, that is one statement.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn start(&self, viewer: &Viewer, id: JobId) -> Result<Started> {
        viewer.require_system()?;
        for _ in 0..LOOKS {
            let begun = write::begin(&self.domain.db, viewer, self.domain.now(), id).await?;
            if let Some(job) = begun {
                self.domain.notifier.committed();
                return Ok(started(&job));
            }
            if let Some(hindered) = self.hindered(viewer, id).await? {
                return Ok(hindered);
            }
        }
        Err(Error::Unavailable(
            "a job's queue stops and goes on again and again".into(),
        ))
    }

    /// Deals with what keeps an attempt from beginning; none when nothing does any more.
    async fn hindered(&self, viewer: &Viewer, id: JobId) -> Result<Option<Started>> {
        let Some((job, is_paused)) = self.look(id).await? else {
            return Ok(Some(Started::Over));
        };
        match rules::hindrance(&job, is_paused) {
            None => Ok(None),
            Some(Hindrance::Over) => Ok(Some(Started::Over)),
            Some(Hindrance::Cancelled | Hindrance::WornOut) => {
                self.bury(viewer, id).await?;
                Ok(Some(Started::Over))
            }
            Some(Hindrance::Paused) => {
                let now = self.domain.now();
                let back = write::put_back(&self.domain.db, viewer, now, id).await?;
                self.domain.notifier.committed();
                Ok(back.then_some(Started::Paused))
            }
        }
    }

    /// The job, and whether its queue stands still.
    async fn look(&self, id: JobId) -> Result<Option<(Job, bool)>> {
        let Some(job) = query::find(&self.domain.db, id).await? else {
            return Ok(None);
        };
        let is_paused = pause::find(&self.domain.db, &job.queue).await?.is_some();
        Ok(Some((job, is_paused)))
    }

    /// Ends a job that nobody runs and that is not to be begun again.
    async fn bury(&self, viewer: &Viewer, id: JobId) -> Result<()> {
        let tx = self.domain.begin().await?;
        let image = death::lock_image_in_tx(&tx, id, ImageState::Processing).await?;
        let Some(job) = query::lock_in_tx(&tx, id).await? else {
            return Ok(());
        };
        let error = last_words(job.error.as_deref());
        let now = self.domain.now();
        match rules::hindrance(&job, false) {
            Some(Hindrance::Cancelled) => {
                death::cancel_in_tx(&tx, viewer, now, job, image).await?;
            }
            Some(Hindrance::WornOut) => {
                death::bury_in_tx(&tx, viewer, now, job, image, &error).await?;
            }
            Some(Hindrance::Over | Hindrance::Paused) | None => return Ok(()),
        }
        self.domain.commit(tx).await
    }

    /// Ends an attempt that failed: the job waits for its next one, or is given up. One that was to be cancelled is.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn fail(
        &self,
        viewer: &Viewer,
        id: JobId,
        attempt: i32,
        error: &str,
        again: bool,
    ) -> Result<Failed> {
        viewer.require_system()?;
        let now = self.domain.now();
        if again && write::fail(&self.domain.db, viewer, now, (id, attempt), error).await? {
            self.domain.notifier.committed();
            return Ok(Failed::Again);
        }
        let tx = self.domain.begin().await?;
        let image = death::lock_image_in_tx(&tx, id, ImageState::Processing).await?;
        let Some(job) = query::lock_attempt_in_tx(&tx, id, attempt).await? else {
            return Ok(Failed::Superseded);
        };
        if job.cancel_requested_at.is_some() {
            death::cancel_in_tx(&tx, viewer, now, job, image).await?;
        } else {
            death::bury_in_tx(&tx, viewer, now, job, image, error).await?;
        }
        self.domain.commit(tx).await?;
        Ok(Failed::Over)
    }

    /// Ends an attempt that was stopped because the job is to be cancelled. One that is no longer the latest stays what it is.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn end_cancelled(&self, viewer: &Viewer, id: JobId, attempt: i32) -> Result<()> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        let image = death::lock_image_in_tx(&tx, id, ImageState::Processing).await?;
        if let Some(job) = query::lock_attempt_in_tx(&tx, id, attempt).await? {
            death::cancel_in_tx(&tx, viewer, self.domain.now(), job, image).await?;
            self.domain.commit(tx).await?;
        }
        Ok(())
    }

    /// Those of these jobs that run and are to be cancelled, and which attempt of each runs: by one statement.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn to_cancel(&self, viewer: &Viewer, ids: &[JobId]) -> Result<Vec<(JobId, i32)>> {
        viewer.require_system()?;
        let sql = "SELECT id, attempts FROM job WHERE id = ANY($1) AND state = 'running' AND cancel_requested_at IS NOT NULL";
        let rows = self
            .domain
            .reads
            .query_all_raw(statement(sql, [uuids(ids)]));
        let rows = rows.await?.into_iter();
        rows.map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }

    /// Ends an attempt that found nothing to do.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn succeed(&self, viewer: &Viewer, id: JobId, attempt: i32) -> Result<()> {
        self.succeed_with(viewer, id, attempt, None).await
    }

    /// Ends an attempt well, and keeps what came of it: something small.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn succeed_with(
        &self,
        viewer: &Viewer,
        id: JobId,
        attempt: i32,
        result: Option<&Value>,
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let counts = write::succeed(&self.domain.db, viewer, now, (id, attempt), result);
        write::done(counts.await?)?;
        self.domain.notifier.committed();
        Ok(())
    }

    /// Says how far an attempt has got, in percent, and what it is at, for people: at most 200 characters. An attempt that is no longer the
    /// latest one says nothing.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn report_progress(
        &self,
        viewer: &Viewer,
        id: JobId,
        attempt: i32,
        percent: i16,
        message: Option<&str>,
    ) -> Result<()> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        if let Some(job) = query::lock_attempt_in_tx(&tx, id, attempt).await? {
            let percent = percent.clamp(0, 100);
            write::progress_in_tx(&tx, viewer, self.domain.now(), job, percent, message).await?;
            self.domain.commit(tx).await?;
        }
        Ok(())
    }

    /// Takes an attempt back that a worker has stopped because it is going down: it does not count. The caller must have ended it
    /// entirely, because the next attempt bears the same number. One that is no longer the latest stays what it is.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn give_back(&self, viewer: &Viewer, id: JobId, attempt: i32) -> Result<()> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        if let Some(job) = query::lock_attempt_in_tx(&tx, id, attempt).await? {
            write::give_back_in_tx(&tx, viewer, self.domain.now(), job).await?;
            self.domain.commit(tx).await?;
        }
        Ok(())
    }
}

/// What a worker hears of an attempt that has begun.
pub(super) fn started(job: &Job) -> Started {
    Started::Attempt {
        task: Task::deserialize(&job.payload).map_err(|error| error.to_string()),
        attempt: job.attempts,
        is_last: job.attempts >= job.max_attempts,
    }
}

/// Why a job died whose last attempt left no word. What an earlier attempt said is the best hint there is.
fn last_words(earlier: Option<&str>) -> String {
    earlier.map_or_else(
        || "every attempt ended with the worker's death".to_owned(),
        |earlier| format!("{earlier} (an earlier attempt; the last one ended without a word)"),
    )
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn the_last_real_error_is_kept() {
        assert_eq!(
            last_words(None),
            "every attempt ended with the worker's death"
        );
        assert!(last_words(Some("disk full")).starts_with("disk full"));
    }
}
