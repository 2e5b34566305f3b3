//! Many items at once: checked one by one, written by a handful of statements, however many they are.
//!
//! Whoever writes many items takes turns with others who do ([`take_turn_in_tx`]), so that two of them never wait for each other in a
//! circle. Somebody who writes a single item meanwhile may still be quicker: then a value that was free is taken, the transaction is
//! rolled back, and everything is looked at once more ([`again_when_overtaken`]).

mod add;
mod change;
mod columns;
mod conflict;
mod found;
mod merge;
mod outcome;
mod write;

use std::collections::HashMap;

use entity::id::CategoryId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

pub(crate) use add::announce_all_in_tx;
pub(super) use add::import;
pub use add::{IMPORT_MAX, ImportOutcome, ItemRow};
pub(super) use change::{Call, archive, create, update};
pub use change::{ROWS_MAX, RowArchive, RowUpdate};
pub(crate) use merge::{Merge, Merged, RowValues, match_key, merge_in_tx};
pub use outcome::BulkOutcome;

use crate::{
    error::{Code, Error, Refusal, Result},
    sql::{statement, uuids},
};

/// Any number will do, as long as nothing else locks it.
const TURN: i64 = 0x6974_656d_7300;

/// How often everything is looked at once more.
const OVERTAKEN_MAX: usize = 5;

/// What stands between a transaction and its commit.
pub(crate) enum Obstacle {
    /// Somebody else was quicker: all is to be done again.
    Overtaken,
    /// An error like others.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Obstacle {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Does it, and does it again when somebody else was quicker.
pub(crate) async fn again_when_overtaken<T, F>(mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T, Obstacle>>,
{
    for _ in 0..OVERTAKEN_MAX {
        match attempt().await {
            Err(Obstacle::Overtaken) => {}
            Err(Obstacle::Error(error)) => return Err(error),
            Ok(done) => return Ok(done),
        }
    }
    Err(Error::Unavailable(
        "others were quicker each time".to_owned().into(),
    ))
}

/// Waits until nobody else writes many items.
pub(crate) async fn take_turn_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    let lock = statement("SELECT pg_advisory_xact_lock($1)", [TURN.into()]);
    tx.execute_raw(lock).await?;
    Ok(())
}

/// Which of these categories there are, and whether they are archived; locks those that are not against being archived meanwhile, in the
/// order of their ids.
pub(crate) async fn categories_in_tx(
    tx: &DatabaseTransaction,
    mut wanted: Vec<CategoryId>,
) -> Result<HashMap<CategoryId, bool>> {
    wanted.sort_unstable();
    wanted.dedup();
    let sql = "SELECT id, archived_at IS NOT NULL FROM category WHERE id = ANY($1) ORDER BY id FOR KEY SHARE";
    let found = tx.query_all_raw(statement(sql, [uuids(&wanted)])).await?;
    let pairs = found
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
    Ok(pairs.collect::<Result<_, DbErr>>()?)
}

/// Whether items can be put into the category.
fn check_category(categories: &HashMap<CategoryId, bool>, id: CategoryId) -> Result<(), Refusal> {
    match categories.get(&id) {
        Some(false) => Ok(()),
        Some(true) => Err(Refusal::new(Code::Archived, "categoryId")),
        None => Err(Refusal::new(Code::NotFound, "categoryId")),
    }
}
