//! Conditions that the filters of several lists are made of.

use serde::{Deserialize, Serialize};

use crate::{
    error::{Code, Refusal},
    sql::Sql,
};

/// Most conditions of one filter altogether.
pub(crate) const CONDITIONS_MAX: usize = 100;
/// Longest text to compare with, in characters.
const TEXT_MAX: usize = 200;

/// A condition on a text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TextFilter {
    /// Equal.
    pub eq: Option<String>,
    /// Equal to one of these: none, when there are none.
    pub any_of: Option<Vec<String>>,
    /// Anywhere inside, whatever the case.
    pub contains: Option<String>,
    /// At the beginning.
    pub starts_with: Option<String>,
    /// Missing, or not.
    pub is_null: Option<bool>,
}

impl TextFilter {
    /// How many conditions it is.
    pub(crate) fn size(&self) -> usize {
        1 + self.any_of.as_ref().map_or(0, Vec::len)
    }

    /// Bounds what a client can make us compare.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let texts = [&self.eq, &self.contains, &self.starts_with]
            .into_iter()
            .flatten()
            .chain(self.any_of.iter().flatten());
        texts.into_iter().try_for_each(|text| check_text(text))
    }
}

/// A text that can be compared with.
pub(crate) fn check_text(text: &str) -> Result<(), Refusal> {
    if text.chars().count() > TEXT_MAX {
        return Err(Refusal::new(Code::TooLong, "where").with("max", TEXT_MAX));
    }
    if text.contains('\0') {
        return Err(Refusal::new(Code::InvalidFormat, "where"));
    }
    Ok(())
}

/// Appends each condition on the column after an `AND`.
pub(crate) fn push_text(sql: &mut Sql, column: &str, filter: Option<&TextFilter>) {
    let Some(TextFilter {
        eq,
        any_of,
        contains,
        starts_with,
        is_null,
    }) = filter
    else {
        return;
    };
    if let Some(text) = eq {
        sql.push(" AND ")
            .push(column)
            .push(" = ")
            .bind(text.as_str());
    }
    if let Some(texts) = any_of {
        sql.push(" AND ")
            .push(column)
            .push(" = ANY(")
            .bind(texts.clone())
            .push("::text[])");
    }
    if let Some(text) = contains {
        sql.push(" AND ")
            .push(column)
            .push(" ILIKE ")
            .bind(like_anywhere(text));
    }
    if let Some(text) = starts_with {
        // A range can be read off an index. In the order of code points nothing that begins so comes behind the largest one.
        sql.push(" AND ")
            .push(column)
            .push(" COLLATE \"C\" >= ")
            .bind(text.as_str());
        sql.push(" AND ")
            .push(column)
            .push(" COLLATE \"C\" < ")
            .bind(format!("{text}{}", char::MAX));
    }
    if let Some(is_null) = is_null {
        sql.push(" AND ")
            .push(column)
            .push(if *is_null { " IS NULL" } else { " IS NOT NULL" });
    }
}

/// The pattern of texts with this one anywhere inside.
pub(crate) fn like_anywhere(text: &str) -> String {
    format!("%{}%", escape_like(text))
}

/// The pattern of texts with this one at their beginning.
pub(crate) fn like_beginning(text: &str) -> String {
    format!("{}%", escape_like(text))
}

/// `%` and `_` mean themselves.
fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::escape_like;

    #[test]
    fn wildcards_mean_themselves() {
        assert_eq!(escape_like(r"50%_\"), r"50\%\_\\");
    }
}
