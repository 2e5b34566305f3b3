//! What somebody looks for among the values of attributes: by the names that people know, in the units they use.
//!
//! Several categories may declare an attribute of the same name, each for itself, and keep its values under another key or as another
//! type. A condition is then about each of them. Where nobody declares one, it is about what items without a schema keep under that name.

use std::collections::HashMap;

use entity::attribute::{Kind, Model as Attribute};
use rust_decimal::Decimal;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    declared::{Declared, Key, named_attributes},
    value,
    value::Units,
};
use crate::{
    error::{Refusal, Result},
    filter::{check_text, like_anywhere, like_beginning},
    sql::Sql,
};

/// A condition on the values of one attribute, as people write them. All that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct AttributeFilter {
    /// The attribute's name for programs.
    pub name: String,
    /// Equal; of several options, among them.
    pub eq: Option<String>,
    /// Equal to one of these: none, when there are none.
    pub any_of: Option<Vec<String>>,
    /// Not less. Of numbers and days.
    pub min: Option<String>,
    /// Not more.
    pub max: Option<String>,
    /// Less.
    pub below: Option<String>,
    /// Anywhere inside, whatever the case. Of texts.
    pub contains: Option<String>,
    /// At the beginning. Of texts.
    pub starts_with: Option<String>,
    /// Missing, or not.
    pub is_null: Option<bool>,
}

impl AttributeFilter {
    /// How many conditions it is.
    pub(crate) fn size(&self) -> usize {
        1 + self.any_of.as_ref().map_or(0, Vec::len)
    }

    /// Bounds what a client can make us compare.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let single = [
            Some(&self.name),
            self.eq.as_ref(),
            self.min.as_ref(),
            self.max.as_ref(),
            self.below.as_ref(),
            self.contains.as_ref(),
            self.starts_with.as_ref(),
        ];
        let all = single
            .into_iter()
            .flatten()
            .chain(self.any_of.iter().flatten());
        all.into_iter().try_for_each(|text| check_text(text))
    }

    fn has_range(&self) -> bool {
        self.min.is_some() || self.max.is_some() || self.below.is_some()
    }

    fn path(&self) -> String {
        format!("where.attributes.{}", self.name)
    }
}

/// What conditions mean, by condition.
pub(crate) type Understood = HashMap<AttributeFilter, Meaning>;

/// Looks up what these conditions are about.
///
/// # Errors
/// When a value is none of the attribute's type.
pub(crate) async fn understand(
    db: &impl ConnectionTrait,
    filters: &[&AttributeFilter],
) -> Result<Understood> {
    if filters.is_empty() {
        return Ok(Understood::new());
    }
    let names: Vec<_> = filters.iter().map(|filter| filter.name.clone()).collect();
    let declared = named_attributes(db, &names).await?;
    let meaning =
        |filter: &&AttributeFilter| Ok(((*filter).clone(), Meaning::new(filter, &declared)?));
    filters.iter().map(meaning).collect()
}

/// What a condition means.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    /// Where values are kept.
    keys: Vec<Key>,
    /// Any of these; none when it is only about there being a value.
    any_of: Option<Vec<Asked>>,
    is_null: Option<bool>,
}

/// What is asked of the values under one key.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    key: Key,
    /// For each: one of them.
    equal: Vec<Vec<Value>>,
    range: Option<Range>,
    contains: Option<String>,
    starts_with: Option<String>,
    /// Whether it is asked of one row after the other, and no index is to help.
    is_of_rows: bool,
}

/// Bounds in the form of `item_number`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Range {
    min: Option<Decimal>,
    max: Option<Decimal>,
    below: Option<Decimal>,
}

impl Meaning {
    fn new(filter: &AttributeFilter, declared: &Declared) -> Result<Self, Refusal> {
        let keys = declared.keys(&filter.name);
        let attributes: Vec<_> = declared.named(&filter.name).collect();
        let asks = filter.eq.is_some()
            || filter.any_of.is_some()
            || filter.has_range()
            || filter.contains.is_some()
            || filter.starts_with.is_some();
        if attributes.is_empty() {
            return Ok(Self {
                keys,
                any_of: asks
                    .then(|| free(filter))
                    .transpose()?
                    .map(|asked| vec![asked]),
                is_null: filter.is_null,
            });
        }
        Ok(Self {
            keys,
            any_of: asks
                .then(|| all_declared(filter, &attributes, declared))
                .transpose()?,
            is_null: filter.is_null,
        })
    }

