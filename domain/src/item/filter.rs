//! Which items, in which order.

use std::{collections::HashMap, sync::Arc};

use entity::{
    id::{CategoryId, ItemId},
    item::Kind,
    ltree::Ltree,
};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    attribute::{AttributeFilter, Understood, understand},
    error::{Code, Refusal, Result},
    filter::{CONDITIONS_MAX, TextFilter, check_text, push_text},
    sql::{Sql, statement, uuids},
};

/// Deepest nesting of `and`, `or` and `not`.
const DEPTH_MAX: usize = 5;

/// Which items. All that is given must hold; an empty filter is every item that is in use.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ItemFilter {
    /// By SKU.
    pub sku: Option<TextFilter>,
    /// By name, in any language.
    pub name: Option<TextFilter>,
    /// By key in somebody else's system.
    pub external_reference: Option<TextFilter>,
    /// By what sort of thing it is: one of these.
    pub kind_in: Option<Vec<Kind>>,
    /// In one of these categories.
    pub category_in: Option<Vec<CategoryId>>,
    /// In this category or anywhere below it.
    pub category_descendant_of: Option<CategoryId>,
    /// With all of these tags.
    pub tags_all: Option<Vec<String>>,
    /// With one of these tags at least: none, when there are none.
    pub tags_any: Option<Vec<String>>,
    /// With none of these tags.
    pub tags_none: Option<Vec<String>>,
    /// By price amount, whatever the currency.
    pub price: Option<DecimalFilter>,
    /// By values of attributes: all of these must hold.
    pub attributes: Vec<AttributeFilter>,
    /// Whether it has a picture.
    pub has_image: Option<bool>,
    /// Whether others are its variants.
    pub is_template: Option<bool>,
    /// A variant of one of these.
    pub template_in: Option<Vec<ItemId>>,
    /// No variant of anything, or a variant.
    pub template_is_null: Option<bool>,
    /// Put away or not; without, only what is in use.
    pub archived: Option<bool>,
    /// All of these as well.
    pub and: Option<Vec<Self>>,
    /// At least one of these as well: none, when there are none.
    pub or: Option<Vec<Self>>,
    /// Not this.
    pub not: Option<Box<Self>>,
}

/// A condition on a number.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DecimalFilter {
    /// Not less.
    pub min: Option<Decimal>,
    /// Not more.
    pub max: Option<Decimal>,
    /// Less.
    pub below: Option<Decimal>,
    /// Missing, or not.
    pub is_null: Option<bool>,
}

impl ItemFilter {
    /// Bounds what a client can make us do.
    ///
    /// # Errors
    /// When the filter is nested too deep, has too many conditions, or a text is too long.
    pub fn check(&self) -> Result<(), Refusal> {
        let mut conditions = 0;
        self.check_level(0, &mut conditions)
    }

    fn check_level(&self, depth: usize, conditions: &mut usize) -> Result<(), Refusal> {
        let lists = [
            self.kind_in.as_ref().map(Vec::len),
            self.category_in.as_ref().map(Vec::len),
            self.tags_all.as_ref().map(Vec::len),
            self.tags_any.as_ref().map(Vec::len),
            self.tags_none.as_ref().map(Vec::len),
            self.template_in.as_ref().map(Vec::len),
        ];
        let texts = [&self.sku, &self.name, &self.external_reference];
        *conditions += 1
            + lists.into_iter().flatten().sum::<usize>()
            + texts
                .iter()
                .copied()
                .flatten()
                .map(TextFilter::size)
                .sum::<usize>()
            + self
                .attributes
                .iter()
                .map(AttributeFilter::size)
                .sum::<usize>();
        if depth > DEPTH_MAX || *conditions > CONDITIONS_MAX {
            return Err(Refusal::new(Code::TooMany, "where").with("max", CONDITIONS_MAX));
        }
        texts
            .into_iter()
            .flatten()
            .try_for_each(TextFilter::check)?;
        let tags = self.tags_all.iter().chain(&self.tags_any);
        tags.chain(&self.tags_none)
            .flatten()
            .try_for_each(|text| check_text(text))?;
        self.attributes
            .iter()
            .try_for_each(AttributeFilter::check)?;
        self.parts()
            .try_for_each(|part| part.check_level(depth + 1, conditions))
    }

