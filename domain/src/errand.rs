//! What goldshop can be told to do at any time: by hand ([`crate::job::Jobs::enqueue`]), or by a schedule ([`crate::schedule`]). Each is asked for as
//! somebody at a desk would. Whoever adds one adds a line to [`Errand`], and one to each `match` here.

use chrono::{DateTime, Utc};
use entity::{
    id::{ItemId, JobId},
    stock_reconciliation::Subject,
};
use sea_orm::{ActiveEnum as _, DatabaseTransaction, EntityTrait as _};

pub use entity::errand::Errand;

use crate::{
    backup,
    error::{Code, Refusal, Result},
    item,
    job::{self, Enqueued, Task},
    journal,
    permission::Permission,
    retention, stock, trail,
    viewer::Viewer,
};

/// An errand with all that it needs to know: it can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    errand: Errand,
    item: Option<ItemId>,
}

impl Order {
    /// What is to be done, and to which item: of what is done to one, and of nothing else.
    pub(crate) fn parse(errand: Errand, item: Option<ItemId>) -> Result<Self, Refusal> {
        let order = Self { errand, item };
        match (errand, item) {
            (Errand::RenderCode, None) => Err(item_is_missing()),
            (Errand::RenderCode, Some(_)) | (_, None) => Ok(order),
            (_, Some(_)) => {
                Err(Refusal::new(Code::Exclusive, "itemId").with("other", errand.to_value()))
            }
        }
    }

    /// The same for a schedule, which knows of no item.
    pub(crate) fn parse_scheduled(errand: Errand) -> Result<Self, Refusal> {
        Self::parse(errand, None).map_err(|_refusal| {
            Refusal::new(Code::NotBySchedule, "errand").with("value", errand.to_value())
        })
    }

    /// What it takes to ask for it by hand, besides steering jobs.
    pub(crate) fn permission(self) -> Permission {
        match self.errand {
            Errand::CreateBackup | Errand::VerifyBackup => Permission::BackupManage,
            Errand::FetchMetalRates => Permission::PricingWrite,
            Errand::ReconcileCosts | Errand::ReconcileLevels | Errand::ReconcileSeries => {
                Permission::StockRead
            }
            Errand::ProbeQueue | Errand::RegenerateImages => Permission::JobManage,
            Errand::RenderCode => Permission::CatalogueWrite,
            Errand::Retention => Permission::RetentionManage,
            Errand::VerifyLedger => Permission::BooksManage,
            Errand::VerifyTrail => Permission::AuditRead,
        }
    }

    /// What all jobs have in common that are asked for by hand for this: there is one at a time. None where they are not in each other's way.
    pub(crate) fn unique_key(self) -> Option<String> {
        let name = self.errand.to_value();
        match (self.errand, self.item) {
            (Errand::ProbeQueue, _) => None,
            (_, Some(item)) => Some(format!("{name}:{item}")),
            (_, None) => Some(name),
        }
    }

    /// Asks for the job, in a transaction that has reasons of its own, or tells the one that does it already where there can be only one. The
    /// note says why.
    pub(crate) async fn ask_in_tx(
        self,
        tx: &DatabaseTransaction,
        viewer: &Viewer,
        now: DateTime<Utc>,
        note: Option<String>,
    ) -> Result<Enqueued> {
        match self.errand {
            Errand::CreateBackup => backup::ask_or_join_in_tx(tx, viewer, now, note).await,
            Errand::FetchMetalRates => {
                let job = job::enqueue_one_in_tx(tx, viewer, now, Task::FetchMetalRates);
                job.await.map(new)
            }
            Errand::ProbeQueue => {
                let job = job::enqueue_one_in_tx(tx, viewer, now, Task::ProbeQueue);
                job.await.map(new)
            }
            Errand::ReconcileCosts => reconcile(tx, viewer, now, Subject::Costs, note).await,
            Errand::ReconcileLevels => reconcile(tx, viewer, now, Subject::Levels, note).await,
            Errand::ReconcileSeries => reconcile(tx, viewer, now, Subject::Series, note).await,
            Errand::RegenerateImages => item::regenerate_images_in_tx(tx, viewer, now).await,
            Errand::RenderCode => {
                let item = self.item.ok_or_else(item_is_missing)?;
                render_code_in_tx(tx, viewer, now, item).await
            }
            Errand::Retention => retention::run_in_tx(tx, viewer, now).await.map(new),
            Errand::VerifyBackup => backup::verify_newest_in_tx(tx, viewer, now).await,
            Errand::VerifyLedger => {
                let asked = journal::ask_verification_in_tx(tx, viewer, now, note).await?;
                Ok(new(asked.job_id))
            }
            Errand::VerifyTrail => {
                let asked = trail::ask_in_tx(tx, viewer, now, note).await?;
                Ok(new(asked.job_id))
            }
        }
    }
}

