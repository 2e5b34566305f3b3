//! Categories by what people call them: the names on the way from the root, in any one language.

use std::collections::{BTreeSet, HashMap};

use entity::{id::CategoryId, translations::Translations};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::{
    error::{Code, Refusal, Result},
    sql::statement,
};

/// Most levels of a tree: more than the tree itself allows.
const DEPTH_MAX: usize = 200;

#[derive(Clone, Debug, FromQueryResult)]
struct Node {
    id: CategoryId,
    number: i64,
    parent_id: Option<CategoryId>,
    name: Translations,
    external_reference: Option<String>,
}

/// How many categories are told that a name can mean.
const CHOICES_MAX: usize = 5;

/// All categories in use, by path, name, number and external reference.
#[derive(Clone, Debug, Default)]
pub(crate) struct Categories {
    nodes: HashMap<CategoryId, Node>,
    by_path: HashMap<String, Vec<CategoryId>>,
    by_name: HashMap<String, Vec<CategoryId>>,
    by_number: HashMap<i64, CategoryId>,
    by_reference: HashMap<String, CategoryId>,
}

impl Categories {
    /// Reads the whole tree.
    pub(crate) async fn read(db: &impl ConnectionTrait) -> Result<Self> {
        let sql = "SELECT id, number, parent_id, name, external_reference FROM category WHERE archived_at IS NULL";
        let nodes = Node::find_by_statement(statement(sql, [])).all(db).await?;
        Ok(Self::of(nodes))
    }

    fn of(nodes: Vec<Node>) -> Self {
        let languages: BTreeSet<String> = nodes
            .iter()
            .flat_map(|node| node.name.0.keys().cloned())
            .collect();
        let mut categories = Self {
            nodes: nodes.into_iter().map(|node| (node.id, node)).collect(),
            ..Self::default()
        };
        let nodes: Vec<_> = categories.nodes.values().cloned().collect();
        for node in nodes {
            categories.by_number.insert(node.number, node.id);
            if let Some(reference) = node.external_reference.clone() {
                categories.by_reference.insert(reference, node.id);
            }
            for language in &languages {
                let names = categories.names(&node, language).into_iter();
                let path = names.map(plain).collect::<Vec<_>>().join(BETWEEN);
                note(&mut categories.by_path, path, node.id);
                let name = plain(node.name.in_locale(language));
                note(&mut categories.by_name, name, node.id);
            }
        }
        categories
    }

    /// The names on the way from the root.
    fn names<'a>(&'a self, node: &'a Node, language: &str) -> Vec<&'a str> {
        let mut names = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next.filter(|_| names.len() < DEPTH_MAX) {
            names.push(node.name.in_locale(language));
            next = node.parent_id.and_then(|parent| self.nodes.get(&parent));
        }
        names.reverse();
        names
    }

    /// The category with this path (`Jewellery > Rings`), this name, when only one has it, or this number (`#12`).
    pub(crate) fn find(&self, text: &str) -> Result<CategoryId, Refusal> {
        let refused = |code| Refusal::new(code, "category").with("value", text);
        let number = text
            .strip_prefix('#')
            .and_then(|number| number.parse().ok());
        if let Some(number) = number {
            let found = self.by_number.get(&number).copied();
            return found.ok_or_else(|| refused(Code::NotFound));
        }
        match self.named(text) {
            [] => Err(refused(Code::NotFound)),
            [id] => Ok(*id),
            several => Err(refused(Code::Ambiguous).with("choices", self.choices(several))),
        }
    }

    /// What this path or name can mean.
    fn named(&self, text: &str) -> &[CategoryId] {
        let path: Vec<_> = split_path(text).iter().map(|name| plain(name)).collect();
        let by_path = self.by_path.get(&path.join(BETWEEN));
        let by_name = || match &path[..] {
            [name] => self.by_name.get(name),
            _ => None,
        };
        by_path.or_else(by_name).map_or(&[], Vec::as_slice)
    }

    /// How these can be told apart, in the first language in which they have names.
    fn choices(&self, categories: &[CategoryId]) -> String {
        let language = |id: &CategoryId| Some(self.nodes.get(id)?.name.0.keys().next()?.as_str());
        let texts = categories
            .iter()
            .take(CHOICES_MAX)
            .filter_map(|id| self.text_of(*id, language(id)?));
        texts.collect::<Vec<_>>().join(", ")
    }

    /// The category with this external reference.
    pub(crate) fn find_by_reference(&self, reference: &str) -> Result<CategoryId, Refusal> {
        let found = self.by_reference.get(reference.trim()).copied();
        found.ok_or_else(|| {
            Refusal::new(Code::NotFound, "categoryReference").with("value", reference)
        })
    }

