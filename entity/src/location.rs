//! The tree of places where stock lies.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{id::LocationId, ltree::Ltree, translations::Translations};

/// What sort of place a location is. From [`Kind::Supplier`] on they are virtual: no places in the shop, but the other side of movements.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A whole shop, or a branch of it.
    Shop,
    /// A floor, or a room.
    Floor,
    /// A case in which things are shown.
    Showcase,
    /// What lies in a case or a safe, and is carried about.
    Tray,
    /// A safe.
    Safe,
    /// A store that customers do not see.
    Storage,
    /// Where things come from that we buy.
    Supplier,
    /// Where things go to that we sell.
    Customer,
    /// Where things come from that were found, and go to that were counted too many.
    Adjustment,
    /// Where things go to that are lost or broken.
    Loss,
    /// Where things are on their way from one shop to another.
    Transit,
    /// Where things go to that are used up in making others, and those come from.
    Production,
}

impl Kind {
    /// Whether it is no place in the shop. The column `is_virtual` says the same.
    #[must_use]
    pub fn is_virtual(self) -> bool {
        match self {
            Self::Shop | Self::Floor | Self::Showcase | Self::Tray | Self::Safe | Self::Storage => {
                false
            }
            Self::Supplier
            | Self::Customer
            | Self::Adjustment
            | Self::Loss
            | Self::Transit
            | Self::Production => true,
        }
    }
}

/// A place where stock lies.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "location")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LocationId,
    /// Short immutable number given by the database: the location's label in paths.
    pub number: i64,
    /// The location above; none for a root.
    pub parent_id: Option<LocationId>,
    /// Numbers of all ancestors, root first, and its own.
    #[sea_orm(
        column_type = "custom(\"ltree\")",
        select_as = "text",
        save_as = "ltree"
    )]
    pub path: Ltree,
    /// What people write on it: unique, upper case.
    pub code: String,
    /// Name for people.
    #[sea_orm(column_type = "JsonBinary")]
    pub name: Translations,
    /// What sort of place it is.
    pub kind: Kind,
    /// Whether it is no place in the shop: kept by the database, from `kind`.
    pub is_virtual: bool,
    /// Order among siblings; ties are broken by `number`.
    pub position: i32,
    /// Whether less than nothing may lie in it.
    pub negative_allowed: bool,
    /// The most that may lie in it at once, of all items together, without what is below it.
    pub capacity: Option<Decimal>,
    /// The location's key in somebody else's system.
    pub external_reference: Option<String>,
    /// Since when it is closed.
    pub archived_at: Option<DateTime<Utc>>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The locations that every shop has, whose ids never change.
impl LocationId {
    /// Where things come from that we buy.
    pub const SUPPLIER: Self = Self::seeded(1);
    /// Where things go to that we sell.
    pub const CUSTOMER: Self = Self::seeded(2);
    /// Where things come from that were found, and go to that were counted too many.
    pub const ADJUSTMENT: Self = Self::seeded(3);
    /// Where things go to that are lost or broken.
    pub const LOSS: Self = Self::seeded(4);
    /// Where things are on their way from one shop to another.
    pub const TRANSIT: Self = Self::seeded(5);
    /// Where things go to that are used up in making others, and those come from.
    pub const PRODUCTION: Self = Self::seeded(6);
    /// All of them.
    pub const SEEDED: [Self; 6] = [
        Self::SUPPLIER,
        Self::CUSTOMER,
        Self::ADJUSTMENT,
        Self::LOSS,
        Self::TRANSIT,
        Self::PRODUCTION,
    ];

    /// As the migration numbers them.
    const fn seeded(number: u128) -> Self {
        Self(Uuid::from_u128(
            0x0193_0000_0000_7000_8003_0000_0000_0000 | number,
        ))
    }
}

/// Locations have no relations that SeaORM needs to know.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

#[cfg(test)]
mod tests {
    use super::LocationId;

    #[test]
    fn ids_are_those_of_the_migration() {
        assert_eq!(
            LocationId::PRODUCTION.to_string(),
            "01930000-0000-7000-8003-000000000006"
        );
    }
}
