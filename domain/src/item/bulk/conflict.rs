//! Values that no two items may have: whose they are, in the database and among the rows of one call.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
};

use entity::id::{AttributeId, ItemId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};

use super::valid::Valid;
use crate::{
    error::{Code, Refusal, Result},
    sql::{statement, uuids},
};

/// Which sort of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sort {
    Sku,
    Reference,
    Barcode,
    Huid,
    Attribute(AttributeId),
    /// Values of options, among the variants of this template.
    Variant(ItemId),
}

type Place = (Sort, String);

/// Whose the values are.
#[derive(Debug, Default)]
pub(super) struct Owners {
    owners: HashMap<Place, ItemId>,
    claimed: Vec<Place>,
}

/// Values that rows would have which were looked at and not written, as hashes: a million of them are some twenty megabytes. Two different
/// values with the same hash would refuse a row that is right; with sixty-four bits that happens in one of some million files of that size.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    hashes: HashSet<u64>,
    state: RandomState,
}

impl Earlier {
    fn has(&self, place: &Place) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&self.state.hash_one(place))
    }

    /// The same with those that were claimed since.
    pub(crate) fn remember(&mut self, claimed: UniqueValues) {
        for place in claimed.0 {
            self.hashes.insert(self.state.hash_one(place));
        }
    }
}

/// What rows have claimed.
#[derive(Debug, Default)]
pub(crate) struct UniqueValues(Vec<Place>);

/// Unique values that an item shall have, with their paths; of those that it has already only what cannot be told without asking.
fn wanted(row: &Valid<'_>) -> Vec<(Place, String)> {
    let (draft, before) = (&row.draft, row.before);
    let mut wanted = Vec::with_capacity(2 + draft.barcodes.len());
    if before.is_none_or(|before| before.item.sku != draft.sku) {
        wanted.push(((Sort::Sku, draft.sku.clone()), "sku".to_owned()));
    }
    if let Some(reference) = &draft.external_reference
        && before.is_none_or(|before| before.item.external_reference.as_ref() != Some(reference))
    {
        let path = "externalReference".to_owned();
        wanted.push(((Sort::Reference, reference.clone()), path));
    }
    for (index, barcode) in draft.barcodes.iter().enumerate() {
        if before.is_none_or(|before| !before.barcodes.contains(barcode)) {
            let path = format!("barcodes.{index}");
            wanted.push(((Sort::Barcode, barcode.clone()), path));
        }
    }
    let had = before.and_then(|before| before.metal.as_ref()?.huid.as_deref());
    if let Some(huid) = draft.huid().filter(|huid| had != Some(*huid)) {
        wanted.push(((Sort::Huid, huid.to_owned()), "metal.huid".to_owned()));
    }
    for unique in row.facts.iter().flat_map(|facts| &facts.unique) {
        let place = (Sort::Attribute(unique.attribute_id), unique.value.clone());
        wanted.push((place, unique.path.clone()));
    }
    if let Some(variant) = &row.variant
        && !before.is_some_and(|before| variant.is_of(&before.item))
    {
        let place = (Sort::Variant(variant.template), variant.options.clone());
        wanted.push((place, variant.path.to_owned()));
    }
    wanted
}

impl Owners {
    /// Looks up, in one statement, whose the values are that these rows need.
    pub(super) async fn read_in_tx(tx: &DatabaseTransaction, rows: &[Valid<'_>]) -> Result<Self> {
        let (mut skus, mut references, mut barcodes) = (Vec::new(), Vec::new(), Vec::new());
        let (mut huids, mut attributes, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let (mut templates, mut options) = (Vec::new(), Vec::new());
        for ((sort, value), _) in rows.iter().flat_map(wanted) {
            match sort {
                Sort::Sku => skus.push(value),
                Sort::Reference => references.push(value),
                Sort::Barcode => barcodes.push(value),
                Sort::Huid => huids.push(value),
                Sort::Attribute(id) => {
                    attributes.push(id);
                    values.push(value);
                }
                Sort::Variant(template) => {
                    templates.push(template);
                    options.push(value);
                }
            }
        }
        if [&skus, &references, &barcodes, &huids, &values, &options]
            .iter()
            .all(|list| list.is_empty())
        {
            return Ok(Self::default());
        }
        let sql = "SELECT 0, sku, id, NULL::uuid FROM item WHERE sku = ANY($1)
                   UNION ALL SELECT 1, external_reference, id, NULL FROM item WHERE external_reference = ANY($2)
                   UNION ALL SELECT 2, barcode, item_id, NULL FROM item_barcode WHERE barcode = ANY($3)
                   UNION ALL SELECT 3, huid, item_id, NULL FROM item_metal WHERE huid = ANY($4)
                   UNION ALL SELECT 4, u.value, u.item_id, u.attribute_id
                   FROM unnest($5::uuid[], $6::text[]) AS w (attribute_id, value) JOIN item_attribute_unique u USING (attribute_id, value)
                   UNION ALL SELECT 5, v.options, i.id, i.template_id
                   FROM unnest($7::uuid[], $8::text[]) AS v (template_id, options)
                   JOIN item i ON i.template_id = v.template_id AND i.variant_options = v.options::jsonb";
        let values = [
            skus.into(),
            references.into(),
            barcodes.into(),
            huids.into(),
            uuids(&attributes),
            values.into(),
            uuids(&templates),
            options.into(),
        ];
        let found = tx.query_all_raw(statement(sql, values)).await?;
        let owners = found.iter().map(owner).collect::<Result<_, DbErr>>()?;
        Ok(Self {
            owners,
            claimed: Vec::new(),
        })
    }

    /// Makes all unique values of the row its item's, unless one of them is another's.
    ///
    /// # Errors
    /// Each value that is another item's. Then nothing is claimed.
    pub(super) fn claim(&mut self, earlier: &Earlier, row: &Valid<'_>) -> Result<(), Vec<Refusal>> {
        let wanted = wanted(row);
        let taken = wanted.iter().filter(|(place, _)| {
            let owner = self.owners.get(place);
            owner.is_some_and(|owner| *owner != row.id) || earlier.has(place)
        });
        let refusals: Vec<_> = taken.map(|(place, path)| refuse(place, path)).collect();
        if !refusals.is_empty() {
            return Err(refusals);
        }
        for (place, _) in wanted {
            self.owners.insert(place.clone(), row.id);
            self.claimed.push(place);
        }
        Ok(())
    }

    /// All that was claimed.
    pub(super) fn into_claimed(self) -> UniqueValues {
        UniqueValues(self.claimed)
    }
}

fn refuse((sort, value): &Place, path: &str) -> Refusal {
    match sort {
        Sort::Variant(_) => Refusal::new(Code::VariantExists, path),
        _ => Refusal::new(Code::AlreadyTaken, path).with("value", value),
    }
}

fn owner(row: &QueryResult) -> Result<(Place, ItemId), DbErr> {
    let of: Option<uuid::Uuid> = row.try_get_by_index(3)?;
    let sort = match (row.try_get_by_index::<i32>(0)?, of) {
        (0, _) => Sort::Sku,
        (1, _) => Sort::Reference,
        (2, _) => Sort::Barcode,
        (_, None) => Sort::Huid,
        (4, Some(id)) => Sort::Attribute(id.into()),
        (_, Some(id)) => Sort::Variant(id.into()),
    };
    Ok(((sort, row.try_get_by_index(1)?), row.try_get_by_index(2)?))
}
