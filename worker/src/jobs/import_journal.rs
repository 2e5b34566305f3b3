//! Imports a journal: reads the whole file, and has it posted at once.

use domain::{
    Code, Refusal,
    job::NewJobFile,
    journal_import::{Fault, JournalImport, Outcome, State},
    locale::Locale,
};
use entity::id::JournalImportId;
use futures_util::StreamExt as _;
use platform::{
    blob::{BlobError, BlobKey},
    messages, table,
};

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// Posts all that the file says, or writes down what is wrong with it.
///
/// # Errors
/// When the blob store or the database fails, or the file is gone.
pub async fn run(context: &Context, attempt: &Attempt, id: JournalImportId) -> Result<(), Failure> {
    let imports = context.domain.journal_imports();
    let job = (attempt.job, attempt.number);
    let import = imports.open(&attempt.viewer, id).await?;
    let Some(import) = import.filter(|import| import.state == State::Waiting) else {
        let jobs = context.domain.jobs();
        return Ok(jobs.succeed(&attempt.viewer, job.0, job.1).await?);
    };
    let key: BlobKey = import.blob_key.parse().map_err(Failure::discard)?;
    let bytes = read(context, &key).await?;
    let outcome = match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
            imports.run(&attempt.viewer, job, &import, text).await?
        }
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let lines = good.iter().filter(|byte| **byte == b'\n').count();
            Outcome::Wrong(vec![Fault {
                line: u32::try_from(lines + 1).unwrap_or(u32::MAX),
                refusal: Refusal::new(Code::Unreadable, ""),
            }])
        }
    };
    if let Outcome::Wrong(faults) = outcome {
        let file = report(context, attempt, &import, &faults).await?;
        imports
            .reject(&attempt.viewer, job, &import, &faults, file)
            .await?;
    }
    // Nobody reads it again. What stays behind costs its place and nothing else.
    if let Err(error) = context.blobs.delete(&key).await {
        tracing::warn!(%key, %error, "the file of a finished import stays where it is");
    }
    Ok(())
}

async fn read(context: &Context, key: &BlobKey) -> Result<Vec<u8>, Failure> {
    let blob = context.blobs.get_stream(key).await;
    let mut stream = blob
        .map_err(|error| match error {
            BlobError::NotFound { .. } => Failure::discard(error),
            other => Failure::retry(other),
        })?
        .stream;
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.map_err(Failure::retry)?);
    }
    Ok(bytes)
}

async fn report(
    context: &Context,
    attempt: &Attempt,
    import: &JournalImport,
    faults: &[Fault],
) -> Result<NewJobFile, Failure> {
    let locale = import.locale.parse::<Locale>().unwrap_or_default();
    let mut text = table::BYTE_ORDER_MARK.to_vec();
    table::write_record(&mut text, ["line", "about", "code", "message", "value"]);
    for fault in faults {
        let refusal = &fault.refusal;
        let value = refusal.params.get("value").map(String::as_str);
        let (line, about) = (fault.line.to_string(), refusal.path.join("."));
        let message = messages::sentence(locale, refusal);
        let cells = [&line, &about, refusal.code.as_str(), &message];
        table::write_record(
            &mut text,
            cells.into_iter().chain([value.unwrap_or_default()]),
        );
    }
    let key = BlobKey::of_job(attempt.job.0, attempt.number, 1);
    let mut writer = context.blobs.create(&key);
    if let Err(error) = writer.write(text.into()).await {
        writer.abandon().await;
        return Err(Failure::retry(error));
    }
    let length = writer.finish().await.map_err(Failure::retry)?;
    Ok(NewJobFile {
        name: "journal-import-errors.csv".to_owned(),
        media_type: "text/csv; charset=utf-8".to_owned(),
        blob_key: key.as_str().to_owned(),
        byte_size: i64::try_from(length).unwrap_or(i64::MAX),
    })
}
