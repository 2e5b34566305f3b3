//! All that can be chosen from the options of a template.

use serde_json::{Map, Value};

use super::template::Choices;

/// A value of each option, by its place among the option's values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in super::super) struct Combination(pub(in super::super) Vec<usize>);

impl Combination {
    /// The values by key.
    pub(in super::super) fn values(&self, options: &[Choices]) -> Map<String, Value> {
        let chosen = options.iter().zip(&self.0);
        chosen
            .filter_map(|(option, place)| {
                Some((option.key.clone(), option.values.get(*place)?.clone()))
            })
            .collect()
    }
}

/// All combinations: those with the first value of the first option first. None without options.
pub(in super::super) fn all(options: &[Choices]) -> Vec<Combination> {
    if options.is_empty() {
        return Vec::new();
    }
    let begin = vec![Vec::new()];
    let combined = options.iter().fold(begin, |begun, option| {
        let longer = begun.iter().flat_map(|begun: &Vec<usize>| {
            (0..option.values.len()).map(move |place| {
                let mut longer = begun.clone();
                longer.push(place);
                longer
            })
        });
        longer.collect()
    });
    combined.into_iter().map(Combination).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_meets_every_other() {
        let option = |key: &str, count: usize| Choices {
            key: key.into(),
            values: (0..count).map(|value| json!(value)).collect(),
        };
        let options = [option("size", 2), option("colour", 3)];
        let all = all(&options);
        assert_eq!(all.len(), 6);
        assert_eq!(all[1], Combination(vec![0, 1]));
        let values = all[5].values(&options);
        assert_eq!(Value::Object(values), json!({"size": 1, "colour": 2}));
        assert_eq!(super::all(&[]), []);
    }
}