    /// The same for statements that ask it of many rows, one after the other.
    pub(crate) fn of_rows(&self) -> Self {
        let mut of_rows = self.clone();
        for asked in of_rows.any_of.iter_mut().flatten() {
            asked.is_of_rows = true;
        }
        of_rows
    }

    /// Appends the condition on the item `i`, after an `AND`.
    pub(crate) fn push(&self, sql: &mut Sql) {
        if let Some(is_null) = self.is_null {
            sql.push(if is_null { " AND NOT (" } else { " AND (" });
            for (place, key) in self.keys.iter().enumerate() {
                sql.push(if place == 0 {
                    "(i.attributes ? "
                } else {
                    " OR (i.attributes ? "
                })
                .bind(key.name.as_str());
                key.push_within(sql);
                sql.push(")");
            }
            sql.push(")");
        }
        let Some(any_of) = &self.any_of else { return };
        sql.push(" AND (");
        for (place, asked) in any_of.iter().enumerate() {
            sql.push(if place == 0 { "(" } else { " OR (" });
            asked.push(sql);
            sql.push(")");
        }
        sql.push(")");
    }
}

/// What a condition asks of each declaration of its name. A value that is understood for one of them is understood.
fn all_declared(
    filter: &AttributeFilter,
    attributes: &[&Attribute],
    declared: &Declared,
) -> Result<Vec<Asked>, Refusal> {
    let mut asked = Vec::new();
    let mut refused = None;
    for attribute in attributes {
        match of_declared(filter, attribute, declared) {
            Ok(it) if asked.contains(&it) => {}
            Ok(it) => asked.push(it),
            Err(refusal) => refused = Some(refusal),
        }
    }
    match refused {
        Some(refusal) if asked.is_empty() => Err(refusal),
        _ => Ok(asked),
    }
}

fn of_declared(
    filter: &AttributeFilter,
    attribute: &Attribute,
    declared: &Declared,
) -> Result<Asked, Refusal> {
    let (path, units) = (filter.path(), &declared.units);
    let equal = |text: &String| equal(attribute, &path, text, units);
    let mut groups = Vec::new();
    groups.extend(
        filter
            .eq
            .as_ref()
            .map(|text| Ok(vec![equal(text)?]))
            .transpose()?,
    );
    groups.extend(
        filter
            .any_of
            .as_ref()
            .map(|texts| texts.iter().map(equal).collect::<Result<Vec<_>, _>>())
            .transpose()?,
    );
    let is_text = attribute.kind == Kind::Text;
    if !is_text && (filter.contains.is_some() || filter.starts_with.is_some()) {
        return Err(value::wrong_type(&path, attribute.kind));
    }
    Ok(Asked {
        key: declared.key(attribute),
        equal: groups,
        range: range(filter, |text| bound(attribute, &path, text, units))?,
        contains: filter.contains.clone(),
        starts_with: filter.starts_with.clone(),
        is_of_rows: false,
    })
}

fn range(
    filter: &AttributeFilter,
    bound: impl Fn(&str) -> Result<Decimal, Refusal>,
) -> Result<Option<Range>, Refusal> {
    if !filter.has_range() {
        return Ok(None);
    }
    let parse = |text: &Option<String>| text.as_deref().map(&bound).transpose();
    Ok(Some(Range {
        min: parse(&filter.min)?,
        max: parse(&filter.max)?,
        below: parse(&filter.below)?,
    }))
}

/// A value as items keep it.
fn equal(attribute: &Attribute, path: &str, text: &str, units: &Units) -> Result<Value, Refusal> {
    if attribute.kind == Kind::Reference {
        return match Uuid::try_parse(text.trim()) {
            Ok(id) => Ok(Value::String(id.to_string())),
            Err(_no_id) => Err(value::wrong_type(path, Kind::Reference)),
        };
    }
    value::read(attribute, path, &Value::String(text.to_owned()), units)
}

/// A number in the base unit of its attribute, or a day as the number that its digits make.
///
/// # Errors
/// When it is neither.
pub(crate) fn bound(
    attribute: &Attribute,
    path: &str,
    text: &str,
    units: &Units,
) -> Result<Decimal, Refusal> {
    let written = Value::String(text.to_owned());
    match attribute.kind {
        Kind::Number => value::decimal(path, &written),
        Kind::Decimal => {
            let kept = value::read(attribute, path, &written, units)?;
            value::decimal(path, &kept)
        }
        Kind::Date => value::date(path, &written).map(as_number),
        Kind::Text | Kind::Boolean | Kind::Enum | Kind::MultiEnum | Kind::Reference => {
            Err(value::wrong_type(path, attribute.kind))
        }
    }
}

