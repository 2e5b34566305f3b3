//! Reading of the embedded tables: one row a line, cells parted by tabs, the first line naming the columns.

use super::persian;

const LISTS: &str = include_str!("../../demo-data/lists.tsv");

/// Cells of each row. A row with another number of cells is left out; a test proves that there is none.
pub(super) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    text.lines()
        .skip(1)
        .filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) en: String,
    pub(super) fa: String,
}

/// The words of `english=persian;…`, or of the list that `@name` refers to.
pub(super) fn words(cell: &str) -> Vec<Word> {
    match cell.strip_prefix('@') {
        Some(name) => list(name),
        None => cell
            .split(';')
            .filter(|word| !word.is_empty())
            .map(word)
            .collect(),
    }
}

/// The words of a named list; empty for an unknown name.
pub(super) fn list(name: &str) -> Vec<Word> {
    rows(LISTS)
        .find(|[key, _]| *key == name)
        .map_or_else(Vec::new, |[_, cell]| words(cell))
}

fn word(pair: &str) -> Word {
    let (en, fa) = match pair.split_once('=') {
        Some((en, fa)) => (en, fa.to_owned()),
        None => (pair, persian::digits(pair)),
    };
    Word {
        en: en.to_owned(),
        fa,
    }
}

#[cfg(test)]
mod tests {
    use super::{list, words};

    #[test]
    fn a_cell_holds_words_or_names_a_list() {
        let cell = words("small=کوچک;25");
        assert_eq!(
            (cell[0].en.as_str(), cell[0].fa.as_str()),
            ("small", "کوچک")
        );
        assert_eq!((cell[1].en.as_str(), cell[1].fa.as_str()), ("25", "۲۵"));
        assert!(words("").is_empty());
        assert_eq!(words("@cup"), list("cup"));
        assert_eq!(list("cup").len(), 2);
        assert!(list("no such list").is_empty());
    }
}
