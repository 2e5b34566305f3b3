//! Attributes: what categories demand of the items in them and below.
//!
//! A category declares an attribute for itself and everything below it. A category further down may declare the same one again, but
//! only stricter: what fits there fits above too. Items keep values under a key that never changes, so another name for an attribute
//! touches no item. Whoever changes what an attribute demands hears of the items that would not be valid any more.

mod check;
mod query;
mod reference;
mod rules;
mod schema;
mod value;
mod write;

use std::collections::{BTreeMap, HashSet};

use entity::{
    id::{AttributeId, CategoryId, ItemId, UnitOfMeasureId},
    ltree::Ltree,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;
use serde_json::Value;

use check::report_in_tx;
pub use check::{EXAMPLES_MAX, InvalidItem, OnInvalid, Report};
pub use entity::attribute::{
    AttributeOption, AttributeOptions, Kind, Model as Attribute, RefersTo,
};
pub(crate) use schema::{Checked, Schemas};
pub use schema::{Effective, Schema};
pub use value::Units;
pub(crate) use write::{Owned, own_values_in_tx};

use crate::{
    Domain,
    category::{Category, hold_items_in_tx, open_for_attributes_in_tx},
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    patch::Patch,
    permission::Permission,
    viewer::Viewer,
};

/// An attribute to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewAttribute {
    /// Which category declares it.
    pub category_id: CategoryId,
    /// Its name for programs: lower case letters, digits and `_`.
    pub name: String,
    /// Its name for people by language.
    pub label: BTreeMap<String, String>,
    /// What its values are.
    pub kind: Kind,
    /// In what a decimal is written and shown.
    pub unit_id: Option<UnitOfMeasureId>,
    /// What a reference leads to.
    pub refers_to: Option<RefersTo>,
    /// Whether each item must have a value.
    pub required: bool,
    /// Whether no two items may have the same value.
    pub is_unique: bool,
    /// Whether its values are found by words.
    pub searchable: bool,
    /// Whether lists are narrowed down by it.
    pub facet: bool,
    /// The value of an item that is created without one.
    pub initial: Option<Value>,
    /// Smallest number or day, or fewest characters.
    pub min: Option<String>,
    /// Largest number or day, or most characters.
    pub max: Option<String>,
    /// A regular expression that a whole text must match.
    pub pattern: Option<String>,
    /// What an enum is chosen from.
    pub options: Vec<NewOption>,
    /// Order among the attributes of its category; last without.
    pub position: Option<i32>,
}

/// One of the values to choose from.
#[derive(Clone, Debug, Serialize)]
pub struct NewOption {
    /// What items keep.
    pub value: String,
    /// What people read, by language; the value itself without.
    pub label: BTreeMap<String, String>,
}

/// A change of an attribute. What is not given stays. What its values are, and whether they are unique, stays for ever.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AttributeChange {
    /// Its name for programs.
    pub name: Option<String>,
    /// Its name for people by language, all of them.
    pub label: Option<BTreeMap<String, String>>,
    /// In what a decimal is written and shown: another unit of the same dimension.
    pub unit_id: Patch<UnitOfMeasureId>,
    /// Whether each item must have a value.
    pub required: Option<bool>,
    /// Whether its values are found by words.
    pub searchable: Option<bool>,
    /// Whether lists are narrowed down by it.
    pub facet: Option<bool>,
    /// The value of an item that is created without one.
    pub initial: Patch<Value>,
    /// Smallest number or day, or fewest characters.
    pub min: Patch<String>,
    /// Largest number or day, or most characters.
    pub max: Patch<String>,
    /// A regular expression that a whole text must match.
    pub pattern: Patch<String>,
    /// All values to choose from.
    pub options: Option<Vec<NewOption>>,
    /// Order among the attributes of its category.
    pub position: Option<i32>,
}

/// How a change is made.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Manner {
    /// What becomes of items that would not be valid any more.
    pub on_invalid: OnInvalid,
    /// Nothing is changed; only the report is wanted.
    pub dry_run: bool,
}

/// What became of a change.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The attribute as it is, or would be.
    pub attribute: Attribute,
    /// The units in which it may be shown.
    pub units: Units,
    /// What it does to the items that are there.
    pub report: Report,
}

/// Attributes: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    pub(crate) domain: &'a Domain,
}

/// What is to be done to an attribute.
enum Step {
    Create(Box<NewAttribute>),
    Update(AttributeId, Box<AttributeChange>, Option<i64>),
    Retire(AttributeId, bool, Option<i64>),
}