fn as_number(day: chrono::NaiveDate) -> Decimal {
    use chrono::Datelike as _;
    let [year, month, day] = [i64::from(day.year()), day.month().into(), day.day().into()];
    Decimal::from((year * 100 + month) * 100 + day)
}

/// Of values that no schema gives a type: a text may be any of what it looks like.
fn free(filter: &AttributeFilter) -> Result<Asked, Refusal> {
    let path = filter.path();
    let groups = [
        filter.eq.as_ref().map(|text| guesses(text)),
        filter
            .any_of
            .as_ref()
            .map(|texts| texts.iter().flat_map(|text| guesses(text)).collect()),
    ];
    let bound = |text: &str| {
        let written = Value::String(text.to_owned());
        let day = value::date(&path, &written).map(as_number);
        day.or_else(|_no_day| value::decimal(&path, &written))
    };
    Ok(Asked {
        key: Key::anywhere(&filter.name),
        equal: groups.into_iter().flatten().collect(),
        range: range(filter, bound)?,
        contains: filter.contains.clone(),
        starts_with: filter.starts_with.clone(),
        is_of_rows: false,
    })
}

fn guesses(text: &str) -> Vec<Value> {
    let mut guesses = vec![json!(text), json!([text])];
    guesses.extend(text.parse::<i64>().ok().map(|number| json!(number)));
    guesses.extend(text.parse::<bool>().ok().map(|truth| json!(truth)));
    guesses
}

impl Asked {
    /// By containment, which the index of all attributes can answer.
    fn push_contained(&self, sql: &mut Sql, group: &[Value]) {
        sql.push(" AND (");
        for (place, value) in group.iter().enumerate() {
            sql.push(if place == 0 { "" } else { " OR " })
                .push("i.attributes @> ")
                .bind(json!({ self.key.name.as_str(): value }))
                .push("::jsonb");
        }
        sql.push(if group.is_empty() { "false)" } else { ")" });
    }

    /// By one look at the value, where containment takes one for each text.
    fn push_among(&self, sql: &mut Sql, texts: Vec<String>) {
        let key = self.key.name.as_str();
        sql.push(" AND i.attributes->>").bind(key);
        sql.push(" = ANY(").bind(texts);
        sql.push("::text[]) AND jsonb_typeof(i.attributes->")
            .bind(key)
            .push(") = 'string'");
    }

    fn push(&self, sql: &mut Sql) {
        sql.push("true");
        for group in &self.equal {
            match texts(group).filter(|_| self.is_of_rows) {
                Some(texts) => self.push_among(sql, texts),
                None => self.push_contained(sql, group),
            }
        }
        if let Some(range) = &self.range {
            range.push(sql, &self.key.name);
        }
        let patterns = [
            self.contains.as_deref().map(like_anywhere),
            self.starts_with.as_deref().map(like_beginning),
        ];
        for (pattern, operator) in patterns.into_iter().zip([" ILIKE ", " LIKE "]) {
            if let Some(pattern) = pattern {
                sql.push(" AND i.attributes->>")
                    .bind(self.key.name.as_str())
                    .push(operator)
                    .bind(pattern);
            }
        }
        self.key.push_within(sql);
    }
}

/// The texts that these are; none when there are others among them, or only one.
fn texts(group: &[Value]) -> Option<Vec<String>> {
    let texts = group.iter().map(|value| value.as_str().map(str::to_owned));
    texts
        .collect::<Option<Vec<_>>>()
        .filter(|texts| texts.len() > 1)
}

impl Range {
    fn push(&self, sql: &mut Sql, key: &str) {
        sql.push(" AND i.id IN (SELECT n.item_id FROM item_number n WHERE n.key = ")
            .bind(key);
        for (bound, comparison) in [
            (self.min, " AND n.value >= "),
            (self.max, " AND n.value <= "),
            (self.below, " AND n.value < "),
        ] {
            if let Some(bound) = bound {
                sql.push(comparison).bind(bound);
            }
        }
        sql.push(")");
    }
}
