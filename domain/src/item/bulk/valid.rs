//! Rows on their way: each has been looked at alone, and is now looked at with all others against what is in the database.

use entity::id::ItemId;
use sea_orm::DatabaseTransaction;

use super::{
    super::{
        facts::{self, Said, Settled, Variant, Wish},
        rules::Draft,
    },
    conflict::{Earlier, Owners},
    found::Found,
    outcome::Refused,
};
use crate::{
    attribute::Checked,
    error::{Code, Refusal, Result},
    stock,
};

/// How much a row says of its item's attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Nothing,
    Some,
    All,
}

/// A row whose values are valid.
pub(super) struct Valid<'a> {
    /// Its place among the rows.
    pub(super) index: usize,
    /// Its item, there already or to be.
    pub(super) id: ItemId,
    /// How that is; none for a new one.
    pub(super) before: Option<&'a Found>,
    /// How it shall be. Until [`settle_in_tx`] has looked at them, its attributes are what the row says of them.
    pub(super) draft: Draft,
    pub(super) extent: Extent,
    /// Its attributes, unless they stay as they are.
    pub(super) facts: Option<Checked>,
    /// What it is to be among the variants of its template, when that was looked at.
    pub(super) variant: Option<Variant>,
}

impl Valid<'_> {
    fn wish(&self) -> Wish<'_> {
        let written = &self.draft.attributes;
        Wish {
            category: self.draft.category_id,
            before: self.before.map(|before| &before.item),
            template: self.draft.template_id,
            said: match self.extent {
                Extent::Nothing => Said::Nothing,
                Extent::Some => Said::Some(written),
                Extent::All => Said::All(written),
            },
            pricing: self
                .draft
                .pricing
                .as_ref()
                .filter(|_| self.is_priced_anew()),
        }
    }

    /// Whether it is to be priced in another way.
    pub(super) fn is_priced_anew(&self) -> bool {
        let pricing = self.draft.pricing.as_ref();
        match self.before {
            Some(before) => !before.is_priced(pricing),
            None => pricing.is_some(),
        }
    }

    /// Whether something else is to be known of its metal.
    pub(super) fn is_of_another_metal(&self) -> bool {
        let metal = self.draft.metal.as_ref();
        match self.before {
            Some(before) => !before.is_of(metal),
            None => metal.is_some(),
        }
    }

    /// Whether its barcodes are to be others.
    pub(super) fn has_other_barcodes(&self) -> bool {
        match self.before {
            Some(before) => before.barcodes != self.draft.barcodes,
            None => !self.draft.barcodes.is_empty(),
        }
    }

    fn take(&mut self, settled: Settled) {
        let Settled { facts, variant } = settled;
        self.draft.attributes = match (&facts, self.before) {
            (Some(facts), _) => facts.values.clone().into(),
            (None, Some(before)) => before.item.attributes.clone(),
            (None, None) => serde_json::Map::new().into(),
        };
        self.facts = facts;
        self.variant = variant;
    }

    /// Whether the item is so already.
    pub(super) fn is_so(&self) -> bool {
        self.before.is_some_and(|before| before.is(&self.draft))
    }
}

/// In what an item is counted and how its pieces are told apart does not change under its stock.
async fn keep_as_stocked_in_tx(
    tx: &DatabaseTransaction,
    rows: &mut Vec<Valid<'_>>,
    refused: &mut Refused,
) -> Result<()> {
    let changed = |row: &Valid<'_>| {
        let before = &row.before?.item;
        let changes = [
            (before.tracking != row.draft.tracking, "tracking"),
            (before.unit_id != row.draft.unit_id, "unitId"),
            (before.kind != row.draft.kind, "kind"),
        ];
        let mut changes = changes.into_iter().filter(|(is_changed, _)| *is_changed);
        changes.next().map(|(_, field)| field)
    };
    let changing: Vec<_> = rows
        .iter()
        .filter(|row| changed(row).is_some())
        .map(|row| row.id)
        .collect();
    if changing.is_empty() {
        return Ok(());
    }
    let stocked = stock::stocked_in_tx(tx, &changing).await?;
    rows.retain(|row| match changed(row) {
        Some(field) if stocked.contains(&row.id) => {
            refused.add(row.index, [Refusal::new(Code::InUse, field)]);
            false
        }
        _ => true,
    });
    Ok(())
}

/// Brings the attributes of all rows into the form in which they are kept. Their categories are locked.
pub(super) async fn settle_in_tx(
    tx: &DatabaseTransaction,
    rows: &mut Vec<Valid<'_>>,
    refused: &mut Refused,
) -> Result<()> {
    keep_as_stocked_in_tx(tx, rows, refused).await?;
    let wishes: Vec<_> = rows.iter().map(Valid::wish).collect();
    let mut checked = facts::of_many_in_tx(tx, &wishes).await?.into_iter();
    rows.retain_mut(|row| match checked.next() {
        Some(Ok(settled)) => {
            row.take(settled);
            true
        }
        Some(Err(refusals)) => {
            refused.add(row.index, refusals);
            false
        }
        None => false,
    });
    Ok(())
}

/// Makes the unique values of all rows those of their items; rows that want another item's are refused.
pub(super) async fn own_in_tx(
    tx: &DatabaseTransaction,
    earlier: &Earlier,
    rows: &mut Vec<Valid<'_>>,
    refused: &mut Refused,
) -> Result<Owners> {
    let mut owners = Owners::read_in_tx(tx, rows).await?;
    rows.retain(|row| match owners.claim(earlier, row) {
        Ok(()) => true,
        Err(refusals) => {
            refused.add(row.index, refusals);
            false
        }
    });
    Ok(owners)
}
