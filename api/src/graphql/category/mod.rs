//! Categories: the object and its queries.

pub mod mutation;

use async_graphql::{
    ComplexObject, Context, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    category::{Category as Row, CategoryFilter, TreeArgs},
};
use entity::id::CategoryId;

pub use mutation::{CategoryMutation, patch};

use super::{
    attribute::Attribute,
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{AncestorsOf, ChildrenOf, SchemaOf, load, preload},
    page::{self, Connection},
    translation::{self, Translation},
};

/// A node of the category tree.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Category {
    /// Opaque id.
    pub id: ID,
    /// Id of the category above; none for a root.
    parent_id: Option<ID>,
    /// How many categories are above it; 0 for a root.
    depth: i32,
    /// Order among its siblings, from 0.
    position: i32,
    /// Name in the viewer's language.
    name: String,
    /// Name of an icon.
    icon: Option<String>,
    /// Colour as `#rrggbb`.
    colour: Option<String>,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// Since when it is put away; none while it is in use.
    archived_at: Option<DateTime<Utc>>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: CategoryId,
    #[graphql(skip)]
    row_parent_id: Option<CategoryId>,
    #[graphql(skip)]
    translations: entity::translations::Translations,
}

impl Category {
    /// As the viewer sees it.
    #[must_use]
    pub fn new(ctx: &Context<'_>, row: Row) -> Self {
        let Row {
            id,
            number: _,
            parent_id,
            path,
            name,
            position,
            icon,
            colour,
            external_reference,
            archived_at,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            parent_id: parent_id.map(GlobalId::encode),
            depth: i32::try_from(path.depth()).unwrap_or(i32::MAX),
            position,
            name: name.in_locale(ctx.viewer().locale.as_str()).to_owned(),
            icon,
            colour,
            external_reference,
            archived_at,
            version,
            created_at,
            updated_at,
            row_id: id,
            row_parent_id: parent_id,
            translations: name,
        }
    }
}

#[ComplexObject]
impl Category {
    /// Name in every language there is.
    async fn name_translations(&self) -> Vec<Translation> {
        translation::output(&self.translations)
    }

    /// The category above; none for a root.
    async fn parent(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Self>> {
        let Some(id) = self.row_parent_id else {
            return Ok(None);
        };
        let row = load(ctx, id).await?;
        Ok(row.map(|row| Self::new(ctx, row)))
    }

    /// The categories directly below that are in use, in their order: the first 200. `categoryTree(of: {rootId: …, maxDepth: 1})` has
    /// them all.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn children(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Self>> {
        let rows = load(ctx, ChildrenOf(self.row_id))
            .await?
            .unwrap_or_default();
        Ok(rows.into_iter().map(|row| Self::new(ctx, row)).collect())
    }

    /// What items of this category have, what is declared above included; first what is declared furthest above.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn attributes(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Whether attributes that are out of use are among them.",
            default
        )]
        include_retired: bool,
    ) -> async_graphql::Result<Vec<Attribute>> {
        let schema = load(ctx, SchemaOf(self.row_id)).await?.unwrap_or_default();
        let all = schema.all().iter().map(|it| &it.attribute);
        Ok(all
            .filter(|row| include_retired || row.retired_at.is_none())
            .map(|row| Attribute::new(ctx, row, schema.units()))
            .collect())
    }

    /// The categories above, root first.
    #[graphql(complexity = "cost::rows(30, child_complexity)")]
    async fn ancestors(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Self>> {
        let rows = load(ctx, AncestorsOf(self.row_id))
            .await?
            .unwrap_or_default();
        Ok(rows.into_iter().map(|row| Self::new(ctx, row)).collect())
    }

    /// All categories below, by creation. Costly: ask it of one category, not of the rows of a list.
    #[graphql(complexity = "cost::OWN_STATEMENT + cost::page(first, last, child_complexity)")]
    async fn descendants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether archived categories are part of it; not without.")]
        include_archived: Option<bool>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Self>> {
        let filter = CategoryFilter {
            descendant_of: Some(self.row_id),
            include_archived: include_archived.unwrap_or_default(),
        };
        category_page(ctx, &filter, page::args(first, last, after, before)).await
    }
}

