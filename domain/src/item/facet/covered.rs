//! What an index alone tells of items: an entry of it is a fraction of a row, and those of a category lie together (migration 0019).

use crate::sql::Sql;

/// The columns of an entry.
const COLUMNS: &str = "i.id, i.category_id, i.kind, i.price_amount, i.tags, i.attributes";

/// Which of the items in use are small enough for an entry; PostgreSQL knows the index by these words.
const FITS: &str = "octet_length(i.attributes::text) <= 400 AND cardinality(i.tags) <= 4";

/// Whether a condition on items in use, and what is looked at in them, names nothing but these columns.
pub(super) fn covers(condition: &str, looked_at: &str) -> bool {
    let condition = condition.strip_prefix("i.archived_at IS NULL");
    condition.is_some_and(|condition| are_covered(condition) && are_covered(looked_at))
}

fn are_covered(text: &str) -> bool {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let named = text
        .match_indices("i.")
        .filter(|(start, _)| !text[..*start].ends_with(is_word));
    let mut columns = named.map(|(start, _)| {
        let rest = &text[start..];
        let end = rest.find(|char| !is_word(char) && char != '.');
        &rest[..end.unwrap_or(rest.len())]
    });
    columns.all(|column| COLUMNS.split(", ").any(|covered| covered == column))
}

/// Appends the items in use as `i`, with these columns. The few that are too large for the index are read from the table.
pub(super) fn push(sql: &mut Sql) {
    let archived = "NULL::timestamptz AS archived_at";
    sql.push(&format!(
        "(SELECT {COLUMNS}, {archived} FROM item i WHERE i.archived_at IS NULL AND {FITS}
          UNION ALL
          SELECT {COLUMNS}, {archived} FROM item i WHERE i.archived_at IS NULL AND NOT ({FITS})) i"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_tells_only_what_it_has() {
        let in_use = "i.archived_at IS NULL";
        assert!(covers(in_use, "i.category_id, to_jsonb(i.tags)"));
        assert!(covers(
            &format!("{in_use} AND i.attributes @> $1 AND (i.kind = ANY($2) OR si.sku = $3)"),
            "COALESCE(i.attributes->>$4)"
        ));
        assert!(!covers(&format!("{in_use} AND i.search @@ $1"), ""));
        assert!(!covers(&format!("{in_use} AND (i.sku = $1)"), ""));
        assert!(!covers(in_use, "i.attributes_of"));
        assert!(!covers(
            &format!("{in_use} AND (i.archived_at IS NULL)"),
            ""
        ));
        assert!(!covers("i.archived_at IS NOT NULL", "i.kind"));
        assert!(!covers("true", "i.kind"));
    }
}
