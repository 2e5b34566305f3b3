//! Units in which quantities are counted or measured, and what people write in them.
//!
//! Factors and spellings are in the table alone: a shop that weighs in a unit of its own adds a row.

mod convert;
mod query;
mod rules;
mod spelling;
mod table;
mod write;

use std::collections::BTreeMap;

use entity::id::UnitOfMeasureId;
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;

pub(crate) use convert::in_base_units;
pub use convert::{Converted, FACTOR_MAX, Factor, PLACES, convert};
pub use entity::unit_of_measure::{Dimension, Model as UnitOfMeasure};
pub use table::UnitTable;
pub(crate) use table::unknown;

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    fineness::Fineness,
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    version,
    viewer::Viewer,
    weight::{ParsedWeight, Weight},
};

/// Most units: they are read all at once.
pub const UNITS_MAX: usize = 500;

/// A unit to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewUnitOfMeasure {
    /// Stable name for machines.
    pub code: String,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// What it measures.
    pub dimension: Dimension,
    /// One unit is `numerator / denominator` base units.
    pub numerator: Decimal,
    /// See `numerator`.
    pub denominator: Decimal,
    /// As people write it behind a number.
    pub spellings: Vec<String>,
    /// Whether spellings are taken that another unit has as well; they will be refused as ambiguous wherever they are read.
    pub allow_ambiguous_spellings: bool,
}

/// A change of a unit. What is not given stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UnitOfMeasureChange {
    /// Name by language, all of them.
    pub name: Option<BTreeMap<String, String>>,
    /// What it measures.
    pub dimension: Option<Dimension>,
    /// One unit is `numerator / denominator` base units.
    pub numerator: Option<Decimal>,
    /// See `numerator`.
    pub denominator: Option<Decimal>,
    /// As people write it behind a number, all of them.
    pub spellings: Option<Vec<String>>,
    /// Whether spellings are taken that another unit has as well.
    pub allow_ambiguous_spellings: bool,
}

/// How to name one unit.
#[derive(Clone, Debug)]
pub enum UnitOfMeasureBy {
    /// By its id.
    Id(UnitOfMeasureId),
    /// By its stable name.
    Code(String),
}

/// Units of measure.
#[derive(Clone, Copy, Debug)]
pub struct UnitsOfMeasure<'a> {
    pub(crate) domain: &'a Domain,
}

impl UnitsOfMeasure<'_> {
    /// Creates a unit.
    ///
    /// # Errors
    /// When a value is refused, the code is taken, or another unit has one of the spellings.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewUnitOfMeasure,
        key: Option<&str>,
    ) -> Result<UnitOfMeasure> {
        viewer.require(Permission::CatalogueWrite)?;
        let draft = rules::parse_new(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "unit_of_measure.create", &new, now).await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        write::own_units_in_tx(&tx).await?;
        let units = query::all(&tx).await?;
        rules::check_room(&units)?;
        if !new.allow_ambiguous_spellings {
            rules::check_spellings(&units, None, &draft.spellings)?;
        }
        let unit = write::insert_in_tx(&tx, now, draft).await?;
        write::record_in_tx(&tx, viewer, now, "unit_of_measure.create", None, &unit).await?;
        claim.keep_in_tx(&tx, &unit).await?;
        self.domain.commit(tx).await?;
        Ok(unit)
    }

    /// Changes a unit. What it is worth can change only as long as no item is counted in it, and no attribute is told in it.
    ///
    /// # Errors
    /// When a value is refused, there is no such unit, somebody changed it since `expected_version`, another unit has one of the spellings,
    /// or its factor or dimension would change although it is in use, or the base unit of its dimension.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: UnitOfMeasureId,
        change: UnitOfMeasureChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<UnitOfMeasure> {
        viewer.require(Permission::CatalogueWrite)?;
        let parsed = rules::parse_change(&change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(
            &tx,
            viewer,
            key,
            "unit_of_measure.update",
            &(id, &change, expected_version),
            now,
        )
        .await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        write::own_units_in_tx(&tx).await?;
        let before = lock_in_tx(&tx, id, expected_version).await?;
        if let Some(changed) = rules::changed_worth(&before, &parsed) {
            rules::check_not_base(&before, changed)?;
            if query::is_in_use_in_tx(&tx, id).await? {
                return Err(Refusal::new(Code::InUse, changed).into());
            }
        }
        if let (Some(spellings), false) = (&parsed.spellings, change.allow_ambiguous_spellings) {
            rules::check_spellings(&query::all(&tx).await?, Some(&before), spellings)?;
        }
        let unit = write::update_in_tx(&tx, before.clone(), parsed).await?;
        write::record_in_tx(
            &tx,
            viewer,
            now,
            "unit_of_measure.update",
            Some(&before),
            &unit,
        )
        .await?;
        claim.keep_in_tx(&tx, &unit).await?;
        self.domain.commit(tx).await?;
        Ok(unit)
    }

    /// All units, by dimension and code: a few dozen, at most [`UNITS_MAX`].
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn all(&self, viewer: &Viewer) -> Result<Vec<UnitOfMeasure>> {
        viewer.require(Permission::CatalogueRead)?;
        query::all(&self.domain.reads).await
    }

    /// The units with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn by_ids(
        &self,
        viewer: &Viewer,
        ids: &[UnitOfMeasureId],
    ) -> Result<Vec<UnitOfMeasure>> {
        viewer.require(Permission::CatalogueRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// So many of one unit, in another: the result, and the unit it is in.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, there is no such unit, or [`convert()`] refuses.
    pub async fn convert(
        &self,
        viewer: &Viewer,
        value: Decimal,
        from: &UnitOfMeasureBy,
        to: &UnitOfMeasureBy,
    ) -> Result<(Converted, UnitOfMeasure)> {
        viewer.require(Permission::CatalogueRead)?;
        let units = query::all(&self.domain.reads).await?;
        let from = rules::named("from", from, &units)?;
        let to = rules::named("to", to, &units)?;
        Ok((convert(value, from, to)?, to.clone()))
    }

    /// The weight that a text says.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or [`Weight::parse`] refuses.
    pub async fn parse_weight(&self, viewer: &Viewer, text: &str) -> Result<ParsedWeight> {
        viewer.require(Permission::CatalogueRead)?;
        let units = table(&self.domain.reads).await?;
        Ok(Weight::parse("text", text, &units, viewer.locale)?)
    }

    /// The fineness that a text says.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or [`Fineness::parse`] refuses.
    pub fn parse_fineness(&self, viewer: &Viewer, text: &str) -> Result<Fineness> {
        viewer.require(Permission::CatalogueRead)?;
        Ok(Fineness::parse("text", text)?)
    }
}

/// All units; a few dozen.
pub(crate) async fn table(db: &impl ConnectionTrait) -> Result<UnitTable> {
    Ok(query::all(db).await?.into())
}

/// The unit, locked, and of the version that is expected.
async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: UnitOfMeasureId,
    expected_version: Option<i64>,
) -> Result<UnitOfMeasure> {
    let unit = query::lock_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(unit.version, expected_version)?;
    Ok(unit)
}
