//! Which items, in which order.

use std::collections::HashMap;

use entity::{id::CategoryId, item::Kind, ltree::Ltree};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Code, Refusal, Result},
    filter::{CONDITIONS_MAX, TextFilter, check_text, push_text},
    keyset::{Column, Order, Term},
    sql::{Sql, statement, uuids},
};

/// Deepest nesting of `and`, `or` and `not`.
const DEPTH_MAX: usize = 5;

/// Which items. All that is given must hold; an empty filter is every item that is in use.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    /// By price amount, whatever the currency.
    pub price: Option<DecimalFilter>,
    /// Whether it has a picture.
    pub has_image: Option<bool>,
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
pub struct DecimalFilter {
    /// Not less.
    pub min: Option<Decimal>,
    /// Not more.
    pub max: Option<Decimal>,
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
        ];
        let texts = [&self.sku, &self.name, &self.external_reference];
        *conditions += 1
            + lists.into_iter().flatten().sum::<usize>()
            + texts
                .iter()
                .copied()
                .flatten()
                .map(TextFilter::size)
                .sum::<usize>();
        if depth > DEPTH_MAX || *conditions > CONDITIONS_MAX {
            return Err(Refusal::new(Code::TooMany, "where").with("max", CONDITIONS_MAX));
        }
        texts
            .into_iter()
            .flatten()
            .try_for_each(TextFilter::check)?;
        self.tags_all
            .iter()
            .flatten()
            .try_for_each(|text| check_text(text))?;
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

    /// Looks up where the subtrees are that the filter names. As a value in the statement a path lets PostgreSQL see how many categories
    /// it will find below; as a subquery it would have to guess, and guesses badly.
    pub(crate) async fn resolve(&self, db: &impl ConnectionTrait) -> Result<ResolvedFilter<'_>> {
        let mut ids = Vec::new();
        self.collect_subtrees(&mut ids);
        let paths = if ids.is_empty() {
            HashMap::new()
        } else {
            paths(db, &ids).await?
        };
        Ok(ResolvedFilter {
            filter: self,
            paths,
        })
    }

    fn collect_subtrees(&self, ids: &mut Vec<CategoryId>) {
        ids.extend(self.category_descendant_of);
        self.parts().for_each(|part| part.collect_subtrees(ids));
    }

    /// Whether some part of the filter decides about archived items itself.
    fn says_archived(&self) -> bool {
        self.archived.is_some() || self.parts().any(Self::says_archived)
    }

    /// Appends each condition after an `AND`.
    fn push_conditions(&self, sql: &mut Sql, paths: &Paths) {
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
        if let Some(categories) = &self.category_in {
            sql.push(" AND i.category_id = ANY(")
                .bind(uuids(categories))
                .push(")");
        }
        if let Some(category) = self.category_descendant_of {
            match paths.get(&category) {
                Some(path) => sql
                    .push(" AND i.category_id IN (SELECT id FROM category WHERE path <@ ")
                    .bind(path.0.as_str())
                    .push("::ltree)"),
                None => sql.push(" AND false"),
            };
        }
        if let Some(tags) = &self.tags_all {
            let tags: Vec<String> = tags.iter().map(|tag| tag.trim().to_lowercase()).collect();
            sql.push(if tags.is_empty() {
                " AND false AND i.tags @> "
            } else {
                " AND i.tags @> "
            })
            .bind(tags)
            .push("::text[]");
        }
        if let Some(price) = &self.price {
            push_decimal(sql, "i.price_amount", price);
        }
        if let Some(has_image) = self.has_image {
            sql.push(if has_image {
                " AND i.primary_image_id IS NOT NULL"
            } else {
                " AND i.primary_image_id IS NULL"
            });
        }
        self.push_parts(sql, paths);
    }

    fn push_parts(&self, sql: &mut Sql, paths: &Paths) {
        for part in self.and.iter().flatten() {
            sql.push(" AND (");
            part.push_nested(sql, paths);
            sql.push(")");
        }
        if let Some(parts) = &self.or {
            sql.push(" AND (false");
            for part in parts {
                sql.push(" OR (");
                part.push_nested(sql, paths);
                sql.push(")");
            }
            sql.push(")");
        }
        if let Some(part) = &self.not {
            // What is unknown, because a value is missing, is not so either.
            sql.push(" AND (");
            part.push_nested(sql, paths);
            sql.push(") IS NOT TRUE");
        }
    }

    /// A part says about archived items only what it was asked to.
    fn push_nested(&self, sql: &mut Sql, paths: &Paths) {
        sql.push(match self.archived {
            Some(true) => "i.archived_at IS NOT NULL",
            Some(false) => "i.archived_at IS NULL",
            None => "true",
        });
        self.push_conditions(sql, paths);
    }
}

