//! Imports of items from a file.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Permission, Refusal,
    clock::new_id,
    item_import::{ItemImport as Row, NewItemImport},
};
use entity::id::{CategoryId, ItemImportId, JobId};
use platform::table;

use super::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    file::File,
    guard::Needs,
    id::GlobalId,
    item_bulk::BulkPolicy,
    job::Job,
    loader::load,
    payload::{UserError, settle},
};
use crate::upload::{self, FileLimit, StoredFile, Storing};

/// How a file of items is written.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item_import::Format", name = "ItemFileFormat")]
pub enum ItemFileFormat {
    /// A table with a line of headers.
    Csv,
    /// A JSON object a line.
    JsonLines,
}

/// What becomes of items that are there already.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item_import::Mode", name = "ItemImportMode")]
pub enum ItemImportMode {
    /// They stay as they are, and a row that wants them otherwise is refused.
    CreateOnly,
    /// They become what the row says.
    Upsert,
}

/// What tells which item a row is about.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item_import::MatchBy", name = "ItemImportMatch")]
pub enum ItemImportMatch {
    /// Its SKU.
    Sku,
    /// Its key in somebody else's system.
    ExternalReference,
}

/// How far an import has got.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::item_import::Phase", name = "ItemImportPhase")]
pub enum ItemImportPhase {
    /// Every row is looked at, and nothing is written. The counters tell what would be.
    Check,
    /// Rows are written.
    Write,
    /// All rows are dealt with; for a dry run: looked at.
    Done,
    /// Some row was refused, so that nothing was written. The counters tell what would have been.
    Rejected,
}

/// An import of items from a file.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ItemImport {
    /// Opaque id.
    id: ID,
    /// How far it has got.
    phase: ItemImportPhase,
    /// What becomes of items that are there already.
    mode: ItemImportMode,
    /// What tells which item a row is about.
    match_by: ItemImportMatch,
    /// What becomes of the other rows when some are refused.
    policy: BulkPolicy,
    /// Whether everything is only looked at.
    dry_run: bool,
    /// Length of the file in bytes.
    bytes: i64,
    /// Rows that were read: the sum of the four below. Empty rows do not count.
    rows_read: i64,
    /// Items that are new.
    created: i64,
    /// Items that have changed.
    updated: i64,
    /// Items that were as their rows say already.
    unchanged: i64,
    /// Rows that were refused. A file of the job tells why, for the first 100,000 of them.
    failed: i64,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it came to its end.
    finished_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    job_id: JobId,
}

impl ItemImport {
    fn new(row: Row) -> Self {
        let Row {
            id,
            job_id,
            blob_key: _,
            byte_size,
            format: _,
            mode,
            match_by,
            policy,
            dry_run,
            draw_codes: _,
            locale: _,
            user_id: _,
            phase,
            next_row: _,
            rows_read,
            created,
            updated,
            unchanged,
            failed,
            created_at,
            finished_at,
        } = row;
        Self {
            id: id.encode(),
            phase: phase.into(),
            mode: mode.into(),
            match_by: match_by.into(),
            policy: policy.into(),
            dry_run,
            bytes: byte_size,
            rows_read,
            created,
            updated,
            unchanged,
            failed,
            created_at,
            finished_at,
            job_id,
        }
    }
}

#[ComplexObject]
impl ItemImport {
    /// The job that does it, with its progress and, at the end, the file of what was wrong; null when you may not see jobs and it is not yours.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        visible_job(ctx, self.job_id).await
    }
}

/// The job, for those who may see jobs or have caused it.
pub(in crate::graphql) async fn visible_job(
    ctx: &Context<'_>,
    id: JobId,
) -> async_graphql::Result<Option<Job>> {
    Ok(load(ctx, id).await?.map(Job::new))
}

