//! Imports of journals that hledger and beancount read: asked for here, done by a worker, all in one transaction or not at all
//! ([ADR 23](../docs/adr/0023-reports-of-the-books.md)).

mod beancount;
mod book;
mod chart;
mod hledger;
mod syntax;
mod write;

use entity::id::{JobId, JournalImportId};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde::{Deserialize, Serialize};

pub use entity::journal_import::{Format, Model as JournalImport, State};
pub use syntax::Fault;
pub use write::Outcome;

use crate::{
    Domain,
    audit::{self, Change},
    clock::new_id,
    error::Result,
    idempotency::{Claimed, claim_in_tx},
    job::{self, NewJobFile, Task},
    permission::Permission,
    viewer::Viewer,
};

/// What an import may create on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Accounts, with groups around them.
    pub create_accounts: bool,
    /// Commodities that are neither currencies nor metals.
    pub create_commodities: bool,
    /// Fiscal years from January to December, for days that lie in none.
    pub create_fiscal_years: bool,
}

/// An import to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewJournalImport {
    /// Where the file is, in the private part of the blob store.
    #[serde(skip)]
    pub blob_key: String,
    /// Length of the file in bytes.
    pub byte_size: i64,
    /// Hash of the file's content: the same request with another file is another request.
    pub content_hash: String,
    /// How it is written.
    pub format: Format,
    /// What may be created.
    pub options: Options,
    /// Whether everything is only looked at.
    pub dry_run: bool,
}

/// Imports of journals.
#[derive(Clone, Copy, Debug)]
pub struct JournalImports<'a> {
    pub(crate) domain: &'a Domain,
}

impl JournalImports<'_> {
    /// Asks for an import. An answer with another `blob_key` than the one given is that of an earlier request with the same key.
    ///
    /// # Errors
    /// When the viewer may not post, or may not manage the books and wants something created.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewJournalImport,
        key: Option<&str>,
    ) -> Result<JournalImport> {
        viewer.require(Permission::BooksPost)?;
        if new.options != Options::default() {
            viewer.require(Permission::BooksManage)?;
        }
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "journal_import.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let id = JournalImportId(new_id(now));
        let task = Task::ImportJournal { import_id: id };
        let job_id = job::enqueue_one_in_tx(&tx, viewer, now, task).await?;
        let import = insert_in_tx(&tx, viewer, now, (id, job_id), new).await?;
        let change = Change::of_new("journal_import.create", "journal_import", id.0, &import);
        audit::write_in_tx(&tx, viewer, now, change).await?;
        claim.keep_in_tx(&tx, &import).await?;
        self.domain.commit(tx).await?;
        Ok(import)
    }

    /// The import with this id.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn find(
        &self,
        viewer: &Viewer,
        id: JournalImportId,
    ) -> Result<Option<JournalImport>> {
        viewer.require(Permission::BooksRead)?;
        Ok(entity::journal_import::Entity::find_by_id(id)
            .one(&self.domain.reads)
            .await?)
    }

    /// The import that a worker is to do; none when there is no such import any more.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn open(
        &self,
        viewer: &Viewer,
        id: JournalImportId,
    ) -> Result<Option<JournalImport>> {
        viewer.require_system()?;
        Ok(entity::journal_import::Entity::find_by_id(id)
            .one(&self.domain.db)
            .await?)
    }

    /// Posts what the file says, and ends the import together with its job: all in one transaction. When anything is wrong nothing is done,
    /// and it is told what.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn run(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        import: &JournalImport,
        text: &str,
    ) -> Result<Outcome> {
        viewer.require_system()?;
        write::run(self.domain, viewer, job, import, text).await
    }

    /// Ends an import in which something was wrong, together with its job, whose file tells what.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn reject(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        import: &JournalImport,
        faults: &[Fault],
        file: NewJobFile,
    ) -> Result<()> {
        viewer.require_system()?;
        write::reject(self.domain, viewer, job, import, faults, file).await
    }
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: chrono::DateTime<chrono::Utc>,
    (id, job_id): (JournalImportId, JobId),
    new: NewJournalImport,
) -> Result<JournalImport> {
    let NewJournalImport {
        blob_key,
        byte_size,
        content_hash: _,
        format,
        options,
        dry_run,
    } = new;
    let row = entity::journal_import::ActiveModel {
        id: Set(id),
        job_id: Set(job_id),
        blob_key: Set(blob_key),
        byte_size: Set(byte_size),
        format: Set(format),
        options: Set(serde_json::to_value(options)?),
        dry_run: Set(dry_run),
        locale: Set(viewer.locale.as_str().to_owned()),
        user_id: Set(viewer.user_id()),
        state: Set(State::Waiting),
        posted: Set(0),
        lines: Set(0),
        present: Set(0),
        accounts: Set(0),
        failed: Set(0),
        rounding: Set(serde_json::json!({})),
        first_line: Set(None),
        first_refusal: Set(None),
        created_at: Set(now),
        finished_at: Set(None),
    };
    Ok(row.insert(tx).await?)
}
