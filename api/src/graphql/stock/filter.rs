//! Which levels, entries and movements, as clients ask for them.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Utc};
use domain::{
    Refusal,
    stock::{EntryFilter, LevelFilter, MovementFilter},
};
use entity::id::{ItemId, LocationId, LotId, StockEntryId};

use super::{StockEntryKind, StockReason};
use crate::graphql::id::GlobalId;

/// Which levels. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockLevelWhere {
    /// Of these items. An empty list matches nothing.
    item_ids: Option<Vec<ID>>,
    /// At these locations. An empty list matches nothing.
    location_ids: Option<Vec<ID>>,
    /// At this location or anywhere below it.
    within: Option<ID>,
    /// With something on hand, or those only with nothing.
    in_stock: Option<bool>,
    /// With something that is not held for anybody, or those only without.
    available: Option<bool>,
}

impl StockLevelWhere {
    pub(super) fn parse(self) -> Result<LevelFilter, Refusal> {
        let Self {
            item_ids,
            location_ids,
            within,
            in_stock,
            available,
        } = self;
        let items = item_ids.map(|ids| ItemId::parse_all("where.itemIds", &ids));
        let locations = location_ids.map(|ids| LocationId::parse_all("where.locationIds", &ids));
        let within = within.map(|id| LocationId::parse("where.within", &id));
        Ok(LevelFilter {
            item_ids: items.transpose()?,
            location_ids: locations.transpose()?,
            within: within.transpose()?,
            in_stock,
            available,
        })
    }
}

/// Which entries. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockEntryWhere {
    /// Of one of these kinds. An empty list matches nothing.
    kinds: Option<Vec<StockEntryKind>>,
    /// For one of these reasons. An empty list matches nothing.
    reasons: Option<Vec<StockReason>>,
    /// With this paper behind it.
    document: Option<String>,
    /// That happened then or later.
    from: Option<DateTime<Utc>>,
    /// That happened before then.
    until: Option<DateTime<Utc>>,
}

impl StockEntryWhere {
    pub(super) fn parse(self) -> EntryFilter {
        let Self {
            kinds,
            reasons,
            document,
            from,
            until,
        } = self;
        EntryFilter {
            kinds: kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            reasons: reasons.map(|reasons| reasons.into_iter().map(Into::into).collect()),
            document,
            from,
            until,
        }
    }
}

/// Which movements. All that is given must hold; at least one of the first four must be given.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockMovementWhere {
    /// Of this entry.
    entry_id: Option<ID>,
    /// Of this item.
    item_id: Option<ID>,
    /// Of this lot.
    lot_id: Option<ID>,
    /// Into this location or out of it.
    location_id: Option<ID>,
    /// That happened then or later.
    from: Option<DateTime<Utc>>,
    /// That happened before then.
    until: Option<DateTime<Utc>>,
}

impl StockMovementWhere {
    pub(super) fn parse(self) -> Result<MovementFilter, Refusal> {
        let Self {
            entry_id,
            item_id,
            lot_id,
            location_id,
            from,
            until,
        } = self;
        let entry = entry_id.map(|id| StockEntryId::parse("where.entryId", &id));
        let item = item_id.map(|id| ItemId::parse("where.itemId", &id));
        let lot = lot_id.map(|id| LotId::parse("where.lotId", &id));
        let location = location_id.map(|id| LocationId::parse("where.locationId", &id));
        Ok(MovementFilter {
            entry_id: entry.transpose()?,
            item_id: item.transpose()?,
            lot_id: lot.transpose()?,
            location_id: location.transpose()?,
            from,
            until,
        })
    }
}
