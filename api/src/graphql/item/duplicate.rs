//! Items that may be one and the same.

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, OneofObject, SimpleObject,
    connection::EmptyFields,
};
use domain::{
    Permission,
    item::{Candidate, DuplicateGroup as Group, Duplicates, ItemWithImage, Likeness},
};
use entity::id::{CategoryId, ItemId};

use super::{Item, query::prefetch};
use crate::graphql::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{load, load_all},
    page::{self, Connection},
    translation::{self, Translation},
};

/// What items may have in common that may be one and the same.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item::Alike")]
pub enum ItemAlike {
    /// A name in some language, but for case, spaces, punctuation, accents, and Arabic or Persian letters and digits.
    Name,
    /// A GTIN, with or without the zeros in front that its shorter forms leave out.
    Barcode,
    /// Nearly a name, with the same digits, in one category: `categoryId` must be given, and may have up to 20,000 names. Only names that
    /// begin alike are compared; `itemDuplicatesOf` compares one item with all.
    NearName,
}

/// Items in use that may be one and the same.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ItemDuplicateGroup {
    /// What they have in common: a GTIN of 14 digits, or a name (the first of several) in the form in which names are compared.
    key: String,
    /// How many there are.
    count: i64,
    #[graphql(skip)]
    ids: Vec<ItemId>,
}

impl ItemDuplicateGroup {
    fn new(group: Group) -> Self {
        let ids = group.ids().collect();
        let Group {
            form,
            count,
            items: _,
        } = group;
        Self {
            key: form,
            count,
            ids,
        }
    }
}

#[ComplexObject]
impl ItemDuplicateGroup {
    /// The items, the oldest first; at most 20 of them.
    #[graphql(complexity = "cost::rows(3, child_complexity)")]
    async fn items(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Item>> {
        let mut items = Vec::with_capacity(self.ids.len());
        for id in &self.ids {
            items.extend(load(ctx, *id).await?.map(|row| Item::new(ctx, row)));
        }
        Ok(items)
    }
}

/// An item to be, as far as it is known.
#[derive(InputObject)]
pub struct ItemCandidateInput {
    /// Its name, in at least one language.
    name: Vec<Translation>,
    /// Where it shall stand; without, names that are nearly alike are not looked for.
    category_id: Option<ID>,
    /// What scanners read; at most 20.
    #[graphql(default)]
    barcodes: Vec<String>,
}

/// What may be there already: one of these.
#[derive(OneofObject)]
pub enum ItemDuplicatesOfInput {
    /// An item that is there.
    ItemId(ID),
    /// An item to be.
    Candidate(ItemCandidateInput),
}

/// An item that may be the same.
#[derive(SimpleObject)]
pub struct ItemDuplicate {
    /// The item. One that is put away is only found by its barcode.
    item: Item,
    /// Whether it has one of the barcodes, in whatever form.
    same_barcode: bool,
    /// How much its name is alike, in percent: 100 when it is the same but for how it is written; null when it is not.
    name_similarity: Option<i32>,
}

/// What may be the same as an item.
#[derive(SimpleObject)]
pub struct ItemDuplicates {
    /// At most 20, the likeliest first.
    items: Vec<ItemDuplicate>,
    /// Whether all names of the category were compared. Of more than 20,000 some are not; names that are the same, and barcodes, always are.
    complete: bool,
}

/// Queries about items that may be one and the same.
#[derive(Default)]
pub struct ItemDuplicateQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl ItemDuplicateQuery {
    /// Groups of items in use that may be one and the same, in the order of what they have in common.
    #[graphql(complexity = "cost::FACETS + cost::page(first, None, child_complexity)")]
    async fn item_duplicates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What they have in common.")] by: ItemAlike,
        #[graphql(desc = "Only among items of this category.")] category_id: Option<ID>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<ItemDuplicateGroup>> {
        let (items, viewer) = (ctx.domain().items(), ctx.viewer());
        let category = category_id.map(|id| CategoryId::parse("categoryId", &id));
        let category = category
            .transpose()
            .map_err(Into::into)
            .or_graphql(viewer)?;
        let args = page::args(first, None, after, None);
        let groups = items.duplicates(viewer, by.into(), category, &args).await;
        let groups = groups.or_graphql(viewer)?;
        for way in [&["edges", "node"][..], &["nodes"]] {
            let selected = way
                .iter()
                .fold(ctx.look_ahead(), |selected, field| selected.field(field))
                .field("items");
            if selected.exists() {
                let ids = groups.edges.iter().flat_map(|(_, group)| group.ids());
                let rows = load_all(ctx, ids).await?;
                prefetch(ctx, selected, rows.values()).await?;
            }
        }
        Ok(page::connection(
            groups,
            EmptyFields,
            ItemDuplicateGroup::new,
        ))
    }

    /// Items that may be the same as one that is there, or is about to be created; null when there is no such item.
    #[graphql(complexity = "cost::FACETS + cost::rows(20, child_complexity)")]
    async fn item_duplicates_of(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "As what.")] of: ItemDuplicatesOfInput,
    ) -> async_graphql::Result<Option<ItemDuplicates>> {
        let found = find(ctx, of).await.or_graphql(ctx.viewer())?;
        let Some(Duplicates { found, is_complete }) = found else {
            return Ok(None);
        };
        let ids = found.iter().map(|likeness| likeness.item_id);
        let mut rows = load_all(ctx, ids).await?;
        let selected = ctx.look_ahead().field("items").field("item");
        prefetch(ctx, selected, rows.values()).await?;
        let items = found.into_iter().filter_map(|likeness| {
            let row: ItemWithImage = rows.remove(&likeness.item_id)?;
            let Likeness {
                item_id: _,
                barcode,
                name,
            } = likeness;
            Some(ItemDuplicate {
                item: Item::new(ctx, row),
                same_barcode: barcode,
                name_similarity: name,
            })
        });
        Ok(Some(ItemDuplicates {
            items: items.collect(),
            complete: is_complete,
        }))
    }
}

async fn find(ctx: &Context<'_>, of: ItemDuplicatesOfInput) -> domain::Result<Option<Duplicates>> {
    let (items, viewer) = (ctx.domain().items(), ctx.viewer());
    match of {
        ItemDuplicatesOfInput::ItemId(id) => {
            let id = ItemId::parse("of.itemId", &id)?;
            items.duplicates_of(viewer, id).await
        }
        ItemDuplicatesOfInput::Candidate(candidate) => {
            let ItemCandidateInput {
                name,
                category_id,
                barcodes,
            } = candidate;
            let category = category_id.map(|id| CategoryId::parse("of.candidate.categoryId", &id));
            let candidate = Candidate {
                name: translation::input("name", name)?,
                category_id: category.transpose()?,
                barcodes,
            };
            items
                .duplicates_of_candidate(viewer, &candidate)
                .await
                .map(Some)
        }
    }
}
