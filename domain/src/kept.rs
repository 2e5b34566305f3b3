//! Refusals as the database keeps them, until somebody reads them in their language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Refusal};

/// The names of the values that messages need.
const NAMES: [&str; 9] = [
    "actual", "count", "expected", "height", "max", "min", "seconds", "value", "width",
];

/// A refusal that can be written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    code: String,
    path: Vec<String>,
    params: BTreeMap<String, String>,
}

impl From<&Refusal> for Kept {
    fn from(refusal: &Refusal) -> Self {
        let Refusal { code, path, params } = refusal;
        let params = params.iter();
        Self {
            code: code.as_str().to_owned(),
            path: path.iter().map(|segment| storable(segment)).collect(),
            params: params
                .map(|(name, value)| ((*name).to_owned(), storable(value)))
                .collect(),
        }
    }
}

/// Without the one character that PostgreSQL refuses.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

impl Kept {
    /// The refusal; none when it was written down by a release that knew more codes than this one.
    pub(crate) fn into_refusal(self) -> Option<Refusal> {
        let Self { code, path, params } = self;
        let code = Code::ALL.iter().find(|known| known.as_str() == code)?;
        let params = params.into_iter().filter_map(|(name, value)| {
            let name = NAMES.iter().find(|known| **known == name)?;
            Some((*name, value))
        });
        Some(Refusal {
            code: *code,
            path,
            params: params.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_stored_is_told_by_another_sign() {
        let refusal = Refusal::new(Code::UnknownColumn, "a\0").with("value", "\0PNG");
        let kept = Kept::from(&refusal).into_refusal().unwrap();
        assert_eq!(
            (&*kept.path[0], &*kept.params["value"]),
            ("a\u{FFFD}", "\u{FFFD}PNG")
        );
    }

    #[test]
    fn a_refusal_survives_being_written_down() {
        for code in Code::ALL {
            let refusal = Refusal::new(*code, "rows.3.name.en");
            let refusal = NAMES
                .iter()
                .fold(refusal, |refusal, name| refusal.with(name, "1"));
            let text = serde_json::to_string(&Kept::from(&refusal)).unwrap();
            let kept: Kept = serde_json::from_str(&text).unwrap();
            assert_eq!(kept.into_refusal(), Some(refusal));
        }
    }
}
