//! Subsidiary accounts, cost centres and projects: the objects and their queries.

pub mod mutation;

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    dimension::{DimensionValue as Row, DimensionValueFilter},
};
use entity::id::DimensionValueId;

pub use mutation::DimensionMutation;

use super::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    filter::StringFilter,
    guard::Needs,
    id::GlobalId,
    page::{self, Connection},
    translation::{self, Translation},
};

/// What sort of thing a value of a dimension is. The first four are subsidiary accounts.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::dimension::Kind")]
pub enum DimensionKind {
    /// A subsidiary account: a customer, a supplier, or both.
    Party,
    /// A subsidiary account: one with a bank.
    Bank,
    /// A subsidiary account: somebody who works here.
    Employee,
    /// A subsidiary account: anything else that has a ledger of its own.
    Other,
    /// A part of the business that costs and earns.
    CostCenter,
    /// Something that is done once, and costs and earns.
    Project,
}

/// What lines of the books are about besides their account: a subsidiary account, a cost centre or a project.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct DimensionValue {
    /// Opaque id.
    pub id: ID,
    /// What sort of thing it is. Never changes.
    kind: DimensionKind,
    /// What bookkeepers call it: upper case, unique among subsidiary accounts, among cost centres and among projects.
    code: String,
    /// Name in the viewer's language.
    name: String,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// Since when nothing is posted to it any more; null while it is in use.
    archived_at: Option<DateTime<Utc>>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    translations: entity::translations::Translations,
}

impl DimensionValue {
    /// As the viewer sees it.
    #[must_use]
    pub fn new(ctx: &Context<'_>, row: Row) -> Self {
        let Row {
            id,
            kind,
            code,
            name,
            external_reference,
            archived_at,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            kind: kind.into(),
            code,
            name: name.in_locale(ctx.viewer().locale.as_str()).to_owned(),
            external_reference,
            archived_at,
            version,
            created_at,
            updated_at,
            translations: name,
        }
    }
}

#[ComplexObject]
impl DimensionValue {
    /// Name in every language there is.
    async fn name_translations(&self) -> Vec<Translation> {
        translation::output(&self.translations)
    }
}

/// A condition on what sort of thing a value of a dimension is.
#[derive(InputObject, Clone, Debug)]
pub struct DimensionKindFilter {
    /// One of these. An empty list matches nothing.
    r#in: Vec<DimensionKind>,
}

/// Which values of dimensions. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct DimensionValueWhere {
    /// By what sort of thing it is.
    kind: Option<DimensionKindFilter>,
    /// By what bookkeepers call it. Codes are in capitals.
    code: Option<StringFilter>,
    /// Somewhere in its name, in any language.
    name_contains: Option<String>,
    /// By its key in somebody else's system.
    external_reference: Option<String>,
    /// Whether archived ones are part of it; not without.
    include_archived: Option<bool>,
}

impl From<DimensionValueWhere> for DimensionValueFilter {
    fn from(filter: DimensionValueWhere) -> Self {
        let DimensionValueWhere {
            kind,
            code,
            name_contains,
            external_reference,
            include_archived,
        } = filter;
        Self {
            kind_in: kind.map(|kind| kind.r#in.into_iter().map(Into::into).collect()),
            code: code.map(Into::into),
            name_contains,
            external_reference,
            include_archived: include_archived.unwrap_or_default(),
        }
    }
}

/// Queries about values of dimensions.
#[derive(Default)]
pub struct DimensionQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl DimensionQuery {
    /// A subsidiary account, a cost centre or a project; null when there is none such. Needs `books.read`.
    async fn dimension_value(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<DimensionValue>> {
        let viewer = ctx.viewer();
        let id = DimensionValueId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx.domain().dimensions().find(viewer, id).await;
        let row = row.or_graphql(viewer)?;
        Ok(row.map(|row| DimensionValue::new(ctx, row)))
    }

    /// Subsidiary accounts, cost centres and projects in pages, by code. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn dimension_values(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all that are in use without.", name = "where")]
        filter: Option<DimensionValueWhere>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<DimensionValue>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().into();
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().dimensions().page(viewer, &filter, &args).await;
        Ok(page::connection(
            rows.or_graphql(viewer)?,
            EmptyFields,
            |row| DimensionValue::new(ctx, row),
        ))
    }
}
