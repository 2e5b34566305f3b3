//! Declarations by name, and where the values of a name are kept.

use std::collections::HashSet;

use entity::{attribute::Model as Attribute, id::CategoryId};
use sea_orm::ConnectionTrait;

use super::{
    query::{self, Named},
    value::Units,
};
use crate::{
    error::Result,
    sql::{Sql, uuids},
};

/// Declarations, and the units in which their values may be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) units: Units,
    /// Keys under which other categories keep values of another name, type or unit, or of an attribute that is retired.
    ambiguous: HashSet<String>,
}

/// Where values are kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: String,
    /// Only in items of these categories and below; in all without.
    within: Option<Vec<CategoryId>>,
}

/// The declarations in use with these names, in whatever categories.
pub(crate) async fn named_attributes(
    db: &impl ConnectionTrait,
    names: &[String],
) -> Result<Declared> {
    if names.is_empty() {
        return Ok(Declared::default());
    }
    Declared::new(db, query::named(db, names).await?).await
}

/// The declarations that lists of items of this category and below are to be narrowed down by, those of its ancestors included; all there
/// are without a category.
pub(crate) async fn facet_attributes(
    db: &impl ConnectionTrait,
    category: Option<CategoryId>,
) -> Result<Declared> {
    Declared::new(db, query::facets(db, category).await?).await
}

impl Declared {
    async fn new(db: &impl ConnectionTrait, rows: Vec<Named>) -> Result<Self> {
        let ambiguous = rows.iter().filter(|row| row.is_ambiguous);
        let ambiguous = ambiguous.map(|row| row.attribute.key.clone()).collect();
        let attributes: Vec<_> = rows.into_iter().map(|row| row.attribute).collect();
        let units = if attributes.iter().any(|it| it.unit_id.is_some()) {
            query::units(db).await?
        } else {
            Units::default()
        };
        Ok(Self {
            attributes,
            units,
            ambiguous,
        })
    }

    /// The declarations with this name.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(move |it| it.name == name)
    }

    /// Where values of this name are kept; under the name itself where nobody declares it.
    pub(crate) fn keys(&self, name: &str) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for attribute in self.named(name) {
            let key = self.key(attribute);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        if keys.is_empty() {
            keys.push(Key::anywhere(name));
        }
        keys
    }

    /// Where the values of this attribute are kept.
    pub(crate) fn key(&self, attribute: &Attribute) -> Key {
        let within = self.ambiguous.contains(&attribute.key).then(|| {
            let alike = self.named(&attribute.name);
            let alike = alike.filter(|it| {
                it.key == attribute.key
                    && it.kind == attribute.kind
                    && it.unit_id == attribute.unit_id
            });
            alike.map(|it| it.category_id).collect()
        });
        Key {
            name: attribute.key.clone(),
            within,
        }
    }
}

impl Key {
    /// In whatever category.
    pub(crate) fn anywhere(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            within: None,
        }
    }

    /// Appends that the item `i` is where the key means this, after an `AND`.
    pub(crate) fn push_within(&self, sql: &mut Sql) {
        if let Some(categories) = &self.within {
            sql.push(" AND i.category_id IN (SELECT c.id FROM category c JOIN category p ON c.path <@ p.path WHERE p.id = ANY(")
                .bind(uuids(categories))
                .push("))");
        }
    }

    /// Appends the value of the item `i`: as text after `->>`, as JSON after `->`.
    pub(crate) fn push_value(&self, sql: &mut Sql, operator: &str) {
        if self.within.is_some() {
            sql.push("CASE WHEN true");
            self.push_within(sql);
            sql.push(" THEN ");
        }
        sql.push("i.attributes")
            .push(operator)
            .bind(self.name.as_str());
        if self.within.is_some() {
            sql.push(" END");
        }
    }
}
