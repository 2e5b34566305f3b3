//! What may be said about a user, and who may say it.

use chrono::{DateTime, Utc};
use entity::id::UserId;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{
    ApiToken, NewUser, OWNER, PasswordRules, Role, User, UserChange, password::PASSWORD_MAX,
};
use crate::{
    error::{Code, Error, Refusal, Refusals, Result},
    permission::{Permission, Permissions},
    text::{self, NAME_MAX},
    viewer::{Known, Viewer},
};

/// Longest email, in characters.
const EMAIL_MAX: usize = 254;
/// Longest part of it in front of the `@`.
const LOCAL_PART_MAX: usize = 64;
/// Most roles of one user.
const ROLES_MAX: usize = 20;

/// A user to be, with values that will do. Never holds the password.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Face {
    pub(super) email: String,
    pub(super) display_name: String,
    pub(super) locale: &'static str,
    pub(super) roles: Vec<String>,
}

/// A change with values that will do.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Change {
    pub(super) display_name: Option<String>,
    pub(super) locale: Option<&'static str>,
    pub(super) roles: Option<Vec<String>>,
    pub(super) disabled: Option<bool>,
}

/// A user together with what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) user: User,
    pub(super) roles: Vec<Role>,
}

impl Account {
    pub(super) fn is_active_owner(&self) -> bool {
        self.user.disabled_at.is_none() && self.has_role(OWNER)
    }

    fn has_role(&self, code: &str) -> bool {
        self.roles.iter().any(|role| role.code == code)
    }
}

pub(super) fn parse_new(new: &NewUser, passwords: PasswordRules) -> Result<Face> {
    let NewUser {
        email,
        display_name,
        password,
        locale,
        roles,
    } = new;
    let mut refusals = Refusals::default();
    let email = refusals.take(parse_email("email", email));
    let display_name = refusals.take(parse_name(display_name));
    let password = refusals.take(check_password(
        "password",
        passwords,
        password,
        email.as_deref().unwrap_or_default(),
    ));
    let roles = refusals.take(parse_roles(roles));
    let face = (|| {
        let () = password?;
        Some(Face {
            email: email?,
            display_name: display_name?,
            locale: locale.as_str(),
            roles: roles?,
        })
    })();
    refusals.into_result(face)
}

pub(super) fn parse_change(change: &UserChange) -> Result<Change> {
    let UserChange {
        display_name,
        locale,
        roles,
        disabled,
    } = change;
    let mut refusals = Refusals::default();
    let display_name = refusals.take(display_name.as_deref().map(parse_name).transpose());
    let roles = refusals.take(roles.as_deref().map(parse_roles).transpose());
    let locale = locale.map(crate::locale::Locale::as_str);
    let change = (|| {
        Some(Change {
            display_name: display_name?,
            locale,
            roles: roles?,
            disabled: *disabled,
        })
    })();
    refusals.into_result(change)
}

fn parse_name(name: &str) -> Result<String, Refusal> {
    text::line("displayName", name, 1, NAME_MAX)
}

/// An email in lower case. Only ASCII: everybody agrees on its lower case, and no letter looks like another.
pub(super) fn parse_email(path: &str, email: &str) -> Result<String, Refusal> {
    let email = text::line(path, email, 3, EMAIL_MAX)?.to_ascii_lowercase();
    match email.split_once('@') {
        Some((local, host)) if is_local_part(local) && is_host(host) => Ok(email),
        _ => Err(Refusal::new(Code::InvalidFormat, path).with("value", email)),
    }
}

fn is_local_part(local: &str) -> bool {
    let fits = |b: u8| b.is_ascii_graphic() && !b"\"(),:;<>@[\\]".contains(&b);
    (1..=LOCAL_PART_MAX).contains(&local.len()) && local.bytes().all(fits)
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let fits = label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        !label.is_empty() && fits && !label.starts_with('-') && !label.ends_with('-')
    };
    host.split('.').all(is_label)
}

fn parse_roles(codes: &[String]) -> Result<Vec<String>, Refusal> {
    if codes.len() > ROLES_MAX {
        return Err(Refusal::new(Code::TooMany, "roles").with("max", ROLES_MAX));
    }
    let parse =
        |(index, code): (usize, &String)| text::line(&format!("roles.{index}"), code, 1, NAME_MAX);
    codes.iter().enumerate().map(parse).collect()
}

