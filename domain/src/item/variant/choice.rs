//! Which combinations somebody means, in whose words.

use std::collections::{HashMap, HashSet};

use super::{
    Choice, VariantsRequest,
    combination::{Combination, all},
    template::Choices,
};
use crate::{
    attribute::Schema,
    error::{Code, Refusal, Refusals, Result},
};

/// Most combinations that are named one by one.
const NAMED_MAX: usize = 1000;

/// The combinations that are asked for.
pub(in super::super) struct Selection {
    /// In the order of the options.
    pub(in super::super) combinations: Vec<Combination>,
    /// Those among them about which something is different, and the place of that among the overrides.
    pub(in super::super) overrides: HashMap<Combination, usize>,
}

/// What a request means of these options.
pub(in super::super) fn select(
    request: &VariantsRequest,
    options: &[Choices],
    schema: &Schema,
) -> Result<Selection> {
    let named = [
        ("only", request.only.as_ref().map_or(0, Vec::len)),
        ("overrides", request.overrides.len()),
    ];
    for (path, count) in named {
        if count > NAMED_MAX {
            return Err(Refusal::new(Code::TooMany, path)
                .with("max", NAMED_MAX)
                .into());
        }
    }
    let mut refusals = Refusals::default();
    let mut patterns = Vec::new();
    for (index, choices) in request.only.iter().flatten().enumerate() {
        let pattern = pattern(&format!("only.{index}"), choices, options, schema);
        patterns.extend(refusals.take(pattern));
    }
    let mut combinations = all(options);
    if request.only.is_some() {
        let patterns = Patterns::new(patterns);
        combinations.retain(|combination| patterns.fit(combination));
    }
    let asked: HashSet<_> = combinations.iter().collect();
    let mut overrides = HashMap::new();
    for (index, it) in request.overrides.iter().enumerate() {
        let path = format!("overrides.{index}.options");
        let whole =
            pattern(&path, &it.options, options, schema).and_then(|pattern| whole(&path, &pattern));
        let Some(combination) = refusals.take(whole) else {
            continue;
        };
        if !asked.contains(&combination) {
            refusals.push(Refusal::new(Code::Exclusive, &path).with("other", "only"));
        } else if overrides.insert(combination, index).is_some() {
            refusals.push(Refusal::new(Code::AlreadyTaken, &path));
        }
    }
    refusals.into_result(Some(Selection {
        combinations,
        overrides,
    }))
}

/// Of each option the place of the value that must be chosen; none where any will do.
type Pattern = Vec<Option<usize>>;

/// Patterns, by which of the options they say something about: so each combination is looked up, and not compared with all of them.
struct Patterns(HashMap<Vec<bool>, HashSet<Pattern>>);

impl Patterns {
    fn new(patterns: Vec<Pattern>) -> Self {
        let mut by_form: HashMap<_, HashSet<_>> = HashMap::new();
        for pattern in patterns {
            let form: Vec<_> = pattern.iter().map(Option::is_some).collect();
            by_form.entry(form).or_default().insert(pattern);
        }
        Self(by_form)
    }

    fn fit(&self, combination: &Combination) -> bool {
        self.0.iter().any(|(form, patterns)| {
            let places = form.iter().zip(&combination.0);
            let masked: Pattern = places.map(|(says, place)| says.then_some(*place)).collect();
            patterns.contains(&masked)
        })
    }
}

fn pattern(
    path: &str,
    choices: &[Choice],
    options: &[Choices],
    schema: &Schema,
) -> Result<Pattern, Refusal> {
    let mut pattern = vec![None; options.len()];
    for (index, choice) in choices.iter().enumerate() {
        let path = format!("{path}.{index}");
        let unknown = || {
            Refusal::new(Code::UnknownAttribute, &format!("{path}.attribute"))
                .with("value", &choice.attribute)
        };
        let attribute = schema.named(choice.attribute.trim());
        let attribute = attribute.ok_or_else(unknown)?;
        let key = &attribute.attribute.key;
        let place = options.iter().position(|option| option.key == *key);
        let place = place.ok_or_else(unknown)?;
        let option = &options[place];
        let path = format!("{path}.value");
        let value = schema.kept(attribute, &path, &choice.value)?;
        let chosen = option.values.iter().position(|offered| *offered == value);
        let chosen = chosen.ok_or_else(|| {
            let offered = option.values.iter().take(20);
            let offered: Vec<_> = offered.map(|value| schema.cell_of(key, value)).collect();
            Refusal::new(Code::NotAnOption, &path)
                .with("value", &choice.value)
                .with("options", offered.join(", "))
        })?;
        if pattern[place].replace(chosen).is_some() {
            return Err(Refusal::new(Code::AlreadyTaken, &path).with("value", &choice.attribute));
        }
    }
    Ok(pattern)
}

fn whole(path: &str, pattern: &Pattern) -> Result<Combination, Refusal> {
    let places: Option<Vec<_>> = pattern.iter().copied().collect();
    places
        .map(Combination)
        .ok_or_else(|| Refusal::new(Code::Required, path))
}
