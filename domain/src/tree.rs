//! What trees that are kept as paths have in common ([ADR 5](../docs/adr/0005-category-paths.md)): categories and locations.
//!
//! Whoever changes the shape of a tree holds its lock alone; whoever only hangs something new into it shares the lock. So a new row never
//! gets a path below a parent that is just being moved. Changes of shape are rare and short.

use chrono::{DateTime, Utc};
use entity::ltree::Ltree;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};

use crate::{
    error::{Code, Error, Refusal, Result},
    sql::{Sql, uuids},
};

/// Most levels of a tree, as many as the database takes. An index entry holds a whole path, twice; several hundred levels would not fit, and
/// nobody would find their way through a tenth of that.
pub(crate) const DEPTH_MAX: usize = 100;

/// A row of a tree. Its table has the columns `id`, `parent_id`, `path`, `position`, `archived_at`, `version` and `updated_at`.
pub(crate) trait Node {
    /// What names a row.
    type Id: Copy + Eq + Into<Value>;
    /// The table.
    const TABLE: &'static str;
    /// The number of its lock: any will do, as long as nothing else locks it.
    const LOCK: i64;

    /// Which row it is.
    fn id(&self) -> Self::Id;
    /// Where it is.
    fn path(&self) -> &Ltree;
}

/// Waits until nobody changes the shape of the tree, and keeps others from it until the transaction ends.
pub(crate) async fn own_in_tx<N: Node>(tx: &DatabaseTransaction) -> Result<()> {
    let mut sql = Sql::new("SELECT pg_advisory_xact_lock(");
    sql.bind(N::LOCK).push(")");
    execute(tx, sql).await
}

/// Waits until nobody changes the shape of the tree; others may add to it meanwhile.
pub(crate) async fn share_in_tx<N: Node>(tx: &DatabaseTransaction) -> Result<()> {
    let mut sql = Sql::new("SELECT pg_advisory_xact_lock_shared(");
    sql.bind(N::LOCK).push(")");
    execute(tx, sql).await
}

/// What others may still do to locked rows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SubtreeLock {
    /// Other rows may refer to them.
    AgainstChanges,
    /// Nothing.
    AgainstUse,
}

/// What a statement will change below a row, locked beforehand and in the order of ids: whoever locks several rows does so in that order,
/// and nobody waits in a circle.
pub(crate) async fn lock_subtree_in_tx<N: Node>(
    tx: &DatabaseTransaction,
    node: &N,
    lock: SubtreeLock,
) -> Result<()> {
    let mut sql = Sql::new("SELECT id FROM ");
    sql.push(N::TABLE).push(" WHERE path <@ ");
    sql.bind(node.path().0.as_str())
        .push("::ltree ORDER BY id FOR ")
        .push(match lock {
            SubtreeLock::AgainstChanges => "NO KEY UPDATE",
            SubtreeLock::AgainstUse => "UPDATE",
        });
    execute(tx, sql).await
}

/// Counts a change of the row alone.
pub(crate) async fn touch_in_tx<N: Node>(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    node: &N,
) -> Result<()> {
    let mut sql = update::<N>();
    sql.push("version = version + 1, updated_at = ").bind(now);
    sql.push(" WHERE id = ").bind(node.id());
    execute(tx, sql).await
}

/// Gives the row its new parent and the whole subtree its new paths, in one statement.
pub(crate) async fn move_subtree_in_tx<N: Node>(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    node: &N,
    parent: Option<&N>,
) -> Result<()> {
    let own = node.path().0.as_str();
    let above = parent.map_or("", |parent| parent.path().0.as_str());
    let mut sql = update::<N>();
    sql.push("path = ").bind(above);
    sql.push("::ltree || subpath(path, nlevel(").bind(own);
    sql.push("::ltree) - 1), parent_id = CASE WHEN id = ")
        .bind(node.id());
    sql.push(" THEN ");
    match parent {
        Some(parent) => sql.bind(parent.id()),
        None => sql.push("NULL"),
    };
    sql.push(" ELSE parent_id END, version = version + 1, updated_at = ")
        .bind(now);
    sql.push(" WHERE path <@ ").bind(own).push("::ltree");
    execute(tx, sql).await
}

/// Numbers siblings in the given order. Their versions stay: where a row stands is a fact about its siblings too.
pub(crate) async fn reorder_in_tx<N: Node>(
    tx: &DatabaseTransaction,
    order: &[N::Id],
) -> Result<()> {
    let mut sql = update::<N>();
    sql.push("position = o.place - 1 FROM unnest(")
        .bind(uuids(order));
    sql.push("::uuid[]) WITH ORDINALITY AS o (id, place) WHERE t.id = o.id AND t.position <> o.place - 1");
    execute(tx, sql).await
}

/// Archives what is in use; what was archived before keeps its own time, and so is not restored together with the rest.
pub(crate) async fn archive_subtree_in_tx<N: Node>(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    node: &N,
) -> Result<()> {
    let mut sql = update::<N>();
    sql.push("version = version + 1, updated_at = ").bind(now);
    sql.push(", archived_at = ").bind(now);
    sql.push(" WHERE archived_at IS NULL AND path <@ ")
        .bind(node.path().0.as_str())
        .push("::ltree");
    execute(tx, sql).await
}

