//! From what a row says to values of an item: names become ids, texts become numbers. And no two rows may be about the same item.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
};

use entity::{
    id::UnitOfMeasureId,
    item::{Kind, Tracking},
    item_import::MatchBy,
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum, ConnectionTrait, EntityTrait};

use super::{categories::Categories, columns::shortened, fields::Fields};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    item::{RowValues, match_key},
    money::Money,
    patch::Patch,
    text,
};

/// What names in rows mean.
#[derive(Clone, Debug)]
pub(super) struct Lookups {
    categories: Categories,
    units: HashMap<String, UnitOfMeasureId>,
}

impl Lookups {
    pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Self> {
        let units = entity::unit_of_measure::Entity::find().all(db).await?;
        Ok(Self {
            categories: Categories::read(db).await?,
            units: units.into_iter().map(|unit| (unit.code, unit.id)).collect(),
        })
    }

    /// The values that a row means.
    ///
    /// # Errors
    /// Each that means nothing.
    pub(super) fn values(&self, fields: &Fields) -> Result<RowValues, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        let category_id = match (&fields.category, &fields.category_reference) {
            (_, Some(reference)) => refusals.take(self.categories.find_by_reference(reference)),
            (Some(category), None) => refusals.take(self.categories.find(category)),
            (None, None) => None,
        };
        let unit_id = fields.unit.as_deref().map(|unit| self.unit(unit));
        let price = refusals.take(price(fields)).unwrap_or_default();
        let values = RowValues {
            sku: fields.sku.clone(),
            external_reference: patch(fields.external_reference.clone()),
            kind: choice::<Kind>("kind", fields.kind.as_deref(), &mut refusals),
            name: fields.name.clone(),
            description: fields.description.clone(),
            category_id,
            unit_id: unit_id.and_then(|unit| refusals.take(unit)),
            tracking: choice::<Tracking>("tracking", fields.tracking.as_deref(), &mut refusals),
            price,
            attributes: fields.attributes.clone(),
            tags: fields.tags.clone(),
            barcodes: fields.barcodes.clone(),
            template: patch(fields.template.clone()),
        };
        match refusals.into_result(Some(values)) {
            Ok(values) => Ok(values),
            Err(crate::Error::Refused(refusals)) => Err(refusals),
            Err(_) => Err(Vec::new()),
        }
    }

    fn unit(&self, code: &str) -> Result<UnitOfMeasureId, Refusal> {
        let found = self.units.get(&code.trim().to_lowercase()).copied();
        found.ok_or_else(|| Refusal::new(Code::NotFound, "unit").with("value", shortened(code)))
    }
}

fn patch(text: Option<String>) -> Patch<String> {
    match text {
        None => Patch::Keep,
        Some(text) if text.trim().is_empty() => Patch::Clear,
        Some(text) => Patch::Set(text),
    }
}

fn choice<T: ActiveEnum<Value = String>>(
    path: &str,
    text: Option<&str>,
    refusals: &mut Refusals,
) -> Option<T> {
    let text = text?.trim().to_lowercase();
    let choice = T::try_from_value(&text);
    refusals.take(choice.map_err(|_unknown| {
        Refusal::new(Code::InvalidFormat, path).with("value", shortened(&text))
    }))
}

fn price(fields: &Fields) -> Result<Patch<Money>, Refusal> {
    let Some(text) = fields.price.as_deref() else {
        return Ok(Patch::Keep);
    };
    if text.trim().is_empty() {
        return Ok(Patch::Clear);
    }
    let amount = decimal(text)
        .ok_or_else(|| Refusal::new(Code::InvalidFormat, "price").with("value", shortened(text)))?;
    let currency = fields.currency.clone();
    let currency = currency.ok_or_else(|| Refusal::new(Code::Required, "currency"))?;
    Ok(Patch::Set(Money { amount, currency }))
}

/// A number as people write it: with Persian digits, and with Persian marks between thousands and in front of decimals.
fn decimal(written: &str) -> Option<Decimal> {
    let digits = text::ascii_digits(written.trim());
    let plain: String = digits
        .chars()
        .filter(|char| !matches!(char, '\u{66c}' | '\u{a0}' | '\u{202f}'))
        .map(|char| if char == '\u{66b}' { '.' } else { char })
        .collect();
    Decimal::from_str_exact(&plain).ok()
}

/// What rows of this file were about, by hashes: a million of them are some twenty megabytes. Two different values with the same hash would
/// refuse a row that is right; with sixty-four bits that happens in one of some million files of that size.
#[derive(Debug)]
pub(super) struct Seen {
    hashes: HashSet<u64>,
    state: RandomState,
    match_by: MatchBy,
}

impl Seen {
    pub(super) fn new(match_by: MatchBy) -> Self {
        Self {
            hashes: HashSet::new(),
            state: RandomState::new(),
            match_by,
        }
    }

    /// Remembers which item a row is about. A row that does not say is somebody else's to refuse.
    ///
    /// # Errors
    /// When an earlier row was about the same.
    pub(super) fn see(&mut self, values: &RowValues) -> Result<(), Refusal> {
        let Ok(key) = match_key(self.match_by, values) else {
            return Ok(());
        };
        if self.hashes.insert(self.state.hash_one(&key)) {
            return Ok(());
        }
        let path = match self.match_by {
            MatchBy::Sku => "sku",
            MatchBy::ExternalReference => "externalReference",
        };
        Err(Refusal::new(Code::AlreadyTaken, path).with("value", key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (written, number) in [
            ("1200.50", "1200.50"),
            ("۱۲۰۰", "1200"),
            (" ۱٬۲۰۰٫۵ ", "1200.5"),
        ] {
            assert_eq!(decimal(written), number.parse().ok(), "{written}");
        }
        for written in ["", "1,5", "1e5", "abc", "--1"] {
            assert_eq!(decimal(written), None, "{written}");
        }
    }

    #[test]
    fn no_two_rows_are_about_the_same_item() {
        let row = |sku: &str| RowValues {
            sku: Some(sku.to_owned()),
            ..RowValues::default()
        };
        let mut seen = Seen::new(MatchBy::Sku);
        assert!(seen.see(&row("R-1")).is_ok());
        assert!(seen.see(&row("R-2")).is_ok());
        assert!(seen.see(&row(" r-1")).is_err());
        assert!(seen.see(&RowValues::default()).is_ok());
    }
}
