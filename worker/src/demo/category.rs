//! The category tree of the demo shop: a public product taxonomy beside one branch for each demo business.

use std::collections::HashMap;

use super::table;

const BRANCHES: &str = include_str!("../../demo-data/branches.tsv");
const TAXONOMY: &str = include_str!("../../demo-data/google-product-taxonomy.tsv");
const TAXONOMY_FA: &str = include_str!("../../demo-data/taxonomy-fa.tsv");

/// One category of the demo shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoCategory {
    /// Key by which the category is found again, such as `demo:taxonomy:166` or `demo:jeweller:rings`.
    pub reference: String,
    /// Reference of the category above; none for a root.
    pub parent: Option<String>,
    /// English name.
    pub name_en: String,
    /// Persian name: in the branches everywhere, in the taxonomy for the two uppermost levels.
    pub name_fa: Option<String>,
    /// Name of an icon of the frontend.
    pub icon: Option<&'static str>,
    /// Colour as `#rrggbb`.
    pub colour: Option<&'static str>,
    /// Order among siblings, from 0.
    pub position: i32,
}

/// All categories, each after the one above it: the four branches, then the taxonomy's 5,595 under its 21 roots.
#[must_use]
pub fn categories() -> Vec<DemoCategory> {
    let mut all: Vec<_> = branches().chain(taxonomy()).collect();
    let mut siblings = HashMap::<Option<String>, i32>::new();
    for category in &mut all {
        let next = siblings.entry(category.parent.clone()).or_default();
        category.position = *next;
        *next += 1;
    }
    all
}

fn branches() -> impl Iterator<Item = DemoCategory> {
    table::rows(BRANCHES).map(|[reference, parent, en, fa, icon, colour]| DemoCategory {
        reference: format!("demo:{reference}"),
        parent: (!parent.is_empty()).then(|| format!("demo:{parent}")),
        name_en: en.to_owned(),
        name_fa: Some(fa.to_owned()),
        icon: Some(icon),
        colour: Some(colour),
        position: 0,
    })
}

fn taxonomy() -> impl Iterator<Item = DemoCategory> {
    let persian: HashMap<_, _> = table::rows(TAXONOMY_FA).map(|[id, fa]| (id, fa)).collect();
    table::rows(TAXONOMY).map(move |[id, parent, title]| DemoCategory {
        reference: format!("demo:taxonomy:{id}"),
        parent: (!parent.is_empty()).then(|| format!("demo:taxonomy:{parent}")),
        name_en: title.to_owned(),
        name_fa: persian.get(id).map(|fa| (*fa).to_owned()),
        icon: None,
        colour: None,
        position: 0,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::categories;

    #[test]
    fn the_whole_taxonomy_and_four_branches_are_there_parents_first() {
        let all = categories();
        assert_eq!(all.len(), 5_595 + 98);
        assert_eq!(
            all.iter()
                .filter(|category| category.parent.is_none())
                .count(),
            21 + 4
        );
        let mut seen = HashSet::new();
        for category in &all {
            assert!(
                category
                    .parent
                    .as_ref()
                    .is_none_or(|parent| seen.contains(parent)),
                "{}",
                category.reference
            );
            assert!(
                seen.insert(category.reference.clone()),
                "{} twice",
                category.reference
            );
        }
    }

    #[test]
    fn siblings_are_numbered_from_zero_without_gaps() {
        let mut next = HashMap::new();
        for category in categories() {
            let expected = next.entry(category.parent).or_insert(0);
            assert_eq!(category.position, *expected, "{}", category.reference);
            *expected += 1;
        }
    }

    #[test]
    fn branches_are_named_in_both_languages_and_so_are_the_upper_levels_of_the_taxonomy() {
        let all = categories();
        let roots: HashSet<_> = all
            .iter()
            .filter(|c| c.parent.is_none())
            .map(|c| c.reference.clone())
            .collect();
        for category in &all {
            let upper = category
                .parent
                .as_ref()
                .is_none_or(|parent| roots.contains(parent));
            let branch = !category.reference.starts_with("demo:taxonomy:");
            assert_eq!(
                category.name_fa.is_some(),
                upper || branch,
                "{}",
                category.reference
            );
        }
    }
}
