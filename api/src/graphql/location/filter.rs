//! Which locations, as clients ask for them.

use async_graphql::{ID, InputObject};
use domain::{Refusal, location::LocationFilter};
use entity::id::LocationId;

use super::LocationKind;
use crate::graphql::{filter::StringFilter, id::GlobalId};

/// A condition on what sort of place a location is.
#[derive(InputObject, Clone, Debug)]
pub struct LocationKindFilter {
    /// One of these. An empty list matches nothing.
    r#in: Vec<LocationKind>,
}

/// Which locations. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct LocationWhere {
    /// By what sort of place it is.
    kind: Option<LocationKindFilter>,
    /// Virtual ones only, or those only that are not.
    is_virtual: Option<bool>,
    /// Directly below this location.
    parent_id: Option<ID>,
    /// Anywhere below this location.
    descendant_of: Option<ID>,
    /// By what people write on it. Codes are in capitals.
    code: Option<StringFilter>,
    /// By its key in somebody else's system.
    external_reference: Option<StringFilter>,
    /// Whether closed locations are part of it; not without.
    include_archived: Option<bool>,
}

impl LocationWhere {
    /// With its ids read.
    ///
    /// # Errors
    /// When one of them is none, or one of another type.
    pub fn parse(self) -> Result<LocationFilter, Refusal> {
        let Self {
            kind,
            is_virtual,
            parent_id,
            descendant_of,
            code,
            external_reference,
            include_archived,
        } = self;
        let id = |path, id: Option<ID>| id.map(|id| LocationId::parse(path, &id)).transpose();
        Ok(LocationFilter {
            kind_in: kind.map(|kind| kind.r#in.into_iter().map(Into::into).collect()),
            is_virtual,
            parent_id: id("where.parentId", parent_id)?,
            descendant_of: id("where.descendantOf", descendant_of)?,
            code: code.map(Into::into),
            external_reference: external_reference.map(Into::into),
            include_archived: include_archived.unwrap_or_default(),
        })
    }
}