    fn parts(&self) -> impl Iterator<Item = &Self> {
        self.and
            .iter()
            .chain(&self.or)
            .flatten()
            .chain(self.not.as_deref())
    }

    /// Looks up what the filter names: which categories its subtrees have, and what its attributes are kept as. Of categories that are
    /// values of the statement PostgreSQL knows how many items they have, and can find these in an index together with what else is asked;
    /// of a subquery it would have to guess, and guesses badly.
    pub(crate) async fn resolve(&self, db: &impl ConnectionTrait) -> Result<ResolvedFilter<'_>> {
        let mut subtrees = Vec::new();
        let mut attributes = Vec::new();
        self.collect(&mut subtrees, &mut attributes);
        let named = Named {
            subtrees: find_subtrees(db, &subtrees).await?,
            attributes: understand(db, &attributes).await?,
        };
        Ok(ResolvedFilter {
            filter: self,
            named: Arc::new(named),
        })
    }

    fn collect<'a>(
        &'a self,
        subtrees: &mut Vec<CategoryId>,
        attributes: &mut Vec<&'a AttributeFilter>,
    ) {
        subtrees.extend(self.category_descendant_of);
        attributes.extend(&self.attributes);
        self.parts()
            .for_each(|part| part.collect(subtrees, attributes));
    }

    /// Whether some part of the filter decides about archived items itself.
    fn says_archived(&self) -> bool {
        self.archived.is_some() || self.parts().any(Self::says_archived)
    }

    /// Appends each condition after an `AND`.
    fn push_conditions(&self, sql: &mut Sql, named: &Named) {
        push_text(sql, "i.sku", self.sku.as_ref());
        push_text(
            sql,
            "i.external_reference",
            self.external_reference.as_ref(),
        );
        if let Some(name) = &self.name {
            sql.push(" AND EXISTS (SELECT FROM jsonb_each_text(i.name) n WHERE true");
            push_text(sql, "n.value", Some(name));
            sql.push(")");
        }
        if let Some(kinds) = &self.kind_in {
            let kinds: Vec<String> = kinds.iter().map(kind_text).collect();
            sql.push(" AND i.kind = ANY(").bind(kinds).push("::text[])");
        }
        self.push_categories(sql, named);
        self.push_tags(sql);
        if let Some(price) = &self.price {
            push_decimal(sql, "i.price_amount", price);
        }
        for attribute in &self.attributes {
            match named.attributes.get(attribute) {
                Some(meaning) => meaning.push(sql),
                None => drop(sql.push(" AND false")),
            }
        }
        if let Some(has_image) = self.has_image {
            sql.push(if has_image {
                " AND i.primary_image_id IS NOT NULL"
            } else {
                " AND i.primary_image_id IS NULL"
            });
        }
        self.push_template(sql);
        self.push_parts(sql, named);
    }

    fn push_categories(&self, sql: &mut Sql, named: &Named) {
        if let Some(categories) = &self.category_in {
            sql.push(" AND i.category_id = ANY(")
                .bind(uuids(categories))
                .push(")");
        }
        if let Some(category) = self.category_descendant_of {
            match named.subtrees.get(&category) {
                Some(subtree) => subtree.push(sql),
                None => drop(sql.push(" AND false")),
            }
        }
    }

    fn push_tags(&self, sql: &mut Sql) {
        let kept = |tags: &[String]| -> Vec<String> {
            tags.iter().map(|tag| tag.trim().to_lowercase()).collect()
        };
        if let Some(tags) = &self.tags_all {
            sql.push(if tags.is_empty() {
                " AND false AND i.tags @> "
            } else {
                " AND i.tags @> "
            })
            .bind(kept(tags))
            .push("::text[]");
        }
        if let Some(tags) = &self.tags_any {
            sql.push(" AND i.tags && ")
                .bind(kept(tags))
                .push("::text[]");
        }
        if let Some(tags) = &self.tags_none {
            sql.push(" AND NOT i.tags && ")
                .bind(kept(tags))
                .push("::text[]");
        }
    }

    fn push_template(&self, sql: &mut Sql) {
        if let Some(is_template) = self.is_template {
            sql.push(if is_template {
                " AND i.is_template"
            } else {
                " AND NOT i.is_template"
            });
        }
        if let Some(templates) = &self.template_in {
            sql.push(" AND i.template_id = ANY(")
                .bind(uuids(templates))
                .push(")");
        }
        if let Some(is_null) = self.template_is_null {
            sql.push(if is_null {
                " AND i.template_id IS NULL"
            } else {
                " AND i.template_id IS NOT NULL"
            });
        }
    }

    fn push_parts(&self, sql: &mut Sql, named: &Named) {
        for part in self.and.iter().flatten() {
            sql.push(" AND (");
            part.push_nested(sql, named);
            sql.push(")");
        }
        if let Some(parts) = &self.or {
            sql.push(" AND (false");
            for part in parts {
                sql.push(" OR (");
                part.push_nested(sql, named);
                sql.push(")");
            }
            sql.push(")");
        }
        if let Some(part) = &self.not {
            // What is unknown, because a value is missing, is not so either.
            sql.push(" AND (");
            part.push_nested(sql, named);
            sql.push(") IS NOT TRUE");
        }
    }

    /// A part says about archived items only what it was asked to.
    fn push_nested(&self, sql: &mut Sql, named: &Named) {
        sql.push(match self.archived {
            Some(true) => "i.archived_at IS NOT NULL",
            Some(false) => "i.archived_at IS NULL",
            None => "true",
        });
        self.push_conditions(sql, named);
    }
}

