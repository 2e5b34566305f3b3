//! A chunk of an import: its rows are written, its errors kept and its place in the file moved on by one transaction, or by none.

use chrono::{DateTime, Utc};
use entity::id::{ItemImportId, JobId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait};

use super::{
    Fields, ItemImport, ItemImports, Phase,
    judge::{Lookups, Seen},
};
use crate::{
    error::{Error, Refusal, Result},
    item::{
        Earlier, Merge, Merged, Obstacle, RowValues, UniqueValues, again_when_overtaken,
        announce_all_in_tx, merge_in_tx, take_turn_in_tx,
    },
    job,
    permission::Permissions,
    sql::statement,
    viewer::{Identity, Known, Viewer},
};

/// Most rows of which it is kept what is wrong with them. All are counted.
const FAULTS_MAX: i64 = 100_000;

/// How much of what is wrong with one row is kept.
const FAULTS_OF_ROW_MAX: usize = 20;

/// A row of a file.
#[derive(Clone, Debug)]
pub struct FileRow {
    /// Which one, from 1, as people count who look at the file: a line of headers is the first.
    pub number: i64,
    /// What it says, which is nothing at all for an empty one; or what is wrong with it already.
    pub fields: Result<Option<Fields>, Vec<Refusal>>,
}

/// An import that a worker goes on with.
#[derive(Debug)]
pub struct Opened {
    /// How far it has got.
    pub import: ItemImport,
    author: Viewer,
    lookups: Lookups,
    seen: Seen,
    /// What the rows would have that were looked at.
    earlier: Earlier,
}

/// A row that has something to say, and what its values are.
type Judged = (i64, Result<RowValues, Vec<Refusal>>);

impl Opened {
    /// Takes note of a row that was dealt with by an earlier attempt.
    pub fn pass(&mut self, row: &FileRow) {
        let _dealt_with = self.judge(row);
    }

    fn judge(&mut self, row: &FileRow) -> Option<Judged> {
        let fields = match &row.fields {
            Ok(Some(fields)) => fields,
            Ok(None) => return None,
            Err(refusals) => return Some((row.number, Err(refusals.clone()))),
        };
        let values = self.lookups.values(fields);
        let values = values.and_then(|values| match self.seen.see(&values) {
            Ok(()) => Ok(values),
            Err(twice) => Err(vec![twice]),
        });
        Some((row.number, values))
    }
}

impl ItemImports<'_> {
    /// Opens an import to go on with it; none when there is no such import any more. What was only looked at is looked at anew: what the
    /// rows would have is written nowhere.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails.
    pub async fn open(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        id: ItemImportId,
    ) -> Result<Option<Opened>> {
        viewer.require_system()?;
        let db = &self.domain.db;
        let import = entity::item_import::Entity::find_by_id(id).one(db).await?;
        let Some(mut import) = import else {
            return Ok(None);
        };
        if import.phase == Phase::Check && import.next_row > 0 {
            import = self.begin_anew(viewer, job, import).await?;
        }
        Ok(Some(Opened {
            author: author(db, viewer, import.user_id).await?,
            lookups: Lookups::read(db).await?,
            seen: Seen::new(import.match_by),
            earlier: Earlier::default(),
            import,
        }))
    }

    /// Deals with the next rows, which are behind all that were dealt with before. Says how far the job has got, if that is given.
    ///
    /// # Errors
    /// When a person asks, another worker has taken the job over, or the database fails. Then nothing was done.
    pub async fn take(
        &self,
        viewer: &Viewer,
        job: (JobId, i32),
        opened: &mut Opened,
        rows: &[FileRow],
        percent: Option<i16>,
    ) -> Result<()> {
        viewer.require_system()?;
        let Some(next_row) = rows.last().map(|row| row.number) else {
            return Ok(());
        };
        let judged: Vec<_> = rows.iter().filter_map(|row| opened.judge(row)).collect();
        let chunk = Chunk {
            imports: self,
            viewer,
            job,
            opened,
            judged: &judged,
            next_row,
            percent,
        };
        let (import, claimed) = again_when_overtaken(|| chunk.write()).await?;
        opened.import = import;
        opened.earlier.remember(claimed);
        Ok(())
    }
}

/// Whose name the audit trail has: whoever asked for the import.
pub(crate) async fn author(
    db: &impl ConnectionTrait,
    worker: &Viewer,
    user: Option<UserId>,
) -> Result<Viewer> {
    let user = match user {
        Some(id) => entity::user::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    Ok(user.map_or_else(
        || worker.clone(),
        |user| Viewer {
            identity: Identity::User(Known {
                id: user.id,
                name: user.display_name,
                permissions: Permissions::default(),
                token: None,
            }),
            ..worker.clone()
        },
    ))
}

struct Chunk<'a> {
    imports: &'a ItemImports<'a>,
    viewer: &'a Viewer,
    job: (JobId, i32),
    opened: &'a Opened,
    judged: &'a [Judged],
    next_row: i64,
    percent: Option<i16>,
}

