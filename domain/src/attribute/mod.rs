//! Attributes: what categories demand of the items in them and below.
//!
//! A category declares an attribute for itself and everything below it. A category further down may declare the same one again, but
//! only stricter: what fits there fits above too. Items keep values under a key that never changes, so another name for an attribute
//! touches no item. Whoever changes what an attribute demands hears of the items that would not be valid any more.

mod asked;
mod change;
mod check;
mod declared;
mod place;
mod query;
mod reference;
mod rules;
mod schema;
mod value;
mod write;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use entity::id::{AttributeId, CategoryId, ItemId, UnitOfMeasureId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

pub use asked::AttributeFilter;
pub(crate) use asked::{Understood, bound, understand};
use change::Step;
pub use check::{EXAMPLES_MAX, InvalidItem, OnInvalid, Report};
pub(crate) use declared::{Declared, Key, facet_attributes, named_attributes};
pub use entity::attribute::{
    AttributeOption, AttributeOptions, Kind, Model as Attribute, RefersTo,
};
pub(crate) use place::{demands_in_tx, settle_move_in_tx};
pub(crate) use schema::{Checked, Schemas};
pub use schema::{Effective, Schema};
pub use value::{Units, cell};
pub(crate) use write::{Owned, own_values_in_tx};

use crate::{
    Domain,
    error::{Refusal, Result},
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
    /// Whether its values are to be found by words.
    pub searchable: bool,
    /// Whether lists are to be narrowed down by it.
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
    /// Whether its values are to be found by words.
    pub searchable: Option<bool>,
    /// Whether lists are to be narrowed down by it.
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
    /// When there is no such attribute, somebody changed it since `expected_version`, or variants differ in it.
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

    /// What holds for the items of each of these categories.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn schemas_of(
        &self,
        viewer: &Viewer,
        categories: &[CategoryId],
    ) -> Result<HashMap<CategoryId, Arc<Schema>>> {
        viewer.require(Permission::CatalogueRead)?;
        schemas(&self.domain.reads, categories).await
    }
}

/// What holds for the items of each of these categories; in a transaction, as long as that holds the categories.
pub(crate) async fn schemas(
    db: &impl ConnectionTrait,
    categories: &[CategoryId],
) -> Result<Schemas> {
    let declarations = query::declarations(db, categories).await?;
    let has_units = declarations.iter().any(|it| it.attribute.unit_id.is_some());
    let units = if has_units {
        query::units(db).await?
    } else {
        Units::default()
    };
    Ok(schema::schemas(categories, &declarations, &units))
}

/// The rows that references lead to, under the keys of their attributes. Of each what could not be found.
pub(crate) async fn resolve_in_tx(
    tx: &DatabaseTransaction,
    checked: &mut [&mut Checked],
) -> Result<Vec<Vec<Refusal>>> {
    reference::resolve_in_tx(tx, checked).await
}

/// The names of rows that references lead to, as far as they have any.
pub(crate) async fn names(
    db: &impl ConnectionTrait,
    refers_to: RefersTo,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>> {
    reference::names(db, refers_to, ids).await
}

/// The values that the item owns alone.
pub(crate) fn owned<'a>(item_id: ItemId, checked: &'a Checked) -> impl Iterator<Item = Owned<'a>> {
    checked
        .unique
        .iter()
        .map(move |unique| Owned { item_id, unique })
}