/// What a filter names.
#[derive(Default)]
struct Named {
    subtrees: HashMap<CategoryId, Subtree>,
    attributes: Understood,
}

/// Most categories that are listed in a statement; a subtree of more is told by its path.
const LISTED_MAX: usize = 2000;

/// A category with everything below it.
#[derive(Clone, FromQueryResult)]
struct Subtree {
    id: CategoryId,
    path: Ltree,
    categories: Vec<Uuid>,
}

impl Subtree {
    fn is_listed(&self) -> bool {
        self.categories.len() <= LISTED_MAX
    }

    fn push(&self, sql: &mut Sql) {
        if !self.is_listed() {
            sql.push(" AND i.category_id IN (SELECT id FROM category WHERE path <@ ")
                .bind(self.path.0.as_str())
                .push("::ltree)");
        } else {
            sql.push(" AND i.category_id = ANY(")
                .bind(self.categories.clone())
                .push(")");
        }
    }
}

async fn find_subtrees(
    db: &impl ConnectionTrait,
    ids: &[CategoryId],
) -> Result<HashMap<CategoryId, Subtree>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT c.id, c.path::text AS path, ARRAY(SELECT d.id FROM category d WHERE d.path <@ c.path LIMIT $2) AS categories
               FROM category c WHERE c.id = ANY($1)";
    let limit = i64::try_from(LISTED_MAX + 1).unwrap_or(i64::MAX);
    let subtrees = Subtree::find_by_statement(statement(sql, [uuids(ids), limit.into()]))
        .all(db)
        .await?;
    Ok(subtrees
        .into_iter()
        .map(|subtree| (subtree.id, subtree))
        .collect())
}

/// A filter that knows what it names.
#[derive(Clone)]
pub(crate) struct ResolvedFilter<'a> {
    filter: &'a ItemFilter,
    named: Arc<Named>,
}