impl Step {
    fn action(&self) -> &'static str {
        match self {
            Self::Create(_) => "attribute.create",
            Self::Update(..) => "attribute.update",
            Self::Retire(_, true, _) => "attribute.retire",
            Self::Retire(_, false, _) => "attribute.restore",
        }
    }

    /// Where a refusal about the items that are there points to.
    fn path(&self) -> &'static str {
        match self {
            Self::Create(_) => "",
            Self::Update(..) | Self::Retire(..) => "id",
        }
    }

    /// Whether values may become invalid by it.
    fn demands(&self) -> bool {
        match self {
            Self::Create(_) | Self::Retire(_, false, _) => true,
            Self::Update(_, change, _) => rules::demands(change),
            // Where nothing is demanded nothing is missing.
            Self::Retire(_, true, _) => false,
        }
    }
}

impl Attributes<'_> {
    /// Declares an attribute for a category and everything below it.
    ///
    /// # Errors
    /// When a value is refused, there is no such category or it is archived, the attribute is there already, it contradicts the same
    /// attribute of a category above or below, or items would not be valid any more and must not become so.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewAttribute,
        manner: Manner,
        key: Option<&str>,
    ) -> Result<Changed> {
        let request = serde_json::to_value((&new, manner))?;
        self.make(viewer, Step::Create(Box::new(new)), &request, manner, key)
            .await
    }

    /// Changes what an attribute is called or demands.
    ///
    /// # Errors
    /// As [`Attributes::create`], and when there is no such attribute, or somebody changed it since `expected_version`.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: AttributeId,
        change: AttributeChange,
        expected_version: Option<i64>,
        manner: Manner,
        key: Option<&str>,
    ) -> Result<Changed> {
        let request = serde_json::to_value((id, &change, expected_version, manner))?;
        let step = Step::Update(id, Box::new(change), expected_version);
        self.make(viewer, step, &request, manner, key).await
    }

    /// Takes an attribute out of use: no new values are taken, and those that items have are not shown. They come back when it is
    /// restored.
    ///
    /// # Errors
    /// When there is no such attribute, or somebody changed it since `expected_version`.
    pub async fn retire(
        &self,
        viewer: &Viewer,
        id: AttributeId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Changed> {
        let request = serde_json::to_value((id, expected_version))?;
        let step = Step::Retire(id, true, expected_version);
        self.make(viewer, step, &request, Manner::default(), key)
            .await
    }

    /// Takes an attribute into use again.
    ///
    /// # Errors
    /// As [`Attributes::retire`], and when items would not be valid any more and must not become so.
    pub async fn restore(
        &self,
        viewer: &Viewer,
        id: AttributeId,
        expected_version: Option<i64>,
        manner: Manner,
        key: Option<&str>,
    ) -> Result<Changed> {
        let request = serde_json::to_value((id, expected_version, manner))?;
        let step = Step::Retire(id, false, expected_version);
        self.make(viewer, step, &request, manner, key).await
    }

    /// Every change takes the same way: it is made, looked at, and taken back when it must not stay.
    async fn make(
        &self,
        viewer: &Viewer,
        step: Step,
        request: &Value,
        manner: Manner,
        key: Option<&str>,
    ) -> Result<Changed> {
        viewer.require(Permission::CatalogueWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        // What changes nothing need not be remembered.
        let key = key.filter(|_| !manner.dry_run);
        let units = query::units(&tx).await?;
        let claim = match claim_in_tx(&tx, viewer, key, step.action(), request, now).await? {
            Claimed::Before(attribute) => {
                return Ok(Changed {
                    attribute,
                    units,
                    report: Report::default(),
                });
            }
            Claimed::Now(claim) => claim,
        };
        let category = self.open_in_tx(&tx, &step).await?;
        if step.demands() && !manner.dry_run {
            hold_items_in_tx(&tx, &category).await?;
        }
        let subtree = query::subtree_in_tx(&tx, &category.path).await?;
        let before = schemas(&tx, &subtree).await?;
        let (earlier, attribute) = step_in_tx(&tx, viewer, now, &category, &step, &units).await?;
        let report = if step.demands() {
            let after = schemas(&tx, &subtree).await?;
            report_in_tx(&tx, &subtree, &before, &after).await?
        } else {
            Report::default()
        };
        if manner.dry_run {
            tx.rollback().await?;
            return Ok(Changed {
                attribute,
                units,
                report,
            });
        }
        report.settle(step.path(), manner.on_invalid)?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            step.action(),
            &category,
            earlier.as_ref(),
            &attribute,
        )
        .await?;
        claim.keep_in_tx(&tx, &attribute).await?;
        self.domain.commit(tx).await?;
        Ok(Changed {
            attribute,
            units,
            report,
        })
    }

    /// The category of the attribute, with the tree held as it is.
    async fn open_in_tx(&self, tx: &DatabaseTransaction, step: &Step) -> Result<Category> {
        match step {
            Step::Create(new) => open_for_attributes_in_tx(tx, "categoryId", new.category_id).await,
            Step::Update(id, ..) | Step::Retire(id, ..) => {
                let attribute = query::find(tx, *id)
                    .await?
                    .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
                open_for_attributes_in_tx(tx, "id", attribute.category_id).await
            }
        }
    }

    /// What holds for the items of each of these categories.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn schemas_of(
        &self,
        viewer: &Viewer,
        categories: &[CategoryId],
    ) -> Result<Vec<(CategoryId, Schema)>> {
        viewer.require(Permission::CatalogueRead)?;
        let schemas = schemas(&self.domain.reads, categories).await?;
        Ok(schemas.into_iter().collect())
    }
}