/// Loads the relatives that the query selects of these rows; they are selected at the end of `way`.
async fn prefetch<'a>(
    ctx: &Context<'_>,
    way: &[&str],
    rows: impl Iterator<Item = &'a Row> + Clone,
) -> async_graphql::Result<()> {
    let is_selected = |relatives: &str| {
        let selected = way
            .iter()
            .fold(ctx.look_ahead(), |selected, field| selected.field(field));
        selected.field(relatives).exists()
    };
    if is_selected("parent") {
        preload(ctx, rows.clone().filter_map(|row| row.parent_id)).await?;
    }
    if is_selected("children") {
        preload(ctx, rows.clone().map(|row| ChildrenOf(row.id))).await?;
    }
    if is_selected("attributes") {
        preload(ctx, rows.clone().map(|row| SchemaOf(row.id))).await?;
    }
    if is_selected("ancestors") {
        preload(ctx, rows.map(|row| AncestorsOf(row.id))).await?;
    }
    Ok(())
}

async fn category_page(
    ctx: &Context<'_>,
    filter: &CategoryFilter,
    args: domain::page::PageArgs,
) -> async_graphql::Result<Connection<Category>> {
    let rows = ctx
        .domain()
        .categories()
        .page(ctx.viewer(), filter, &args)
        .await
        .or_graphql(ctx.viewer())?;
    for way in [&["edges", "node"][..], &["nodes"]] {
        prefetch(ctx, way, rows.edges.iter().map(|(_, row)| row)).await?;
    }
    Ok(page::connection(rows, EmptyFields, |row| {
        Category::new(ctx, row)
    }))
}

/// How to name one category: by exactly one of these.
#[derive(async_graphql::OneofObject)]
pub enum CategoryBy {
    /// Its id.
    Id(ID),
    /// Its key in somebody else's system.
    ExternalReference(String),
    /// The names from its root down to itself, each in any language.
    Path(Vec<String>),
}

/// Which tree.
#[derive(InputObject, Default)]
pub struct CategoryTreeInput {
    /// The tree below this category, and itself; without it all trees.
    root_id: Option<ID>,
    /// Levels below the root; without a root, levels altogether. 0 to 100.
    max_depth: Option<i32>,
    /// At most this many, upper levels first; 1 to 20,000. A tree costs by it.
    limit: Option<i32>,
    /// Whether archived categories are part of it; not without.
    include_archived: Option<bool>,
}

/// Queries about categories.
#[derive(Default)]
pub struct CategoryQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl CategoryQuery {
    /// One category; null when there is none such.
    async fn category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] by: CategoryBy,
    ) -> async_graphql::Result<Option<Category>> {
        let (domain, viewer) = (ctx.domain().categories(), ctx.viewer());
        let row = match by {
            CategoryBy::Id(id) => match CategoryId::parse("by.id", &id) {
                Ok(id) => domain.find(viewer, id).await,
                Err(refusal) => Err(refusal.into()),
            },
            CategoryBy::ExternalReference(reference) => {
                domain.find_by_external_reference(viewer, &reference).await
            }
            CategoryBy::Path(names) => domain.find_by_path(viewer, &names).await,
        };
        Ok(row.or_graphql(viewer)?.map(|row| Category::new(ctx, row)))
    }

    /// A whole tree in one list: parents before their children, siblings in their order. Use `parentId` or `depth` to fold it up.
    /// At most 20,000 categories.
    #[graphql(complexity = "cost::tree(of.and_then(|of| of.limit), child_complexity)")]
    async fn category_tree(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tree; all of them without.")] of: Option<CategoryTreeInput>,
    ) -> async_graphql::Result<Vec<Category>> {
        let CategoryTreeInput {
            root_id,
            max_depth,
            limit,
            include_archived,
        } = of.unwrap_or_default();
        let root_id = root_id
            .map(|id| CategoryId::parse("of.rootId", &id))
            .transpose()
            .map_err(Into::into)
            .or_graphql(ctx.viewer())?;
        let args = TreeArgs {
            root_id,
            max_depth,
            limit,
            include_archived: include_archived.unwrap_or_default(),
        };
        let rows = ctx
            .domain()
            .categories()
            .tree(ctx.viewer(), &args)
            .await
            .or_graphql(ctx.viewer())?;
        prefetch(ctx, &[], rows.iter()).await?;
        Ok(rows
            .into_iter()
            .map(|row| Category::new(ctx, row))
            .collect())
    }

    /// All categories in pages, by creation.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what lies below this category.")] descendant_of: Option<ID>,
        #[graphql(desc = "Whether archived categories are part of it; not without.")]
        include_archived: Option<bool>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Category>> {
        let id = descendant_of
            .map(|id| CategoryId::parse("descendantOf", &id))
            .transpose();
        let filter = CategoryFilter {
            descendant_of: id.map_err(Into::into).or_graphql(ctx.viewer())?,
            include_archived: include_archived.unwrap_or_default(),
        };
        category_page(ctx, &filter, page::args(first, last, after, before)).await
    }
}
