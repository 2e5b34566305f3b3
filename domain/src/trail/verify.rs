//! The proof that nothing was changed behind the trail's back. It goes on step by step, from where it was: each step reads a bounded number of
//! rows, so it can be interrupted, and takes no more memory the longer the trail is.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Trail,
    chain::{Leaf, hash_of, hex, root},
    coverage::{self, Missing},
    mirror,
    seal::{Seal, behind},
    source::{self, Retired, Stream},
};
use crate::{
    error::{Code, Refusal, Result},
    permission::Permission,
    viewer::Viewer,
};

/// How many seals a step is about; each of about a thousand rows.
const SEALS: i64 = 16;
/// How many steps are made for somebody who waits.
const STEPS: usize = 24;
/// How seals are made at present.
const FORMAT: i16 = 1;

/// Times in rows are written down in one zone.
const SETTINGS: &str = "SET LOCAL TimeZone = 'UTC'; SET LOCAL statement_timeout = '10min'; SET LOCAL work_mem = '32MB'";

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// It is not what it was.
    Changed,
    /// It is gone.
    Deleted,
    /// It was never written by goldshop.
    Inserted,
    /// It has the place of another row, which has its place.
    Swapped,
    /// It is gone with all rows behind it.
    Truncated,
    /// A seal is gone, or not what it was.
    SealBroken,
    /// A seal is not the one that was written down outside of the database.
    CheckpointMismatch,
}

/// The first row that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub wrong: Wrong,
    /// In which table.
    pub table: String,
    /// Its key; of a row that is gone its number, and its line.
    pub key: String,
    /// The seal that says so; none when it is the last change that does.
    pub seal: Option<i64>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not finished.
    Unfinished,
    /// Everything is as it should be.
    Whole,
    /// What was looked at is as it should be, but some tables are not covered.
    Uncovered,
    /// Something is not as it should be.
    Broken,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    #[default]
    Coverage,
    Seals,
    Strays,
    Rows,
    Done,
}

/// How far a proof has come, and what it has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    stage: Stage,
    /// The last seal that was looked at, and its hash.
    pub seals: i64,
    hash: String,
    /// Up to where each stream is sealed.
    ends: BTreeMap<String, i64>,
    /// The last thing whose rows were compared.
    about: Option<Uuid>,
    /// How many sealed rows are as they were.
    pub rows: i64,
    /// How many sealed rows were retired, by whomever.
    pub retired: i64,
    /// How many of these were retired by a policy of retention.
    #[serde(default)]
    pub retired_by_policy: i64,
    /// How many rows are as their last change left them.
    pub present: i64,
    /// How many rows are not sealed yet.
    pub unsealed: i64,
    /// When the last seal was made that was looked at.
    pub sealed_at: Option<DateTime<Utc>>,
    /// How many checkpoints fit.
    pub checkpoints: i64,
    /// The first row that is not as it should be.
    pub finding: Option<Finding>,
    /// Tables that are not covered.
    pub missing: Vec<Missing>,
}

/// Seals as they were written down outside of the database: their numbers and hashes, in hexadecimal digits.
pub type Checkpoints = BTreeMap<i64, String>;

impl Verification {
    /// Whether there is nothing more to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// What was found up to now.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (&self.finding, self.is_done(), self.missing.is_empty()) {
            (Some(_), ..) => Verdict::Broken,
            (None, false, _) => Verdict::Unfinished,
            (None, true, true) => Verdict::Whole,
            (None, true, false) => Verdict::Uncovered,
        }
    }

    /// Where to go on, for somebody who comes back.
    ///
    /// # Errors
    /// Never, unless it cannot be written down.
    pub fn cursor(&self) -> Result<String> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(self)?))
    }

    fn from_cursor(text: &str) -> Result<Self, Refusal> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| Refusal::new(Code::InvalidFormat, "after"))
    }

    fn found(&mut self, finding: Finding) {
        self.finding = Some(finding);
        self.stage = Stage::Done;
    }
}

