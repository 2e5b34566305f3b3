//! What clients can do to stock locations.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    Permission,
    location::{LocationChange, LocationMove, NewLocation},
};
use entity::id::{CategoryId, LocationId};

use super::{Location, LocationKind};
use crate::graphql::{
    category::patch,
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
    translation::{self, Translation},
};

/// A location to be.
#[derive(InputObject)]
pub struct LocationCreateInput {
    /// Below which location; a root without. A virtual location lies only below one of its own kind, and no other below a virtual one.
    parent_id: Option<ID>,
    /// What people write on it: letters, digits, `-`, `_`, `.`, `/`, `+` and `#`, at most 64. Becomes upper case; unique.
    code: String,
    /// Name, in at least one language.
    name: Vec<Translation>,
    /// What sort of place it is.
    kind: LocationKind,
    /// Whether less than nothing may lie in it; without, it may in virtual ones only. Of those it cannot be refused.
    negative_allowed: Option<bool>,
    /// The most that may lie in it at once, in units of stock, of all items together and without what lies below it: above 0, with at most 6
    /// decimal places. Not of virtual ones.
    capacity: Option<Decimal>,
    /// Only items of these categories, and of those below them, may lie in it and in what is below it; everything without. At most 100. Not
    /// of virtual ones.
    category_ids: Option<Vec<ID>>,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What is to be different about a location. What is not given stays; null clears.
#[derive(InputObject)]
pub struct LocationUpdateInput {
    /// Which location.
    id: ID,
    /// What people write on it.
    code: Option<String>,
    /// Its name in all languages.
    name: Option<Vec<Translation>>,
    /// What sort of place it is. A virtual one stays what it is, and no other becomes virtual.
    kind: Option<LocationKind>,
    /// Whether less than nothing may lie in it.
    negative_allowed: Option<bool>,
    /// The most that may lie in it at once, of all items together and without what lies below it.
    capacity: MaybeUndefined<Decimal>,
    /// All categories that it is kept for; none for everything.
    category_ids: Option<Vec<ID>>,
    /// Its key in somebody else's system.
    external_reference: MaybeUndefined<String>,
    /// Refuse when the location's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// Another place for a location and all that is below it.
#[derive(InputObject)]
pub struct LocationMoveInput {
    /// Which location.
    id: ID,
    /// Below which location; a root without.
    parent_id: Option<ID>,
    /// In front of which of its new siblings; last without.
    before_id: Option<ID>,
    /// Refuse when the location's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// One location, as the client knows it.
#[derive(InputObject)]
pub struct LocationArchiveInput {
    /// Which location.
    id: ID,
    /// Refuse when the location's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! location_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The location; null when it was refused.
            location: Option<Location>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: Outcome) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                Ok(Self { location: row.map(|row| Location::new(ctx, row)), user_errors })
            }
        }
    )+};
}

location_payloads! {
    /// What became of creating a location.
    LocationCreatePayload,
    /// What became of changing a location.
    LocationUpdatePayload,
    /// What became of moving a location.
    LocationMovePayload,
    /// What became of closing a location.
    LocationArchivePayload,
    /// What became of opening a location again.
    LocationRestorePayload,
}

/// Mutations of locations.
#[derive(Default)]
pub struct LocationMutation;

