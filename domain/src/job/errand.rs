//! Jobs that an operator may start by hand.

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, JobId},
    stock_reconciliation::Subject,
};
use sea_orm::{DatabaseTransaction, EntityTrait as _};
use serde::Serialize;

use super::{Enqueued, Job, Jobs, NewJob, Task, enqueue_new_in_tx, query, rules};
use crate::{
    audit::{self, Change},
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    stock, trail,
    viewer::Viewer,
};

/// What an operator wants to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewErrand {
    /// Such as `item.render_code`.
    pub kind: String,
    /// To which item; of what is done to one.
    pub item: Option<ItemId>,
    /// From -100 to 100: a higher one comes first, 0 is the usual one.
    pub priority: i16,
}

/// A job that an operator may start by hand: one that makes sense at any time. Others belong to something that is asked for in a way of its own,
/// such as an import with its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Do nothing, to see that queues are at work.
    ProbeQueue,
    /// Draw an item's QR code again.
    RenderCode(ItemId),
    /// Prove that levels are the sums of movements.
    ReconcileStock,
    /// Prove that nothing was changed behind the trail's back.
    VerifyTrail,
}

impl Errand {
    /// Every kind there is.
    pub const KINDS: [&str; 4] = [
        "item.render_code",
        "queue.probe",
        "stock.reconcile",
        "trail.verify",
    ];

    fn parse(new: &NewErrand) -> Result<Self, Refusal> {
        match (new.kind.as_str(), new.item) {
            ("item.render_code", Some(item)) => Ok(Self::RenderCode(item)),
            ("item.render_code", None) => Err(Refusal::new(Code::Required, "itemId")),
            ("queue.probe", None) => Ok(Self::ProbeQueue),
            ("stock.reconcile", None) => Ok(Self::ReconcileStock),
            ("trail.verify", None) => Ok(Self::VerifyTrail),
            ("queue.probe" | "stock.reconcile" | "trail.verify", Some(_)) => {
                Err(Refusal::new(Code::Exclusive, "itemId").with("other", &new.kind))
            }
            (kind, _) => Err(Refusal::new(Code::UnknownKind, "kind")
                .with("value", kind)
                .with("options", Self::KINDS.join(", "))),
        }
    }

    /// What it takes besides steering jobs.
    fn permission(self) -> Permission {
        match self {
            Self::ProbeQueue => Permission::JobManage,
            Self::RenderCode(_) => Permission::CatalogueWrite,
            Self::ReconcileStock => Permission::StockRead,
            Self::VerifyTrail => Permission::AuditRead,
        }
    }
}

impl Jobs<'_> {
    /// Asks for a job, and tells whether it is new: of an item's code there is one at a time, and whoever asks for another gets that one.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, or not do what this job does; when nobody may start jobs of this kind by hand, there is no such item,
    /// or the priority is out of range.
    pub async fn enqueue(
        &self,
        viewer: &Viewer,
        new: &NewErrand,
        key: Option<&str>,
    ) -> Result<(Job, bool)> {
        viewer.require(Permission::JobManage)?;
        let errand = Errand::parse(new)?;
        viewer.require(errand.permission())?;
        let priority = rules::parse_priority(new.priority)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "job.enqueue", new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let Enqueued { id, is_new } = ask_in_tx(&tx, viewer, now, errand, priority).await?;
        let job = query::find(&tx, id).await?;
        let job = job.ok_or_else(|| Error::internal("a job that was asked for is not there"))?;
        if is_new {
            record_in_tx(&tx, viewer, now, &job).await?;
        }
        let answer = (job, is_new);
        claim.keep_in_tx(&tx, &answer).await?;
        self.domain.commit(tx).await?;
        Ok(answer)
    }
}

async fn ask_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    errand: Errand,
    priority: i16,
) -> Result<Enqueued> {
    let new = |id: JobId| Enqueued { id, is_new: true };
    match errand {
        Errand::ProbeQueue => {
            let job = NewJob::new(Task::ProbeQueue).priority(priority);
            enqueue_new_in_tx(tx, viewer, now, job).await
        }
        Errand::RenderCode(item) => {
            let found = entity::item::Entity::find_by_id(item).one(tx).await?;
            found.ok_or_else(|| Refusal::new(Code::NotFound, "itemId"))?;
            let job = NewJob::new(Task::RenderCode { item_id: item });
            let job = job
                .priority(priority)
                .unique(format!("item.render_code:{item}"));
            enqueue_new_in_tx(tx, viewer, now, job).await
        }
        Errand::ReconcileStock => {
            let asked = stock::ask_in_tx(tx, viewer, now, (Subject::Levels, None), priority);
            Ok(new(asked.await?.job_id))
        }
        Errand::VerifyTrail => {
            let asked = trail::ask_in_tx(tx, viewer, now, None, priority);
            Ok(new(asked.await?.job_id))
        }
    }
}

async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    job: &Job,
) -> Result<()> {
    let change = Change {
        action: "job.enqueue",
        aggregate_type: "job",
        aggregate_id: job.id.0,
        before: None,
        after: Some(job),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn errand(kind: &str, item: Option<ItemId>) -> Result<Errand, Code> {
        let new = NewErrand {
            kind: kind.to_owned(),
            item,
            priority: 0,
        };
        Errand::parse(&new).map_err(|refusal| refusal.code)
    }

    #[test]
    fn an_item_is_named_where_it_must_be_and_nowhere_else() {
        let item = ItemId(Uuid::from_u128(7));
        for kind in Errand::KINDS {
            let is_of_item = kind == "item.render_code";
            assert_eq!(errand(kind, None).is_ok(), !is_of_item, "{kind}");
            assert_eq!(errand(kind, Some(item)).is_ok(), is_of_item, "{kind}");
        }
        assert_eq!(errand("item.render_code", None), Err(Code::Required));
        assert_eq!(errand("trail.verify", Some(item)), Err(Code::Exclusive));
    }

    #[test]
    fn other_kinds_are_not_started_by_hand() {
        for kind in ["item.import", "", "nonsense"] {
            assert_eq!(errand(kind, None), Err(Code::UnknownKind));
        }
    }
}
