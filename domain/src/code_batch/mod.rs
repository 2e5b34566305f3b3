//! Batches of codes: QR codes of many things at once, as pictures in an archive or as pages to print. A batch is a job; the file that it
//! leaves behind is fetched.

mod query;
mod rules;

use chrono::{DateTime, Utc};
use entity::id::{CodeBatchId, ItemId, JobId, LocationId, LotId};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use crate::scan::Subject;
pub use rules::{CODES_MAX, LOGO_MAX};

use crate::{
    Domain,
    audit::{self, Change},
    clock::new_id,
    error::Result,
    idempotency::{Claimed, claim_in_tx},
    item::{self, ItemFilter},
    job::{self, Task},
    permission::Permission,
    viewer::Viewer,
};

/// Into what file codes are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// An archive with a picture for each.
    Zip(Picture),
    /// Pages to print, with what people call each thing below its code.
    Pdf,
}

/// As what a code is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Picture {
    /// A drawing, for print of any size.
    Svg,
    /// Pixels, for screens.
    Png,
}

/// How much of a code may be lost, because it is dirty or covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Some 7 percent.
    L,
    /// Some 15 percent: what is usual.
    #[default]
    M,
    /// Some 25 percent.
    Q,
    /// Some 30 percent.
    H,
}

/// How the codes of a batch are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeOptions {
    /// What they lead to.
    pub subject: Subject,
    /// Into what file they are put.
    pub format: Format,
    /// How much of each may be lost.
    pub level: Level,
}

/// What gets codes.
#[derive(Clone, Debug, Serialize)]
pub enum Selection {
    /// These items, in this order.
    Items(Vec<ItemId>),
    /// The items that pass this filter, in the order in which they were created.
    Filter(Box<ItemFilter>),
    /// These lots, in this order.
    Lots(Vec<LotId>),
    /// These locations, in this order.
    Locations(Vec<LocationId>),
}

/// Codes to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewCodeBatch {
    /// Of what.
    pub selection: Selection,
    /// Into what file they are put.
    pub format: Format,
    /// How much of each may be lost; what is usual without: M, and H around a picture.
    pub level: Option<Level>,
    /// The picture in the middle, in a format that pictures are taken in.
    #[serde(skip)]
    pub logo: Option<Vec<u8>>,
}

/// Codes that somebody has asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeBatch {
    /// Identity.
    pub id: CodeBatchId,
    /// The job that draws them.
    pub job_id: JobId,
    /// How they are made.
    pub options: CodeOptions,
    /// Whether there is a picture in their middle.
    pub has_logo: bool,
    /// How many there are.
    pub code_count: i32,
    /// When they were asked for.
    pub created_at: DateTime<Utc>,
}

/// What a worker needs in order to draw a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedBatch {
    /// How the codes are made.
    pub options: CodeOptions,
    /// What they lead to, each once.
    pub subjects: Vec<Uuid>,
    /// The picture in their middle, as it was sent.
    pub logo: Option<Vec<u8>>,
}

/// Batches of codes: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct CodeBatches<'a> {
    pub(crate) domain: &'a Domain,
}