async fn step_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: chrono::DateTime<chrono::Utc>,
    category: &Category,
    step: &Step,
    units: &Units,
) -> Result<(Option<Attribute>, Attribute)> {
    match step {
        Step::Create(new) => {
            let attribute = create_in_tx(tx, viewer, now, category, new, units).await?;
            Ok((None, attribute))
        }
        Step::Update(id, change, version) => {
            let before = lock_in_tx(tx, *id, *version).await?;
            let declared = rules::parse_change(&before, change, units)?;
            if declared.name != before.name {
                rename_in_tx(tx, now, category, &before, &declared.name).await?;
            }
            let after = write::update_in_tx(tx, now, before.clone(), declared).await?;
            consistent_in_tx(tx, viewer, category, &after, units).await?;
            Ok((Some(before), after))
        }
        Step::Retire(id, retired, version) => {
            let before = lock_in_tx(tx, *id, *version).await?;
            if before.retired_at.is_some() == *retired {
                return Ok((Some(before.clone()), before));
            }
            let after = write::set_retired_in_tx(tx, now, before.clone(), *retired).await?;
            if !retired {
                consistent_in_tx(tx, viewer, category, &after, units).await?;
                own_again_in_tx(tx, category, &after).await?;
            }
            Ok((Some(before), after))
        }
    }
}

async fn create_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: chrono::DateTime<chrono::Utc>,
    category: &Category,
    new: &NewAttribute,
    units: &Units,
) -> Result<Attribute> {
    let declared = rules::parse_new(new, units)?;
    let line = line_in_tx(tx, category).await?;
    let held: HashSet<_> = line.iter().map(|other| other.key.as_str()).collect();
    if held.len() >= rules::SCHEMA_MAX {
        return Err(Refusal::new(Code::TooMany, "categoryId")
            .with("max", rules::SCHEMA_MAX)
            .into());
    }
    let same: HashSet<_> = line
        .iter()
        .filter(|other| other.name == declared.name)
        .map(|other| other.key.clone())
        .collect();
    let key = match same.len() {
        0 => rules::new_key(&declared.name, &held),
        1 => same.into_iter().next().unwrap_or_default(),
        // Two attributes below that only share their name cannot become one.
        _ => {
            return Err(Refusal::new(Code::AlreadyTaken, "name")
                .with("value", &declared.name)
                .into());
        }
    };
    let position = line
        .iter()
        .filter(|other| other.category_id == category.id)
        .count();
    let position = i32::try_from(position).unwrap_or(i32::MAX);
    let attribute = write::insert_in_tx(tx, now, category, key, declared, position).await?;
    consistent_in_tx(tx, viewer, category, &attribute, units).await?;
    own_again_in_tx(tx, category, &attribute).await?;
    Ok(attribute)
}

/// Where a unique attribute begins, or begins again, the values that items have already are theirs alone from now on.
async fn own_again_in_tx(
    tx: &DatabaseTransaction,
    category: &Category,
    attribute: &Attribute,
) -> Result<()> {
    let above = query::above_in_tx(tx, &category.path).await?;
    let mut same = above.iter().filter(|other| other.key == attribute.key);
    let is_topmost = same.all(|other| other.id == attribute.id);
    if attribute.is_unique && is_topmost {
        write::take_up_unique_in_tx(tx, category, attribute).await?;
    }
    Ok(())
}

/// All declarations of categories above and below, those of the category itself included.
async fn line_in_tx(tx: &DatabaseTransaction, category: &Category) -> Result<Vec<Attribute>> {
    let mut line = query::above_in_tx(tx, &category.path).await?;
    let below = query::within_in_tx(tx, &category.path).await?;
    line.extend(
        below
            .into_iter()
            .filter(|other| other.category_id != category.id),
    );
    Ok(line)
}

