//! Units in which quantities are counted or measured.

mod convert;

use entity::{
    id::UnitOfMeasureId,
    unit_of_measure::{Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

pub use convert::{Converted, FACTOR_MAX, Factor, PLACES, convert};
pub use entity::unit_of_measure::{Dimension, Model as UnitOfMeasure};

use crate::{Domain, error::Result, permission::Permission, viewer::Viewer};

/// Units of measure.
#[derive(Clone, Copy, Debug)]
pub struct UnitsOfMeasure<'a> {
    pub(crate) domain: &'a Domain,
}

impl UnitsOfMeasure<'_> {
    /// All units, by dimension and code: a few dozen.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue.
    pub async fn all(&self, viewer: &Viewer) -> Result<Vec<UnitOfMeasure>> {
        viewer.require(Permission::CatalogueRead)?;
        let units = Entity::find()
            .order_by_asc(Column::Dimension)
            .order_by_asc(Column::Code);
        Ok(units.all(&self.domain.reads).await?)
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
        Ok(Entity::find()
            .filter(Column::Id.is_in(ids.iter().copied()))
            .all(&self.domain.reads)
            .await?)
    }
}