#[Object(guard = "Needs(Permission::LocationWrite)")]
impl LocationMutation {
    /// Creates a stock location, last among its siblings. Needs `location.write`.
    async fn location_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The location to be.")] input: LocationCreateInput,
    ) -> async_graphql::Result<LocationCreatePayload> {
        LocationCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Changes what a location is called, what sort of place it is, and what may lie in it. Needs `location.write`.
    async fn location_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which location, and what is to be different.")]
        input: LocationUpdateInput,
    ) -> async_graphql::Result<LocationUpdatePayload> {
        LocationUpdatePayload::of(ctx, update(ctx, input).await)
    }

    /// Moves a location, with all that is below it. Needs `location.write`.
    async fn location_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which location, and where it goes.")] input: LocationMoveInput,
    ) -> async_graphql::Result<LocationMovePayload> {
        LocationMovePayload::of(ctx, move_to(ctx, input).await)
    }

    /// Closes a location, with all that is below it: nothing is moved into it or out of it any more. The virtual ones that every shop has
    /// cannot be closed. Needs `location.write`.
    async fn location_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which location.")] input: LocationArchiveInput,
    ) -> async_graphql::Result<LocationArchivePayload> {
        LocationArchivePayload::of(ctx, archive(ctx, input).await)
    }

    /// Opens a location again, with what was closed together with it. Needs `location.write`.
    async fn location_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which location.")] input: LocationArchiveInput,
    ) -> async_graphql::Result<LocationRestorePayload> {
        LocationRestorePayload::of(ctx, restore(ctx, input).await)
    }
}

type Outcome = domain::Result<domain::location::Location>;

async fn create(ctx: &Context<'_>, input: LocationCreateInput) -> Outcome {
    let LocationCreateInput {
        parent_id,
        code,
        name,
        kind,
        negative_allowed,
        capacity,
        category_ids,
        external_reference,
        idempotency_key,
    } = input;
    let parent_id = parent_id
        .map(|id| LocationId::parse("parentId", &id))
        .transpose()?;
    let new = NewLocation {
        parent_id,
        code,
        name: translation::input("name", name)?,
        kind: kind.into(),
        negative_allowed,
        capacity: capacity.map(|Decimal(capacity)| capacity),
        category_ids: CategoryId::parse_all("categoryIds", &category_ids.unwrap_or_default())?,
        external_reference,
    };
    ctx.domain()
        .locations()
        .create(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn update(ctx: &Context<'_>, input: LocationUpdateInput) -> Outcome {
    let LocationUpdateInput {
        id,
        code,
        name,
        kind,
        negative_allowed,
        capacity,
        category_ids,
        external_reference,
        expected_version,
        idempotency_key,
    } = input;
    let id = LocationId::parse("id", &id)?;
    let change = LocationChange {
        code,
        name: name
            .map(|name| translation::input("name", name))
            .transpose()?,
        kind: kind.map(Into::into),
        negative_allowed,
        capacity: patch(capacity.map_value(|Decimal(capacity)| capacity)),
        category_ids: category_ids
            .map(|ids| CategoryId::parse_all("categoryIds", &ids))
            .transpose()?,
        external_reference: patch(external_reference),
    };
    ctx.domain()
        .locations()
        .update(
            ctx.viewer(),
            id,
            change,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

async fn move_to(ctx: &Context<'_>, input: LocationMoveInput) -> Outcome {
    let LocationMoveInput {
        id,
        parent_id,
        before_id,
        expected_version,
        idempotency_key,
    } = input;
    let id = LocationId::parse("id", &id)?;
    let to = LocationMove {
        parent_id: parent_id
            .map(|id| LocationId::parse("parentId", &id))
            .transpose()?,
        before_id: before_id
            .map(|id| LocationId::parse("beforeId", &id))
            .transpose()?,
    };
    ctx.domain()
        .locations()
        .move_to(
            ctx.viewer(),
            id,
            to,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

async fn archive(ctx: &Context<'_>, input: LocationArchiveInput) -> Outcome {
    let LocationArchiveInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = LocationId::parse("id", &id)?;
    ctx.domain()
        .locations()
        .archive(
            ctx.viewer(),
            id,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}

async fn restore(ctx: &Context<'_>, input: LocationArchiveInput) -> Outcome {
    let LocationArchiveInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = LocationId::parse("id", &id)?;
    ctx.domain()
        .locations()
        .restore(
            ctx.viewer(),
            id,
            expected_version,
            idempotency_key.as_deref(),
        )
        .await
}