impl Trail<'_> {
    /// Looks at some of the trail, from the beginning or from where an earlier look has come to.
    ///
    /// # Errors
    /// When the viewer may not see the trail, or `after` is no cursor.
    pub async fn verify(&self, viewer: &Viewer, after: Option<&str>) -> Result<Verification> {
        viewer.require(Permission::AuditRead)?;
        let mut state = match after {
            Some(text) => Verification::from_cursor(text)?,
            None => Verification::default(),
        };
        let none = Checkpoints::new();
        for _ in 0..STEPS {
            if !state.is_done() {
                self.step(&mut state, &none).await?;
            }
        }
        Ok(state)
    }

    /// Looks at a little more.
    ///
    /// # Errors
    /// When a person asks, or the database fails.
    pub async fn verify_on(
        &self,
        viewer: &Viewer,
        state: &mut Verification,
        checkpoints: &Checkpoints,
    ) -> Result<()> {
        viewer.require_system()?;
        self.step(state, checkpoints).await
    }

    async fn step(&self, state: &mut Verification, checkpoints: &Checkpoints) -> Result<()> {
        let tx = self.domain.begin().await?;
        tx.execute_unprepared(SETTINGS).await?;
        match state.stage {
            Stage::Coverage => {
                state.missing = coverage::missing(&coverage::tables(&tx).await?);
                state.stage = Stage::Seals;
            }
            Stage::Seals => seals_in_tx(&tx, state, checkpoints).await?,
            Stage::Strays => strays_in_tx(&tx, state).await?,
            Stage::Rows => rows_in_tx(&tx, state).await?,
            Stage::Done => {}
        }
        self.domain.commit(tx).await
    }
}

/// Sealed rows of one stream that are looked at together.
#[derive(Default)]
struct Stretch {
    after: i64,
    until: i64,
    leaves: Vec<(Leaf, i64)>,
}

async fn seals_in_tx(
    tx: &DatabaseTransaction,
    state: &mut Verification,
    checkpoints: &Checkpoints,
) -> Result<()> {
    let seals = behind(tx, state.seals, SEALS).await?;
    if seals.is_empty() {
        end_of_seals(state, checkpoints);
        return Ok(());
    }
    let mut stretches: BTreeMap<Stream, Stretch> = BTreeMap::new();
    let mut broken = None;
    for seal in &seals {
        match linked(state, seal, checkpoints) {
            Ok(leaves) => add(&mut stretches, seal, leaves),
            Err(finding) => {
                broken = Some(finding);
                break;
            }
        }
    }
    let mut first: Option<Finding> = broken;
    for (stream, stretch) in &stretches {
        let found = stretch_in_tx(tx, state, stream, stretch).await?;
        let is_earlier = |one: &Finding| first.as_ref().is_none_or(|other| one.seal < other.seal);
        if let Some(found) = found.filter(is_earlier) {
            first = Some(found);
        }
    }
    if let Some(finding) = first {
        state.found(finding);
    }
    Ok(())
}

fn end_of_seals(state: &mut Verification, checkpoints: &Checkpoints) {
    state.stage = Stage::Strays;
    // Outside it is known that there were more.
    if let Some(number) = checkpoints
        .keys()
        .next_back()
        .filter(|last| **last > state.seals)
    {
        state.found(of_seal(Wrong::CheckpointMismatch, *number));
    }
}

fn of_seal(wrong: Wrong, number: i64) -> Finding {
    Finding {
        wrong,
        table: "trail_seal".to_owned(),
        key: number.to_string(),
        seal: Some(number),
    }
}

