//! Moving an account, or a group with all that is in it, into another group of the same kind.

use entity::id::AccountId;

use super::{Account, Accounts, expected, open_group_in_tx, query, write};
use crate::{
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    tree::{self, SubtreeLock},
    viewer::Viewer,
};

impl Accounts<'_> {
    /// Moves an account, or a group with all that is in it: into a group of the same kind, or to the roots. What was posted stays as it is.
    ///
    /// # Errors
    /// When there is no such account or group, the group is archived, of another kind or below the account, or somebody changed the account since
    /// `expected_version`.
    pub async fn move_to(
        &self,
        viewer: &Viewer,
        id: AccountId,
        parent_id: Option<AccountId>,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Account> {
        viewer.require(Permission::BooksManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, parent_id, expected_version);
        let operation = "account.move";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::own_in_tx::<Account>(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        let parent = open_group_in_tx(&tx, parent_id).await?;
        check(&before, parent.as_ref())?;
        if parent_id == before.parent_id {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        }
        let height = tree::height_in_tx(&tx, &before).await?;
        tree::check_depth("parentId", parent.as_ref(), height + 1)?;
        tree::lock_subtree_in_tx(&tx, &before, SubtreeLock::AgainstChanges).await?;
        tree::move_subtree_in_tx(&tx, now, &before, parent.as_ref()).await?;
        let account = query::get_in_tx(&tx, id).await?;
        write::record_in_tx(&tx, viewer, now, operation, Some(&before), &account).await?;
        claim.keep_in_tx(&tx, &account).await?;
        self.domain.commit(tx).await?;
        Ok(account)
    }
}

/// All that lies in a group is about the same, and nothing lies in itself.
fn check(account: &Account, parent: Option<&Account>) -> Result<(), Refusal> {
    tree::check_move(account, parent)?;
    match parent {
        Some(parent) if parent.kind != account.kind => {
            use sea_orm::ActiveEnum as _;
            let refusal = Refusal::new(Code::WrongAccountKind, "parentId");
            Err(refusal.with("expected", account.kind.to_value()))
        }
        _ => Ok(()),
    }
}
