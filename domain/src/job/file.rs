//! Files that jobs leave behind: written with the job's end, shown to whoever may see the job or caused it.

use chrono::{DateTime, Utc};
use entity::{
    id::{JobFileId, JobId},
    job,
    job_file::{ActiveModel, Column, Entity, Model as JobFile},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};

use super::{Jobs, succeed_in_tx, visible::Visible};
use crate::{clock::new_id, error::Result, text, viewer::Viewer};

/// Longest name, in characters.
const NAME_MAX: usize = 200;
/// Longest media type, in characters.
const MEDIA_TYPE_MAX: usize = 100;

/// A file that lies in the blob store and shall belong to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJobFile {
    /// What people save it as; unique among the job's files.
    pub name: String,
    /// Media type of its content.
    pub media_type: String,
    /// Where it is, in the private part of the blob store.
    pub blob_key: String,
    /// Length in bytes.
    pub byte_size: i64,
}

impl Jobs<'_> {
    /// Ends an attempt well, and gives the job its files: both become true together.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, two files have the same name, or the database fails.
    pub async fn succeed_with_files(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        files: &[NewJobFile],
    ) -> Result<()> {
        viewer.require_system()?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        succeed_in_tx(&tx, viewer, now, job.0, job.1).await?;
        add_files_in_tx(&tx, now, job.0, files).await?;
        self.domain.commit(tx).await
    }

    /// The files of these jobs, each job's in the order of their names, of the jobs that the viewer may see.
    ///
    /// # Errors
    /// When nobody has said who they are.
    pub async fn files_of(&self, viewer: &Viewer, jobs: &[JobId]) -> Result<Vec<JobFile>> {
        let Some(visible) = Visible::to(viewer)? else {
            return Ok(Vec::new());
        };
        Ok(files(visible)
            .filter(Column::JobId.is_in(jobs.iter().copied()))
            .order_by_asc(Column::JobId)
            .order_by_asc(Column::Name)
            .all(&self.domain.reads)
            .await?)
    }

    /// The file with this id, for a viewer who may see jobs, or who has logged in and caused the job. Everybody else is told what is
    /// told of a file that does not exist.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_file(&self, viewer: &Viewer, id: JobFileId) -> Result<Option<JobFile>> {
        let Ok(Some(visible)) = Visible::to(viewer) else {
            return Ok(None);
        };
        let found = files(visible).filter(Column::Id.eq(id));
        Ok(found.one(&self.domain.reads).await?)
    }
}

/// The files of the jobs that somebody may see.
fn files(visible: Visible) -> Select<Entity> {
    let jobs = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(visible.condition());
    Entity::find().filter(Column::JobId.in_subquery(jobs.into_query()))
}

/// Gives a job its files, in the transaction that ends it.
pub(crate) async fn add_files_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    job: JobId,
    files: &[NewJobFile],
) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let rows = files.iter().map(|file| new_row(now, job, file));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

fn new_row(now: DateTime<Utc>, job: JobId, file: &NewJobFile) -> Result<ActiveModel> {
    Ok(ActiveModel {
        id: Set(JobFileId(new_id(now))),
        job_id: Set(job),
        name: Set(text::line("name", &file.name, 1, NAME_MAX)?),
        media_type: Set(text::line(
            "mediaType",
            &file.media_type,
            1,
            MEDIA_TYPE_MAX,
        )?),
        blob_key: Set(file.blob_key.clone()),
        byte_size: Set(file.byte_size),
        created_at: Set(now),
    })
}
