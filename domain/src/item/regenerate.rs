//! Rendering all pictures anew: after the way of rendering changed, or files were lost.
//!
//! A picture says when it was rendered last, so whoever goes on after a crash begins with what was not rendered since it was asked for.

use chrono::{DateTime, Utc};
use entity::{
    id::JobId,
    item_image::{self, Column, Model as ItemImage, State},
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DatabaseTransaction, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::NullOrdering,
};

use super::{
    Items,
    rendered::{RenderedImage, keep_in_tx},
};
use crate::{
    audit::{self, Change},
    error::{Error, Result},
    idempotency::{Claimed, claim_in_tx},
    job::{self, Enqueued, Task, hold_attempt_in_tx},
    permission::Permission,
    sql::{statement, uuids},
    viewer::Viewer,
};

const ACTION: &str = "item.regenerate_images";

impl Items<'_> {
    /// Asks for all pictures to be rendered anew, in the background; or tells the job that does it already. What is shown stays until there is
    /// something new.
    ///
    /// # Errors
    /// When the viewer may not manage jobs.
    pub async fn regenerate_images(&self, viewer: &Viewer, key: Option<&str>) -> Result<JobId> {
        viewer.require(Permission::JobManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, ACTION, &(), now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let Enqueued { id, .. } = regenerate_images_in_tx(&tx, viewer, now).await?;
        claim.keep_in_tx(&tx, &id).await?;
        self.domain.commit(tx).await?;
        Ok(id)
    }

    /// At most `limit` pictures that were not rendered since `before`, those first that were never. Those on their way are left to who
    /// renders them.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn images_rendered_before(
        &self,
        viewer: &Viewer,
        before: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<ItemImage>> {
        viewer.require_system()?;
        let found = item_image::Entity::find()
            .filter(Column::State.ne(State::Processing))
            .filter(
                Condition::any()
                    .add(Column::RenderedAt.is_null())
                    .add(Column::RenderedAt.lt(before)),
            )
            .order_by_with_nulls(Column::RenderedAt, sea_orm::Order::Asc, NullOrdering::First)
            .order_by_asc(Column::Id)
            .limit(limit);
        Ok(found.all(&self.domain.db).await?)
    }

    /// Keeps what came out of rendering pictures anew, each as it was then; what was done is not done again, whatever came out. Says how
    /// far the job is.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn keep_images(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        before: DateTime<Utc>,
        mut rendered: Vec<(ItemImage, RenderedImage)>,
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        // Items are locked in the order in which all lock them.
        rendered.sort_by_key(|(image, _)| (image.item_id, image.id));
        let ids: Vec<_> = rendered.iter().map(|(image, _)| image.id).collect();
        let tx = self.domain.begin().await?;
        for (image, outcome) in rendered {
            keep_in_tx(&tx, viewer, now, &image, outcome).await?;
        }
        audit::sign_in_tx(&tx, viewer, ACTION).await?;
        let sql = "UPDATE item_image SET rendered_at = $1 WHERE id = ANY($2) AND rendered_at IS DISTINCT FROM $1";
        tx.execute_raw(statement(sql, [now.into(), uuids(&ids)]))
            .await?;
        let percent = progress_in_tx(&tx, before).await?;
        hold_attempt_in_tx(&tx, viewer, now, job, Some(percent), None).await?;
        self.domain.commit(tx).await
    }
}

/// Asks for all pictures to be rendered anew, in a transaction that has reasons of its own; or tells the job that does it already.
pub(crate) async fn regenerate_images_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<Enqueued> {
    let task = Task::RegenerateImages { before: now };
    let asked = job::enqueue_new_in_tx(tx, viewer, now, task, ACTION).await?;
    if asked.is_new {
        let change = Change {
            action: ACTION,
            aggregate_type: "job",
            aggregate_id: asked.id.0,
            before: None::<&JobId>,
            after: Some(&asked.id),
        };
        audit::write_in_tx(tx, viewer, now, change).await?;
    }
    Ok(asked)
}

/// How many of all pictures were rendered since then, in percent.
async fn progress_in_tx(tx: &DatabaseTransaction, before: DateTime<Utc>) -> Result<i16> {
    let sql = "SELECT (100 * count(*) FILTER (WHERE rendered_at >= $1) / GREATEST(count(*), 1))::int2 AS percent
               FROM item_image WHERE state <> 'processing'";
    let row = tx.query_one_raw(statement(sql, [before.into()])).await?;
    let row = row.ok_or_else(|| Error::internal("no answer"))?;
    Ok(row.try_get("", "percent")?)
}
