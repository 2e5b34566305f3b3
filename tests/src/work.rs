//! What goes on in the background, as the database has it, and how to hold it up without the programs' knowledge.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot look has to fail the test"
)]

use std::{collections::HashMap, time::Duration};

use api::graphql::id::{GlobalId, decode};
use entity::id::JobId;
use sea_orm::sqlx::{self, FromRow, Postgres, Row as _, Transaction, postgres::PgRow};
use serde_json::Value;
use uuid::Uuid;

use crate::{app::TestApp, wait::until};

/// One row of the table of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Which job.
    pub id: Uuid,
    /// What is to be done, such as `item.render_code`.
    pub kind: String,
    /// What it is to be done to.
    pub payload: Value,
    /// `queued`, `running` and so on.
    pub state: String,
    /// How often it has been begun.
    pub attempts: i32,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
}

impl FromRow<'_, PgRow> for JobRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            kind: row.try_get("kind")?,
            payload: row.try_get("payload")?,
            state: row.try_get("state")?,
            attempts: row.try_get("attempts")?,
            error: row.try_get("error")?,
            request_id: row.try_get("request_id")?,
        })
    }
}

impl JobRow {
    /// Its id as clients know it.
    #[must_use]
    pub fn global_id(&self) -> String {
        JobId(self.id).encode().0
    }

    /// Its state and the number of its attempts.
    #[must_use]
    pub fn standing(&self) -> (&str, i32) {
        (&self.state, self.attempts)
    }
}

/// The UUID in an id that a client knows.
///
/// # Panics
/// When it is no such id.
#[must_use]
pub fn uuid_of(global_id: &str) -> Uuid {
    let (_, uuid) = decode(&global_id.into()).expect("a global id");
    uuid
}

impl TestApp {
    /// Every job, oldest first.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn jobs(&self) -> Vec<JobRow> {
        let sql = "SELECT id, kind, payload, state, attempts, error, request_id FROM job ORDER BY created_at, id";
        let jobs = sqlx::query_as(sql).fetch_all(self.sql()).await;
        jobs.expect("the database answers")
    }

    /// The only job about the thing with this global id (an item's code, a picture's renditions).
    ///
    /// # Panics
    /// When there is none, or more than one.
    pub async fn job_about(&self, global_id: &str) -> JobRow {
        let id = uuid_of(global_id).to_string();
        let mut jobs = self.jobs().await;
        jobs.retain(|job| {
            job.payload
                .as_object()
                .is_some_and(|payload| payload.values().any(|value| value == &id))
        });
        assert_eq!(jobs.len(), 1, "{jobs:#?}");
        jobs.remove(0)
    }

    /// Waits until the jobs are as `look` wants them.
    pub async fn until_jobs(
        &self,
        deadline: Duration,
        what: &str,
        look: impl Fn(&[JobRow]) -> bool,
    ) {
        until(deadline, what, async || look(&self.jobs().await)).await;
    }

    /// Waits until every job has succeeded.
    pub async fn until_done(&self, deadline: Duration) {
        self.until_jobs(deadline, "every job has succeeded", |jobs| {
            jobs.iter().all(|job| job.state == "succeeded")
        })
        .await;
    }

    /// How many rows this query counts.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let count = sqlx::query_scalar(sql).fetch_one(self.sql()).await;
        count.expect("the database answers")
    }

    /// Executes this statement.
    ///
    /// # Panics
    /// When the database refuses it.
    pub async fn execute(&self, sql: &'static str) {
        let executed = sqlx::query(sql).execute(self.sql()).await;
        let _done = executed.expect("the database executes it");
    }

    /// How many events tell of this action, by what it was done to.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn events_of(&self, action: &str) -> HashMap<Uuid, i64> {
        let sql = "SELECT aggregate_id, count(*) FROM event WHERE payload->>'action' = $1 GROUP BY aggregate_id";
        let counts = sqlx::query_as(sql).bind(action).fetch_all(self.sql()).await;
        counts.expect("the database answers").into_iter().collect()
    }

    /// Lets this happen to an item so many times at once, for those who listen.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn happen(&self, item: Uuid, times: usize) {
        let sql = "INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, created_at)
            SELECT 'item.changed', 'item', $1, n, '{\"action\": \"item.update\"}', now() FROM generate_series(1, $2) n";
        let times = i64::try_from(times).unwrap_or(i64::MAX);
        let written = sqlx::query(sql).bind(item).bind(times);
        written
            .execute(self.sql())
            .await
            .expect("the database answers");
    }

    /// Lets time pass for the relay: jobs that were handed to Redis count as handed over long ago.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn age_handovers(&self) {
        let sql = "UPDATE job SET relayed_at = relayed_at - interval '1 hour'";
        let aged = sqlx::query(sql).execute(self.sql()).await;
        aged.expect("the database answers");
    }

    /// Locks these items as a transaction would that changes them: whoever wants to change one waits until this is dropped.
    ///
    /// # Panics
    /// When there is no such item.
    pub async fn hold_items(&self, global_ids: &[&str]) -> Transaction<'static, Postgres> {
        let ids: Vec<_> = global_ids.iter().map(|id| uuid_of(id)).collect();
        let mut holder = self.sql().begin().await.expect("the database answers");
        let sql = "SELECT id FROM item WHERE id = ANY($1) ORDER BY id FOR UPDATE";
        let held: Vec<Uuid> = sqlx::query_scalar(sql)
            .bind(&ids)
            .fetch_all(&mut *holder)
            .await
            .expect("the items can be locked");
        assert_eq!(held.len(), ids.len());
        holder
    }
}
