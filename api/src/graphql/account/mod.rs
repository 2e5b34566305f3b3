//! The chart of accounts and commodities: the objects and their queries.

pub mod balance;
pub mod chart;
pub mod mutation;
pub mod valuation;

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    account::{Account as Row, AccountFilter, Commodity as CommodityRow},
};
use entity::id::{AccountId, DimensionValueId};

pub use chart::{AccountChartMutation, AccountRoleQuery};
pub use mutation::AccountMutation;
pub use valuation::{AccountValuationMutation, AccountValuationQuery};

use self::balance::{AccountBalance, AccountFloor};
use super::{
    context::ContextExt,
    cost,
    date::Date,
    dimension::DimensionKind,
    error::OrGraphql,
    filter::StringFilter,
    guard::Needs,
    id::GlobalId,
    loader::{BalanceOf, FloorsOf, load, preload},
    page::{self, Connection},
    translation::{self, Translation},
};

/// What an account is about.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::account::Kind")]
pub enum AccountKind {
    /// What the business has.
    Asset,
    /// What it owes.
    Liability,
    /// What its owners have put into it, and what it has earned for them.
    Equity,
    /// What it earns.
    Revenue,
    /// What that costs.
    Expense,
}

/// A side of an account.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::account::Side")]
pub enum AccountSide {
    /// The left one.
    Debit,
    /// The right one.
    Credit,
}

/// What sort of thing amounts in the books are of.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::account::CommodityKind")]
pub enum CommodityKind {
    /// Money: amounts are in its main unit.
    Currency,
    /// Metal: amounts are grams of fine weight.
    Metal,
    /// Anything else that others count in their books, such as shares: amounts are of whatever they count.
    Other,
}

/// What amounts in the books are of: a currency, or a metal by its fine weight. Entries balance in each.
#[derive(SimpleObject)]
pub struct Commodity {
    /// ISO 4217 code of a currency, or the English name of a metal, in capitals.
    code: String,
    /// What sort of thing it is.
    kind: CommodityKind,
    /// How many digits amounts have behind the point at most.
    scale: i32,
}

impl Commodity {
    fn new(row: CommodityRow) -> Self {
        let CommodityRow { code, kind, scale } = row;
        Self {
            code,
            kind: kind.into(),
            scale: i32::from(scale),
        }
    }
}

/// An account of the books, or a group of accounts.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Account {
    /// Opaque id.
    pub id: ID,
    /// What bookkeepers call it: unique, upper case.
    code: String,
    /// Name in the viewer's language.
    name: String,
    /// What it is about: the same as the group that it lies in. Never changes.
    kind: AccountKind,
    /// On which side it usually grows: the other one than others of its kind, of what is set against them, such as depreciation.
    normal_side: AccountSide,
    /// Whether it holds accounts, and is not posted to itself. Never changes.
    is_group: bool,
    /// Code of the only commodity that is posted to it; null when any is.
    commodity: Option<String>,
    /// Of which kind the subsidiary accounts are that lines of it have to name; null when they name none.
    subsidiary_kind: Option<DimensionKind>,
    /// Whether there is something that it, or one of its subsidiary accounts, may not fall below.
    has_floor: bool,
    /// How many groups are above it; 0 for a root.
    depth: i32,
    /// Its key in somebody else's system.
    external_reference: Option<String>,
    /// Since when nothing is posted to it any more; null while it is in use.
    archived_at: Option<DateTime<Utc>>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: AccountId,
    #[graphql(skip)]
    parent_id: Option<AccountId>,
    #[graphql(skip)]
    translations: entity::translations::Translations,
}

impl Account {
    /// As the viewer sees it.
    #[must_use]
    pub fn new(ctx: &Context<'_>, row: Row) -> Self {
        let Row {
            id,
            number: _,
            parent_id,
            path,
            code,
            name,
            kind,
            normal_side,
            is_group,
            commodity,
            external_reference,
            archived_at,
            version,
            created_at,
            updated_at,
            subsidiary_kind,
            has_floor,
        } = row;
        Self {
            id: id.encode(),
            code,
            name: name.in_locale(ctx.viewer().locale.as_str()).to_owned(),
            kind: kind.into(),
            normal_side: normal_side.into(),
            is_group,
            commodity,
            subsidiary_kind: subsidiary_kind.map(Into::into),
            has_floor,
            depth: i32::try_from(path.depth()).unwrap_or(i32::MAX),
            external_reference,
            archived_at,
            version,
            created_at,
            updated_at,
            row_id: id,
            parent_id,
            translations: name,
        }
    }
}

