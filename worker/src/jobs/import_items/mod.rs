//! Imports items from a file: reads it from its beginning, leaves out what earlier attempts have dealt with, and hands the rest over
//! chunk by chunk.

mod source;

use std::time::{Duration, Instant};

use domain::{
    Refusal,
    item_import::{Fault, FileRow, ItemImport, Opened, Phase},
    job::NewJobFile,
    locale::Locale,
};
use entity::id::ItemImportId;
use platform::{
    blob::{BlobKey, BlobWriter},
    messages, table,
};

use self::source::Chunk;
use super::Attempt;
use crate::{context::Context, failure::Failure};

/// How much that is wrong is read at a time.
const FAULTS: i64 = 2000;
/// How often at most somebody hears how far a job has got.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Goes on with the import until all of its rows are dealt with, then writes down what was wrong with them.
///
/// # Errors
/// When the blob store or the database fails, or the file is gone.
pub async fn run(context: &Context, attempt: &Attempt, id: ItemImportId) -> Result<(), Failure> {
    let imports = context.domain.item_imports();
    let job = (attempt.job, attempt.number);
    let Some(mut opened) = imports.open(&attempt.viewer, job, id).await? else {
        let jobs = context.domain.jobs();
        return Ok(jobs.succeed(&attempt.viewer, job.0, job.1).await?);
    };
    let key: BlobKey = opened.import.blob_key.parse().map_err(Failure::discard)?;
    while matches!(opened.import.phase, Phase::Check | Phase::Write) {
        let mut pass = Pass::new(context, attempt, opened);
        pass.read(&key).await?;
        opened = pass.opened;
        let is_open = matches!(opened.import.phase, Phase::Check | Phase::Write);
        if is_open && imports.end_phase(&attempt.viewer, job, &mut opened).await? {
            let anew = imports.open(&attempt.viewer, job, id).await?;
            opened = anew.ok_or_else(|| Failure::retry("the import has vanished"))?;
        }
    }
    let files = report(context, attempt, &opened.import).await?;
    imports.finish(&attempt.viewer, job, id, &files).await?;
    // Nobody reads it again. What stays behind costs its place and nothing else.
    if let Err(error) = context.blobs.delete(&key).await {
        tracing::warn!(%key, %error, "the file of a finished import stays where it is");
    }
    Ok(())
}

/// One reading of the file.
struct Pass<'a> {
    context: &'a Context,
    attempt: &'a Attempt,
    opened: Opened,
    told: Option<Instant>,
}

impl<'a> Pass<'a> {
    fn new(context: &'a Context, attempt: &'a Attempt, opened: Opened) -> Self {
        Self {
            context,
            attempt,
            opened,
            told: None,
        }
    }

    async fn read(&mut self, key: &BlobKey) -> Result<(), Failure> {
        let mut chunks = source::read(&self.context.blobs, key, &self.opened.import);
        while let Some(chunk) = chunks.next().await? {
            match chunk {
                Chunk::Rows { rows, read } => self.take(rows, read).await?,
                Chunk::Headers(refusals) => return self.refuse(refusals).await,
            }
        }
        Ok(())
    }

    /// Hands rows over that no earlier attempt has dealt with.
    async fn take(&mut self, mut rows: Vec<FileRow>, read: u64) -> Result<(), Failure> {
        let next_row = self.opened.import.next_row;
        let known = rows.partition_point(|row| row.number <= next_row);
        for row in rows.drain(..known) {
            self.opened.pass(&row);
        }
        if rows.is_empty() {
            return Ok(());
        }
        let percent = self.percent_to_tell(read);
        let imports = self.context.domain.item_imports();
        let job = (self.attempt.job, self.attempt.number);
        let (viewer, opened) = (&self.attempt.viewer, &mut self.opened);
        Ok(imports.take(viewer, job, opened, &rows, percent).await?)
    }

    async fn refuse(&mut self, refusals: Vec<Refusal>) -> Result<(), Failure> {
        let imports = self.context.domain.item_imports();
        let job = (self.attempt.job, self.attempt.number);
        let (viewer, opened) = (&self.attempt.viewer, &mut self.opened);
        Ok(imports.refuse_file(viewer, job, opened, refusals).await?)
    }

    /// How far the job has got, unless it was told a moment ago. A file that is read twice is half done after the first time.
    fn percent_to_tell(&mut self, read: u64) -> Option<i16> {
        if self.told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return None;
        }
        self.told = Some(Instant::now());
        let import = &self.opened.import;
        let total = u64::try_from(import.byte_size).unwrap_or(0).max(1);
        let percent = (read.min(total) * 100 / total).min(99);
        let percent = i16::try_from(percent).unwrap_or(0);
        let is_read_twice =
            !import.dry_run && import.policy == domain::item_import::Policy::RejectAll;
        Some(match (is_read_twice, import.phase) {
            (true, Phase::Check) => percent / 2,
            (true, _) => 50 + percent / 2,
            (false, _) => percent,
        })
    }
}

/// A file with what is wrong, unless nothing is.
async fn report(
    context: &Context,
    attempt: &Attempt,
    import: &ItemImport,
) -> Result<Vec<NewJobFile>, Failure> {
    if import.failed == 0 {
        return Ok(Vec::new());
    }
    let key = BlobKey::of_job(attempt.job.0, attempt.number, 1);
    let mut writer = context.blobs.create(&key);
    if let Err(failure) = write_faults(context, attempt, import, &mut writer).await {
        writer.abandon().await;
        return Err(failure);
    }
    let length = writer.finish().await.map_err(Failure::retry)?;
    Ok(vec![NewJobFile {
        name: "item-import-errors.csv".to_owned(),
        media_type: "text/csv; charset=utf-8".to_owned(),
        blob_key: key.as_str().to_owned(),
        byte_size: i64::try_from(length).unwrap_or(i64::MAX),
    }])
}

async fn write_faults(
    context: &Context,
    attempt: &Attempt,
    import: &ItemImport,
    writer: &mut BlobWriter,
) -> Result<(), Failure> {
    let mut text = table::BYTE_ORDER_MARK.to_vec();
    table::write_record(&mut text, ["row", "column", "code", "message", "value"]);
    let locale = import.locale.parse::<Locale>().unwrap_or_default();
    let imports = context.domain.item_imports();
    let mut place = 0;
    loop {
        let faults = imports
            .faults(&attempt.viewer, import.id, place, FAULTS)
            .await?;
        for fault in &faults {
            write_fault(&mut text, locale, fault);
        }
        let written = writer.write(std::mem::take(&mut text).into()).await;
        written.map_err(Failure::retry)?;
        match faults.last() {
            Some(fault) => place = fault.place,
            None => return Ok(()),
        }
    }
}

fn write_fault(text: &mut Vec<u8>, locale: Locale, fault: &Fault) {
    let refusal = &fault.refusal;
    let value = refusal.params.get("value").map(String::as_str);
    let (row, column) = (fault.row.to_string(), refusal.path.join("."));
    let message = messages::sentence(locale, refusal);
    let cells = [&row, &column, refusal.code.as_str(), &message];
    table::write_record(text, cells.into_iter().chain([value.unwrap_or_default()]));
}
