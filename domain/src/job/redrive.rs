//! A second life for many dead jobs at once, by an operator who has mended what they died of.

use chrono::{DateTime, Utc};
use entity::id::{ItemImageId, JobId};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, FromQueryResult};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Jobs, Queue, Task, write::ATTEMPTS};
use crate::{
    audit::Actor,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    event::Kind,
    idempotency::{Claimed, claim_in_tx},
    item,
    permission::Permission,
    sql::{Sql, statement, uuids},
    viewer::Viewer,
};

/// Most jobs at once.
const MOST: i64 = 1000;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redriven {
    /// How many jobs wait for their turn again.
    pub count: i64,
    /// Whether there are more that could.
    pub has_more: bool,
}

/// A dead job.
#[derive(FromQueryResult)]
struct Dead {
    id: JobId,
    payload: Value,
}

/// Which dead jobs.
#[derive(Clone, Copy)]
struct Which<'a> {
    queue: Option<Queue>,
    kind: Option<&'a str>,
}

impl Jobs<'_> {
    /// Does what [`Jobs::retry`] does to the oldest dead jobs of a queue or of all, of one kind or of all: at most 1,000 of them. Of unique ones
    /// that are alike only the last is, and none while another one like it waits or runs.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, there is no such queue, or a unique job like one of these was asked for just now.
    pub async fn redrive(
        &self,
        viewer: &Viewer,
        queue: Option<&str>,
        kind: Option<&str>,
        key: Option<&str>,
    ) -> Result<Redriven> {
        viewer.require(Permission::JobManage)?;
        let queue = queue
            .map(|queue| Queue::parse("queue", queue))
            .transpose()?;
        let which = Which { queue, kind };
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let input = (queue.map(Queue::as_str), kind);
        let claim = match claim_in_tx(&tx, viewer, key, "job.redrive", &input, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let dead = which.find_in_tx(&tx, MOST).await?;
        let images = images(&dead);
        item::lock_items_of_images_in_tx(&tx, &images).await?;
        let ids: Vec<_> = dead.iter().map(|job| job.id).collect();
        let count = revive_in_tx(&tx, viewer, now, &ids).await?;
        item::take_up_images_in_tx(&tx, viewer, now, &images).await?;
        let has_more = count > 0 && !which.find_in_tx(&tx, 1).await?.is_empty();
        let redriven = Redriven { count, has_more };
        claim.keep_in_tx(&tx, &redriven).await?;
        self.domain.commit(tx).await?;
        Ok(redriven)
    }
}

impl Which<'_> {
    /// The oldest of them, at most `limit`.
    async fn find_in_tx(self, tx: &DatabaseTransaction, limit: i64) -> Result<Vec<Dead>> {
        let Self { queue, kind } = self;
        let mut sql = Sql::new(
            "SELECT id, payload FROM job j WHERE state = 'dead'
               AND (unique_key IS NULL
                    OR NOT EXISTS (SELECT FROM job o WHERE o.unique_key = j.unique_key AND o.unique_key IS NOT NULL
                                    AND o.state IN ('queued', 'running', 'failed'))
                       AND NOT EXISTS (SELECT FROM job o WHERE o.unique_key = j.unique_key AND o.state = 'dead' AND o.id > j.id))",
        );
        if let Some(queue) = queue {
            sql.push(" AND queue = ").bind(queue.as_str());
        }
        if let Some(kind) = kind {
            sql.push(" AND kind = ").bind(kind);
        }
        sql.push(" ORDER BY id LIMIT ").bind(limit);
        Ok(Dead::find_by_statement(sql.build()).all(tx).await?)
    }
}

/// The pictures that these jobs were to render.
fn images(jobs: &[Dead]) -> Vec<ItemImageId> {
    let tasks = jobs
        .iter()
        .filter_map(|job| Task::deserialize(&job.payload).ok());
    tasks
        .filter_map(|task| match task {
            Task::RenderImage { image_id } => Some(image_id),
            _ => None,
        })
        .collect()
}

/// Gives each as many attempts as a new one has, with an event and a row of the trail for each, as if each had been retried by itself: by one
/// statement. One that is not dead any more is left out.
async fn revive_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    ids: &[JobId],
) -> Result<i64> {
    let sql = "WITH taken AS MATERIALIZED (
                   SELECT * FROM job WHERE id = ANY($1) AND state = 'dead' ORDER BY id FOR UPDATE
               ), revived AS (
                   UPDATE job j SET state = 'queued', max_attempts = j.attempts + $2, progress = 0, message = NULL, version = j.version + 1,
                       finished_at = NULL, relayed_at = NULL
                   FROM taken t WHERE j.id = t.id RETURNING j.*
               ), told AS (
                   INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
                   SELECT $3, $4, id, version, '{\"state\": \"queued\", \"progress\": 0}'::jsonb, $5, $6 FROM revived
               ), kept AS (
                   INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, before, after)
                   SELECT $6, $7, $8, $9, $5, 'job.retry', $4, t.id, to_jsonb(t), to_jsonb(r) FROM taken t JOIN revived r USING (id)
               )
               SELECT count(*) FROM revived";
    let Actor { kind, id, name } = Actor::of(viewer);
    let values = [
        uuids(ids),
        ATTEMPTS.into(),
        Kind::JobChanged.as_str().into(),
        Kind::JobChanged.aggregate_type().into(),
        viewer.request_id.clone().into(),
        now.into(),
        kind.into(),
        id.into(),
        name.into(),
    ];
    let under_way = [("job_unique", Refusal::new(Code::JobUnderWay, ""))];
    let row = tx.query_one_raw(statement(sql, values)).await;
    let row = row.map_err(|error| refuse_if_broken(error, &under_way))?;
    let row = row.ok_or_else(|| Error::internal("an aggregate gave no row"))?;
    Ok(row.try_get_by_index(0)?)
}