/// Where subtrees are.
type Paths = HashMap<CategoryId, Ltree>;

#[derive(FromQueryResult)]
struct Place {
    id: CategoryId,
    path: Ltree,
}

async fn paths(db: &impl ConnectionTrait, ids: &[CategoryId]) -> Result<Paths> {
    let sql = "SELECT id, path::text AS path FROM category WHERE id = ANY($1)";
    let places = Place::find_by_statement(statement(sql, [uuids(ids)]))
        .all(db)
        .await?;
    Ok(places
        .into_iter()
        .map(|place| (place.id, place.path))
        .collect())
}

/// A filter that knows where the subtrees are that it names.
pub(crate) struct ResolvedFilter<'a> {
    filter: &'a ItemFilter,
    paths: Paths,
}

impl ResolvedFilter<'_> {
    /// Appends the condition on the item `i`.
    pub(crate) fn push(&self, sql: &mut Sql) {
        sql.push(match self.filter.archived {
            Some(true) => "i.archived_at IS NOT NULL",
            None if self.filter.says_archived() => "true",
            Some(false) | None => "i.archived_at IS NULL",
        });
        self.filter.push_conditions(sql, &self.paths);
    }
}

/// The text of the column: that of its serialised form.
fn kind_text(kind: &Kind) -> String {
    use sea_orm::ActiveEnum as _;
    kind.to_value()
}

fn push_decimal(sql: &mut Sql, column: &str, filter: &DecimalFilter) {
    let DecimalFilter { min, max, is_null } = filter;
    if let Some(min) = min {
        sql.push(" AND ").push(column).push(" >= ").bind(*min);
    }
    if let Some(max) = max {
        sql.push(" AND ").push(column).push(" <= ").bind(*max);
    }
    if let Some(is_null) = is_null {
        sql.push(" AND ")
            .push(column)
            .push(if *is_null { " IS NULL" } else { " IS NOT NULL" });
    }
}

/// What items can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderField {
    /// When they were created.
    CreatedAt,
    /// SKU, by code point.
    Sku,
    /// When they last changed.
    UpdatedAt,
}

/// One term of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTerm {
    /// By what.
    pub field: OrderField,
    /// Largest first.
    pub descending: bool,
}

impl OrderField {
    fn column(self) -> Column {
        match self {
            // Ids carry the time of creation, and are unique.
            Self::CreatedAt => Column {
                sql: "i.id",
                cast: "uuid",
            },
            Self::Sku => Column {
                sql: "i.sku",
                cast: "text",
            },
            Self::UpdatedAt => Column {
                sql: "i.updated_at",
                cast: "timestamptz",
            },
        }
    }
}

/// The terms that decide: a field only counts where it is named first, and nothing decides after the time of creation.
pub(crate) fn deciding(terms: &[OrderTerm]) -> Vec<OrderTerm> {
    let mut deciding: Vec<OrderTerm> = Vec::new();
    for term in terms {
        if deciding
            .last()
            .is_some_and(|last| last.field == OrderField::CreatedAt)
        {
            break;
        }
        if deciding.iter().all(|other| other.field != term.field) {
            deciding.push(*term);
        }
    }
    deciding
}

/// The order by `terms`, ties broken by id; by creation without terms.
pub(crate) fn order(terms: &[OrderTerm]) -> Order {
    let terms = terms.iter().map(|term| Term {
        column: term.field.column(),
        descending: term.descending,
    });
    Order::new(terms.collect(), OrderField::CreatedAt.column())
}

/// Appends an `ORDER BY` for items `i`.
pub(crate) fn push_order(terms: &[OrderTerm], sql: &mut Sql) {
    order(&deciding(terms)).push_order_by(sql, false);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(filter: &ItemFilter) -> String {
        let mut sql = Sql::default();
        let paths = HashMap::new();
        ResolvedFilter { filter, paths }.push(&mut sql);
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

    #[test]
    fn an_order_says_each_thing_once() {
        let term = |field, descending| OrderTerm { field, descending };
        let (sku, created) = (
            term(OrderField::Sku, true),
            term(OrderField::CreatedAt, false),
        );
        let terms = [
            sku,
            term(OrderField::Sku, false),
            created,
            term(OrderField::UpdatedAt, true),
        ];
        assert_eq!(deciding(&terms), [sku, created]);
        assert_eq!(deciding(&vec![sku; 6000]), [sku]);
    }
}
