//! What accounts are called in plain-text journals: names that hledger and beancount both take.
//!
//! An account that came from such a journal keeps its name. Any other is called by its way through the chart, each step a code and a name in
//! English letters: `Assets:1-Assets:11-Current-assets:1101-Cash`.

use std::collections::{HashMap, HashSet};

use entity::{account::Kind, id::AccountId};

use crate::report::tree::Node;

/// Longest step of a name, in characters.
const STEP_MAX: usize = 60;

/// What the names of accounts of this kind begin with.
pub(crate) fn root(kind: Kind) -> &'static str {
    match kind {
        Kind::Asset => "Assets",
        Kind::Liability => "Liabilities",
        Kind::Equity => "Equity",
        Kind::Revenue => "Income",
        Kind::Expense => "Expenses",
    }
}

/// The names of all accounts that are posted to, no two alike.
pub(crate) fn names(nodes: &[Node]) -> HashMap<AccountId, String> {
    let by_id: HashMap<_, _> = nodes.iter().map(|node| (node.id, node)).collect();
    let mut taken = HashSet::new();
    let mut names = HashMap::new();
    let leaves = || nodes.iter().filter(|node| !node.is_group);
    for node in leaves() {
        if let Some(name) = node.external_reference.as_deref()
            && is_legal(name, node.kind)
        {
            taken.insert(name.to_owned());
            names.insert(node.id, name.to_owned());
        }
    }
    for node in leaves() {
        if names.contains_key(&node.id) {
            continue;
        }
        let mut name = way(node, &by_id);
        if taken.contains(&name) {
            name = format!("{name}-{}", node.number);
        }
        taken.insert(name.clone());
        names.insert(node.id, name);
    }
    names
}

/// Whether both programs take this name for an account of this kind.
fn is_legal(name: &str, kind: Kind) -> bool {
    let mut steps = name.split(':');
    let is_step = |step: &str| {
        step.starts_with(|first: char| first.is_ascii_uppercase() || first.is_ascii_digit())
            && step
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let rest = steps.next() == Some(root(kind));
    rest && name.contains(':') && steps.all(is_step)
}

fn way(node: &Node, by_id: &HashMap<AccountId, &Node>) -> String {
    let mut steps = vec![step(node)];
    let mut above = node.parent_id;
    while let Some(parent) = above.and_then(|id| by_id.get(&id)) {
        steps.push(step(parent));
        above = parent.parent_id;
    }
    steps.push(root(node.kind).to_owned());
    steps.reverse();
    steps.join(":")
}

fn step(node: &Node) -> String {
    let code = plain(&node.code);
    let name = node.name.0.get("en").map(|name| plain(name));
    let mut parts = Vec::new();
    if code == node.code {
        parts.push(code);
    } else {
        parts.extend([node.number.to_string(), code]);
    }
    parts.extend(name);
    parts.retain(|part| !part.is_empty());
    let step = parts.join("-");
    step.chars().take(STEP_MAX).collect::<String>()
}

/// English letters and digits, and hyphens between them.
fn plain(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use entity::translations::Translations;
    use uuid::Uuid;

    use super::*;

    fn node(number: u128, parent: Option<u128>, code: &str, name: &str, is_group: bool) -> Node {
        Node {
            id: AccountId(Uuid::from_u128(number)),
            parent_id: parent.map(|parent| AccountId(Uuid::from_u128(parent))),
            number: i64::try_from(number).unwrap(),
            code: code.to_owned(),
            name: Translations([("en".to_owned(), name.to_owned())].into()),
            kind: Kind::Asset,
            is_group,
            external_reference: None,
        }
    }

    #[test]
    fn names_are_legal_and_no_two_are_alike() {
        let mut nodes = vec![
            node(1, None, "1", "Assets", true),
            node(2, Some(1), "1.1", "Cash & bank (both)", false),
            node(3, Some(1), "1-1", "Cash & bank (both)", false),
            node(4, Some(1), "صندوق", "صندوق", false),
            node(5, Some(1), "X", "lower case", false),
        ];
        nodes[4].external_reference = Some("Assets:US:BofA".to_owned());
        let names = names(&nodes);
        let name = |number: u128| names[&AccountId(Uuid::from_u128(number))].as_str();
        assert_eq!(name(2), "Assets:1-Assets:2-1-1-Cash-bank-both");
        assert_eq!(name(3), "Assets:1-Assets:1-1-Cash-bank-both");
        assert_eq!(name(4), "Assets:1-Assets:4");
        assert_eq!(name(5), "Assets:US:BofA");
        let all: HashSet<_> = names.values().collect();
        assert_eq!(all.len(), names.len());
        assert!(names.values().all(|name| is_legal(name, Kind::Asset)));
    }

    #[test]
    fn what_one_of_them_would_not_take_is_no_name() {
        for wrong in [
            "Assets",
            "assets:cash",
            "Assets:cash",
            "Assets:Cash box",
            "Income:Cash",
            "Assets::X",
            "Assets:X:",
        ] {
            assert!(!is_legal(wrong, Kind::Asset), "{wrong}");
        }
    }
}
