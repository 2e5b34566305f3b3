//! The chart of accounts: what its use cases do to it.
//!
//! It is a tree (its shape is kept by [`crate::tree`]): groups hold accounts of one kind, and what is no group is posted to. Accounts are
//! archived and never deleted; the database keeps what was posted to them true
//! ([ADR 20](../docs/adr/0020-books-are-kept-by-the-database.md)).

mod balance;
mod floor;
mod import;
mod query;
mod relocation;
mod role;
mod rules;
mod template;
mod valuation;
mod write;

use std::collections::BTreeMap;

use entity::id::AccountId;
use sea_orm::DatabaseTransaction;
use serde::Serialize;

pub use balance::{AccountBalance, BalanceOf};
pub use entity::account::{Kind, Model as Account, Side};
pub use entity::commodity::{Kind as CommodityKind, Model as Commodity};
use entity::dimension_value::Kind as DimensionKind;
pub use floor::{AccountFloor, NewFloor};
pub use import::{COLUMNS as IMPORT_COLUMNS, IMPORTED_MAX, ImportRow};
pub(crate) use query::find_in_tx;
pub(crate) use role::role_in_tx;
pub use role::{AccountRole, Role};
pub(crate) use rules::parse_commodity;
pub use template::Template;
pub use valuation::AccountValuation;

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    filter::TextFilter,
    idempotency::{Claimed, claim_in_tx},
    page::{Page, PageArgs},
    patch::Patch,
    permission::Permission,
    tree::{self, SubtreeLock},
    version,
    viewer::Viewer,
};

/// An account to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewAccount {
    /// In which group; a root without.
    pub parent_id: Option<AccountId>,
    /// What it is about: of a root. What is in a group is about the same.
    pub kind: Option<Kind>,
    /// What bookkeepers call it.
    pub code: String,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// Whether it holds accounts.
    pub is_group: bool,
    /// On which side it usually grows; on its kind's without.
    pub normal_side: Option<Side>,
    /// The only commodity that is posted to it; any without.
    pub commodity: Option<String>,
    /// Its key in somebody else's system.
    pub external_reference: Option<String>,
    /// Of which kind the subsidiary accounts are that lines have to name; lines name none without.
    pub subsidiary_kind: Option<DimensionKind>,
}

/// What is to be different about an account. What is not given stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AccountChange {
    /// What bookkeepers call it.
    pub code: Option<String>,
    /// Name by language, all of them.
    pub name: Option<BTreeMap<String, String>>,
    /// On which side it usually grows.
    pub normal_side: Option<Side>,
    /// The only commodity that is posted to it.
    pub commodity: Patch<String>,
    /// Its key in somebody else's system.
    pub external_reference: Patch<String>,
    /// Of which kind the subsidiary accounts are that lines have to name.
    pub subsidiary_kind: Patch<DimensionKind>,
}

/// Which accounts. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Of one of these kinds.
    pub kind_in: Option<Vec<Kind>>,
    /// Groups, or what is posted to.
    pub is_group: Option<bool>,
    /// Directly in this group.
    pub parent_id: Option<AccountId>,
    /// Anywhere below this group.
    pub descendant_of: Option<AccountId>,
    /// By what bookkeepers call it.
    pub code: Option<TextFilter>,
    /// Whether archived accounts are part of it.
    pub include_archived: bool,
}

/// Accounts and commodities: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Accounts<'a> {
    pub(crate) domain: &'a Domain,
}