impl ResolvedFilter<'_> {
    /// The same of another filter that names nothing else.
    pub(crate) fn of<'b>(&self, filter: &'b ItemFilter) -> ResolvedFilter<'b> {
        ResolvedFilter {
            filter,
            named: Arc::clone(&self.named),
        }
    }

    /// The same for statements that read many items by something else than their attributes.
    pub(crate) fn of_rows(&self) -> Self {
        let attributes = self.named.attributes.iter();
        let attributes = attributes.map(|(asked, meaning)| (asked.clone(), meaning.of_rows()));
        Self {
            filter: self.filter,
            named: Arc::new(Named {
                subtrees: self.named.subtrees.clone(),
                attributes: attributes.collect(),
            }),
        }
    }

    /// How deep in the tree the subtree begins that the filter is about; none when it is about no single one.
    pub(crate) fn depth(&self) -> Option<usize> {
        let subtree = self
            .named
            .subtrees
            .get(&self.filter.category_descendant_of?)?;
        Some(subtree.path.0.split('.').count())
    }

    /// What must hold for every item's price.
    pub(crate) fn price(&self) -> Option<&DecimalFilter> {
        self.filter.price.as_ref()
    }

    /// Whether it is about some categories, and can list them.
    pub(super) fn lists_categories(&self) -> bool {
        match self.filter.category_descendant_of {
            Some(category) => {
                let subtree = self.named.subtrees.get(&category);
                subtree.is_some_and(Subtree::is_listed)
            }
            None => self.filter.category_in.is_some(),
        }
    }

    /// Appends, after an `AND` each, in which categories every item must be.
    pub(super) fn push_categories(&self, sql: &mut Sql) {
        self.filter.push_categories(sql, &self.named);
    }

    /// Whether it leaves out nothing but what is archived, or what is not.
    pub(crate) fn is_empty(&self) -> bool {
        let mut bare = Sql::default();
        self.filter.push_conditions(&mut bare, &self.named);
        bare.is_empty()
    }

    /// Whether only what is put away is asked for.
    pub(crate) fn is_of_archived(&self) -> bool {
        self.filter.archived == Some(true)
    }

    /// Appends the condition on the item `i`.
    pub(crate) fn push(&self, sql: &mut Sql) {
        sql.push(match self.filter.archived {
            Some(true) => "i.archived_at IS NOT NULL",
            None if self.filter.says_archived() => "true",
            Some(false) | None => "i.archived_at IS NULL",
        });
        self.filter.push_conditions(sql, &self.named);
    }
}

/// The text of the column: that of its serialised form.
fn kind_text(kind: &Kind) -> String {
    use sea_orm::ActiveEnum as _;
    kind.to_value()
}

/// Appends the condition on the column, after an `AND`.
pub(super) fn push_decimal(sql: &mut Sql, column: &str, filter: &DecimalFilter) {
    let DecimalFilter {
        min,
        max,
        below,
        is_null,
    } = filter;
    if let Some(min) = min {
        sql.push(" AND ").push(column).push(" >= ").bind(*min);
    }
    if let Some(max) = max {
        sql.push(" AND ").push(column).push(" <= ").bind(*max);
    }
    if let Some(below) = below {
        sql.push(" AND ").push(column).push(" < ").bind(*below);
    }
    if let Some(is_null) = is_null {
        sql.push(" AND ")
            .push(column)
            .push(if *is_null { " IS NULL" } else { " IS NOT NULL" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(filter: &ItemFilter) -> String {
        let mut sql = Sql::default();
        let named = Arc::default();
        ResolvedFilter { filter, named }.push(&mut sql);
        sql.build().sql
    }

    #[test]
    fn without_a_word_about_it_archived_items_stay_away() {
        assert_eq!(text(&ItemFilter::default()), "i.archived_at IS NULL");
        let either = ItemFilter {
            archived: Some(true),
            ..ItemFilter::default()
        };
        assert_eq!(text(&either), "i.archived_at IS NOT NULL");
        let nested = ItemFilter {
            or: Some(vec![
                either,
                ItemFilter {
                    archived: Some(false),
                    ..ItemFilter::default()
                },
            ]),
            ..ItemFilter::default()
        };
        assert_eq!(
            text(&nested),
            "true AND (false OR (i.archived_at IS NOT NULL) OR (i.archived_at IS NULL))"
        );
    }

    #[test]
    fn an_empty_list_matches_nothing() {
        let none = ItemFilter {
            or: Some(Vec::new()),
            ..ItemFilter::default()
        };
        assert_eq!(text(&none), "i.archived_at IS NULL AND (false)");
        let none = ItemFilter {
            sku: Some(TextFilter {
                any_of: Some(Vec::new()),
                ..TextFilter::default()
            }),
            ..ItemFilter::default()
        };
        assert_eq!(
            text(&none),
            "i.archived_at IS NULL AND i.sku = ANY($1::text[])"
        );
        let none = ItemFilter {
            tags_all: Some(Vec::new()),
            ..ItemFilter::default()
        };
        assert!(text(&none).contains("AND false"));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = (0..6).fold(ItemFilter::default(), |inner, _| ItemFilter {
            not: Some(Box::new(inner)),
            ..ItemFilter::default()
        });
        assert!(deep.check().is_err());
        let wide = ItemFilter {
            or: Some(vec![ItemFilter::default(); 100]),
            ..ItemFilter::default()
        };
        assert!(wide.check().is_err());
        assert!(ItemFilter::default().check().is_ok());
    }
}