/// Restores what was archived at that time.
pub(crate) async fn restore_subtree_in_tx<N: Node>(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    node: &N,
    archived_at: DateTime<Utc>,
) -> Result<()> {
    let mut sql = update::<N>();
    sql.push("archived_at = NULL, version = version + 1, updated_at = ")
        .bind(now);
    sql.push(" WHERE archived_at = ").bind(archived_at);
    sql.push(" AND path <@ ")
        .bind(node.path().0.as_str())
        .push("::ltree");
    execute(tx, sql).await
}

/// How many levels the subtree has below its root.
pub(crate) async fn height_in_tx<N: Node>(tx: &DatabaseTransaction, node: &N) -> Result<usize> {
    let own = node.path().0.as_str();
    let mut sql = Sql::new("SELECT max(nlevel(path)) - nlevel(");
    sql.bind(own).push("::ltree) FROM ").push(N::TABLE);
    sql.push(" WHERE path <@ ").bind(own).push("::ltree");
    let row = tx
        .query_one_raw(sql.build())
        .await?
        .ok_or_else(|| Error::internal("a maximum gave no row"))?;
    let height: Option<i32> = row.try_get_by_index(0)?;
    Ok(usize::try_from(height.unwrap_or(0)).unwrap_or(0))
}

/// A row may not come to lie below itself.
pub(crate) fn check_move<N: Node>(node: &N, parent: Option<&N>) -> Result<(), Refusal> {
    match parent {
        Some(parent) if parent.path().is_within(node.path()) => {
            Err(Refusal::new(Code::Cycle, "parentId"))
        }
        _ => Ok(()),
    }
}

/// A tree has a bounded height: `levels` are to come below `parent`.
pub(crate) fn check_depth<N: Node>(
    path: &str,
    parent: Option<&N>,
    levels: usize,
) -> Result<(), Refusal> {
    let above = parent.map_or(0, |parent| parent.path().depth() + 1);
    if above + levels > DEPTH_MAX {
        return Err(Refusal::new(Code::TooDeep, path).with("max", DEPTH_MAX));
    }
    Ok(())
}

/// The siblings' order once `id` stands in front of `before`, or last.
pub(crate) fn place_before<N: Node>(
    siblings: &[N],
    id: N::Id,
    before: Option<N::Id>,
) -> Result<Vec<N::Id>, Refusal> {
    let ids = siblings.iter().map(Node::id);
    let mut order: Vec<_> = ids.filter(|sibling| *sibling != id).collect();
    let place = match before {
        None => order.len(),
        Some(before) => {
            let found = order.iter().position(|sibling| *sibling == before);
            found.ok_or_else(|| Refusal::new(Code::NotFound, "beforeId"))?
        }
    };
    order.insert(place, id);
    Ok(order)
}

fn update<N: Node>() -> Sql {
    let mut sql = Sql::new("UPDATE ");
    sql.push(N::TABLE).push(" t SET ");
    sql
}

async fn execute(tx: &DatabaseTransaction, sql: Sql) -> Result<()> {
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of a tree that no database has: its number, and its path.
    struct Row(i64, Ltree);

    impl Node for Row {
        type Id = i64;
        const TABLE: &'static str = "none";
        const LOCK: i64 = 0;

        fn id(&self) -> i64 {
            self.0
        }

        fn path(&self) -> &Ltree {
            &self.1
        }
    }

    fn row(number: i64, path: &str) -> Row {
        Row(number, Ltree(path.to_owned()))
    }

    #[test]
    fn nothing_moves_below_itself() {
        let (root, child) = (row(1, "1"), row(2, "1.2"));
        assert!(check_move(&root, Some(&child)).is_err_and(|r| r.code == Code::Cycle));
        assert!(check_move(&root, Some(&root)).is_err_and(|r| r.code == Code::Cycle));
        assert!(check_move(&child, Some(&root)).is_ok());
        assert!(check_move(&child, None).is_ok());
    }

    #[test]
    fn a_place_among_siblings() {
        let siblings = [row(1, "1"), row(2, "2"), row(3, "3")];
        assert_eq!(place_before(&siblings, 3, Some(1)), Ok(vec![3, 1, 2]));
        assert_eq!(place_before(&siblings, 1, None), Ok(vec![2, 3, 1]));
        assert_eq!(place_before(&siblings, 9, Some(2)), Ok(vec![1, 9, 2, 3]));
        assert!(place_before(&siblings, 1, Some(1)).is_err());
    }

    #[test]
    fn a_tree_has_a_bounded_height() {
        let deepest = row(1, &["1"; DEPTH_MAX].join("."));
        let above = row(1, &["1"; DEPTH_MAX - 1].join("."));
        assert!(check_depth("parentId", Some(&deepest), 1).is_err_and(|r| r.code == Code::TooDeep));
        assert!(check_depth("parentId", Some(&above), 1).is_ok());
        assert!(check_depth("parentId", Some(&above), 2).is_err());
        assert!(check_depth::<Row>("parentId", None, DEPTH_MAX).is_ok());
    }
}