    /// A text by which [`Categories::find`] finds this category: its path in this language, or its number when that path is not its
    /// alone. None when it is not in use.
    pub(crate) fn text_of(&self, id: CategoryId, language: &str) -> Option<String> {
        let node = self.nodes.get(&id)?;
        let names = self.names(node, language);
        let names = names
            .iter()
            .map(|name| name.replace('\\', "\\\\").replace('>', "\\>"));
        let path = names.collect::<Vec<_>>().join(" > ");
        // A name that begins with `#` would be read as a number.
        let is_its_alone = self.named(&path) == [id] && !path.starts_with('#');
        Some(if is_its_alone {
            path
        } else {
            format!("#{}", node.number)
        })
    }
}

/// Stands between names where no name can have it.
const BETWEEN: &str = "\u{1f}";

fn note(meanings: &mut HashMap<String, Vec<CategoryId>>, text: String, id: CategoryId) {
    let meanings = meanings.entry(text).or_default();
    if !meanings.contains(&id) && meanings.len() < CHOICES_MAX {
        meanings.push(id);
    }
}

/// Splits at each `>` that has no backslash in front.
fn split_path(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let char = match char {
            '>' => {
                names.push(String::new());
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            char => char,
        };
        if let Some(name) = names.last_mut() {
            name.push(char);
        }
    }
    names
}

/// A name without what people do not see: capitals, blanks beside each other, the two forms of yeh and kaf, joiners.
fn plain(name: &str) -> String {
    let words: Vec<_> = name.split_whitespace().collect();
    let chars = words.join(" ");
    chars
        .chars()
        .filter(|char| !matches!(char, '\u{200c}' | '\u{200d}'))
        .flat_map(char::to_lowercase)
        .map(|char| match char {
            'ي' | 'ى' => 'ی',
            'ك' => 'ک',
            char => char,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> CategoryId {
        CategoryId(Uuid::from_u128(number))
    }

    fn node(number: u128, parent: Option<u128>, names: &[(&str, &str)]) -> Node {
        let names = names.iter();
        Node {
            id: id(number),
            number: i64::try_from(number).unwrap(),
            parent_id: parent.map(id),
            name: Translations(
                names
                    .map(|(language, name)| ((*language).to_owned(), (*name).to_owned()))
                    .collect(),
            ),
            external_reference: (number == 2).then(|| "rings".to_owned()),
        }
    }

    fn tree() -> Categories {
        Categories::of(vec![
            node(1, None, &[("en", "Jewellery"), ("fa", "زیورآلات")]),
            node(2, Some(1), &[("en", "Rings"), ("fa", "انگشتر‌ها")]),
            node(3, None, &[("en", "Curtains")]),
            node(4, Some(3), &[("en", "Rings")]),
            node(5, Some(3), &[("en", "A > B")]),
            node(6, Some(3), &[("en", "Rods")]),
            node(7, Some(3), &[("en", "rods")]),
        ])
    }

    #[test]
    fn a_category_is_found_by_what_people_call_it() {
        let tree = tree();
        for text in [
            "Jewellery > Rings",
            " jewellery>  RINGS ",
            "زيورآلات > انگشترها",
            "#2",
        ] {
            assert_eq!(tree.find(text), Ok(id(2)), "{text}");
        }
        assert_eq!(tree.find_by_reference("rings"), Ok(id(2)));
        assert_eq!(tree.find("Curtains"), Ok(id(3)));
        for (text, code) in [
            ("Rings", Code::Ambiguous),
            ("Curtains > Rods", Code::Ambiguous),
            ("Jewellery > Necklaces", Code::NotFound),
            ("#99", Code::NotFound),
            ("", Code::NotFound),
        ] {
            assert!(
                tree.find(text).is_err_and(|refusal| refusal.code == code),
                "{text}"
            );
        }
    }

    #[test]
    fn what_a_name_can_mean_is_told() {
        let tree = tree();
        let choices = |text: &str| tree.find(text).unwrap_err().params["choices"].clone();
        let mut rings: Vec<_> = choices("Rings").split(", ").map(str::to_owned).collect();
        rings.sort_unstable();
        assert_eq!(rings, ["Curtains > Rings", "Jewellery > Rings"]);
        assert!(choices("Curtains > Rods").contains('#'));
    }

    #[test]
    fn the_text_of_a_category_leads_back_to_it() {
        let tree = tree();
        for number in 1..=7 {
            for language in ["en", "fa"] {
                let text = tree.text_of(id(number), language).unwrap();
                assert_eq!(tree.find(&text), Ok(id(number)), "{text}");
            }
        }
        assert_eq!(tree.text_of(id(6), "en").as_deref(), Some("#6"));
    }
}
