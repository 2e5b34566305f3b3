//! The tags there are, for whoever types one.

use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::{
    error::{Code, Refusal, Result},
    filter::check_text,
    sql::statement,
};

/// Most tags of one answer.
const FIRST_MAX: i32 = 50;
/// Tags of an answer when the client does not say.
const FIRST_DEFAULT: i32 = 10;

/// A tag, and how many items in use have it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Tag {
    /// As it is kept.
    pub tag: String,
    /// How many items have it.
    pub count: i64,
    /// Whether they were counted. Of a usual tag PostgreSQL's estimate is told, archived items included.
    pub exact: bool,
}

/// PostgreSQL knows about how many items have a tag, of the usual ones. Those come first; up to a hundred are looked at, and the others
/// among them are counted, which takes as long as there are few of each. What no item in use has any more is left out.
const SQL: &str = "WITH usual AS MATERIALIZED (
        SELECT e.tag, (e.share * c.reltuples)::bigint AS expected
        FROM pg_stats s JOIN pg_class c ON c.oid = 'item'::regclass
        CROSS JOIN LATERAL unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs::float8[]) AS e (tag, share)
        WHERE s.schemaname = current_schema() AND s.tablename = 'item' AND s.attname = 'tags' AND e.tag IS NOT NULL AND c.reltuples > 0
    ),
    candidate AS MATERIALIZED (
        SELECT t.tag, t.folded, u.expected FROM tag t LEFT JOIN usual u ON u.tag = t.tag
        WHERE t.folded >= btrim(search_fold($1)) AND t.folded < btrim(search_fold($1)) || $2
        ORDER BY u.expected DESC NULLS LAST, t.folded, t.tag LIMIT 100
    ),
    counted AS (
        SELECT c.tag, c.folded, CASE WHEN c.expected > 2000 THEN c.expected ELSE n.count END AS count,
            COALESCE(c.expected <= 2000, true) AS exact
        FROM candidate c CROSS JOIN LATERAL (
            SELECT count(*) AS count FROM item i
            WHERE COALESCE(c.expected <= 2000, true) AND i.tags @> ARRAY[c.tag COLLATE \"default\"] AND i.archived_at IS NULL
        ) n
    )
    SELECT tag, count, exact FROM counted WHERE count > 0 ORDER BY count DESC, folded, tag LIMIT $3";

/// Tags that begin so, however their letters are written; the most usual first.
pub(super) async fn beginning(
    db: &impl ConnectionTrait,
    prefix: &str,
    first: Option<i32>,
) -> Result<Vec<Tag>> {
    check_text(prefix).map_err(|refusal| refusal.at("prefix"))?;
    let first = first.unwrap_or(FIRST_DEFAULT);
    if !(1..=FIRST_MAX).contains(&first) {
        let refusal = Refusal::new(Code::OutOfRange, "first");
        return Err(refusal.with("min", 1).with("max", FIRST_MAX).into());
    }
    // In the order of code points nothing that begins so comes behind the largest one.
    let values = [
        prefix.into(),
        char::MAX.to_string().into(),
        i64::from(first).into(),
    ];
    Ok(Tag::find_by_statement(statement(SQL, values))
        .all(db)
        .await?)
}