impl CodeBatches<'_> {
    /// Asks for codes to be drawn. The job's file is there when it has succeeded. Which items pass a filter is decided now, and what is
    /// named twice has one code.
    ///
    /// # Errors
    /// When the viewer may not see what the codes lead to, something of it does not exist, nothing was selected or more than
    /// [`CODES_MAX`], or a picture is larger than [`LOGO_MAX`] or wants another level.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewCodeBatch,
        key: Option<&str>,
    ) -> Result<CodeBatch> {
        require(viewer, new.selection.subject())?;
        let options = rules::options(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let logo_hash = new.logo.as_ref().map(|logo| Sha256::digest(logo).to_vec());
        let input = (&new, logo_hash);
        let claim = match claim_in_tx(&tx, viewer, key, "code_batch.create", &input, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let subjects = select_in_tx(&tx, &new.selection).await?;
        let id = CodeBatchId(new_id(now));
        let task = Task::DrawCodes { batch_id: id };
        let batch = CodeBatch {
            id,
            job_id: job::enqueue_one_in_tx(&tx, viewer, now, task).await?,
            options,
            has_logo: new.logo.is_some(),
            code_count: i32::try_from(subjects.len()).unwrap_or(i32::MAX),
            created_at: now,
        };
        insert_in_tx(&tx, &batch, subjects, new.logo).await?;
        let change = Change::of_new("code_batch.create", "code_batch", batch.id.0, &batch);
        audit::write_in_tx(&tx, viewer, batch.created_at, change).await?;
        claim.keep_in_tx(&tx, &batch).await?;
        self.domain.commit(tx).await?;
        Ok(batch)
    }

    /// The batch with this id.
    ///
    /// # Errors
    /// When the viewer may not see what its codes lead to.
    pub async fn find(&self, viewer: &Viewer, id: CodeBatchId) -> Result<Option<CodeBatch>> {
        viewer.require(Permission::CatalogueRead)?;
        let found = query::find(&self.domain.reads, id).await?;
        if let Some(batch) = &found {
            require(viewer, batch.options.subject)?;
        }
        Ok(found)
    }

    /// What the worker needs in order to draw this batch; none when there is no such batch any more.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn open(&self, viewer: &Viewer, id: CodeBatchId) -> Result<Option<OpenedBatch>> {
        viewer.require_system()?;
        let row = entity::code_batch::Entity::find_by_id(id)
            .one(&self.domain.reads)
            .await?;
        row.map(|row| {
            Ok(OpenedBatch {
                options: serde_json::from_value(row.request)?,
                subjects: row.subject_ids,
                logo: row.logo,
            })
        })
        .transpose()
    }

    /// What people call each of these, in the order of the ids, for the worker that draws their codes: the SKU of an item, that and the
    /// number of a lot, the code of a location. None for what does not exist.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn titles(
        &self,
        viewer: &Viewer,
        subject: Subject,
        ids: &[Uuid],
    ) -> Result<Vec<Option<String>>> {
        viewer.require_system()?;
        let mut titles = query::titles(&self.domain.reads, subject, ids).await?;
        Ok(ids.iter().map(|id| titles.remove(id)).collect())
    }
}

impl Selection {
    fn subject(&self) -> Subject {
        match self {
            Self::Items(_) | Self::Filter(_) => Subject::Item,
            Self::Lots(_) => Subject::Lot,
            Self::Locations(_) => Subject::Location,
        }
    }

    /// The ids that are named, and where they are named.
    fn named(&self) -> Option<(&'static str, Vec<Uuid>)> {
        match self {
            Self::Items(ids) => Some(("itemIds", ids.iter().map(|id| id.0).collect())),
            Self::Lots(ids) => Some(("lotIds", ids.iter().map(|id| id.0).collect())),
            Self::Locations(ids) => Some(("locationIds", ids.iter().map(|id| id.0).collect())),
            Self::Filter(_) => None,
        }
    }
}

/// Who sees a thing may have its code.
fn require(viewer: &Viewer, subject: Subject) -> Result<()> {
    viewer.require(Permission::CatalogueRead)?;
    match subject {
        Subject::Item => Ok(()),
        Subject::Lot | Subject::Location => viewer.require(Permission::StockRead),
    }
}

async fn select_in_tx(tx: &DatabaseTransaction, selection: &Selection) -> Result<Vec<Uuid>> {
    if let Selection::Filter(filter) = selection {
        let ids = item::first_ids(tx, filter, CODES_MAX + 1).await?;
        rules::check_found(ids.len())?;
        return Ok(ids.into_iter().map(|id| id.0).collect());
    }
    let Some((path, ids)) = selection.named() else {
        return Ok(Vec::new());
    };
    let known = query::titles(tx, selection.subject(), &ids).await?;
    rules::check_known(path, &ids, &known)?;
    Ok(rules::each_once(ids))
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    batch: &CodeBatch,
    subjects: Vec<Uuid>,
    logo: Option<Vec<u8>>,
) -> Result<()> {
    let row = entity::code_batch::ActiveModel {
        id: Set(batch.id),
        job_id: Set(batch.job_id),
        request: Set(serde_json::to_value(batch.options)?),
        subject_ids: Set(subjects),
        logo: Set(logo),
        created_at: Set(batch.created_at),
    };
    entity::code_batch::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
