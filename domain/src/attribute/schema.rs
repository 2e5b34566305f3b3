//! What the attributes of a category are, those that it inherits included, and whether an item's values fit them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use entity::{
    attribute::{Kind, Model as Attribute, RefersTo},
    id::{AttributeId, CategoryId},
};
use regex::Regex;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::{
    query::Declaration,
    value::{self, Units},
};
use crate::{
    error::{Code, Refusal, Result},
    exact::Exact,
};

/// One attribute as it holds for the items of a category.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The declaration nearest to the items.
    pub attribute: Attribute,
    /// The topmost declaration of the same attribute: within what is below it, unique values are unique.
    pub root_id: AttributeId,
    /// Compiled when a value is checked: most who read a schema check none.
    pattern: OnceLock<Option<Regex>>,
}

/// All attributes of a category: those from above first, each in the place of its topmost declaration.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    attributes: Vec<Effective>,
    /// In which values may be written; none unless one of the attributes has a unit.
    units: Units,
}

/// An item's values as they are kept, and what has to be true about other rows for them to be right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    /// By key, each in its kept form.
    pub(crate) values: Map<String, Value>,
    /// Values that no other item may have.
    pub(crate) unique: Vec<Unique>,
    /// Rows that must exist.
    pub(crate) references: Vec<Reference>,
}

/// A value that no other item may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unique {
    /// The topmost declaration.
    pub(crate) attribute_id: AttributeId,
    /// The value as text.
    pub(crate) value: String,
    /// Where the client wrote it.
    pub(crate) path: String,
}

/// A row that a value leads to, as the client named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Under which key it is kept.
    pub(crate) key: String,
    /// What sort of row.
    pub(crate) refers_to: RefersTo,
    /// How the client named it.
    pub(crate) named: Named,
    /// Where the client wrote it.
    pub(crate) path: String,
}

/// How a referenced row is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    /// By its id.
    Id(uuid::Uuid),
    /// An item by its SKU, a category by its external reference.
    Word(String),
}

impl Schema {
    /// From declarations in the order of their depth, the category's own last, each level in its own order.
    pub(crate) fn from_declarations(
        declarations: impl IntoIterator<Item = Attribute>,
        units: &Units,
    ) -> Self {
        let mut attributes: Vec<Effective> = Vec::new();
        for attribute in declarations {
            match attributes
                .iter_mut()
                .find(|above| above.attribute.key == attribute.key)
            {
                // Without its narrowing the attribute is again what it is above.
                Some(_) if attribute.retired_at.is_some() => {}
                Some(above) => {
                    // What is retired above is not in use below either.
                    let retired_at = above.attribute.retired_at;
                    above.attribute = Attribute {
                        retired_at,
                        ..attribute
                    };
                    above.pattern = OnceLock::new();
                }
                None => attributes.push(Effective {
                    root_id: attribute.id,
                    attribute,
                    pattern: OnceLock::new(),
                }),
            }
        }
        let has_units = attributes.iter().any(|it| it.attribute.unit_id.is_some());
        let units = if has_units {
            units.clone()
        } else {
            Units::default()
        };
        Self { attributes, units }
    }

    /// All attributes, the retired ones included.
    #[must_use]
    pub fn all(&self) -> &[Effective] {
        &self.attributes
    }

    /// The attributes that take values.
    pub fn in_use(&self) -> impl Iterator<Item = &Effective> {
        self.attributes
            .iter()
            .filter(|it| it.attribute.retired_at.is_none())
    }

    /// Which attributes are unique, and since where.
    pub(super) fn unique(&self) -> impl Iterator<Item = (&str, AttributeId)> {
        let unique = self.in_use().filter(|it| it.attribute.is_unique);
        unique.map(|it| (it.attribute.key.as_str(), it.root_id))
    }

