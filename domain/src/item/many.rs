//! Use cases that write many items at once.

use super::{
    BulkOutcome, ImportOutcome, ItemRow, Items, NewItem, Policy, RowArchive, RowUpdate, TagRenamed,
    VariantsOutcome, VariantsRequest, bulk,
};
use crate::{
    error::{Refusal, Result},
    permission::Permission,
    viewer::Viewer,
};

impl Items<'_> {
    /// Creates many items at once. One whose external reference exists already stays as it is, whatever people have made of it; one
    /// that gets in the way of another item is left out.
    ///
    /// # Errors
    /// Each value that is refused, with its row's index in the path. Then nothing is created.
    pub async fn import(&self, viewer: &Viewer, rows: &[ItemRow]) -> Result<ImportOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::import(self.domain, viewer, rows).await
    }

    /// Creates up to [`ROWS_MAX`](super::ROWS_MAX) items, and asks for their QR codes to be drawn. Each row is an item to be, or what is wrong with it
    /// already.
    ///
    /// # Errors
    /// With [`Policy::RejectAll`] all that is wrong with any row. Then nothing is created.
    pub async fn create_many(
        &self,
        viewer: &Viewer,
        rows: Vec<Result<NewItem, Vec<Refusal>>>,
        policy: Policy,
        key: Option<&str>,
    ) -> Result<BulkOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::create(self.call(viewer, policy, key), rows).await
    }

    /// Changes up to [`ROWS_MAX`](super::ROWS_MAX) items, each row another one. An item that is so already is left alone.
    ///
    /// # Errors
    /// With [`Policy::RejectAll`] all that is wrong with any row. Then nothing is changed.
    pub async fn update_many(
        &self,
        viewer: &Viewer,
        rows: Vec<Result<RowUpdate, Vec<Refusal>>>,
        policy: Policy,
        key: Option<&str>,
    ) -> Result<BulkOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::update(self.call(viewer, policy, key), rows).await
    }

    /// Puts up to [`ROWS_MAX`](super::ROWS_MAX) items away, each row another one.
    ///
    /// # Errors
    /// With [`Policy::RejectAll`] all that is wrong with any row. Then nothing is put away.
    pub async fn archive_many(
        &self,
        viewer: &Viewer,
        rows: Vec<Result<RowArchive, Vec<Refusal>>>,
        policy: Policy,
        key: Option<&str>,
    ) -> Result<BulkOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::set_archived(self.call(viewer, policy, key), rows, true).await
    }

    /// Brings up to [`ROWS_MAX`](super::ROWS_MAX) items back, each row another one.
    ///
    /// # Errors
    /// With [`Policy::RejectAll`] all that is wrong with any row. Then nothing is brought back.
    pub async fn restore_many(
        &self,
        viewer: &Viewer,
        rows: Vec<Result<RowArchive, Vec<Refusal>>>,
        policy: Policy,
        key: Option<&str>,
    ) -> Result<BulkOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::set_archived(self.call(viewer, policy, key), rows, false).await
    }

    /// Gives a tag another name on up to [`RENAMED_MAX`](super::RENAMED_MAX) items, or makes it one with a tag that is there already.
    ///
    /// # Errors
    /// When a name is refused, both are the same, or no item has the tag.
    pub async fn rename_tag(
        &self,
        viewer: &Viewer,
        from: &str,
        to: &str,
        key: Option<&str>,
    ) -> Result<TagRenamed> {
        viewer.require(Permission::CatalogueWrite)?;
        bulk::rename(self.domain, viewer, (from, to), key).await
    }

    /// Creates the variants of a template that are not there yet, as items with the template's values: copies, which change on their own
    /// from then on. Those that are there, archived ones too, stay as they are.
    ///
    /// # Errors
    /// When there is no such template, it is archived or of another version, a choice is wrong, or a value of a variant is refused. Then
    /// nothing is created.
    pub async fn generate_variants(
        &self,
        viewer: &Viewer,
        request: &VariantsRequest,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<VariantsOutcome> {
        viewer.require(Permission::CatalogueWrite)?;
        let generation = bulk::Generation {
            domain: self.domain,
            viewer,
            request,
            expected_version,
            key,
        };
        bulk::generate(generation).await
    }

    fn call<'b>(
        &'b self,
        viewer: &'b Viewer,
        policy: Policy,
        key: Option<&'b str>,
    ) -> bulk::Call<'b> {
        bulk::Call {
            domain: self.domain,
            viewer,
            policy,
            key,
        }
    }
}
