//! Exports of items into a file.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Permission, Refusal,
    item::ItemSelection,
    item_export::{ItemExport as Row, NewItemExport},
};
use entity::id::{ItemExportId, JobId};

use super::{
    context::ContextExt,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item::filter::{ItemOrder, ItemWhere},
    item_import::{ItemFileFormat, visible_job},
    job::Job,
    payload::{UserError, settle},
};

/// Longest code of a language.
const LANGUAGE_MAX: usize = 10;

/// An export of items into a file.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ItemExport {
    /// Opaque id.
    id: ID,
    /// How the file is written.
    format: ItemFileFormat,
    /// How many items there are in the file; null before it is done.
    rows: Option<i64>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    job_id: JobId,
}

impl ItemExport {
    fn new(row: Row) -> Self {
        let Row {
            id,
            job_id,
            format,
            request: _,
            locale: _,
            row_count,
            created_at,
        } = row;
        Self {
            id: id.encode(),
            format: format.into(),
            rows: row_count,
            created_at,
            job_id,
        }
    }
}

#[ComplexObject]
impl ItemExport {
    /// The job that does it, with its progress and, at the end, the file; null when you may not see jobs and it is not yours.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        visible_job(ctx, self.job_id).await
    }
}

/// Which items to write into a file, and how.
#[derive(InputObject)]
pub struct ItemExportCreateInput {
    /// Which items; all in use without.
    #[graphql(name = "where")]
    filter: Option<ItemWhere>,
    /// Only items that are found by these words.
    search: Option<String>,
    /// In which order; by creation without.
    order_by: Option<Vec<ItemOrder>>,
    /// How the file is written.
    #[graphql(default_with = "ItemFileFormat::Csv")]
    format: ItemFileFormat,
    /// Headers of the columns, as an import reads them (`sku`, `name.en`, `attributes.karat`); without, all there is, and then an import
    /// of the file changes nothing.
    columns: Option<Vec<String>>,
    /// Language of category paths, such as `fa`; yours without.
    locale: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for an export.
#[derive(SimpleObject)]
pub struct ItemExportCreatePayload {
    /// The export, which waits for a worker; null when it was refused.
    item_export: Option<ItemExport>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of exports.
#[derive(Default)]
pub struct ItemExportMutation;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl ItemExportMutation {
    /// Writes items into a file, in the background: all as they are at one moment. The file can be imported again. Needs
    /// `catalogue.read`.
    async fn item_export_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which items, and how.")] input: ItemExportCreateInput,
    ) -> async_graphql::Result<ItemExportCreatePayload> {
        let (row, user_errors) = settle(ctx, create(ctx, input).await)?;
        Ok(ItemExportCreatePayload {
            item_export: row.map(ItemExport::new),
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: ItemExportCreateInput) -> domain::Result<Row> {
    let ItemExportCreateInput {
        filter,
        search,
        order_by,
        format,
        columns,
        locale,
        idempotency_key,
    } = input;
    let locale = locale.unwrap_or_else(|| ctx.viewer().locale.as_str().to_owned());
    let is_language = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if locale.len() > LANGUAGE_MAX || !locale.bytes().all(is_language) {
        return Err(Refusal::new(Code::InvalidFormat, "locale").into());
    }
    let new = NewItemExport {
        selection: ItemSelection {
            filter: filter.unwrap_or_default().parse()?,
            search,
            by_template: false,
        },
        order: order_by.into_iter().flatten().map(Into::into).collect(),
        format: format.into(),
        columns,
        locale,
    };
    ctx.domain()
        .item_exports()
        .create(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

/// Queries about exports.
#[derive(Default)]
pub struct ItemExportQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl ItemExportQuery {
    /// One export; null when there is none such. Needs `catalogue.read`.
    async fn item_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<ItemExport>> {
        let viewer = ctx.viewer();
        let id = ItemExportId::parse_or_graphql(ctx, "id", &id)?;
        let found = ctx.domain().item_exports().find(viewer, id).await;
        Ok(found.or_graphql(viewer)?.map(ItemExport::new))
    }
}
