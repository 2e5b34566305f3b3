//! Decisions about the tree of locations that need nothing but their arguments.

use entity::{
    id::{CategoryId, LocationId},
    location::{Kind, Model as Location},
    translations::Translations,
};
use rust_decimal::Decimal;

use super::{CATEGORIES_MAX, LocationChange, LocationFilter, NewLocation};
use crate::{
    decimal,
    error::{Code, Refusal, Refusals, Result},
    filter::{CONDITIONS_MAX, TextFilter},
    patch::Patch,
    sku, text, tree,
};

/// Decimal places of a capacity.
const CAPACITY_PLACES: u32 = 6;
/// Largest capacity, in millionths.
const CAPACITY_MAX: i64 = 999_999_999_999_999_999;

/// What a location is, valid.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) code: String,
    pub(super) name: Translations,
    pub(super) kind: Kind,
    pub(super) negative_allowed: bool,
    pub(super) capacity: Option<Decimal>,
    pub(super) external_reference: Option<String>,
}

/// A change of that, valid.
#[derive(Clone, Debug, Default)]
pub(super) struct FactsChange {
    pub(super) code: Option<String>,
    pub(super) name: Option<Translations>,
    pub(super) kind: Option<Kind>,
    pub(super) negative_allowed: Option<bool>,
    pub(super) capacity: Patch<Decimal>,
    pub(super) external_reference: Patch<String>,
}

/// What the location is, and which categories it is kept for.
pub(super) fn parse_new(new: &NewLocation) -> Result<(Facts, Vec<CategoryId>)> {
    let NewLocation {
        parent_id: _,
        code,
        name,
        kind,
        negative_allowed,
        capacity,
        category_ids,
        external_reference,
    } = new;
    let mut refusals = Refusals::default();
    let code = refusals.take(sku::parse("code", code));
    let name = text::take_all(&mut refusals, text::name("name", name));
    let capacity = refusals.take(capacity.map(parse_capacity).transpose());
    let categories = refusals.take(parse_categories(category_ids));
    let reference = refusals.take(
        external_reference
            .as_deref()
            .map(text::external_reference)
            .transpose(),
    );
    if kind.is_virtual() {
        let is_bounded = capacity.flatten().is_some();
        let is_kept = !category_ids.is_empty();
        push_bounds(&mut refusals, *negative_allowed, is_bounded, is_kept);
    }
    let parsed = (|| {
        let facts = Facts {
            code: code?,
            name: name?,
            kind: *kind,
            negative_allowed: negative_allowed.unwrap_or(kind.is_virtual()),
            capacity: capacity?,
            external_reference: reference?,
        };
        Some((facts, categories?))
    })();
    refusals.into_result(parsed)
}

/// What is to be different, and which categories it is kept for then.
pub(super) fn parse_change(
    change: &LocationChange,
) -> Result<(FactsChange, Option<Vec<CategoryId>>)> {
    let LocationChange {
        code,
        name,
        kind,
        negative_allowed,
        capacity,
        category_ids,
        external_reference,
    } = change.clone();
    let mut refusals = Refusals::default();
    let code = refusals.take(code.map(|code| sku::parse("code", &code)).transpose());
    let name = text::take_all(
        &mut refusals,
        name.map(|name| text::name("name", &name)).transpose(),
    );
    let capacity = refusals.take(capacity.try_map(parse_capacity));
    let categories = refusals.take(category_ids.as_deref().map(parse_categories).transpose());
    let reference =
        refusals.take(external_reference.try_map(|reference| text::external_reference(&reference)));
    let parsed = (|| {
        let change = FactsChange {
            code: code?,
            name: name?,
            kind,
            negative_allowed,
            capacity: capacity?,
            external_reference: reference?,
        };
        Some((change, categories?))
    })();
    refusals.into_result(parsed)
}

fn parse_capacity(capacity: Decimal) -> Result<Decimal, Refusal> {
    let min = Decimal::new(1, CAPACITY_PLACES);
    let max = Decimal::new(CAPACITY_MAX, CAPACITY_PLACES);
    decimal::within("capacity", capacity, (min, max), CAPACITY_PLACES)
}

