use entity::{
    id::{ApiTokenId, RoleId, UserId},
    translations::Translations,
};
use uuid::Uuid;

use super::*;
use crate::{
    locale::Locale,
    viewer::{Identity, Known},
};

fn role(code: &str, permissions: &[&str]) -> Role {
    let permissions = permissions.iter().map(|code| (*code).to_owned()).collect();
    Role {
        id: RoleId(Uuid::from_u128(7)),
        code: code.into(),
        name: Translations::default(),
        permissions,
    }
}

fn account(roles: &[Role]) -> Account {
    let user = User {
        id: UserId(Uuid::from_u128(1)),
        email: "a@b.c".into(),
        display_name: "A".into(),
        locale: "en".into(),
        disabled_at: None,
        version: 1,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
    };
    Account {
        user,
        roles: roles.to_vec(),
    }
}

fn viewer(id: u128, permissions: &[Permission]) -> Viewer {
    let permissions = permissions.iter().copied().collect();
    let identity = Identity::User(Known {
        id: UserId(Uuid::from_u128(id)),
        name: "V".into(),
        permissions,
        token: None,
    });
    Viewer {
        identity,
        ..Viewer::anonymous()
    }
}

/// A program with this token of this user.
fn program(token: u128, user: u128, permissions: &[Permission]) -> Viewer {
    let mut viewer = viewer(user, permissions);
    if let Identity::User(known) = &mut viewer.identity {
        known.token = Some(ApiTokenId(Uuid::from_u128(token)));
    }
    viewer
}

fn token(id: u128, user: u128) -> ApiToken {
    ApiToken {
        id: ApiTokenId(Uuid::from_u128(id)),
        user_id: UserId(Uuid::from_u128(user)),
        name: "till".into(),
        permissions: Vec::new(),
        expires_at: DateTime::UNIX_EPOCH,
        revoked_at: None,
        created_at: DateTime::UNIX_EPOCH,
    }
}

fn is_forbidden(result: &Result<()>, permission: Permission) -> bool {
    matches!(result, Err(Error::Forbidden(missing)) if *missing == permission)
}