/// A file of items, and what to do with it.
///
/// Columns are `sku`, `name.en`, `name.fa` and so on, `description.en`, `kind`, `category` (a path such as `Jewellery > Rings`),
/// `categoryReference`, `unit` (its code), `tracking`, `price`, `currency`, `tags` and `barcodes` (with `|` between them),
/// `externalReference` and `attributes.<name>`. An empty cell says nothing: what is there stays. Lines of JSON have members of the same
/// names, objects for `name`, `description` and `attributes`, and null takes a value away.
#[derive(InputObject)]
pub struct ItemImportCreateInput {
    /// The file, sent after the GraphQL multipart request specification: UTF-8, UTF-16 or Windows-1256; commas, semicolons or tabs.
    file: File,
    /// How it is written; found in its content when it is not given.
    format: Option<ItemFileFormat>,
    /// What becomes of items that are there already.
    #[graphql(default_with = "ItemImportMode::Upsert")]
    mode: ItemImportMode,
    /// What tells which item a row is about. No two rows of a file may be about the same one.
    #[graphql(default_with = "ItemImportMatch::Sku")]
    match_by: ItemImportMatch,
    /// What becomes of the other rows when some are refused. With `REJECT_ALL` the file is read twice: looked at, then written; a row
    /// that can no longer be written the second time is told as refused.
    #[graphql(default_with = "BulkPolicy::RejectFailedRows")]
    policy: BulkPolicy,
    /// Only look at everything, and tell what would become of it.
    #[graphql(default)]
    dry_run: bool,
    /// Draw the QR codes of new items in the background. Not done unless asked for: it is a job an item.
    #[graphql(default)]
    draw_codes: bool,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for an import.
#[derive(SimpleObject)]
pub struct ItemImportCreatePayload {
    /// The import, which waits for a worker; null when it was refused.
    item_import: Option<ItemImport>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// A file to begin with.
#[derive(SimpleObject)]
pub struct ItemImportTemplate {
    /// What to save it as.
    file_name: String,
    /// Media type of the content.
    media_type: String,
    /// A line of headers and a row that shows what stands in them.
    content: String,
}

/// Mutations of imports.
#[derive(Default)]
pub struct ItemImportMutation;

#[Object(guard = "Needs(Permission::CatalogueWrite)")]
impl ItemImportMutation {
    /// Imports items from a file, in the background. Needs `catalogue.write`.
    async fn item_import_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file, and what to do with it.")] input: ItemImportCreateInput,
    ) -> async_graphql::Result<ItemImportCreatePayload> {
        let (row, user_errors) = settle(ctx, create(ctx, input).await)?;
        Ok(ItemImportCreatePayload {
            item_import: row.map(ItemImport::new),
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: ItemImportCreateInput) -> domain::Result<Row> {
    ctx.viewer().require(Permission::CatalogueWrite)?;
    let FileLimit(limit) = *ctx.data_unchecked();
    let file = input.file.open(ctx, "file")?;
    let mut storing = Storing::default();
    loop {
        match create_once(ctx, &input, limit, &file).await {
            Err(error) if storing.again(&error) => {}
            created => return created,
        }
    }
}

async fn create_once(
    ctx: &Context<'_>,
    input: &ItemImportCreateInput,
    limit: u64,
    file: &std::fs::File,
) -> domain::Result<Row> {
    let stored = upload::store_file(limit, ctx.blobs(), new_id(ctx.domain().now()), file).await?;
    let StoredFile { key, bytes, hash } = stored;
    let new = NewItemImport {
        blob_key: key.as_str().to_owned(),
        byte_size: bytes,
        content_hash: hash,
        format: input.format.map(Into::into),
        mode: input.mode.into(),
        match_by: input.match_by.into(),
        policy: input.policy.into(),
        dry_run: input.dry_run,
        draw_codes: input.draw_codes,
    };
    let idempotency_key = input.idempotency_key.as_deref();
    let created = ctx
        .domain()
        .item_imports()
        .create(ctx.viewer(), new, idempotency_key)
        .await;
    // Refused, or an answer from before: then nobody will read this file.
    if !matches!(&created, Ok(import) if import.blob_key == key.as_str())
        && let Err(error) = ctx.blobs().delete(&key).await
    {
        tracing::warn!(%key, %error, "a file that nobody will read stays where it is");
    }
    created
}

/// Queries about imports.
#[derive(Default)]
pub struct ItemImportQuery;

#[Object(guard = "Needs(Permission::CatalogueRead)")]
impl ItemImportQuery {
    /// One import; null when there is none such. Needs `catalogue.read`.
    async fn item_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<ItemImport>> {
        let viewer = ctx.viewer();
        let id = ItemImportId::parse_or_graphql(ctx, "id", &id)?;
        let found = ctx.domain().item_imports().find(viewer, id).await;
        Ok(found.or_graphql(viewer)?.map(ItemImport::new))
    }

    /// A file to begin with: all columns, and a row that shows what stands in them. Needs `catalogue.read`.
    #[graphql(complexity = "cost::STATEMENT + child_complexity")]
    async fn item_import_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "How it shall be written.",
            default_with = "ItemFileFormat::Csv"
        )]
        format: ItemFileFormat,
        #[graphql(desc = "With the attributes that items of this category have.")]
        category_id: Option<ID>,
    ) -> async_graphql::Result<ItemImportTemplate> {
        let made = template(ctx, format, category_id).await;
        made.or_graphql(ctx.viewer())
    }
}

async fn template(
    ctx: &Context<'_>,
    format: ItemFileFormat,
    category_id: Option<ID>,
) -> domain::Result<ItemImportTemplate> {
    let category = category_id
        .map(|id| CategoryId::parse("categoryId", &id))
        .transpose()?;
    let example = ctx
        .domain()
        .item_imports()
        .example(ctx.viewer(), category)
        .await?;
    let (ending, media_type) = match format {
        ItemFileFormat::Csv => ("csv", "text/csv; charset=utf-8"),
        ItemFileFormat::JsonLines => ("jsonl", "application/x-ndjson"),
    };
    let content = match format {
        ItemFileFormat::Csv => {
            let mut text = table::BYTE_ORDER_MARK.to_vec();
            let headers: Vec<_> = example.iter().map(|(column, _)| column.header()).collect();
            table::write_record(&mut text, headers.iter().map(String::as_str));
            table::write_record(&mut text, example.iter().map(|(_, cell)| cell.as_str()));
            text
        }
        ItemFileFormat::JsonLines => domain::item_import::example_line(&example)?,
    };
    let content = String::from_utf8(content)
        .map_err(|_never| domain::Error::from(Refusal::new(Code::Unreadable, "")))?;
    Ok(ItemImportTemplate {
        file_name: format!("items.{ending}"),
        media_type: media_type.to_owned(),
        content,
    })
}