/// Each once, in the order of ids.
fn parse_categories(ids: &[CategoryId]) -> Result<Vec<CategoryId>, Refusal> {
    if ids.len() > CATEGORIES_MAX {
        return Err(Refusal::new(Code::TooMany, "categoryIds").with("max", CATEGORIES_MAX));
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Less than nothing may lie in a virtual location, any amount, and everything.
fn push_bounds(
    refusals: &mut Refusals,
    negative_allowed: Option<bool>,
    is_bounded: bool,
    is_kept: bool,
) {
    for (is_said, path) in [
        (negative_allowed == Some(false), "negativeAllowed"),
        (is_bounded, "capacity"),
        (is_kept, "categoryIds"),
    ] {
        if is_said {
            refusals.push(Refusal::new(Code::VirtualLocation, path));
        }
    }
}

/// Whether the location can become so. A virtual one stays what it is, and no other becomes virtual.
pub(super) fn check_change(
    location: &Location,
    change: &FactsChange,
    categories: Option<&[CategoryId]>,
) -> Result<()> {
    let mut refusals = Refusals::default();
    let kind = change.kind.unwrap_or(location.kind);
    if !mixes(location.kind, kind) {
        refusals.push(Refusal::new(Code::KindMismatch, "kind"));
    }
    if location.is_virtual {
        let is_bounded = matches!(change.capacity, Patch::Set(_));
        let is_kept = categories.is_some_and(|categories| !categories.is_empty());
        push_bounds(&mut refusals, change.negative_allowed, is_bounded, is_kept);
    }
    refusals.into_result(Some(()))
}

/// Whether one may become the other, or lie below it: virtual kinds keep to themselves.
fn mixes(one: Kind, other: Kind) -> bool {
    one == other || !one.is_virtual() && !other.is_virtual()
}

/// Whether a location of this kind may lie below that parent.
pub(super) fn check_below(kind: Kind, parent: Option<&Location>) -> Result<(), Refusal> {
    match parent {
        Some(parent) if !mixes(kind, parent.kind) => {
            Err(Refusal::new(Code::KindMismatch, "parentId"))
        }
        _ => Ok(()),
    }
}

/// A location may not come to lie below itself, nor below one of a kind that it does not go with.
pub(super) fn check_move(location: &Location, parent: Option<&Location>) -> Result<(), Refusal> {
    tree::check_move(location, parent)?;
    check_below(location.kind, parent)
}

/// Movements need the locations that every shop has.
pub(super) fn check_archive(closing: &[LocationId]) -> Result<(), Refusal> {
    if closing.iter().any(|id| LocationId::SEEDED.contains(id)) {
        return Err(Refusal::new(Code::BuiltIn, "id"));
    }
    Ok(())
}

/// What lies in a closed location could not be taken out any more.
pub(super) fn check_empty(items: i64) -> Result<(), Refusal> {
    match items {
        0 => Ok(()),
        _ => Err(Refusal::new(Code::NotEmpty, "id").with("count", items)),
    }
}

/// Tells the first category that there is not.
pub(super) fn check_categories(wanted: &[CategoryId], known: &[CategoryId]) -> Result<(), Refusal> {
    if wanted.iter().all(|id| known.contains(id)) {
        Ok(())
    } else {
        Err(Refusal::new(Code::NotFound, "categoryIds"))
    }
}

/// Bounds what a client can make us compare.
pub(super) fn check_filter(filter: &LocationFilter) -> Result<(), Refusal> {
    let LocationFilter {
        kind_in,
        is_virtual: _,
        parent_id: _,
        descendant_of: _,
        code,
        external_reference,
        include_archived: _,
    } = filter;
    let texts = [code, external_reference].into_iter().flatten();
    let conditions =
        kind_in.as_ref().map_or(0, Vec::len) + texts.clone().map(TextFilter::size).sum::<usize>();
    if conditions > CONDITIONS_MAX {
        return Err(Refusal::new(Code::TooMany, "where").with("max", CONDITIONS_MAX));
    }
    texts.into_iter().try_for_each(TextFilter::check)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
