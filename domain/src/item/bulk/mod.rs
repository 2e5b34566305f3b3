//! Many items at once: checked one by one, written by a handful of statements, however many they are.
//!
//! Whoever writes many items takes turns with others who do ([`take_turn_in_tx`]), so that two of them never wait for each other in a
//! circle. Somebody who writes a single item meanwhile may still be quicker: then a value that was free is taken, the transaction is
//! rolled back, and everything is looked at once more ([`again_when_overtaken`]).

mod add;
mod beside;
mod change;
mod columns;
mod conflict;
mod found;
mod generate;
mod merge;
mod outcome;
mod tag;
mod valid;
mod write;

use std::collections::HashMap;

use entity::id::{CategoryId, ItemId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

pub(crate) use add::announce_all_in_tx;
pub(super) use add::import;
pub use add::{IMPORT_MAX, ImportOutcome, ItemRow};
pub(super) use change::{Call, create, set_archived, update};
pub use change::{ROWS_MAX, RowArchive, RowUpdate};
pub(crate) use conflict::{Earlier, UniqueValues};
pub(super) use generate::{Generation, generate};
pub(crate) use merge::{Merge, Merged, RowValues, match_key, merge_in_tx};
pub use outcome::BulkOutcome;
pub(super) use tag::rename;
pub use tag::{RENAMED_MAX, TagRenamed};

use self::found::{By, Found};
use crate::{
    error::{Code, Error, Refusal, Result},
    money::Money,
    patch::Patch,
    pricing::Pricing,
    sql::{Sql, statement, uuids},
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

/// Which of these categories there are, and those of the items, and whether they are archived. Locks them all, in the order of their ids:
/// none of them is archived meanwhile, and what they demand of items stays. Categories are locked before items, as everywhere.
async fn categories_in_tx(
    tx: &DatabaseTransaction,
    mut named: Vec<CategoryId>,
    items: Option<&By>,
) -> Result<HashMap<CategoryId, bool>> {
    named.sort_unstable();
    named.dedup();
    let mut sql = Sql::new("SELECT id, archived_at IS NOT NULL FROM category WHERE id = ANY(");
    sql.bind(uuids(&named));
    if let Some(by) = items {
        sql.push(" || ARRAY(SELECT category_id FROM item WHERE ");
        by.push(&mut sql);
        sql.push(")");
    }
    sql.push(") ORDER BY id FOR KEY SHARE");
    let found = tx.query_all_raw(sql.build()).await?;
    let pairs = found
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
    Ok(pairs.collect::<Result<_, DbErr>>()?)
}

/// An item that has come into another category since those of all items were locked.
fn check_places(
    categories: &HashMap<CategoryId, bool>,
    found: &HashMap<ItemId, Found>,
) -> Result<(), Obstacle> {
    let mut places = found.values().map(|found| found.item.category_id);
    if places.all(|category| categories.contains_key(&category)) {
        Ok(())
    } else {
        Err(Obstacle::Overtaken)
    }
}

/// What becomes of an item's fixed price and of its model: what is set takes the place of the other.
///
/// # Errors
/// When something is said of both.
fn priced(
    (fixed, model): (Option<Money>, Option<Pricing>),
    price: Patch<Money>,
    pricing: Patch<Pricing>,
) -> Result<(Option<Money>, Option<Pricing>), Refusal> {
    match (price, pricing) {
        (Patch::Keep, Patch::Keep) => Ok((fixed, model)),
        (Patch::Clear, Patch::Keep) => Ok((None, model)),
        (Patch::Set(price), Patch::Keep) => Ok((Some(price), None)),
        (Patch::Keep, Patch::Clear) => Ok((None, None)),
        (Patch::Keep, Patch::Set(pricing)) => Ok((None, Some(pricing))),
        (Patch::Clear | Patch::Set(_), Patch::Clear | Patch::Set(_)) => {
            Err(Refusal::new(Code::Exclusive, "pricing").with("other", "price"))
        }
    }
}

/// Whether items can be put into the category.
fn check_category(categories: &HashMap<CategoryId, bool>, id: CategoryId) -> Result<(), Refusal> {
    match categories.get(&id) {
        Some(false) => Ok(()),
        Some(true) => Err(Refusal::new(Code::Archived, "categoryId")),
        None => Err(Refusal::new(Code::NotFound, "categoryId")),
    }
}
