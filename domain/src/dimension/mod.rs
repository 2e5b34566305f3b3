//! Values of dimensions: what lines of the books are about besides their account.
//!
//! Subsidiary accounts (a party, a bank, an employee, anything else) are demanded by accounts that say so; cost centres and projects may be named
//! by any line. They are all one table and one set of use cases, archived and never deleted
//! ([ADR 21](../docs/adr/0021-subsidiary-ledgers-holds-and-closing.md)).

mod query;
mod rules;
mod write;

use std::collections::BTreeMap;

use entity::id::DimensionValueId;
use serde::Serialize;

pub use entity::dimension_value::{Kind, Model as DimensionValue};

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    filter::TextFilter,
    idempotency::{Claimed, claim_in_tx},
    page::{Page, PageArgs},
    patch::Patch,
    permission::Permission,
    version,
    viewer::Viewer,
};

/// A value to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewDimensionValue {
    /// What sort of thing it is.
    pub kind: Kind,
    /// What bookkeepers call it.
    pub code: String,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// Its key in somebody else's system.
    pub external_reference: Option<String>,
}

/// What is to be different about a value. What is not given stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DimensionValueChange {
    /// What bookkeepers call it.
    pub code: Option<String>,
    /// Name by language, all of them.
    pub name: Option<BTreeMap<String, String>>,
    /// Its key in somebody else's system.
    pub external_reference: Patch<String>,
}

/// Which values. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct DimensionValueFilter {
    /// Of one of these kinds.
    pub kind_in: Option<Vec<Kind>>,
    /// By what bookkeepers call it.
    pub code: Option<TextFilter>,
    /// By its name in any language.
    pub name_contains: Option<String>,
    /// By its key in somebody else's system.
    pub external_reference: Option<String>,
    /// Whether archived ones are part of it.
    pub include_archived: bool,
}

/// Values of dimensions: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Dimensions<'a> {
    pub(crate) domain: &'a Domain,
}

impl Dimensions<'_> {
    /// Creates a value.
    ///
    /// # Errors
    /// When a value is refused, or the code or external reference is taken.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewDimensionValue,
        key: Option<&str>,
    ) -> Result<DimensionValue> {
        viewer.require(Permission::BooksManage)?;
        let facts = rules::parse_new(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "dimension_value.create", &new, now).await?
        {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let value = write::insert_in_tx(&tx, now, new.kind, facts).await?;
        write::record_in_tx(&tx, viewer, now, "dimension_value.create", None, &value).await?;
        claim.keep_in_tx(&tx, &value).await?;
        self.domain.commit(tx).await?;
        Ok(value)
    }

    /// Changes what a value is called.
    ///
    /// # Errors
    /// When a value is refused, there is none such, or somebody changed it since `expected_version`.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: DimensionValueId,
        change: DimensionValueChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<DimensionValue> {
        viewer.require(Permission::BooksManage)?;
        let parsed = rules::parse_change(&change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, &change, expected_version);
        let operation = "dimension_value.update";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        let value = write::update_in_tx(&tx, now, &before, parsed).await?;
        write::record_in_tx(&tx, viewer, now, operation, Some(&before), &value).await?;
        claim.keep_in_tx(&tx, &value).await?;
        self.domain.commit(tx).await?;
        Ok(value)
    }

    /// Archives a value: nothing is posted to it any more.
    ///
    /// # Errors
    /// When there is none such, or somebody changed it since `expected_version`.
    pub async fn archive(
        &self,
        viewer: &Viewer,
        id: DimensionValueId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<DimensionValue> {
        let operation = "dimension_value.archive";
        self.set_archived(viewer, id, true, expected_version, (operation, key))
            .await
    }

    /// Takes a value into use again.
    ///
    /// # Errors
    /// When there is none such, or somebody changed it since `expected_version`.
    pub async fn restore(
        &self,
        viewer: &Viewer,
        id: DimensionValueId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<DimensionValue> {
        let operation = "dimension_value.restore";
        self.set_archived(viewer, id, false, expected_version, (operation, key))
            .await
    }

    async fn set_archived(
        &self,
        viewer: &Viewer,
        id: DimensionValueId,
        archived: bool,
        expected_version: Option<i64>,
        (operation, key): (&'static str, Option<&str>),
    ) -> Result<DimensionValue> {
        viewer.require(Permission::BooksManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        // Before the row: whoever posts holds no row of this table.
        write::own_in_tx(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        let value = if before.archived_at.is_some() == archived {
            before
        } else {
            let value = write::set_archived_in_tx(&tx, now, id, archived).await?;
            write::record_in_tx(&tx, viewer, now, operation, Some(&before), &value).await?;
            value
        };
        claim.keep_in_tx(&tx, &value).await?;
        self.domain.commit(tx).await?;
        Ok(value)
    }

    /// The value with this id.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn find(
        &self,
        viewer: &Viewer,
        id: DimensionValueId,
    ) -> Result<Option<DimensionValue>> {
        Ok(self.by_ids(viewer, &[id]).await?.pop())
    }

    /// The values with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn by_ids(
        &self,
        viewer: &Viewer,
        ids: &[DimensionValueId],
    ) -> Result<Vec<DimensionValue>> {
        viewer.require(Permission::BooksRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// A page of the values that are wanted, by code.
    ///
    /// # Errors
    /// When the viewer may not see the books, the filter is too large, or the page's arguments are wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &DimensionValueFilter,
        args: &PageArgs,
    ) -> Result<Page<DimensionValue>> {
        viewer.require(Permission::BooksRead)?;
        rules::check_filter(filter)?;
        query::page(&self.domain.reads, filter, args).await
    }
}

/// The value, if there is one, and of the version that is expected.
fn expected(
    found: Option<DimensionValue>,
    expected_version: Option<i64>,
) -> Result<DimensionValue, Refusal> {
    let value = found.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(value.version, expected_version)?;
    Ok(value)
}