#[ComplexObject]
impl Account {
    /// Name in every language there is.
    async fn name_translations(&self) -> Vec<Translation> {
        translation::output(&self.translations)
    }

    /// What it has of each commodity, and what of it is available; of a group, all its accounts together. Nothing when nothing was ever posted.
    #[graphql(complexity = "cost::rows(3, child_complexity)")]
    async fn balances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At the end of this day; with all that was posted without.")]
        as_of: Option<Date>,
        #[graphql(desc = "Of this subsidiary account only.")] subsidiary_id: Option<ID>,
    ) -> async_graphql::Result<Vec<AccountBalance>> {
        let viewer = ctx.viewer();
        let value = subsidiary_id.map(|id| DimensionValueId::parse("subsidiaryId", &id));
        let key = BalanceOf {
            account: self.row_id,
            of: domain::account::BalanceOf {
                as_of: as_of.map(|day| day.0),
                subsidiary_id: value.transpose().map_err(Into::into).or_graphql(viewer)?,
            },
        };
        let rows = load(ctx, key).await?.unwrap_or_default().into_iter();
        Ok(rows.map(AccountBalance::new).collect())
    }

    /// What it, or one of its subsidiary accounts, may not fall below; the first 100.
    #[graphql(complexity = "cost::rows(10, child_complexity)")]
    async fn floors(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AccountFloor>> {
        if !self.has_floor {
            return Ok(Vec::new());
        }
        let rows = load(ctx, FloorsOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.map(AccountFloor::new).collect())
    }

    /// The group that it lies in; null for a root.
    async fn parent(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Self>> {
        let Some(id) = self.parent_id else {
            return Ok(None);
        };
        let row = load(ctx, id).await?;
        Ok(row.map(|row| Self::new(ctx, row)))
    }
}

/// A condition on what an account is about.
#[derive(InputObject, Clone, Debug)]
pub struct AccountKindFilter {
    /// One of these. An empty list matches nothing.
    r#in: Vec<AccountKind>,
}

/// Which accounts. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct AccountWhere {
    /// By what it is about.
    kind: Option<AccountKindFilter>,
    /// Groups only, or only what is posted to.
    is_group: Option<bool>,
    /// Directly in this group.
    parent_id: Option<ID>,
    /// Anywhere below this group.
    descendant_of: Option<ID>,
    /// By what bookkeepers call it. Codes are in capitals.
    code: Option<StringFilter>,
    /// Whether archived accounts are part of it; not without.
    include_archived: Option<bool>,
}

impl AccountWhere {
    fn parse(self) -> Result<AccountFilter, Refusal> {
        let Self {
            kind,
            is_group,
            parent_id,
            descendant_of,
            code,
            include_archived,
        } = self;
        let id = |path, id: Option<ID>| id.map(|id| AccountId::parse(path, &id)).transpose();
        Ok(AccountFilter {
            kind_in: kind.map(|kind| kind.r#in.into_iter().map(Into::into).collect()),
            is_group,
            parent_id: id("where.parentId", parent_id)?,
            descendant_of: id("where.descendantOf", descendant_of)?,
            code: code.map(Into::into),
            include_archived: include_archived.unwrap_or_default(),
        })
    }
}

/// Queries about accounts and commodities.
#[derive(Default)]
pub struct AccountQuery;

#[Object(guard = "Needs(Permission::BooksRead)")]
impl AccountQuery {
    /// One account; null when there is none such. Needs `books.read`.
    async fn account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<Account>> {
        let viewer = ctx.viewer();
        let id = AccountId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx.domain().accounts().find(viewer, id).await;
        Ok(row.or_graphql(viewer)?.map(|row| Account::new(ctx, row)))
    }

    /// The chart of accounts in pages, by code. Needs `books.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all that are in use without.", name = "where")]
        filter: Option<AccountWhere>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Account>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().accounts().page(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        preload(ctx, rows.edges.iter().filter_map(|(_, row)| row.parent_id)).await?;
        Ok(page::connection(rows, EmptyFields, |row| {
            Account::new(ctx, row)
        }))
    }

    /// Every currency and every metal that the books can carry. Needs `books.read`.
    #[graphql(complexity = "cost::rows(180, child_complexity)")]
    async fn commodities(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Commodity>> {
        let viewer = ctx.viewer();
        let rows = ctx.domain().accounts().commodities(viewer).await;
        let rows = rows.or_graphql(viewer)?.into_iter();
        Ok(rows.map(Commodity::new).collect())
    }
}