impl Accounts<'_> {
    /// Creates an account, or a group of accounts.
    ///
    /// # Errors
    /// When a value is refused, the parent does not exist, is archived or no group, or the code or external reference is taken.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewAccount,
        key: Option<&str>,
    ) -> Result<Account> {
        viewer.require(Permission::BooksManage)?;
        let facts = rules::parse_new(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "account.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::share_in_tx::<Account>(&tx).await?;
        let parent = open_group_in_tx(&tx, new.parent_id).await?;
        tree::check_depth("parentId", parent.as_ref(), 1)?;
        let kind = rules::kind_below(new.kind, parent.as_ref())?;
        let account = write::insert_in_tx(&tx, now, new.parent_id, kind, facts).await?;
        write::record_in_tx(&tx, viewer, now, "account.create", None, &account).await?;
        claim.keep_in_tx(&tx, &account).await?;
        self.domain.commit(tx).await?;
        Ok(account)
    }

    /// Changes what an account is called, and, as long as nothing was posted to it, what is posted to it.
    ///
    /// # Errors
    /// When a value is refused, there is no such account, it was posted to, or somebody changed it since `expected_version`.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: AccountId,
        change: AccountChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Account> {
        viewer.require(Permission::BooksManage)?;
        let parsed = rules::parse_change(&change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, &change, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "account.update", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        write::own_in_tx(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        rules::check_change(&before, &parsed)?;
        let account = write::update_in_tx(&tx, now, &before, parsed).await?;
        let action = "account.update";
        write::record_in_tx(&tx, viewer, now, action, Some(&before), &account).await?;
        claim.keep_in_tx(&tx, &account).await?;
        self.domain.commit(tx).await?;
        Ok(account)
    }

    /// Archives an account, or a group with all that is in it: nothing is posted to it any more.
    ///
    /// # Errors
    /// When there is no such account, stock is booked to it or below it, or somebody changed it since `expected_version`.
    pub async fn archive(
        &self,
        viewer: &Viewer,
        id: AccountId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Account> {
        viewer.require(Permission::BooksManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "account.archive", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Account>(&tx).await?;
        write::own_in_tx(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        if before.archived_at.is_some() {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        }
        tree::lock_subtree_in_tx(&tx, &before, SubtreeLock::AgainstUse).await?;
        write::check_no_stock_in_tx(&tx, &before).await?;
        tree::archive_subtree_in_tx(&tx, now, &before).await?;
        let account = query::get_in_tx(&tx, id).await?;
        let action = "account.archive";
        write::record_in_tx(&tx, viewer, now, action, Some(&before), &account).await?;
        claim.keep_in_tx(&tx, &account).await?;
        self.domain.commit(tx).await?;
        Ok(account)
    }

    /// Takes an account into use again, with what was archived together with it.
    ///
    /// # Errors
    /// When there is no such account, or its group is archived.
    pub async fn restore(
        &self,
        viewer: &Viewer,
        id: AccountId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Account> {
        viewer.require(Permission::BooksManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "account.restore", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Account>(&tx).await?;
        write::own_in_tx(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        let Some(archived_at) = before.archived_at else {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        };
        if let Some(parent) = before.parent_id {
            rules::check_open("id", &query::get_in_tx(&tx, parent).await?)?;
        }
        tree::lock_subtree_in_tx(&tx, &before, SubtreeLock::AgainstChanges).await?;
        tree::restore_subtree_in_tx(&tx, now, &before, archived_at).await?;
        let account = query::get_in_tx(&tx, id).await?;
        let action = "account.restore";
        write::record_in_tx(&tx, viewer, now, action, Some(&before), &account).await?;
        claim.keep_in_tx(&tx, &account).await?;
        self.domain.commit(tx).await?;
        Ok(account)
    }

    /// Creates a whole chart at once, beside what there is.
    ///
    /// # Errors
    /// When one of its codes is taken. Then nothing is created.
    pub async fn apply_template(
        &self,
        viewer: &Viewer,
        template: Template,
        key: Option<&str>,
    ) -> Result<Vec<Account>> {
        viewer.require(Permission::BooksManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let operation = "account.template";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &template, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::share_in_tx::<Account>(&tx).await?;
        let accounts = template::insert_in_tx(&tx, viewer, now, template).await?;
        claim.keep_in_tx(&tx, &accounts).await?;
        self.domain.commit(tx).await?;
        Ok(accounts)
    }

    /// Everything that amounts can be of, by kind and code.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn commodities(&self, viewer: &Viewer) -> Result<Vec<Commodity>> {
        viewer.require(Permission::BooksRead)?;
        query::commodities(&self.domain.reads).await
    }

    /// The account with this id.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn find(&self, viewer: &Viewer, id: AccountId) -> Result<Option<Account>> {
        Ok(self.by_ids(viewer, &[id]).await?.pop())
    }

    /// The accounts with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[AccountId]) -> Result<Vec<Account>> {
        viewer.require(Permission::BooksRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// A page of the accounts that are wanted, by code.
    ///
    /// # Errors
    /// When the viewer may not see the books, the filter is too large, or the page's arguments are wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &AccountFilter,
        args: &PageArgs,
    ) -> Result<Page<Account>> {
        viewer.require(Permission::BooksRead)?;
        rules::check_filter(filter)?;
        query::page(&self.domain.reads, filter, args).await
    }
}

/// The account, if there is one, and of the version that is expected.
fn expected(found: Option<Account>, expected_version: Option<i64>) -> Result<Account, Refusal> {
    let account = found.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(account.version, expected_version)?;
    Ok(account)
}

/// The group-to-be, which must be there, in use, and a group.
async fn open_group_in_tx(
    tx: &DatabaseTransaction,
    id: Option<AccountId>,
) -> Result<Option<Account>> {
    let Some(id) = id else { return Ok(None) };
    let parent = query::share_in_tx(tx, id)
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "parentId"))?;
    rules::check_open("parentId", &parent)?;
    rules::check_group(&parent)?;
    Ok(Some(parent))
}