impl Chunk<'_> {
    async fn write(&self) -> Result<(ItemImport, UniqueValues), Obstacle> {
        let domain = self.imports.domain;
        let (now, before) = (domain.now(), &self.opened.import);
        let tx = domain.begin().await?;
        take_turn_in_tx(&tx).await?;
        let (merged, faults) = self.merge_in_tx(&tx, now).await?;
        keep_faults_in_tx(&tx, before, &faults).await?;
        let after = self.counted(&merged);
        move_on_in_tx(&tx, before, &after).await?;
        if before.phase == Phase::Write && merged.created + merged.updated > 0 {
            announce_all_in_tx(&tx, &self.opened.author, now).await?;
        }
        let message = format!("row {}", after.rows_read);
        let message = Some(message.as_str());
        job::hold_attempt_in_tx(&tx, self.viewer, now, self.job, self.percent, message).await?;
        domain.commit(tx).await?;
        Ok((after, merged.claimed))
    }

    async fn merge_in_tx(
        &self,
        tx: &DatabaseTransaction,
        now: DateTime<Utc>,
    ) -> Result<(Merged, Vec<(i64, Refusal)>), Obstacle> {
        let import = &self.opened.import;
        let merge = Merge {
            viewer: &self.opened.author,
            now,
            match_by: import.match_by,
            mode: import.mode,
            draw_codes: import.draw_codes,
            write: import.phase == Phase::Write,
            earlier: &self.opened.earlier,
        };
        let mut faults = Vec::new();
        let (mut numbers, mut rows) = (Vec::new(), Vec::new());
        for (number, judged) in self.judged {
            match judged {
                Ok(values) => {
                    numbers.push(*number);
                    rows.push(values);
                }
                Err(refusals) => faults.extend(some_of(*number, refusals.clone())),
            }
        }
        let mut merged = merge_in_tx(tx, merge, &rows).await?;
        for (index, refusals) in std::mem::take(&mut merged.refused) {
            let number = numbers.get(index).copied().unwrap_or_default();
            faults.extend(some_of(number, refusals));
        }
        faults.sort_by_key(|(number, _)| *number);
        Ok((merged, faults))
    }

    /// The import behind these rows.
    fn counted(&self, merged: &Merged) -> ItemImport {
        let mut import = self.opened.import.clone();
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let good = merged.created + merged.updated + merged.unchanged;
        import.next_row = self.next_row;
        import.rows_read += count(self.judged.len());
        import.created += count(merged.created);
        import.updated += count(merged.updated);
        import.unchanged += count(merged.unchanged);
        import.failed += count(self.judged.len() - good);
        import
    }
}

fn some_of(row: i64, refusals: Vec<Refusal>) -> impl Iterator<Item = (i64, Refusal)> {
    let some = refusals.into_iter().take(FAULTS_OF_ROW_MAX);
    some.map(move |refusal| (row, refusal))
}

/// Nobody else may have moved it on meanwhile.
async fn move_on_in_tx(
    tx: &DatabaseTransaction,
    before: &ItemImport,
    after: &ItemImport,
) -> Result<()> {
    let sql = "UPDATE item_import SET next_row = $4, rows_read = $5, created = $6, updated = $7, unchanged = $8, failed = $9
               WHERE id = $1 AND next_row = $2 AND phase = $3";
    use sea_orm::ActiveEnum as _;
    let values = [
        before.id.into(),
        before.next_row.into(),
        before.phase.to_value().into(),
        after.next_row.into(),
        after.rows_read.into(),
        after.created.into(),
        after.updated.into(),
        after.unchanged.into(),
        after.failed.into(),
    ];
    let moved = tx.execute_raw(statement(sql, values)).await?;
    if moved.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::internal(
            "somebody else has gone on with this import",
        ))
    }
}

pub(super) async fn keep_faults_in_tx(
    tx: &DatabaseTransaction,
    import: &ItemImport,
    faults: &[(i64, Refusal)],
) -> Result<()> {
    if faults.is_empty() || import.failed >= FAULTS_MAX {
        return Ok(());
    }
    let numbers: Vec<i64> = faults.iter().map(|(number, _)| *number).collect();
    let refusals = faults
        .iter()
        .map(|(_, refusal)| Ok(serde_json::to_string(refusal)?));
    let refusals = refusals.collect::<Result<Vec<String>>>()?;
    // In the order of the rows: their numbers follow from it.
    let sql = "INSERT INTO item_import_error (import_id, row_number, refusal)
               SELECT $1, r.row_number, r.refusal::jsonb
               FROM unnest($2::bigint[], $3::text[]) WITH ORDINALITY AS r (row_number, refusal, place) ORDER BY r.place";
    let values = [import.id.into(), numbers.into(), refusals.into()];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}
