//! Another name for a tag, on all items that have it.

use entity::id::{CategoryId, ItemId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde::{Deserialize, Serialize};

use super::{
    take_turn_in_tx,
    write::{self, Told, Trail, with_kept},
};
use crate::{
    Domain,
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    item::rules::parse_tag,
    sql::{Sql, statement, uuids},
    viewer::Viewer,
};

/// Most items that are given another tag at once.
pub const RENAMED_MAX: usize = 5_000;

/// What became of a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagRenamed {
    /// What it is called now.
    pub tag: String,
    /// How many items were changed.
    pub count: usize,
    /// Whether no item has the old tag any more; otherwise there were more than [`RENAMED_MAX`].
    pub is_complete: bool,
}

pub(in super::super) async fn rename(
    domain: &Domain,
    viewer: &Viewer,
    (from, to): (&str, &str),
    key: Option<&str>,
) -> Result<TagRenamed> {
    let (from, to) = (parse_tag("from", from)?, parse_tag("to", to)?);
    if from == to {
        return Err(Refusal::new(Code::AlreadyTaken, "to")
            .with("value", to)
            .into());
    }
    let now = domain.now();
    let tx = domain.begin().await?;
    let claim = match claim_in_tx(&tx, viewer, key, "tag.rename", &(&from, &to), now).await? {
        Claimed::Before(renamed) => return Ok(renamed),
        Claimed::Now(claim) => claim,
    };
    take_turn_in_tx(&tx).await?;
    let mut ids = lock_in_tx(&tx, &from).await?;
    if ids.is_empty() {
        return Err(Refusal::new(Code::NotFound, "from")
            .with("value", from)
            .into());
    }
    let is_complete = ids.len() <= RENAMED_MAX;
    ids.truncate(RENAMED_MAX);
    let trail = Trail {
        viewer,
        now,
        action: "item.rename_tag",
    };
    let told = rename_in_tx(&tx, trail, &ids, (&from, &to)).await?;
    write::announce_each_in_tx(&tx, trail, &told).await?;
    let renamed = TagRenamed {
        tag: to,
        count: told.len(),
        is_complete,
    };
    claim.keep_in_tx(&tx, &renamed).await?;
    domain.commit(tx).await?;
    Ok(renamed)
}

/// Items with the tag, those that are put away included, locked in the order of their ids; one more than are renamed tells that there are
/// more. They are found first: PostgreSQL would walk along the ids until it has found as many.
async fn lock_in_tx(tx: &DatabaseTransaction, tag: &str) -> Result<Vec<ItemId>> {
    let sql =
        "WITH found AS MATERIALIZED (SELECT id FROM item WHERE tags @> ARRAY[$1]::text[])
        SELECT id FROM item WHERE id IN (SELECT id FROM found ORDER BY id LIMIT $2) ORDER BY id FOR NO KEY UPDATE";
    let most = i64::try_from(RENAMED_MAX + 1).unwrap_or(i64::MAX);
    let locked = tx
        .query_all_raw(statement(sql, [tag.into(), most.into()]))
        .await?;
    let ids = locked.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<Result<_, DbErr>>()?)
}

/// Of the items that still have the tag. Tags are sorted, each once, as everywhere.
async fn rename_in_tx(
    tx: &DatabaseTransaction,
    trail: Trail<'_>,
    ids: &[ItemId],
    (from, to): (&str, &str),
) -> Result<Vec<Told>> {
    let sql = "WITH before AS (SELECT i.id, {BEFORE} AS was FROM item i WHERE i.id = ANY($1)),
        written AS (
        UPDATE item i SET tags = ARRAY(SELECT DISTINCT t COLLATE \"C\" FROM unnest(array_replace(i.tags, $8, $9)) t ORDER BY 1),
            version = i.version + 1, updated_at = $2
        WHERE i.id = ANY($1) AND i.tags @> ARRAY[$8]::text[] RETURNING {WRITTEN}
        ),
        audited AS (
        INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, before, after)
        SELECT $2, $3, $4, $5, $6, $7, 'item', w.id, b.was, {AFTER} FROM written w JOIN before b ON b.id = w.id ORDER BY w.id
        )
        SELECT id, version, category_id FROM written ORDER BY id";
    let values = std::iter::once(uuids(ids)).chain(trail.values());
    let values = values.chain([from.into(), to.into()]);
    let mut text = Sql::with_values(values.collect());
    text.push(&with_kept(sql));
    let rows = tx.query_all_raw(text.build()).await?;
    let told = rows.iter().map(|row| {
        let category: CategoryId = row.try_get_by_index(2)?;
        Ok(Told {
            id: row.try_get_by_index(0)?,
            version: row.try_get_by_index(1)?,
            category,
            previous: Some(category),
        })
    });
    Ok(told.collect::<Result<_, DbErr>>()?)
}
