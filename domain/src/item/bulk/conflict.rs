//! Values that no two items may have: whose they are, in the database and among the rows of one call.

use std::collections::HashMap;

use entity::id::ItemId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};

use super::{super::rules::Draft, found::Found};
use crate::{
    error::{Code, Refusal, Result},
    sql::statement,
};

/// Which sort of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sort {
    Sku,
    Reference,
    Barcode,
}

/// Whose the values are.
#[derive(Debug, Default)]
pub(super) struct Owners(HashMap<(Sort, String), ItemId>);

/// Unique values that an item shall have and does not have yet.
fn wanted(draft: &Draft, before: Option<&Found>) -> Vec<(Sort, String, String)> {
    let mut wanted = Vec::with_capacity(2 + draft.barcodes.len());
    if before.is_none_or(|before| before.item.sku != draft.sku) {
        wanted.push((Sort::Sku, draft.sku.clone(), "sku".to_owned()));
    }
    if let Some(reference) = &draft.external_reference
        && before.is_none_or(|before| before.item.external_reference.as_ref() != Some(reference))
    {
        let path = "externalReference".to_owned();
        wanted.push((Sort::Reference, reference.clone(), path));
    }
    for (index, barcode) in draft.barcodes.iter().enumerate() {
        if before.is_none_or(|before| !before.barcodes.contains(barcode)) {
            wanted.push((Sort::Barcode, barcode.clone(), format!("barcodes.{index}")));
        }
    }
    wanted
}

impl Owners {
    /// Looks up, in one statement, whose the values are that these drafts need.
    pub(super) async fn read_in_tx<'a>(
        tx: &DatabaseTransaction,
        drafts: impl IntoIterator<Item = (&'a Draft, Option<&'a Found>)>,
    ) -> Result<Self> {
        let (mut skus, mut references, mut barcodes) = (Vec::new(), Vec::new(), Vec::new());
        for (draft, before) in drafts {
            for (sort, value, _) in wanted(draft, before) {
                match sort {
                    Sort::Sku => skus.push(value),
                    Sort::Reference => references.push(value),
                    Sort::Barcode => barcodes.push(value),
                }
            }
        }
        if skus.is_empty() && references.is_empty() && barcodes.is_empty() {
            return Ok(Self::default());
        }
        let sql = "SELECT 0, sku, id FROM item WHERE sku = ANY($1)
                   UNION ALL SELECT 1, external_reference, id FROM item WHERE external_reference = ANY($2)
                   UNION ALL SELECT 2, barcode, item_id FROM item_barcode WHERE barcode = ANY($3)";
        let values = [skus.into(), references.into(), barcodes.into()];
        let found = tx.query_all_raw(statement(sql, values)).await?;
        let owners = found.iter().map(owner).collect::<Result<_, DbErr>>()?;
        Ok(Self(owners))
    }

    /// Makes all unique values of the draft the item's, unless one of them is another's.
    ///
    /// # Errors
    /// Each value that is another item's. Then nothing is claimed.
    pub(super) fn claim(
        &mut self,
        id: ItemId,
        draft: &Draft,
        before: Option<&Found>,
    ) -> Result<(), Vec<Refusal>> {
        let wanted = wanted(draft, before);
        let taken = wanted.iter().filter(|(sort, value, _)| {
            let owner = self.0.get(&(*sort, value.clone()));
            owner.is_some_and(|owner| *owner != id)
        });
        let refusals: Vec<_> = taken
            .map(|(_, value, path)| Refusal::new(Code::AlreadyTaken, path).with("value", value))
            .collect();
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let claimed = wanted
            .into_iter()
            .map(|(sort, value, _)| ((sort, value), id));
        self.0.extend(claimed);
        Ok(())
    }
}

fn owner(row: &QueryResult) -> Result<((Sort, String), ItemId), DbErr> {
    let sort = match row.try_get_by_index::<i32>(0)? {
        0 => Sort::Sku,
        1 => Sort::Reference,
        _ => Sort::Barcode,
    };
    Ok(((sort, row.try_get_by_index(1)?), row.try_get_by_index(2)?))
}