fn item_is_missing() -> Refusal {
    Refusal::new(Code::Required, "itemId")
}

fn new(id: JobId) -> Enqueued {
    Enqueued { id, is_new: true }
}

async fn reconcile(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    subject: Subject,
    note: Option<String>,
) -> Result<Enqueued> {
    let asked = stock::ask_in_tx(tx, viewer, now, (subject, note)).await?;
    Ok(new(asked.job_id))
}

async fn render_code_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    item: ItemId,
) -> Result<Enqueued> {
    let found = entity::item::Entity::find_by_id(item).one(tx).await?;
    found.ok_or_else(|| Refusal::new(Code::NotFound, "itemId"))?;
    let task = Task::RenderCode { item_id: item };
    let job = job::enqueue_one_in_tx(tx, viewer, now, task);
    job.await.map(new)
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable as _;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const ITEM: ItemId = ItemId(Uuid::from_u128(7));

    #[test]
    fn an_item_is_named_where_it_must_be_and_nowhere_else() {
        for errand in Errand::iter() {
            let is_of_item = errand == Errand::RenderCode;
            let (without, with) = (Order::parse(errand, None), Order::parse(errand, Some(ITEM)));
            assert_eq!(without.is_ok(), !is_of_item, "{errand:?}");
            assert_eq!(with.is_ok(), is_of_item, "{errand:?}");
            let scheduled = Order::parse_scheduled(errand).map_err(|refusal| refusal.code);
            match without {
                Ok(order) => assert_eq!(scheduled, Ok(order)),
                Err(_) => assert_eq!(scheduled, Err(Code::NotBySchedule)),
            }
        }
        let code = |errand, item| Order::parse(errand, item).unwrap_err().code;
        assert_eq!(code(Errand::RenderCode, None), Code::Required);
        assert_eq!(code(Errand::VerifyTrail, Some(ITEM)), Code::Exclusive);
    }

    #[test]
    fn names_are_the_same_everywhere_and_stay_as_they_are() {
        let names: Vec<_> = Errand::iter().map(|errand| errand.to_value()).collect();
        assert_eq!(
            names,
            [
                "backup.create",
                "metal_rate.fetch",
                "queue.probe",
                "stock.reconcile_costs",
                "stock.reconcile_levels",
                "stock.reconcile_series",
                "images.regenerate",
                "item.render_code",
                "retention.run",
                "backup.verify",
                "ledger.verify",
                "trail.verify",
            ]
        );
        for errand in Errand::iter() {
            assert_eq!(json!(errand), json!(errand.to_value()));
        }
        // As answers of an older release have them, which are kept for requests that are sent again.
        for (name, errand) in [
            ("create_backup", Errand::CreateBackup),
            ("fetch_metal_rates", Errand::FetchMetalRates),
            ("reconcile_costs", Errand::ReconcileCosts),
            ("reconcile_levels", Errand::ReconcileLevels),
            ("reconcile_series", Errand::ReconcileSeries),
            ("retention", Errand::Retention),
            ("verify_backup", Errand::VerifyBackup),
            ("verify_trail", Errand::VerifyTrail),
        ] {
            assert_eq!(
                serde_json::from_value::<Errand>(json!(name)).unwrap(),
                errand
            );
        }
    }

    #[test]
    fn what_is_done_to_one_thing_is_unique_for_that_thing() {
        let items = [None, Some(ITEM), Some(ItemId(Uuid::from_u128(8)))];
        let keys: Vec<_> = Errand::iter()
            .flat_map(|errand| items.map(|item| Order::parse(errand, item)))
            .filter_map(|order| order.ok()?.unique_key())
            .collect();
        let mut different = keys.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!((different.len(), keys.len()), (12, 12), "{keys:?}");
    }
}
