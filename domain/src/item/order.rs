//! In which order items come.

use entity::item::Model as Item;
use serde::{Deserialize, Serialize};

use super::filter::{DecimalFilter, push_decimal};
use crate::{
    keyset::{Column, Cursor, Order, Term},
    locale::Locale,
    sql::Sql,
};

/// What items can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderField {
    /// When they were created.
    CreatedAt,
    /// Name in the viewer's language, as that language sorts.
    Name,
    /// Amount of the fixed price, whatever the currency; items without one come last, whichever end comes first.
    Price,
    /// How well they fit the words that are looked for; without words by creation.
    Relevance,
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

/// Ids carry the time of creation, and are unique.
const ID: Column = Column {
    sql: "i.id",
    cast: "uuid",
};

impl OrderTerm {
    /// Best first.
    pub(super) const BY_RELEVANCE: Self = Self {
        field: OrderField::Relevance,
        descending: true,
    };

    fn column(self, locale: Locale) -> Column {
        match self.field {
            OrderField::CreatedAt => ID,
            OrderField::Name => Column {
                sql: match locale {
                    Locale::En => {
                        "(COALESCE(i.name->>'en', i.name->>'fa', '') COLLATE \"en-x-icu\")"
                    }
                    Locale::Fa => {
                        "(COALESCE(i.name->>'fa', i.name->>'en', '') COLLATE \"fa-x-icu\")"
                    }
                },
                cast: "text",
            },
            OrderField::Price => Column {
                sql: if self.descending {
                    "COALESCE(i.price_amount, -1)"
                } else {
                    "COALESCE(i.price_amount, 'Infinity')"
                },
                cast: "numeric",
            },
            OrderField::Relevance => Column {
                sql: "i.score",
                cast: "int4",
            },
            OrderField::Sku => Column {
                sql: "i.sku",
                cast: "text",
            },
            OrderField::UpdatedAt => Column {
                sql: "i.updated_at",
                cast: "timestamptz",
            },
        }
    }

    /// Where a row stands in this term, as text.
    fn place(self, item: &Item, score: Option<i32>, locale: Locale) -> String {
        match self.field {
            OrderField::CreatedAt => item.id.to_string(),
            OrderField::Name => name(item, locale).to_owned(),
            OrderField::Price => match item.price_amount {
                Some(amount) => amount.to_string(),
                None if self.descending => "-1".into(),
                None => "Infinity".into(),
            },
            OrderField::Relevance => score.unwrap_or_default().to_string(),
            OrderField::Sku => item.sku.clone(),
            OrderField::UpdatedAt => item.updated_at.to_rfc3339(),
        }
    }
}

/// As the index has it.
fn name(item: &Item, locale: Locale) -> &str {
    let languages = match locale {
        Locale::En => ["en", "fa"],
        Locale::Fa => ["fa", "en"],
    };
    let mut names = languages
        .iter()
        .filter_map(|language| item.name.0.get(*language));
    names.next().map_or("", String::as_str)
}

/// Terms that decide, in the language of the viewer.
#[derive(Clone, Debug)]
pub(super) struct Ordering {
    terms: Vec<OrderTerm>,
    locale: Locale,
}

impl Ordering {
    /// By these terms: a field only counts where it is named first, and nothing decides after the time of creation. Relevance decides where
    /// items are ranked.
    pub(super) fn new(terms: &[OrderTerm], locale: Locale, ranked: bool) -> Self {
        let mut deciding: Vec<OrderTerm> = Vec::new();
        for term in terms {
            if deciding
                .last()
                .is_some_and(|last| last.field == OrderField::CreatedAt)
            {
                break;
            }
            let counts = ranked || term.field != OrderField::Relevance;
            if counts && deciding.iter().all(|other| other.field != term.field) {
                deciding.push(*term);
            }
        }
        Self {
            terms: deciding,
            locale,
        }
    }

    /// Whether it needs to be known how well items fit.
    pub(super) fn by_relevance(&self) -> bool {
        let mut fields = self.terms.iter().map(|term| term.field);
        fields.any(|field| field == OrderField::Relevance)
    }

    /// As SQL: ties broken by id; by creation without terms.
    pub(super) fn order(&self) -> Order {
        let terms = self.terms.iter().map(|term| Term {
            column: term.column(self.locale),
            descending: term.descending,
        });
        Order::new(terms.collect(), ID)
    }

    /// Appends, after an `AND` each, what a filter by price says of the column that comes first: a walk along that order then begins and
    /// ends there.
    pub(super) fn push_stretch(&self, price: Option<&DecimalFilter>, sql: &mut Sql) {
        let first = self
            .terms
            .first()
            .filter(|term| term.field == OrderField::Price);
        if let (Some(first), Some(price)) = (first, price) {
            let range = DecimalFilter {
                is_null: None,
                ..*price
            };
            push_decimal(sql, first.column(self.locale).sql, &range);
        }
    }

    /// Whether it is the order of an index that has the category of each item, too.
    pub(super) fn knows_category(&self) -> bool {
        matches!(
            self.terms[..],
            [OrderTerm {
                field: OrderField::Price,
                ..
            }]
        )
    }

    /// Where a row stands.
    pub(super) fn cursor(&self, item: &Item, score: Option<i32>) -> Cursor {
        let places = self
            .terms
            .iter()
            .map(|term| term.place(item, score, self.locale));
        Cursor(places.chain([item.id.to_string()]).collect())
    }
}

/// Appends an `ORDER BY` for all items `i` of a list in one language; nothing is looked for in it by words.
pub(crate) fn push_order(terms: &[OrderTerm], locale: Locale, sql: &mut Sql) {
    let ordering = Ordering::new(terms, locale, false);
    ordering.order().push_order_by(sql, false);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(field: OrderField, descending: bool) -> OrderTerm {
        OrderTerm { field, descending }
    }

    fn deciding(terms: &[OrderTerm]) -> Vec<OrderTerm> {
        Ordering::new(terms, Locale::En, false).terms
    }

    #[test]
    fn an_order_says_each_thing_once() {
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

    #[test]
    fn relevance_decides_only_where_items_are_ranked() {
        let terms = [OrderTerm::BY_RELEVANCE, term(OrderField::Price, false)];
        assert_eq!(deciding(&terms), terms[1..]);
        assert!(Ordering::new(&terms, Locale::En, true).by_relevance());
    }
}
