//! Whose jobs somebody may see.

use entity::{id::UserId, job::Column};
use sea_orm::{ColumnTrait, Condition};

use crate::{error::Result, permission::Permission, sql::Sql, viewer::Viewer};

/// Which jobs somebody may see.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Visible {
    /// All of them.
    All,
    /// Those that this user has caused.
    CausedBy(UserId),
}

impl Visible {
    /// Whoever may see jobs sees all, whoever has logged in what they have caused; a token without the permission sees none.
    ///
    /// # Errors
    /// When nobody has said who they are.
    pub(crate) fn to(viewer: &Viewer) -> Result<Option<Self>> {
        if viewer.require(Permission::JobRead).is_ok() {
            return Ok(Some(Self::All));
        }
        viewer.require_user()?;
        let login = viewer.require_login().ok();
        Ok(login.map(|user| Self::CausedBy(user.id)))
    }

    /// Appends that a job is one of them.
    pub(super) fn push(self, sql: &mut Sql) {
        match self {
            Self::All => {}
            Self::CausedBy(user) => {
                sql.push(" AND user_id = ").bind(user);
            }
        }
    }

    /// That a job is one of them.
    pub(super) fn condition(self) -> Condition {
        match self {
            Self::All => Condition::all(),
            Self::CausedBy(user) => Condition::all().add(Column::UserId.eq(user)),
        }
    }
}
