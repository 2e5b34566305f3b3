//! Proofs of the books that take longer than a request may: asked for here, made by a worker, or on the command line.

use chrono::{DateTime, Utc};
use entity::{
    id::{JobId, LedgerVerificationId},
    ledger_verification::{ActiveModel, Entity, Model as LedgerVerification},
};
use sea_orm::{
    AccessMode, ActiveModelTrait as _, ActiveValue::Set, ConnectionTrait as _, DatabaseTransaction,
    EntityTrait as _, IsolationLevel,
};
use serde_json::json;

use super::{
    Journal,
    verify::{self, Difference},
};
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

/// What this transaction may do longer than others: read every line, as long as an attempt at the job may take. When the worker dies
/// meanwhile, PostgreSQL is to notice, and not to read on for nobody.
const PATIENCE: &str = "SET LOCAL statement_timeout = '1h'; SET LOCAL work_mem = '64MB'; \
    SET LOCAL client_connection_check_interval = '5s'";

/// The books as they were found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// When reading began: what was committed by then was seen, and nothing later.
    pub as_of: DateTime<Utc>,
    /// How many things are not what they should be.
    pub count: i64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

impl Journal<'_> {
    /// Asks for a proof of the books, however large they are.
    ///
    /// # Errors
    /// When the viewer may not manage the books, or the note is too long.
    pub async fn ask_verification(
        &self,
        viewer: &Viewer,
        note: Option<&str>,
        key: Option<&str>,
    ) -> Result<LedgerVerification> {
        viewer.require(Permission::BooksManage)?;
        let note = parse_note(note)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "ledger.verify", &note, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let asked = ask_verification_in_tx(&tx, viewer, now, note).await?;
        claim.keep_in_tx(&tx, &asked).await?;
        self.domain.commit(tx).await?;
        Ok(asked)
    }

    /// The proof with this id.
    ///
    /// # Errors
    /// When the viewer may not manage the books.
    pub async fn find_verification(
        &self,
        viewer: &Viewer,
        id: LedgerVerificationId,
    ) -> Result<Option<LedgerVerification>> {
        viewer.require(Permission::BooksManage)?;
        Ok(Entity::find_by_id(id).one(&self.domain.reads).await?)
    }

    /// Makes the proof, ends its job well, and tells how many things are not what they should be. What it has found is kept in a transaction of its own, for the one that reads only reads.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn make_verification(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        id: LedgerVerificationId,
    ) -> Result<i64> {
        let proof = self.prove(viewer).await?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        keep_in_tx(&tx, id, &proof, now).await?;
        let result = json!({ "differences": proof.count });
        job::succeed_with_in_tx(&tx, viewer, now, job, &result).await?;
        self.domain.commit(tx).await?;
        Ok(proof.count)
    }

    /// Adds everything up again, as long as that takes. All is read at one moment, while posting goes on.
    ///
    /// # Errors
    /// When a person asks, it takes longer than an hour, or the database fails.
    pub async fn prove(&self, viewer: &Viewer) -> Result<Proof> {
        viewer.require_system()?;
        let isolation = Some(IsolationLevel::RepeatableRead);
        let access = Some(AccessMode::ReadOnly);
        let tx = self.domain.db.begin_with_config(isolation, access).await?;
        tx.execute_unprepared(PATIENCE).await?;
        let as_of = self.domain.now();
        let found = verify::find(&tx).await?;
        tx.commit().await?;
        Ok(Proof {
            as_of,
            count: found.count,
            differences: found.first,
        })
    }
}

/// Asks for a proof with this note, in a transaction that has reasons of its own.
pub(crate) async fn ask_verification_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    note: Option<String>,
) -> Result<LedgerVerification> {
    let id = LedgerVerificationId(new_id(now));
    let task = Task::VerifyLedger {
        verification_id: id,
    };
    let job_id = job::enqueue_one_in_tx(tx, viewer, now, task).await?;
    let asked = ActiveModel {
        id: Set(id),
        job_id: Set(job_id),
        note: Set(note),
        created_at: Set(now),
        ..Default::default()
    };
    let asked = asked.insert(tx).await?;
    let change = Change::of_new("ledger.verify", "ledger_verification", asked.id.0, &asked);
    audit::write_in_tx(tx, viewer, now, change).await?;
    Ok(asked)
}

async fn keep_in_tx(
    tx: &DatabaseTransaction,
    id: LedgerVerificationId,
    proof: &Proof,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "UPDATE ledger_verification SET as_of = $2, finished_at = $3, difference_count = $4, differences = $5 WHERE id = $1";
    let values = [
        id.into(),
        proof.as_of.into(),
        now.into(),
        proof.count.into(),
        serde_json::to_value(&proof.differences)?.into(),
    ];
    let kept = tx.execute_raw(statement(sql, values)).await?;
    if kept.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::internal("a proof that nobody asked for"))
    }
}

/// The differences that a proof has named; none before it was made.
///
/// # Errors
/// When what is kept cannot be read.
pub fn differences(verification: &LedgerVerification) -> Result<Option<Vec<Difference>>> {
    let kept = verification.differences.clone();
    Ok(kept.map(serde_json::from_value).transpose()?)
}
