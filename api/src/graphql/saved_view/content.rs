//! What views show: kept as it was written, and understood anew each time.

use async_graphql::{
    ComplexObject, Context, InputObject, InputType, Json, OneofObject, SimpleObject, Union,
};
use domain::{
    Code, Refusal,
    item::{ItemSelection, OrderTerm},
    saved_view::{Asked, Content},
};
use serde_json::Value;

use crate::graphql::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    item::{
        Item,
        filter::{ItemGroupBy, ItemOrder, ItemWhere},
        query::{ItemList, list},
    },
    page::{self, Connection},
};

/// What a view shows: one of these.
#[derive(OneofObject)]
pub enum SavedViewContentInput {
    /// A list of items.
    Items(SavedItemListInput),
}

/// What is asked of the list of items.
#[derive(InputObject, Default)]
pub struct ItemListArguments {
    /// Which items; all in use without.
    #[graphql(name = "where")]
    filter: Option<ItemWhere>,
    /// Only items that are found by these words, as in `items`.
    search: Option<String>,
    /// What stands for several items, as in `items`; each item stands for itself without.
    group_by: Option<ItemGroupBy>,
    /// In which order, at most ten terms; without, by relevance where words are looked for, else by creation.
    order_by: Option<Vec<ItemOrder>>,
}

/// A list of items to be seen again.
#[derive(InputObject)]
pub struct SavedItemListInput {
    /// What is asked of the list.
    #[graphql(flatten)]
    arguments: ItemListArguments,
    /// Names of the columns that are shown, as you call them; at most 100.
    #[graphql(default)]
    columns: Vec<String>,
}

/// What a view shows.
#[derive(Union)]
pub enum SavedViewContent {
    /// A list of items.
    Items(SavedItemList),
}

/// A list of items to be seen again.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct SavedItemList {
    /// What `items` is asked: `where`, `search`, `groupBy` and `orderBy` as they were written, to be shown, changed, and given to `items` again.
    arguments: Json<Value>,
    /// Names of the columns that are shown, as the client that wrote it calls them.
    columns: Vec<String>,
}

impl SavedItemList {
    /// As it is kept.
    pub(super) fn new(request: Value, columns: Vec<String>) -> Self {
        Self {
            arguments: Json(request),
            columns,
        }
    }
}

#[ComplexObject]
impl SavedItemList {
    /// The items it shows now, in pages. An error with the code `OUTDATED` when what was kept cannot be understood any more.
    #[graphql(complexity = "cost::OWN_STATEMENT + cost::page(first, last, child_complexity)")]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Item, ItemList>> {
        let understood = ItemListArguments::read(&self.arguments.0)
            .map_err(Into::into)
            .or_graphql(ctx.viewer())?;
        let args = page::args(first, last, after, before);
        list(ctx, understood.0, &understood.1, &args).await
    }
}

impl ItemListArguments {
    fn parse(self) -> Result<(ItemSelection, Vec<OrderTerm>), Refusal> {
        let Self {
            filter,
            search,
            group_by,
            order_by,
        } = self;
        let selection = ItemSelection {
            filter: filter.unwrap_or_default().parse()?,
            search,
            by_template: group_by == Some(ItemGroupBy::Template),
        };
        let order = order_by.into_iter().flatten().map(Into::into).collect();
        Ok((selection, order))
    }

    /// As it is kept: what is not said is not there.
    fn written(&self) -> Value {
        self.to_value()
            .into_json()
            .map(without_nulls)
            .unwrap_or_default()
    }

    /// What was kept. A condition that is not known any more would be passed over by the parser, and the list would show more than was
    /// asked for; so it has to come out as it went in.
    fn read(kept: &Value) -> Result<(ItemSelection, Vec<OrderTerm>), Refusal> {
        let outdated = || Refusal::new(Code::Outdated, "arguments");
        let value = async_graphql::Value::from_json(kept.clone()).map_err(|_unread| outdated())?;
        let read = <Self as InputType>::parse(Some(value)).map_err(|_unread| outdated())?;
        if read.written() != *kept {
            return Err(outdated());
        }
        read.parse().map_err(|_refused| outdated())
    }
}

impl SavedViewContentInput {
    /// As the domain takes it.
    ///
    /// # Errors
    /// The first id that is none.
    pub(super) fn parse(self) -> Result<Content, Refusal> {
        let Self::Items(SavedItemListInput { arguments, columns }) = self;
        let written = arguments.written();
        let (selection, order) = arguments.parse()?;
        Ok(Content {
            asked: Asked::Items { selection, order },
            written,
            columns,
        })
    }
}

/// No member of a filter tells null from nothing.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let said = members.into_iter().filter(|(_, value)| !value.is_null());
            said.map(|(name, value)| (name, without_nulls(value)))
                .collect()
        }
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_comes_out_as_it_went_in() {
        let kept = json!({
            "where": {"price": {"range": {"min": "1.50"}}, "kind": {"in": ["GOODS"]}, "tags": {"any": ["gold"], "none": []},
                "attributes": [{"name": "size", "eq": "7"}], "OR": [{"archived": true}, {"NOT": {"hasImage": true}}]},
            "search": "ring",
            "groupBy": "TEMPLATE",
            "orderBy": [{"field": "PRICE", "direction": "DESC"}],
        });
        let (selection, order) = ItemListArguments::read(&kept).unwrap();
        assert_eq!(selection.search.as_deref(), Some("ring"));
        assert_eq!(order.len(), 1);
        assert!(selection.by_template);
        assert!(ItemListArguments::read(&json!({})).is_ok());
    }

    #[test]
    fn what_means_nothing_any_more_is_told_and_never_passed_over() {
        for kept in [
            json!({"where": {"colourOfTheMoon": "blue"}}),
            json!({"where": {"kind": {"in": ["ANTIQUES"]}}}),
            json!({"where": {"category": {"in": ["nonsense"]}}}),
            json!({"orderBy": [{"field": "LUCK", "direction": "ASC"}]}),
            json!({"where": 7}),
            json!([]),
            json!(null),
        ] {
            let refused = ItemListArguments::read(&kept);
            assert!(
                refused.is_err_and(|refusal| refusal.code == Code::Outdated),
                "{kept}"
            );
        }
    }
}
