//! Words that somebody may be about to type.

use sea_orm::ConnectionTrait;

use super::{KEYS_MAX, beyond};
use crate::{error::Result, sql::Sql};

/// Suggestions when the client does not say.
pub(in crate::item) const SUGGESTIONS_DEFAULT: i32 = 10;
/// Most suggestions of one answer.
pub(in crate::item) const SUGGESTIONS_MAX: i32 = 20;

/// What was typed, folded, with its last word completed in several ways: by the words that most items have first.
pub(in crate::item) async fn suggest(
    db: &impl ConnectionTrait,
    text: &str,
    limit: i32,
) -> Result<Vec<String>> {
    let mut sql = Sql::new("SELECT search_fold(");
    sql.bind(text).push(")");
    let row = db.query_one_raw(sql.build()).await?;
    let folded: String = row.map_or_else(|| Ok(String::new()), |row| row.try_get_by_index(0))?;
    let folded = folded.trim_start();
    let (before, last) = folded.rsplit_once(' ').unwrap_or(("", folded));
    if last.is_empty() {
        return Ok(Vec::new());
    }
    let rows = db.query_all_raw(completions(last, limit).build()).await?;
    let complete = |word: String| match before {
        "" => word,
        before => format!("{before} {word}"),
    };
    rows.iter()
        .map(|row| Ok(complete(row.try_get_by_index(0)?)))
        .collect()
}

/// Which words are common is known from PostgreSQL's own sample of the items. The others are rare, so that it costs little to make sure
/// that an item in use still has them.
fn completions(beginning: &str, limit: i32) -> Sql {
    let mut sql = Sql::new(
        "WITH prefix AS (
             SELECT '' AS prefix UNION ALL SELECT '#' UNION ALL
             (SELECT DISTINCT ':' || key || ':' FROM attribute WHERE searchable AND retired_at IS NULL ORDER BY 1 LIMIT ",
    );
    sql.bind(KEYS_MAX)
        .push(
            ")
         ), common AS (
             SELECT substr(c.lexeme, length(p.prefix) + 1) AS word, max(c.share) AS share
             FROM pg_stats s
                  CROSS JOIN LATERAL unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) c (lexeme, share)
                  JOIN prefix p ON p.prefix = COALESCE(substring(c.lexeme FROM '^#|^:.*:'), '')
             WHERE s.schemaname = current_schema() AND s.tablename = 'item' AND s.attname = 'search'
             GROUP BY 1
         ), candidate AS (
             (SELECT word, share FROM common WHERE starts_with(word, ",
        )
        .bind(beginning)
        .push(") ORDER BY share DESC, word LIMIT ")
        .bind(limit)
        .push(")
             UNION ALL
             (SELECT s.word, NULL FROM search_word s WHERE s.word >= ")
        .bind(beginning)
        .push(" AND s.word < ")
        .bind(beyond(beginning))
        .push(" AND NOT EXISTS (SELECT FROM common c WHERE c.word = s.word) ORDER BY s.word LIMIT ")
        .bind(2 * limit)
        .push(
            ")
         )
         SELECT c.word FROM candidate c
         WHERE c.share IS NOT NULL OR 0 < (
             SELECT count(*) FROM item i WHERE i.archived_at IS NULL AND i.search @@ (
                 SELECT string_agg(quote_literal(p.prefix || c.word), ' | ')::tsquery FROM prefix p))
         ORDER BY c.share DESC NULLS LAST, c.word LIMIT ",
        )
        .bind(limit);
    sql
}
