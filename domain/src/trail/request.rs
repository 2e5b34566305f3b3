//! Proofs of the trail as jobs: asked for here, made by a worker, and gone on with by another one when that dies.

use chrono::{DateTime, Utc};
use entity::{
    id::{JobId, TrailVerificationId},
    trail_verification::{ActiveModel, Entity, Model as TrailVerification},
};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ConnectionTrait as _, DatabaseTransaction,
    EntityTrait as _,
};
use serde_json::json;

use super::{Checkpoints, Trail, Verification};
use crate::{
    audit::{self, Change},
    clock::new_id,
    error::{Error, Result},
    idempotency::{Claimed, claim_in_tx},
    job::{self, Task},
    permission::Permission,
    sql::statement,
    stock::parse_note,
    viewer::Viewer,
};

impl Trail<'_> {
    /// Asks for a proof of all of the trail.
    ///
    /// # Errors
    /// When the viewer may not see the trail, or the note is too long.
    pub async fn ask(
        &self,
        viewer: &Viewer,
        note: Option<&str>,
        key: Option<&str>,
    ) -> Result<TrailVerification> {
        viewer.require(Permission::AuditRead)?;
        let note = parse_note(note)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "trail.verify", &note, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let asked = ask_in_tx(&tx, viewer, now, note).await?;
        claim.keep_in_tx(&tx, &asked).await?;
        self.domain.commit(tx).await?;
        Ok(asked)
    }

    /// The proof with this id.
    ///
    /// # Errors
    /// When the viewer may not see the trail.
    pub async fn find_verification(
        &self,
        viewer: &Viewer,
        id: TrailVerificationId,
    ) -> Result<Option<TrailVerification>> {
        viewer.require(Permission::AuditRead)?;
        Ok(Entity::find_by_id(id).one(&self.domain.reads).await?)
    }

    /// Goes on with a proof; tells whether there is more to do. The last step ends its job well.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn make_verification(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        id: TrailVerificationId,
        checkpoints: &Checkpoints,
    ) -> Result<bool> {
        viewer.require_system()?;
        let asked = Entity::find_by_id(id).one(&self.domain.db).await?;
        let asked = asked.ok_or_else(|| Error::internal("a proof that nobody asked for"))?;
        let mut state = progress(&asked)?;
        self.verify_on(viewer, &mut state, checkpoints).await?;
        let now = self.domain.now();
        let finished = state.is_done().then_some(now);
        let tx = self.domain.begin().await?;
        let sql = "UPDATE trail_verification SET progress = $2, finished_at = $3 WHERE id = $1";
        let values = [
            id.into(),
            serde_json::to_value(&state)?.into(),
            finished.into(),
        ];
        tx.execute_raw(statement(sql, values)).await?;
        if finished.is_some() {
            let result = json!({ "seals": state.seals, "rows": state.rows, "verdict": format!("{:?}", state.verdict()) });
            job::succeed_with_in_tx(&tx, viewer, now, job, &result).await?;
        }
        self.domain.commit(tx).await?;
        Ok(finished.is_none())
    }
}

/// Asks for a proof with this note, in a transaction that has reasons of its own.
pub(crate) async fn ask_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    note: Option<String>,
) -> Result<TrailVerification> {
    let id = TrailVerificationId(new_id(now));
    let task = Task::VerifyTrail {
        verification_id: id,
    };
    let job_id = job::enqueue_one_in_tx(tx, viewer, now, task).await?;
    let asked = ActiveModel {
        id: Set(id),
        job_id: Set(job_id),
        note: Set(note),
        created_at: Set(now),
        progress: Set(None),
        finished_at: Set(None),
    };
    let asked = asked.insert(tx).await?;
    let change = Change::of_new("trail.verify", "trail_verification", asked.id.0, &asked);
    audit::write_in_tx(tx, viewer, now, change).await?;
    Ok(asked)
}

/// What a proof has found up to now.
///
/// # Errors
/// When what is kept cannot be read.
pub fn progress(asked: &TrailVerification) -> Result<Verification> {
    let state = asked.progress.clone().map(serde_json::from_value);
    Ok(state.transpose()?.unwrap_or_default())
}