    /// Whether no attribute was ever declared. Then items may have any facts.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.attributes.is_empty()
    }

    /// The attribute with this name that takes values.
    pub(crate) fn named(&self, name: &str) -> Option<&Effective> {
        self.in_use().find(|it| it.attribute.name == name)
    }

    /// Whether an attribute with this name may be a number.
    pub(crate) fn has_number(&self, name: &str) -> bool {
        let is_number = |it: &Effective| matches!(it.attribute.kind, Kind::Number | Kind::Decimal);
        self.is_free() || self.named(name).is_some_and(is_number)
    }

    /// The value of the attribute with this name when it is a number, exactly and in the attribute's unit. Where no attribute was ever
    /// declared a decimal is any text that is one.
    pub(crate) fn number(&self, name: &str, kept: &Map<String, Value>) -> Option<Exact> {
        if self.is_free() {
            return match kept.get(name)? {
                Value::Number(number) => number.as_i64().map(Exact::from),
                Value::String(text) => Decimal::from_str_exact(text.trim()).ok().map(Exact::from),
                _ => None,
            };
        }
        let attribute = &self.named(name)?.attribute;
        self.units.exact(attribute, kept.get(&attribute.key)?)
    }

    /// The attribute whose values are kept under this key.
    #[must_use]
    pub fn keyed(&self, key: &str) -> Option<&Effective> {
        self.attributes.iter().find(|it| it.attribute.key == key)
    }

    /// The units in which its decimals may be written and shown.
    #[must_use]
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// What a client wrote, by name, as it is to be kept. Values that `before` has of retired attributes stay. Where no attribute was
    /// ever declared everything is taken as it is.
    ///
    /// # Errors
    /// Each value that is wrong, unknown or missing, with its path below `attributes`.
    pub(crate) fn check(
        &self,
        written: &Map<String, Value>,
        before: Option<&Map<String, Value>>,
    ) -> Result<Checked, Vec<Refusal>> {
        if self.is_free() {
            return Ok(Checked {
                values: written.clone(),
                ..Checked::default()
            });
        }
        let mut refused = self.unknown(written);
        let mut checked = Checked {
            values: self.retired_values(before),
            ..Checked::default()
        };
        for effective in self.in_use() {
            let value = written.get(&effective.attribute.name);
            let value = value.filter(|value| !is_nothing(value));
            let initial = if before.is_none() {
                effective.attribute.initial.as_ref()
            } else {
                None
            };
            let taken = match (value, initial) {
                (Some(value), _) => effective.take(value, &self.units, &mut checked),
                (None, Some(initial)) => effective.take_kept(initial, &mut checked),
                (None, None) if effective.attribute.required => {
                    Err(Refusal::new(Code::Required, &effective.path()))
                }
                (None, None) => Ok(()),
            };
            refused.extend(taken.err());
        }
        if refused.is_empty() {
            Ok(checked)
        } else {
            Err(refused)
        }
    }

    /// Whether the values that fit one are those that fit the other: all that [`Schema::check_kept`] looks at is the same.
    pub(super) fn takes_as(&self, other: &Self) -> bool {
        fn looked_at(it: &Effective) -> impl PartialEq + '_ {
            let Attribute {
                id: _,
                category_id: _,
                key: _,
                name: _,
                label: _,
                kind,
                unit_id,
                refers_to,
                required,
                is_unique,
                searchable: _,
                facet: _,
                initial: _,
                min,
                max,
                pattern,
                options,
                position: _,
                retired_at,
                version: _,
                created_at: _,
                updated_at: _,
            } = &it.attribute;
            let bounds = (min, max, pattern, options);
            (
                kind,
                unit_id,
                refers_to,
                required,
                is_unique,
                bounds,
                retired_at.is_some(),
            )
        }
        self.attributes.len() == other.attributes.len()
            && self.attributes.iter().all(|it| {
                let same = other.keyed(&it.attribute.key);
                same.is_some_and(|there| looked_at(it) == looked_at(there))
            })
    }

    /// The same for values as they are kept, by key: whether an item fits a schema that it was not written for.
    ///
    /// # Errors
    /// Each value that does not fit, is of no attribute, or is missing.
    pub(crate) fn check_kept(&self, kept: &Map<String, Value>) -> Result<Checked, Vec<Refusal>> {
        if self.is_free() {
            return Ok(Checked {
                values: kept.clone(),
                ..Checked::default()
            });
        }
        let unknown = kept.keys().filter(|key| self.keyed(key).is_none());
        let mut refused: Vec<_> = unknown.map(|key| unknown_attribute(key)).collect();
        let mut checked = Checked {
            values: self.retired_values(Some(kept)),
            ..Checked::default()
        };
        for effective in self.in_use() {
            let taken = match kept
                .get(&effective.attribute.key)
                .filter(|value| !is_nothing(value))
            {
                Some(value) => effective.take_kept(value, &mut checked),
                None if effective.attribute.required => {
                    Err(Refusal::new(Code::Required, &effective.path()))
                }
                None => Ok(()),
            };
            refused.extend(taken.err());
        }
        if refused.is_empty() {
            Ok(checked)
        } else {
            Err(refused)
        }
    }

    /// What an item is to keep of which a client wrote some values by name, where null takes one away, and has the others already, by key.
    ///
    /// # Errors
    /// As [`Schema::check`], for the values that stay as well as for those that were written.
    pub(crate) fn check_merged(
        &self,
        written: &Map<String, Value>,
        kept: &Map<String, Value>,
    ) -> Result<Checked, Vec<Refusal>> {
        if self.is_free() {
            let mut values = kept.clone();
            values.extend(written.clone());
            values.retain(|_, value| !value.is_null());
            return Ok(Checked {
                values,
                ..Checked::default()
            });
        }
        let given = |(_, value): &(&String, &Value)| !is_nothing(value);
        let given = written.iter().filter(given).map(|(name, _)| name);
        let unknown = given.filter(|name| self.named(name).is_none());
        let left = kept.keys().filter(|key| self.keyed(key).is_none());
        let mut refused: Vec<_> = unknown
            .chain(left)
            .map(|name| unknown_attribute(name))
            .collect();
        let mut checked = Checked {
            values: self.retired_values(Some(kept)),
            ..Checked::default()
        };
        for effective in self.in_use() {
            let stays = || kept.get(&effective.attribute.key);
            let something = |value: &&Value| !is_nothing(value);
            let taken = match (
                written.get(&effective.attribute.name),
                stays().filter(something),
            ) {
                (Some(value), _) if something(&value) => {
                    effective.take(value, &self.units, &mut checked)
                }
                (None, Some(value)) => effective.take_kept(value, &mut checked),
                (Some(_), _) | (None, None) if effective.attribute.required => {
                    Err(Refusal::new(Code::Required, &effective.path()))
                }
                (Some(_), _) | (None, None) => Ok(()),
            };
            refused.extend(taken.err());
        }
        if refused.is_empty() {
            Ok(checked)
        } else {
            Err(refused)
        }
    }

    /// The same without what the item has already, as it is shown or stands in a cell of a table.
    pub(crate) fn news(
        &self,
        mut written: Map<String, Value>,
        kept: &Map<String, Value>,
    ) -> Map<String, Value> {
        let shown = self.shown(kept);
        written.retain(|name, value| match shown.get(name) {
            Some(there) => there != value && value.as_str() != Some(value::cell(there).as_str()),
            None => !is_nothing(value),
        });
        written
    }

    /// The same, but that nothing is demanded of the attributes that are kept under these keys.
    pub(crate) fn sparing<'a>(&self, keys: impl Iterator<Item = &'a str>) -> Self {
        let mut spared = self.clone();
        for key in keys {
            let it = spared.attributes.iter_mut();
            for it in it.filter(|it| it.attribute.key == key) {
                it.attribute.required = false;
                it.attribute.initial = None;
            }
        }
        spared
    }

    /// What somebody wrote as a value of one of these attributes, as it is to be kept.
    ///
    /// # Errors
    /// When it is no value of the attribute; the path is the one that is given.
    pub(crate) fn kept(&self, of: &Effective, path: &str, written: &str) -> Result<Value, Refusal> {
        let written = Value::from(written);
        value::parse(&of.attribute, of.pattern(), path, &written, &self.units)
    }

    /// A kept value as people write it.
    pub(crate) fn cell_of(&self, key: &str, kept: &Value) -> String {
        let shown = self
            .keyed(key)
            .map(|it| self.units.shown(&it.attribute, kept));
        value::cell(shown.as_ref().unwrap_or(kept))
    }

    /// A kept value as people read it in this language, but for its unit.
    pub(crate) fn label_of(&self, key: &str, kept: &Value, language: &str) -> String {
        let options = self.keyed(key).map(|it| &it.attribute.options.0);
        let mut options = options.into_iter().flatten();
        let option = options.find(|option| kept == option.value.as_str());
        option.map_or_else(
            || self.cell_of(key, kept),
            |option| option.label.in_locale(language).to_owned(),
        )
    }

    fn unknown(&self, written: &Map<String, Value>) -> Vec<Refusal> {
        let unknown = written.keys().filter(|name| self.named(name).is_none());
        unknown.map(|name| unknown_attribute(name)).collect()
    }

    fn retired_values(&self, before: Option<&Map<String, Value>>) -> Map<String, Value> {
        let retired: HashSet<_> = self
            .attributes
            .iter()
            .filter(|it| it.attribute.retired_at.is_some())
            .map(|it| it.attribute.key.as_str())
            .collect();
        let kept = before.into_iter().flatten();
        kept.filter(|(key, _)| retired.contains(key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The name by which people know what is kept under this key.
    pub(crate) fn name_of<'a>(&'a self, key: &'a str) -> &'a str {
        self.keyed(key).map_or(key, |it| it.attribute.name.as_str())
    }

    /// Values that are kept for another schema, under the keys of the attributes with the same names here.
    pub(crate) fn rekeyed(&self, other: &Self, kept: &Map<String, Value>) -> Map<String, Value> {
        let key = |key: &str| {
            self.named(other.name_of(key))
                .map_or_else(|| key.to_owned(), |it| it.attribute.key.clone())
        };
        kept.iter()
            .map(|(name, value)| (key(name), value.clone()))
            .collect()
    }

    /// Values as people write them, by the names that people know them by: decimals in the units of their attributes, rows by their UUIDs. What
    /// is shown can be written again as it is. Values of retired attributes are left out.
    #[must_use]
    pub fn shown(&self, kept: &Map<String, Value>) -> Map<String, Value> {
        if self.is_free() {
            return kept.clone();
        }
        let shown = |(key, value): (&String, &Value)| match self.keyed(key) {
            Some(it) if it.attribute.retired_at.is_some() => None,
            Some(it) => {
                let value = self.units.shown(&it.attribute, value);
                Some((it.attribute.name.clone(), value))
            }
            // It was written before the first attribute was declared.
            None => Some((key.clone(), value.clone())),
        };
        kept.iter().filter_map(shown).collect()
    }
}

impl Effective {
    fn pattern(&self) -> Option<&Regex> {
        let compile = || self.attribute.pattern.as_deref().and_then(value::compile);
        self.pattern.get_or_init(compile).as_ref()
    }

    fn path(&self) -> String {
        format!("attributes.{}", self.attribute.name)
    }

    fn take(&self, value: &Value, units: &Units, checked: &mut Checked) -> Result<(), Refusal> {
        let path = self.path();
        if let Some(refers_to) = self.attribute.refers_to {
            let named = value::reference(&path, value)?;
            let key = self.attribute.key.clone();
            checked.references.push(Reference {
                key,
                refers_to,
                named,
                path,
            });
            return Ok(());
        }
        let kept = value::parse(&self.attribute, self.pattern(), &path, value, units)?;
        self.keep(kept, path, checked);
        Ok(())
    }

    fn take_kept(&self, value: &Value, checked: &mut Checked) -> Result<(), Refusal> {
        let path = self.path();
        let kept = value::check_kept(&self.attribute, self.pattern(), &path, value)?;
        self.keep(kept, path, checked);
        Ok(())
    }

    fn keep(&self, kept: Value, path: String, checked: &mut Checked) {
        if self.attribute.is_unique {
            checked.unique.push(Unique {
                attribute_id: self.root_id,
                value: value::as_text(&kept),
                path,
            });
        }
        checked.values.insert(self.attribute.key.clone(), kept);
    }
}

/// Nothing was written: null, or an empty text or list.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

fn unknown_attribute(name: &str) -> Refusal {
    let shown: String = name.chars().take(100).collect();
    Refusal::new(Code::UnknownAttribute, &format!("attributes.{shown}")).with("value", shown)
}

/// The schemas of several categories. Those with the same declarations share one.
pub(crate) type Schemas = HashMap<CategoryId, Arc<Schema>>;

/// One schema for each category from declarations in the order of their depth.
pub(super) fn schemas(
    categories: &[CategoryId],
    declarations: &[Declaration],
    units: &Units,
) -> Schemas {
    let mut places: HashMap<CategoryId, Vec<usize>> = HashMap::new();
    for (place, declaration) in declarations.iter().enumerate() {
        for leaf in &declaration.leaves {
            places.entry((*leaf).into()).or_default().push(place);
        }
    }
    let mut shared: HashMap<Vec<usize>, Arc<Schema>> = HashMap::new();
    let mut schema = |places: Vec<usize>| {
        let built = shared.entry(places).or_insert_with_key(|places| {
            let own = places
                .iter()
                .map(|place| declarations[*place].attribute.clone());
            Arc::new(Schema::from_declarations(own, units))
        });
        Arc::clone(built)
    };
    categories
        .iter()
        .map(|id| (*id, schema(places.get(id).cloned().unwrap_or_default())))
        .collect()
}
