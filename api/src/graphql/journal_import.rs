//! Imports of journals that hledger and beancount read.

use std::collections::BTreeMap;

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    clock::new_id,
    journal_import::{JournalImport as Row, NewJournalImport, Options},
};
use entity::id::{JobId, JournalImportId};

use super::{
    context::ContextExt,
    error::{OrGraphql, sentence},
    file::File,
    guard::Needs,
    id::GlobalId,
    item_import::visible_job,
    job::Job,
    payload::{UserError, settle},
};
use crate::upload::{self, FileLimit, StoredFile, Storing};

/// How a journal is written.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::journal_import::Format", name = "JournalFileFormat")]
pub enum JournalFileFormat {
    /// As hledger reads it.
    Hledger,
    /// As beancount reads it.
    Beancount,
}

/// How far an import has got.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::journal_import::State", name = "JournalImportState")]
pub enum JournalImportState {
    /// It waits for a worker, or one is at it.
    Waiting,
    /// All of it was posted; of a dry run: could be.
    Done,
    /// Something was wrong, so that nothing was posted.
    Rejected,
}

/// What was left over where something was counted in one commodity and paid in another.
#[derive(SimpleObject)]
pub struct JournalImportRounding {
    /// A commodity's code.
    commodity: String,
    /// What the account for rounding got: negative on its credit side.
    amount: String,
}

/// An import of entries of the books from a file: all of it, or nothing.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct JournalImport {
    /// Opaque id.
    id: ID,
    /// How far it has got.
    state: JournalImportState,
    /// How the file is written.
    format: JournalFileFormat,
    /// Whether everything is only looked at.
    dry_run: bool,
    /// Length of the file in bytes.
    bytes: i64,
    /// Entries that were posted; of a dry run: would be.
    posted: i64,
    /// Lines of these entries.
    lines: i64,
    /// Transactions that an earlier import had posted.
    present: i64,
    /// Accounts that were created, groups too; of a dry run: would be.
    accounts_created: i64,
    /// What was left over, by commodity.
    rounding: Vec<JournalImportRounding>,
    /// So many things were wrong. A file of the job tells which, for the first 1,000 of them.
    failed: i64,
    /// On which line of the file something was wrong first; null when nothing was.
    first_failed_line: Option<i64>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it came to its end.
    finished_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    job_id: JobId,
    #[graphql(skip)]
    first_refusal: Option<Refusal>,
}

impl JournalImport {
    fn new(row: Row) -> Self {
        let Row {
            id,
            job_id,
            blob_key: _,
            byte_size,
            format,
            options: _,
            dry_run,
            locale: _,
            user_id: _,
            state,
            posted,
            lines,
            present,
            accounts,
            failed,
            rounding,
            first_line,
            first_refusal,
            created_at,
            finished_at,
        } = row;
        let rounding: BTreeMap<String, String> =
            serde_json::from_value(rounding).unwrap_or_default();
        let rounding = rounding
            .into_iter()
            .map(|(commodity, amount)| JournalImportRounding { commodity, amount });
        Self {
            id: id.encode(),
            state: state.into(),
            format: format.into(),
            dry_run,
            bytes: byte_size,
            posted,
            lines,
            present,
            accounts_created: accounts,
            rounding: rounding.collect(),
            failed,
            first_failed_line: first_line,
            created_at,
            finished_at,
            job_id,
            first_refusal: first_refusal.and_then(|refusal| serde_json::from_value(refusal).ok()),
        }
    }
}

#[ComplexObject]
impl JournalImport {
    /// What was wrong on that line, for people; null when nothing was.
    async fn first_failure(&self, ctx: &Context<'_>) -> Option<String> {
        let refusal = self.first_refusal.as_ref();
        refusal.map(|refusal| sentence(ctx.viewer(), refusal))
    }

    /// The job that does it, and, when something was wrong, a file that tells what; null when you may not see jobs and it is not yours.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        visible_job(ctx, self.job_id).await
    }
}

/// A journal, and what to do with it.
#[derive(InputObject)]
pub struct JournalImportCreateInput {
    /// The file, sent after the GraphQL multipart request specification: UTF-8.
    file: File,
    /// How it is written.
    format: JournalFileFormat,
    /// Only look at everything, and tell what would become of it.
    #[graphql(default)]
    dry_run: bool,
    /// Create accounts that are not there, with groups around them, by the steps of their names. Needs `books.manage`.
    #[graphql(default)]
    create_accounts: bool,
    /// Create commodities that are neither currencies nor metals, such as shares. Needs `books.manage`.
    #[graphql(default)]
    create_commodities: bool,
    /// Begin fiscal years from January to December for days that lie in none. Needs `books.manage`.
    #[graphql(default)]
    create_fiscal_years: bool,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for an import.
#[derive(SimpleObject)]
pub struct JournalImportCreatePayload {
    /// The import, which waits for a worker; null when it was refused.
    journal_import: Option<JournalImport>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of imports of journals.
#[derive(Default)]
pub struct JournalImportMutation;

#[Object(guard = "Needs(Permission::BooksPost)")]
impl JournalImportMutation {
    /// Posts the transactions of a file, in the background, all or none. One that an earlier import has posted is not posted again. Needs
    /// `books.post`.
    async fn journal_import_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file, and what to do with it.")] input: JournalImportCreateInput,
    ) -> async_graphql::Result<JournalImportCreatePayload> {
        let (row, user_errors) = settle(ctx, create(ctx, input).await)?;
        Ok(JournalImportCreatePayload {
            journal_import: row.map(JournalImport::new),
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: JournalImportCreateInput) -> domain::Result<Row> {
    ctx.viewer().require(Permission::BooksPost)?;
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
    input: &JournalImportCreateInput,
    limit: u64,
    file: &std::fs::File,
) -> domain::Result<Row> {
    let stored = upload::store_file(limit, ctx.blobs(), new_id(ctx.domain().now()), file).await?;
    let StoredFile { key, bytes, hash } = stored;
    let new = NewJournalImport {
        blob_key: key.as_str().to_owned(),
        byte_size: bytes,
        content_hash: hash,
        format: input.format.into(),
        options: Options {
            create_accounts: input.create_accounts,
            create_commodities: input.create_commodities,
            create_fiscal_years: input.create_fiscal_years,
        },
        dry_run: input.dry_run,
    };
    let idempotency_key = input.idempotency_key.as_deref();
    let imports = ctx.domain().journal_imports();
    let created = imports.create(ctx.viewer(), new, idempotency_key).await;
    // Refused, or an answer from before: then nobody will read this file.
    if !matches!(&created, Ok(import) if import.blob_key == key.as_str())
        && let Err(error) = ctx.blobs().delete(&key).await
    {
        tracing::warn!(%key, %error, "a file that nobody will read stays where it is");
    }
    created
}

/// Queries about imports of journals.
#[derive(Default)]
pub struct JournalImportQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl JournalImportQuery {
    /// One import of a journal; null when there is none such. Needs `books.read`.
    async fn journal_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<JournalImport>> {
        let viewer = ctx.viewer();
        let id = JournalImportId::parse_or_graphql(ctx, "id", &id)?;
        let found = ctx.domain().journal_imports().find(viewer, id).await;
        Ok(found.or_graphql(viewer)?.map(JournalImport::new))
    }
}
