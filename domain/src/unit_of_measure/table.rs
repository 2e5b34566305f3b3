//! All units, and which words mean which.

use std::{collections::HashMap, sync::OnceLock};

use entity::{
    id::UnitOfMeasureId,
    unit_of_measure::{Dimension, Model as UnitOfMeasure},
};

use super::spelling::{base, key, names};
use crate::{
    error::{Code, Refusal},
    locale::Locale,
};

/// Most characters of an unknown word that are told back.
const SHOWN_MAX: usize = 50;

/// All units there are. Their spellings are folded once, however many words are looked up.
#[derive(Debug, Default)]
pub struct UnitTable {
    units: Vec<UnitOfMeasure>,
    /// Places by spelling.
    spelled: OnceLock<HashMap<String, Vec<usize>>>,
}

impl From<Vec<UnitOfMeasure>> for UnitTable {
    fn from(units: Vec<UnitOfMeasure>) -> Self {
        Self {
            units,
            spelled: OnceLock::new(),
        }
    }
}

impl UnitTable {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[UnitOfMeasure] {
        &self.units
    }

    /// The unit with this id.
    #[must_use]
    pub fn by_id(&self, id: UnitOfMeasureId) -> Option<&UnitOfMeasure> {
        self.units.iter().find(|unit| unit.id == id)
    }

    /// The unit with this code, in upper or lower case.
    #[must_use]
    pub fn by_code(&self, code: &str) -> Option<&UnitOfMeasure> {
        self.units
            .iter()
            .find(|unit| unit.code.eq_ignore_ascii_case(code))
    }

    /// The unit of this dimension that people write like this.
    ///
    /// # Errors
    /// [`Code::Ambiguous`] when it is more than one, with their names in the language of `locale`; [`Code::IncompatibleUnits`] when it is
    /// one of another dimension; [`Code::UnknownUnit`] when it is none.
    pub fn spelled(
        &self,
        path: &str,
        spelling: &str,
        dimension: Dimension,
        locale: Locale,
    ) -> Result<&UnitOfMeasure, Refusal> {
        let places = self.places().get(&key(spelling));
        let units = places
            .into_iter()
            .flatten()
            .map(|place| &self.units[*place]);
        let (found, others): (Vec<_>, Vec<_>) = units.partition(|unit| unit.dimension == dimension);
        match (&found[..], &others[..]) {
            ([unit], _) => Ok(unit),
            ([], []) => Err(unknown(path, spelling)),
            ([], [other, ..]) => Err(Refusal::new(Code::IncompatibleUnits, path)
                .with("from", &other.code)
                .with("to", base(dimension))),
            _ => Err(Refusal::new(Code::Ambiguous, path)
                .with("value", spelling)
                .with("choices", names(&found, locale))),
        }
    }

    fn places(&self) -> &HashMap<String, Vec<usize>> {
        self.spelled.get_or_init(|| {
            let mut places: HashMap<_, Vec<_>> = HashMap::new();
            for (place, unit) in self.units.iter().enumerate() {
                for spelling in &unit.spellings {
                    let of_spelling = places.entry(key(spelling)).or_default();
                    if of_spelling.last() != Some(&place) {
                        of_spelling.push(place);
                    }
                }
            }
            places
        })
    }
}

/// The refusal of a word that means no unit.
pub(crate) fn unknown(path: &str, word: &str) -> Refusal {
    let shown: String = word.chars().take(SHOWN_MAX).collect();
    Refusal::new(Code::UnknownUnit, path).with("value", shown)
}
