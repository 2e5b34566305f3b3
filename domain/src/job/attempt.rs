//! Attempts at a job: a worker begins one, and says how it ended. Each has a number; only the latest one counts.

use entity::{
    id::JobId,
    job::{Model as Job, State},
};
use serde::Deserialize as _;

use super::{Jobs, Task, death, query, succeed_in_tx, write};
use crate::{error::Result, item::ImageState, viewer::Viewer};

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
    /// There is nothing to do: it has ended before, was begun too often, or no longer exists.
    Over,
}

impl Jobs<'_> {
    /// Begins an attempt.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn start(&self, viewer: &Viewer, id: JobId) -> Result<Started> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        let job = query::lock_in_tx(&tx, id).await?;
        let Some(job) = job.filter(|job| !job.state.is_final()) else {
            return Ok(Started::Over);
        };
        if is_worn_out(&job) {
            // Its death has locks to take before the job's own: begun anew.
            tx.rollback().await?;
            self.bury_worn_out(viewer, id).await?;
            return Ok(Started::Over);
        }
        let job = write::begin_in_tx(&tx, viewer, self.domain.now(), job).await?;
        self.domain.commit(tx).await?;
        Ok(Started::Attempt {
            task: Task::deserialize(&job.payload).map_err(|error| error.to_string()),
            attempt: job.attempts,
            is_last: job.attempts >= job.max_attempts,
        })
    }

    async fn bury_worn_out(&self, viewer: &Viewer, id: JobId) -> Result<()> {
        let tx = self.domain.begin().await?;
        let image = death::lock_image_in_tx(&tx, id, ImageState::Processing).await?;
        let job = query::lock_in_tx(&tx, id).await?;
        if let Some(job) = job.filter(|job| !job.state.is_final() && is_worn_out(job)) {
            let error = last_words(job.error.as_deref());
            death::bury_in_tx(&tx, viewer, self.domain.now(), job, image, &error).await?;
            self.domain.commit(tx).await?;
        }
        Ok(())
    }

    /// Ends an attempt that failed: the job waits for its next one, or is given up.
    ///
    /// Returns whether the attempt was still the latest one.
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
    ) -> Result<bool> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let image = if again {
            None
        } else {
            death::lock_image_in_tx(&tx, id, ImageState::Processing).await?
        };
        let Some(job) = query::lock_attempt_in_tx(&tx, id, attempt).await? else {
            return Ok(false);
        };
        if again {
            write::end_in_tx(&tx, viewer, now, job, State::Failed, Some(error)).await?;
        } else {
            death::bury_in_tx(&tx, viewer, now, job, image, error).await?;
        }
        self.domain.commit(tx).await?;
        Ok(true)
    }

    /// Ends an attempt that found nothing to do.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn succeed(&self, viewer: &Viewer, id: JobId, attempt: i32) -> Result<()> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        succeed_in_tx(&tx, viewer, self.domain.now(), id, attempt).await?;
        self.domain.commit(tx).await
    }

    /// Says how far an attempt has got, in percent. An attempt that is no longer the latest one says nothing.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn report_progress(
        &self,
        viewer: &Viewer,
        id: JobId,
        attempt: i32,
        percent: i16,
    ) -> Result<()> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        if let Some(job) = query::lock_attempt_in_tx(&tx, id, attempt).await? {
            write::progress_in_tx(&tx, viewer, self.domain.now(), job, percent.clamp(0, 100))
                .await?;
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

/// Whether it has been begun as often as it may be.
fn is_worn_out(job: &Job) -> bool {
    job.attempts >= job.max_attempts
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
