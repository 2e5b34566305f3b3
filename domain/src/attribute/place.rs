//! What is demanded in a part of the tree, and what becomes of it when that part moves.

use std::collections::BTreeSet;

use entity::{id::CategoryId, ltree::Ltree};
use sea_orm::DatabaseTransaction;

use super::{
    change::contradicts_in_tx,
    check::{OnInvalid, Report, report_in_tx},
    query, rules,
    schema::{Schema, Schemas},
    schemas,
};
use crate::{error::Result, viewer::Viewer};

/// What is demanded in a subtree.
pub(crate) struct Demands {
    categories: Vec<CategoryId>,
    schemas: Schemas,
}

/// What is demanded in the subtree at this path.
pub(crate) async fn demands_in_tx(tx: &DatabaseTransaction, path: &Ltree) -> Result<Demands> {
    let categories = query::subtree_in_tx(tx, path).await?;
    let schemas = schemas(tx, &categories).await?;
    Ok(Demands {
        categories,
        schemas,
    })
}

impl Demands {
    /// Whether nothing is.
    pub(crate) fn is_free(&self) -> bool {
        self.schemas.values().all(|schema| schema.is_free())
    }

    /// Which items fit these demands, and not those of the same subtree at present.
    pub(super) async fn report_in_tx(
        &self,
        tx: &DatabaseTransaction,
        path: &Ltree,
    ) -> Result<Report> {
        let after = demands_in_tx(tx, path).await?;
        report_in_tx(tx, &self.categories, &self.schemas, &after.schemas).await
    }

    /// The categories whose items may not fit any more. Of the others, which may have many, none needs to be looked at.
    fn changed(&self, after: &Self) -> Vec<CategoryId> {
        let is_same = |id: &CategoryId| {
            let schemas = (self.schemas.get(id), after.schemas.get(id));
            matches!(schemas, (Some(before), Some(after)) if before.takes_as(after))
        };
        let categories = after.categories.iter().copied();
        categories.filter(|id| !is_same(id)).collect()
    }

    /// Whether the same values are unique, each among the same items.
    fn owns_as(&self, other: &Self) -> bool {
        fn unique(schema: &Schema) -> BTreeSet<(&str, entity::id::AttributeId)> {
            schema.unique().collect()
        }
        self.schemas.iter().all(|(id, schema)| {
            other
                .schemas
                .get(id)
                .is_some_and(|there| unique(schema) == unique(there))
        })
    }
}

/// A subtree that has come to this path may not contradict what is above it now, its items must fit, and what is unique must be so among
/// the same items as before: values are kept with the declaration that they are unique below.
pub(crate) async fn settle_move_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    path: &Ltree,
    before: &Demands,
) -> Result<()> {
    let after = demands_in_tx(tx, path).await?;
    if before.is_free() && after.is_free() {
        return Ok(());
    }
    let units = query::units(tx).await?;
    let within = query::within_in_tx(tx, path).await?;
    let above = query::above_in_tx(tx, path).await?;
    for lower in within.iter().filter(|it| it.retired_at.is_none()) {
        let mut uppers = above.iter().filter(|it| it.retired_at.is_none());
        let upper = uppers.find(|it| it.key == lower.key && it.id != lower.id);
        let Some(upper) = upper else { continue };
        if rules::check_narrower(upper, lower, &units).is_err() {
            return Err(contradicts_in_tx(tx, viewer, "parentId", upper)
                .await?
                .into());
        }
    }
    let changed = before.changed(&after);
    let report = report_in_tx(tx, &changed, &before.schemas, &after.schemas).await?;
    report.settle("parentId", OnInvalid::Refuse)?;
    if !before.owns_as(&after) {
        let refusal = crate::Refusal::new(crate::Code::UniqueElsewhere, "parentId");
        return Err(refusal.into());
    }
    Ok(())
}
