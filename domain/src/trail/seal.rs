//! Seals are made behind writing, by a worker: the database makes them, and nobody else can.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::{
    Trail,
    chain::{Hash, Leaf, hex},
};
use crate::{
    error::{Error, Result},
    sql::statement,
    stock::told_in_tx,
    viewer::Viewer,
};

/// About how many rows a seal is about.
const ROWS: i32 = 1_000;
/// How long those are waited for who were writing when it began, and how often it is looked.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// A seal with all that is in it.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Seal {
    pub(super) number: i64,
    pub(super) format: i16,
    pub(super) stream: String,
    pub(super) part: Uuid,
    pub(super) after: i64,
    pub(super) until: i64,
    pub(super) rows: i32,
    numbers: Vec<i64>,
    lines: Vec<i32>,
    hashes: Vec<u8>,
    pub(super) root: Vec<u8>,
    pub(super) previous: Vec<u8>,
    pub(super) hash: Vec<u8>,
    pub(super) sealed_at: DateTime<Utc>,
}

impl Seal {
    /// Its rows; none when what it says of them does not fit together.
    pub(super) fn leaves(&self) -> Option<Vec<Leaf>> {
        let (hashes, rest) = self.hashes.as_chunks::<32>();
        let rows = usize::try_from(self.rows).ok()?;
        let fits = rest.is_empty()
            && [hashes.len(), self.numbers.len(), self.lines.len()] == [rows, rows, rows];
        let places = self.numbers.iter().zip(&self.lines).zip(hashes);
        fits.then(|| {
            places
                .map(|((number, line), hash): (_, &Hash)| Leaf {
                    number: *number,
                    line: *line,
                    hash: *hash,
                })
                .collect()
        })
    }
}

/// These seals, the next ones behind a number.
pub(super) async fn behind(db: &impl ConnectionTrait, number: i64, most: i64) -> Result<Vec<Seal>> {
    let sql = "SELECT number, format, stream, part, after, until, rows, numbers, lines, hashes, root, previous, hash, sealed_at
               FROM trail_seal WHERE number > $1 ORDER BY number LIMIT $2";
    let rows = Seal::find_by_statement(statement(sql, [number.into(), most.into()]));
    Ok(rows.all(db).await?)
}

/// What a checkpoint is about: the last seal there is, which stands for all before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The number of the seal.
    pub number: i64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
    /// How many rows are sealed altogether.
    pub rows: i64,
    /// When it was made.
    pub at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct Last {
    number: i64,
    hash: Vec<u8>,
    rows: i64,
    sealed_at: DateTime<Utc>,
}

impl Trail<'_> {
    /// Seals what is written and not sealed yet, as far as nobody is in the middle of writing. One at a time: whoever comes second does nothing.
    /// Tells whether anything was sealed.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn seal(&self, viewer: &Viewer) -> Result<bool> {
        viewer.require_system()?;
        let mut waited = Duration::ZERO;
        while self.told("SELECT trail_bound()").await? && waited < PATIENCE {
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
        let mut is_sealed = false;
        while self.seal_some().await? {
            is_sealed = true;
        }
        Ok(is_sealed)
    }

    /// Makes one seal; tells whether there may be more.
    async fn seal_some(&self) -> Result<bool> {
        let tx = self.domain.begin().await?;
        let more = told_in_tx(&tx, statement("SELECT trail_seal($1)", [ROWS.into()])).await?;
        self.domain.commit(tx).await?;
        Ok(more)
    }

    async fn told(&self, sql: &'static str) -> Result<bool> {
        let tx = self.domain.begin().await?;
        let told = told_in_tx(&tx, statement(sql, [])).await?;
        self.domain.commit(tx).await?;
        Ok(told)
    }

    /// Makes the partitions of months to come.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn prepare(&self, viewer: &Viewer) -> Result<()> {
        viewer.require_system()?;
        let tx = self.domain.begin().await?;
        tx.execute_raw(statement("SELECT trail_prepare()", []))
            .await?;
        self.domain.commit(tx).await
    }

    /// The last seal; none before the first.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn last_seal(&self, viewer: &Viewer) -> Result<Option<Sealed>> {
        viewer.require_system()?;
        let sql =
            "SELECT s.number, s.hash, s.sealed_at, (SELECT sum(rows)::int8 FROM trail_seal) AS rows
                   FROM trail_seal s ORDER BY s.number DESC LIMIT 1";
        let last = Last::find_by_statement(statement(sql, []));
        let last = last.one(&self.domain.db).await?;
        Ok(last.map(|last| Sealed {
            number: last.number,
            hash: hex(&last.hash),
            rows: last.rows,
            at: last.sealed_at,
        }))
    }
}

/// A hash as the database has it.
pub(super) fn hash(bytes: &[u8]) -> Result<Hash> {
    Hash::try_from(bytes).map_err(|_error| Error::internal("a hash of another length"))
}