/// A seal is the next in the chain, and its hashes are those of what it says. Gives its rows.
fn linked(
    state: &mut Verification,
    seal: &Seal,
    checkpoints: &Checkpoints,
) -> Result<Vec<Leaf>, Finding> {
    let number = state.seals + 1;
    let end = format!("{}/{}", seal.stream, seal.part);
    let previous = if state.hash.is_empty() {
        hex(&[0; 32])
    } else {
        state.hash.clone()
    };
    let fits = seal.number == number
        && seal.format == FORMAT
        && hex(&seal.previous) == previous
        && state.ends.get(&end).copied().unwrap_or_default() == seal.after
        && seal.hash == hash_of(seal);
    let leaves = seal.leaves().filter(|leaves| {
        let root = root(leaves);
        let is_ordered = leaves.is_sorted_by(|one, other| one.place() < other.place());
        fits && is_ordered && root.is_some_and(|root| seal.root == root)
    });
    let Some(leaves) = leaves else {
        return Err(of_seal(Wrong::SealBroken, number));
    };
    let hash = hex(&seal.hash);
    if let Some(known) = checkpoints.get(&number) {
        if *known != hash {
            return Err(of_seal(Wrong::CheckpointMismatch, number));
        }
        state.checkpoints += 1;
    }
    state.seals = number;
    state.hash = hash;
    state.ends.insert(end, seal.until);
    state.sealed_at = Some(seal.sealed_at);
    Ok(leaves)
}

fn add(stretches: &mut BTreeMap<Stream, Stretch>, seal: &Seal, leaves: Vec<Leaf>) {
    let stream = Stream {
        name: seal.stream.clone(),
        part: seal.part,
    };
    let stretch = stretches.entry(stream).or_insert_with(|| Stretch {
        after: seal.after,
        ..Stretch::default()
    });
    stretch.until = seal.until;
    let leaves = leaves.into_iter().map(|leaf| (leaf, seal.number));
    stretch.leaves.extend(leaves);
}

/// Compares rows with what is sealed of them.
async fn stretch_in_tx(
    tx: &DatabaseTransaction,
    state: &mut Verification,
    stream: &Stream,
    stretch: &Stretch,
) -> Result<Option<Finding>> {
    let first = stretch.leaves.first().map(|(_, seal)| *seal);
    let Some(found) = stream.rows(tx, stretch.after, stretch.until).await? else {
        return Ok(Some(of_seal(Wrong::SealBroken, first.unwrap_or_default())));
    };
    let retired = Retired::read(tx, stream, stretch.after, stretch.until).await?;
    let compared = compare(&stretch.leaves, &found, &retired);
    state.rows += compared.same;
    state.retired += compared.retired;
    state.retired_by_policy += compared.retired_by_policy;
    let Some((wrong, (number, line), seal)) = compared.wrong else {
        return Ok(None);
    };
    let is_gone = wrong == Wrong::Deleted;
    let wrong = if is_gone && line == 0 && !source::goes_on(tx, stream, number).await? {
        Wrong::Truncated
    } else {
        wrong
    };
    let id = source::entry_id(tx, stream, number).await?;
    let key = id.map_or_else(|| number.to_string(), |id| id.to_string());
    Ok(Some(Finding {
        wrong,
        table: stream.table(line).to_owned(),
        key: if line == 0 {
            key
        } else {
            format!("{key}/{line}")
        },
        seal: Some(seal),
    }))
}

struct Compared {
    same: i64,
    retired: i64,
    retired_by_policy: i64,
    wrong: Option<(Wrong, (i64, i32), i64)>,
}

