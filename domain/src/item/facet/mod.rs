//! Facets: how many of the selected items have which value, so that somebody can choose among what there is.
//!
//! Each facet is counted without the conditions that are about itself: who has chosen gold still sees how much silver there is.

mod column;
mod covered;
mod own;
mod set;
mod statement;

use std::collections::HashMap;

use entity::{
    id::{CategoryId, ItemId},
    item::Kind,
};
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};

use super::selection::ItemSelection;
use crate::{
    attribute::{Attribute, Declared, Units, facet_attributes, named_attributes},
    error::{Code, Refusal, Result},
    reads::Reads,
};
use column::Column;

/// Most facets of one request.
const FACETS_MAX: usize = 30;
/// Facets with conditions of their own are counted over other items than the rest: over so many sets of items at the same time, each over a
/// connection of its own. Nobody holds one while waiting for another.
const SETS_AT_ONCE: usize = 2;
/// Most ranges of one facet.
const RANGES_MAX: usize = 50;
/// Most values of one facet.
const VALUES_MAX: i32 = 100;
/// Values of a facet when the client does not say.
const VALUES_DEFAULT: i32 = 20;
/// Attributes that are counted when the client does not say.
const USUAL_MAX: usize = 20;

/// What items are counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FacetOf {
    /// The categories just below the one that the filter is about, each with everything below it; the roots without one.
    Category,
    /// What sort of thing it is.
    Kind,
    /// The amount of the fixed price, whatever the currency.
    Price,
    /// Labels.
    Tag,
    /// The values of the attribute with this name.
    Attribute(String),
}

/// A facet that is asked for.
#[derive(Clone, Debug)]
pub struct FacetRequest {
    /// By what.
    pub of: FacetOf,
    /// Into which ranges; without, numbers fall into ranges of a round scale, and days into years.
    pub ranges: Vec<FacetRange>,
    /// How many values at most, those that most items have.
    pub first: Option<i32>,
}

/// Bounds, as a filter takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FacetRange {
    /// Not less.
    pub min: Option<String>,
    /// Not more.
    pub max: Option<String>,
    /// Less.
    pub below: Option<String>,
}

/// How many items have which values.
#[derive(Clone, Debug)]
pub struct Facet {
    /// By what.
    pub of: FacetOf,
    /// The attribute; none when it is by something else, or nobody declares the attribute.
    pub attribute: Option<Attribute>,
    /// The units in which its values may be shown.
    pub units: Units,
    /// Terms: those that most items have first. Ranges: in their own order.
    pub values: Vec<FacetValue>,
    /// How many items have no value.
    pub missing: u64,
    /// Whether all items were counted; else it is extrapolated from a sample.
    pub exact: bool,
}

/// One value of a facet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetValue {
    /// What.
    pub is: FacetIs,
    /// How many items have it.
    pub count: u64,
}

/// What a value of a facet is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FacetIs {
    /// A category.
    Category(CategoryId),
    /// An item.
    Item(ItemId),
    /// A sort of thing.
    Kind(Kind),
    /// A range of numbers or days.
    Range(FacetRange),
    /// One value, as items keep it.
    Term(String),
}

/// Counts a selection by these; by all that are meant for it without.
pub(super) async fn facets(
    reads: &Reads,
    selection: &ItemSelection,
    requests: Option<Vec<FacetRequest>>,
) -> Result<Vec<Facet>> {
    let declared = match &requests {
        Some(requests) => named_attributes(reads, &names(requests)).await?,
        None => facet_attributes(reads, selection.filter.category_descendant_of).await?,
    };
    let requests = requests.unwrap_or_else(|| usual(&declared));
    check(&requests)?;
    let resolved = selection.resolve(reads).await?;
    let depth = resolved.filter.depth();
    let columns = requests
        .iter()
        .enumerate()
        .map(|(place, request)| Column::new(request, &declared, depth, &format!("facets.{place}")))
        .collect::<Result<Vec<_>, Refusal>>()?;
    let own = requests
        .iter()
        .map(|request| own::without(&selection.filter, &request.of))
        .collect::<Vec<_>>();
    let anew = reads.planned_anew();
    let mut counting = Vec::new();
    for set in set::sets(&resolved, &own) {
        counting.push(statement::count(&anew, &columns, set).boxed());
    }
    let counted = stream::iter(counting).buffered(SETS_AT_ONCE);
    let counted: Vec<_> = counted.try_collect().await?;
    let mut counted: HashMap<_, _> = counted.into_iter().flatten().collect();
    let facets = requests.into_iter().zip(columns).enumerate();
    let facet = |(place, (request, column)): (usize, (FacetRequest, Column))| {
        let counted = counted.remove(&place).unwrap_or_default();
        Facet {
            attribute: attribute(&declared, &request.of).cloned(),
            units: declared.units.clone(),
            of: request.of,
            values: column.values(&counted.values),
            missing: counted.missing,
            exact: counted.exact,
        }
    };
    Ok(facets.map(facet).collect())
}

fn names(requests: &[FacetRequest]) -> Vec<String> {
    let names = requests.iter().filter_map(|request| match &request.of {
        FacetOf::Attribute(name) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

/// What everybody may want to choose by, and the attributes that are meant for it.
fn usual(declared: &Declared) -> Vec<FacetRequest> {
    let mut all = vec![
        FacetOf::Category,
        FacetOf::Kind,
        FacetOf::Price,
        FacetOf::Tag,
    ];
    for attribute in &declared.attributes {
        let of = FacetOf::Attribute(attribute.name.clone());
        if !all.contains(&of) && all.len() < USUAL_MAX {
            all.push(of);
        }
    }
    let request = |of| FacetRequest {
        of,
        ranges: Vec::new(),
        first: None,
    };
    all.into_iter().map(request).collect()
}

fn check(requests: &[FacetRequest]) -> Result<(), Refusal> {
    if requests.len() > FACETS_MAX {
        return Err(Refusal::new(Code::TooMany, "facets").with("max", FACETS_MAX));
    }
    for (place, request) in requests.iter().enumerate() {
        let path = |field| format!("facets.{place}.{field}");
        if request.ranges.len() > RANGES_MAX {
            return Err(Refusal::new(Code::TooMany, &path("ranges")).with("max", RANGES_MAX));
        }
        let first = request.first.unwrap_or(VALUES_DEFAULT);
        if !(1..=VALUES_MAX).contains(&first) {
            let refusal = Refusal::new(Code::OutOfRange, &path("first"));
            return Err(refusal.with("min", 1).with("max", VALUES_MAX));
        }
        if let FacetOf::Attribute(name) = &request.of {
            crate::filter::check_text(name)?;
        }
    }
    Ok(())
}

/// The declaration that says what values are.
fn attribute<'a>(declared: &'a Declared, of: &FacetOf) -> Option<&'a Attribute> {
    match of {
        FacetOf::Attribute(name) => declared.named(name).next(),
        FacetOf::Category | FacetOf::Kind | FacetOf::Price | FacetOf::Tag => None,
    }
}