/// A new name must not be another attribute's, and is given where the attribute begins.
async fn rename_in_tx(
    tx: &DatabaseTransaction,
    now: chrono::DateTime<chrono::Utc>,
    category: &Category,
    attribute: &Attribute,
    name: &str,
) -> Result<()> {
    let line = line_in_tx(tx, category).await?;
    if line.iter().any(|other| other.name == name) {
        return Err(Refusal::new(Code::AlreadyTaken, "name")
            .with("value", name)
            .into());
    }
    let above = query::above_in_tx(tx, &category.path).await?;
    let is_narrowing = above
        .iter()
        .any(|other| other.key == attribute.key && other.id != attribute.id);
    if is_narrowing {
        return Err(Refusal::new(Code::InvalidFormat, "name")
            .with("value", name)
            .into());
    }
    write::rename_below_in_tx(tx, now, category, attribute, name).await
}

/// An attribute demands at least what it demands above, and what it demands is demanded below.
async fn consistent_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    category: &Category,
    attribute: &Attribute,
    units: &Units,
) -> Result<()> {
    let others = line_in_tx(tx, category).await?;
    let others = others
        .iter()
        .filter(|other| other.key == attribute.key && other.id != attribute.id);
    let above = query::above_in_tx(tx, &category.path).await?;
    for other in others.filter(|other| other.retired_at.is_none()) {
        let is_above = above.iter().any(|it| it.id == other.id);
        let (upper, lower) = if is_above {
            (other, attribute)
        } else {
            (attribute, other)
        };
        if let Err(field) = rules::check_narrower(upper, lower, units) {
            let at = crate::category::name_in_tx(tx, viewer, other.category_id).await?;
            let refusal = Refusal::new(Code::Contradicts, field);
            return Err(refusal
                .with("value", &attribute.name)
                .with("category", at)
                .into());
        }
    }
    Ok(())
}

async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: AttributeId,
    expected_version: Option<i64>,
) -> Result<Attribute> {
    let attribute = query::lock_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    match expected_version {
        Some(expected) if expected != attribute.version => {
            let refusal =
                Refusal::new(Code::StaleVersion, "expectedVersion").with("expected", expected);
            Err(refusal.with("actual", attribute.version).into())
        }
        _ => Ok(attribute),
    }
}

/// What holds for the items of each of these categories; in a transaction, as long as that holds the categories.
pub(crate) async fn schemas(
    db: &impl ConnectionTrait,
    categories: &[CategoryId],
) -> Result<Schemas> {
    let declarations = query::declarations(db, categories).await?;
    let has_units = declarations.iter().any(|(_, it)| it.unit_id.is_some());
    let units = if has_units {
        query::units(db).await?
    } else {
        Units::default()
    };
    Ok(schema::schemas(categories, declarations, &units))
}

/// The rows that references lead to, under the keys of their attributes.
///
/// # Errors
/// Each that does not exist.
pub(crate) async fn resolve_in_tx(
    tx: &DatabaseTransaction,
    checked: &mut [&mut Checked],
) -> Result<()> {
    reference::resolve_in_tx(tx, checked).await
}

impl Effective {
    /// A value as people write it; see [`Schema::shown`].
    #[must_use]
    pub fn shown(attribute: &Attribute, kept: &Value, units: &Units) -> Value {
        value::shown(attribute, kept, units)
    }

    /// A kept decimal in the unit with this code, in the attribute's own without; none when it is no decimal.
    ///
    /// # Errors
    /// When there is no such unit, or it measures something else.
    pub fn in_unit(
        attribute: &Attribute,
        kept: &Value,
        unit: Option<&str>,
        units: &Units,
    ) -> Result<Option<rust_decimal::Decimal>> {
        Ok(value::in_unit(attribute, kept, unit, units)?)
    }
}

/// The values that the item owns alone.
pub(crate) fn owned<'a>(item_id: ItemId, checked: &'a Checked) -> impl Iterator<Item = Owned<'a>> {
    checked
        .unique
        .iter()
        .map(move |unique| Owned { item_id, unique })
}

/// What is demanded in a subtree.
pub(crate) struct Demands {
    categories: Vec<CategoryId>,
    schemas: Schemas,
}

impl Demands {
    /// Whether nothing is.
    pub(crate) fn is_free(&self) -> bool {
        self.schemas.values().all(Schema::is_free)
    }
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

/// A subtree that has come to this path may not contradict what is above it now, and its items must fit.
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
        let upper = above
            .iter()
            .find(|it| it.key == lower.key && it.id != lower.id && it.retired_at.is_none());
        let Some(upper) = upper else { continue };
        // Who owns a unique value is kept with the topmost declaration, which would be another one.
        if lower.is_unique || rules::check_narrower(upper, lower, &units).is_err() {
            let at = crate::category::name_in_tx(tx, viewer, upper.category_id).await?;
            let refusal = Refusal::new(Code::Contradicts, "parentId");
            return Err(refusal
                .with("value", &lower.name)
                .with("category", at)
                .into());
        }
    }
    let report = report_in_tx(tx, &after.categories, &before.schemas, &after.schemas).await?;
    Ok(report.settle("parentId", OnInvalid::Refuse)?)
}