/// Walks along both, up to the first difference.
fn compare(sealed: &[(Leaf, i64)], found: &[Leaf], retired: &Retired) -> Compared {
    let mut compared = Compared {
        same: 0,
        retired: 0,
        retired_by_policy: 0,
        wrong: None,
    };
    let mut found_rest = found;
    let last = sealed.last().map_or(0, |(_, seal)| *seal);
    for (leaf, seal) in sealed {
        match found_rest.first() {
            Some(row) if row.place() < leaf.place() => {
                compared.wrong = Some((Wrong::Inserted, row.place(), *seal));
                return compared;
            }
            Some(row) if row.place() == leaf.place() => {
                if row.hash != leaf.hash {
                    let wrong = changed_or_swapped(leaf, row, sealed, found);
                    compared.wrong = Some((wrong, leaf.place(), *seal));
                    return compared;
                }
                compared.same += 1;
                found_rest = found_rest.get(1..).unwrap_or_default();
            }
            _ => {
                let Some(by_policy) = retired.by_policy(leaf.number) else {
                    compared.wrong = Some((Wrong::Deleted, leaf.place(), *seal));
                    return compared;
                };
                compared.retired += 1;
                compared.retired_by_policy += i64::from(by_policy);
            }
        }
    }
    compared.wrong = found_rest
        .first()
        .map(|row| (Wrong::Inserted, row.place(), last));
    compared
}

fn changed_or_swapped(leaf: &Leaf, row: &Leaf, sealed: &[(Leaf, i64)], found: &[Leaf]) -> Wrong {
    let belongs = sealed.iter().find(|(other, _)| other.hash == row.hash);
    let came = found.iter().find(|other| other.hash == leaf.hash);
    match belongs.zip(came) {
        Some(((other, _), came)) if other.place() == came.place() => Wrong::Swapped,
        _ => Wrong::Changed,
    }
}

async fn strays_in_tx(tx: &DatabaseTransaction, state: &mut Verification) -> Result<()> {
    state.unsealed = source::unsealed(tx).await?;
    state.stage = Stage::Rows;
    if let Some(stray) = source::stray(tx).await? {
        state.found(Finding {
            wrong: Wrong::Inserted,
            table: stray.source,
            key: stray.key,
            seal: None,
        });
    }
    Ok(())
}

async fn rows_in_tx(tx: &DatabaseTransaction, state: &mut Verification) -> Result<()> {
    let tables = coverage::tables(tx).await?;
    let looked = mirror::look(tx, &tables, state.about).await?;
    state.present += looked.rows;
    match looked.next {
        Some(next) => state.about = Some(next),
        None => state.stage = Stage::Done,
    }
    if let Some(different) = looked.different {
        let wrong = match (different.is_there, different.was_there) {
            (true, false) => Wrong::Inserted,
            (false, _) => Wrong::Deleted,
            (true, true) => Wrong::Changed,
        };
        state.found(Finding {
            wrong,
            table: different.source,
            key: different.key,
            seal: None,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(number: i64, hash: u8) -> Leaf {
        Leaf {
            number,
            line: 0,
            hash: [hash; 32],
        }
    }

    fn wrong(found: &[Leaf]) -> Option<(Wrong, i64)> {
        let sealed: Vec<_> = [leaf(1, 1), leaf(3, 3), leaf(4, 4)]
            .map(|leaf| (leaf, 7))
            .to_vec();
        let compared = compare(&sealed, found, &Retired::default());
        compared
            .wrong
            .map(|(wrong, (number, _), _)| (wrong, number))
    }

    #[test]
    fn the_first_difference_is_told() {
        let (one, three, four) = (leaf(1, 1), leaf(3, 3), leaf(4, 4));
        assert_eq!(wrong(&[one, three, four]), None);
        assert_eq!(
            wrong(&[one, leaf(3, 9), leaf(4, 9)]),
            Some((Wrong::Changed, 3))
        );
        assert_eq!(wrong(&[one, four]), Some((Wrong::Deleted, 3)));
        assert_eq!(wrong(&[one, three]), Some((Wrong::Deleted, 4)));
        assert_eq!(
            wrong(&[one, leaf(2, 2), three, four]),
            Some((Wrong::Inserted, 2))
        );
        assert_eq!(
            wrong(&[one, three, four, leaf(5, 5)]),
            Some((Wrong::Inserted, 5))
        );
        assert_eq!(
            wrong(&[one, leaf(3, 4), leaf(4, 3)]),
            Some((Wrong::Swapped, 3))
        );
        assert_eq!(wrong(&[]), Some((Wrong::Deleted, 1)));
    }
}