#[test]
fn an_email_is_one_address_in_lower_case() {
    assert_eq!(
        parse_email("email", " Sara@Shop.Example ").as_deref(),
        Ok("sara@shop.example")
    );
    assert_eq!(
        parse_email("email", "o'neil+till@localhost").as_deref(),
        Ok("o'neil+till@localhost")
    );
    for wrong in [
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "a@b c",
        "a@.b",
        "a@b.",
        "a@b..c",
        "a@-b",
        "a@b_c",
        "ä@b.c",
        "a@\u{212A}.c",
        "a\0@b.c",
        "<a>@b",
    ] {
        assert!(parse_email("email", wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_email_is_not_too_long() {
    let longest = format!("{}@{}", "a".repeat(64), "b".repeat(189));
    assert_eq!(longest.len(), EMAIL_MAX);
    assert!(parse_email("email", &longest).is_ok());
    assert!(parse_email("email", &format!("{longest}b")).is_err_and(|r| r.code == Code::TooLong));
    assert!(
        parse_email("email", &format!("{}@b", "a".repeat(65)))
            .is_err_and(|r| r.code == Code::InvalidFormat)
    );
}

#[test]
fn passwords_have_bounds_and_are_not_the_email() {
    let check = |password: &str| {
        check_password(
            "password",
            PasswordRules::default(),
            &password.into(),
            "a.long@email.example",
        )
        .map_err(|r| r.code)
    };
    assert_eq!(check("گذرواژهٔ من"), Ok(()), "characters count, not bytes");
    assert_eq!(check("123456789"), Err(Code::TooShort));
    assert_eq!(check(&"x".repeat(PASSWORD_MAX)), Ok(()));
    assert_eq!(check(&"x".repeat(PASSWORD_MAX + 1)), Err(Code::TooLong));
    assert_eq!(check("A.Long@Email.example"), Err(Code::InvalidFormat));
}

#[test]
fn everything_wrong_with_a_new_user_is_told_at_once() {
    let new = NewUser {
        email: "nobody".into(),
        display_name: " ".into(),
        password: "short".into(),
        locale: Locale::Fa,
        roles: vec!["clerk".into(), String::new()],
    };
    let Err(Error::Refused(refused)) = parse_new(&new, PasswordRules::default()) else {
        panic!("taken")
    };
    let paths: Vec<_> = refused
        .iter()
        .map(|refusal| refusal.path.join("."))
        .collect();
    assert_eq!(paths, ["email", "displayName", "password", "roles.1"]);
}

#[test]
fn roles_are_bounded() {
    let codes = |count| vec!["clerk".to_owned(); count];
    assert!(parse_roles(&codes(ROLES_MAX)).is_ok());
    assert!(parse_roles(&codes(ROLES_MAX + 1)).is_err_and(|r| r.code == Code::TooMany));
}

#[test]
fn nobody_gives_what_they_do_not_have() {
    let manager = viewer(2, &[Permission::UserManage, Permission::CatalogueRead]);
    let clerk = role("clerk", &["catalogue.read"]);
    assert!(check_grant(&manager, std::slice::from_ref(&clerk)).is_ok());
    assert!(is_forbidden(
        &check_grant(&manager, &[clerk, role("owner", &["*"])]),
        Permission::AuditRead
    ));
}

#[test]
fn nobody_changes_what_a_mightier_user_may_do() {
    let manager = viewer(2, &[Permission::UserManage, Permission::CatalogueRead]);
    let owner = account(&[role(OWNER, &["*"])]);
    let disabled = changed(
        &owner,
        &Change {
            disabled: Some(true),
            ..Change::default()
        },
        None,
        DateTime::UNIX_EPOCH,
    );
    assert!(is_forbidden(
        &check_access(&manager, &owner, &disabled),
        Permission::AuditRead
    ));
    let renamed = changed(
        &owner,
        &Change {
            display_name: Some("B".into()),
            ..Change::default()
        },
        None,
        DateTime::UNIX_EPOCH,
    );
    assert!(check_access(&manager, &owner, &renamed).is_ok());
}

#[test]
fn one_changes_ones_own_face_and_nothing_else() {
    let (own, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    let face = UserChange {
        display_name: Some("B".into()),
        ..UserChange::default()
    };
    let access = UserChange {
        disabled: Some(false),
        ..face.clone()
    };
    assert!(authorise_change(&viewer(1, &[]), own, &face).is_ok());
    assert!(is_forbidden(
        &authorise_change(&viewer(1, &[]), own, &access),
        Permission::UserManage
    ));
    assert!(is_forbidden(
        &authorise_change(&viewer(1, &[]), other, &face),
        Permission::UserManage
    ));
    assert!(matches!(
        authorise_change(&Viewer::anonymous(), own, &face),
        Err(Error::Unauthenticated)
    ));
}

#[test]
fn a_program_changes_its_users_face_only_with_the_permission() {
    let own = UserId(Uuid::from_u128(1));
    let face = UserChange {
        locale: Some(Locale::Fa),
        ..UserChange::default()
    };
    let change = |viewer: &Viewer| authorise_change(viewer, own, &face);
    assert!(is_forbidden(
        &change(&program(7, 1, &[Permission::CatalogueRead])),
        Permission::UserManage
    ));
    assert!(change(&program(7, 1, &[Permission::UserManage])).is_ok());
}

#[test]
fn tokens_are_taken_back_by_their_user_themselves_and_the_permission() {
    let (own, sibling, foreign) = (token(7, 1), token(8, 1), token(9, 2));
    let manage = &[Permission::UserManage];
    for (viewer, expected) in [
        (viewer(1, &[]), [true, true, false]),
        (program(7, 1, &[]), [true, false, false]),
        (viewer(3, &[]), [false, false, false]),
        (viewer(3, manage), [true, true, true]),
        (program(7, 1, manage), [true, true, true]),
        (Viewer::anonymous(), [false, false, false]),
    ] {
        let allowed = [&own, &sibling, &foreign].map(|token| may_revoke(&viewer, token));
        assert_eq!(allowed, expected, "{:?}", viewer.identity);
    }
}

#[test]
fn only_oneself_is_seen_without_permission() {
    let (own, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    assert!(require_to_see(&viewer(1, &[]), &[own]).is_ok());
    assert!(is_forbidden(
        &require_to_see(&viewer(1, &[]), &[own, other]),
        Permission::UserRead
    ));
    assert!(matches!(
        require_to_see(&Viewer::anonymous(), &[]),
        Err(Error::Unauthenticated)
    ));
}

#[test]
fn disabling_again_does_not_move_the_date() {
    let (first, second) = (
        DateTime::UNIX_EPOCH,
        DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1),
    );
    let disable = Change {
        disabled: Some(true),
        ..Change::default()
    };
    let once = changed(&account(&[role(OWNER, &["*"])]), &disable, None, first);
    assert!(!once.is_active_owner());
    let twice = changed(&once, &disable, None, second);
    assert_eq!(
        (
            twice.user.disabled_at,
            twice.user.version,
            twice.user.updated_at
        ),
        (Some(first), 3, second)
    );
    let back = changed(
        &twice,
        &Change {
            disabled: Some(false),
            ..Change::default()
        },
        None,
        second,
    );
    assert!(back.is_active_owner());
}