/// Whether a password will do for the user with this email.
pub(super) fn check_password(
    path: &str,
    rules: PasswordRules,
    password: &SecretString,
    email: &str,
) -> Result<(), Refusal> {
    let password = password.expose_secret();
    if password.chars().count() < rules.min_length {
        return Err(Refusal::new(Code::TooShort, path).with("min", rules.min_length));
    }
    if password.len() > PASSWORD_MAX {
        return Err(Refusal::new(Code::TooLong, path).with("max", PASSWORD_MAX));
    }
    if password.trim().eq_ignore_ascii_case(email) {
        return Err(Refusal::new(Code::InvalidFormat, path));
    }
    Ok(())
}

/// Users may be seen by who has the permission, and by themselves.
pub(super) fn require_to_see(viewer: &Viewer, ids: &[UserId]) -> Result<()> {
    let is_self = viewer
        .user_id()
        .is_some_and(|own| ids.iter().all(|id| *id == own));
    if is_self {
        Ok(())
    } else {
        viewer.require(Permission::UserRead)
    }
}

/// One's own face may be changed by oneself, everything else only with the permission. A program with a token is not oneself.
pub(super) fn authorise_change(viewer: &Viewer, id: UserId, change: &UserChange) -> Result<()> {
    let is_oneself = viewer.require_login().is_ok_and(|own| own.id == id);
    let is_own_face = is_oneself && !change.is_about_access();
    if is_own_face {
        Ok(())
    } else {
        viewer.require(Permission::UserManage)
    }
}

/// Whether the viewer may take this token back: any with the permission, their own when they have logged in, and a program the one it
/// shows, so that it can end what it was trusted with.
pub(super) fn may_revoke(viewer: &Viewer, token: &ApiToken) -> bool {
    let is_own = |known: &Known| match known.token {
        None => known.id == token.user_id,
        Some(shown) => shown == token.id,
    };
    viewer.require(Permission::UserManage).is_ok() || viewer.require_user().is_ok_and(is_own)
}

/// What the account becomes. `roles` are those that the change names.
pub(super) fn changed(
    before: &Account,
    change: &Change,
    roles: Option<Vec<Role>>,
    now: DateTime<Utc>,
) -> Account {
    let mut after = touched(before, now);
    if let Some(name) = &change.display_name {
        after.user.display_name.clone_from(name);
    }
    if let Some(locale) = change.locale {
        after.user.locale = locale.to_owned();
    }
    after.user.disabled_at = match change.disabled {
        Some(true) => before.user.disabled_at.or(Some(now)),
        Some(false) => None,
        None => before.user.disabled_at,
    };
    after.roles = roles.unwrap_or(after.roles);
    after
}

/// The same account, counted as changed.
pub(super) fn touched(before: &Account, now: DateTime<Utc>) -> Account {
    let mut after = before.clone();
    after.user.version += 1;
    after.user.updated_at = now;
    after
}

/// Nobody changes what somebody may do who may do more than they, nor gives more than they have.
pub(super) fn check_access(viewer: &Viewer, before: &Account, after: &Account) -> Result<()> {
    if before.roles == after.roles && before.user.disabled_at == after.user.disabled_at {
        return Ok(());
    }
    check_grant(viewer, &before.roles)?;
    check_grant(viewer, &after.roles)
}

/// Whether the viewer may do all that these roles allow.
pub(super) fn check_grant(viewer: &Viewer, roles: &[Role]) -> Result<()> {
    let codes = roles.iter().flat_map(|role| &role.permissions);
    Permissions::from_codes(codes.map(String::as_str))
        .iter()
        .try_for_each(|permission| viewer.require(permission))
}

/// The refusal of a change that would leave nobody in charge.
pub(super) fn last_owner(change: &Change) -> Refusal {
    let path = if change.roles.is_some() {
        "roles"
    } else {
        "disabled"
    };
    Refusal::new(Code::LastOwner, path)
}

/// Whether an email was refused because somebody has it.
pub(super) fn is_taken(error: &Error) -> bool {
    matches!(error, Error::Refused(refusals) if refusals.iter().any(|refusal| refusal.code == Code::AlreadyTaken))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
