//! Creating and changing users, and who may.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

use domain::{Viewer, user::UserChange};
use entity::id::UserId;
use futures_util::future::join_all;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::{PASSWORD, TestApp},
    wait::{PATIENCE, until},
};

use super::support::*;

async fn create(actor: &Actor, email: &str, roles: &[&str]) -> String {
    let data = actor
        .ok(CREATE, json!({"input": new_user(email, roles)}))
        .await;
    text(&data["userCreate"]["user"]["id"]).to_owned()
}

async fn id_of(actor: &Actor) -> String {
    text(&actor.ok(ME, json!({})).await["me"]["user"]["id"]).to_owned()
}

fn update(id: &str, change: Value) -> Value {
    let mut input = change;
    input["id"] = json!(id);
    json!({"input": input})
}

/// A role that may manage users and little else.
async fn caretaker(app: &TestApp) -> Actor {
    let sql = r#"INSERT INTO role (id, code, name, permissions)
                 VALUES (gen_random_uuid(), 'caretaker', '{"en": "Caretaker"}', '{user.read,user.manage,catalogue.read,job.read,stock.read,stock.write}')"#;
    sqlx::query(sql).execute(app.sql()).await.unwrap();
    app.actor("caretaker").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_logs_in() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    create(&owner, "Sara@Example.com", &["clerk"]).await;
    logs_in(&app.anonymous(), "sara@example.com", "a long password").await;
    let again = owner
        .refused(CREATE, json!({"input": new_user("sara@example.COM", &[])}))
        .await;
    assert_eq!(again, [("ALREADY_TAKEN".to_owned(), "email".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_a_user_is_told() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let input = json!({"email": "sara", "displayName": "", "password": "short", "roles": []});
    let told = owner.refused(CREATE, json!({"input": input})).await;
    let expected = [
        ("INVALID_FORMAT", "email"),
        ("REQUIRED", "displayName"),
        ("TOO_SHORT", "password"),
    ];
    assert_eq!(
        told,
        expected.map(|(code, path)| (code.to_owned(), path.to_owned()))
    );
    let unknown = owner
        .refused(
            CREATE,
            json!({"input": new_user("sara@example.com", &["clerk", "king"])}),
        )
        .await;
    assert_eq!(unknown, [("NOT_FOUND".to_owned(), "roles.1".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_requests_with_one_key_make_one_user() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let mut input = new_user("sara@example.com", &["clerk"]);
    input["idempotencyKey"] = json!("once");
    let answers = join_all((0..10).map(|_| owner.ok(CREATE, json!({"input": input})))).await;
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    for other in [
        ("password", json!("another password")),
        ("displayName", json!("Zahra")),
    ] {
        let mut input = input.clone();
        input[other.0] = other.1;
        let refused = owner.refused(CREATE, json!({"input": input})).await;
        assert_eq!(
            refused,
            [(
                "IDEMPOTENCY_KEY_REUSED".to_owned(),
                "idempotencyKey".to_owned()
            )]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_or_takes_what_they_do_not_have() {
    let app = TestApp::start().await;
    let (owner, caretaker) = (app.owner().await, caretaker(&app).await);
    let clerk = create(&caretaker, "sara@example.com", &["clerk"]).await;
    let too_much = [
        caretaker
            .gql(
                CREATE,
                json!({"input": new_user("b@example.com", &["owner"])}),
            )
            .await,
        caretaker
            .gql(UPDATE, update(&clerk, json!({"roles": ["manager"]})))
            .await,
        caretaker
            .gql(
                UPDATE,
                update(
                    &id_of(&caretaker).await,
                    json!({"roles": ["caretaker", "owner"]}),
                ),
            )
            .await,
        caretaker
            .gql(
                UPDATE,
                update(&id_of(&owner).await, json!({"disabled": true})),
            )
            .await,
    ];
    for answer in too_much {
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
        assert_eq!(answer.errors[0]["extensions"]["permission"], "audit.read");
    }
    assert_eq!(
        owner.ok("{ users { nodes { email } } }", json!({})).await["users"]["nodes"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_sees_and_changes_only_themselves() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    app.user("clerk").await;
    let clerk = app
        .anonymous()
        .logged_in("clerk@example.com", PASSWORD)
        .await;
    let (own, other) = (id_of(&clerk).await, id_of(&owner).await);
    let find = "query($id: ID!) { user(id: $id) { email roles { code } } }";
    assert_eq!(
        clerk.ok(find, json!({"id": own})).await["user"]["roles"],
        json!([{"code": "clerk"}])
    );
    assert_eq!(
        clerk
            .ok(UPDATE, update(&own, json!({"displayName": "Reza"})))
            .await["userUpdate"]["user"]["displayName"],
        "Reza"
    );
    for (document, variables, permission) in [
        (find, json!({"id": other}), "user.read"),
        ("{ users { nodes { email } } }", json!({}), "user.read"),
        (
            UPDATE,
            update(&own, json!({"roles": ["owner"]})),
            "user.manage",
        ),
        (
            UPDATE,
            update(&other, json!({"displayName": "Reza"})),
            "user.manage",
        ),
        (
            CREATE,
            json!({"input": new_user("b@example.com", &[])}),
            "user.manage",
        ),
    ] {
        let answer = clerk.gql(document, variables).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{document}");
        assert_eq!(answer.errors[0]["extensions"]["permission"], permission);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let id = create(&owner, "sara@example.com", &["clerk"]).await;
    owner
        .ok(
            UPDATE,
            update(&id, json!({"displayName": "Zahra", "expectedVersion": 1})),
        )
        .await;
    let refused = owner
        .refused(
            UPDATE,
            update(&id, json!({"displayName": "Mina", "expectedVersion": 1})),
        )
        .await;
    assert_eq!(
        refused,
        [("STALE_VERSION".to_owned(), "expectedVersion".to_owned())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_always_an_owner() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let own = id_of(&owner).await;
    for (change, path) in [
        (json!({"disabled": true}), "disabled"),
        (json!({"roles": ["manager"]}), "roles"),
    ] {
        assert_eq!(
            owner.refused(UPDATE, update(&own, change)).await,
            [("LAST_OWNER".to_owned(), path.to_owned())]
        );
    }
}

/// Two owners take each other's keys at the same time, each in another way, again and again: one always stays.
#[tokio::test(flavor = "multi_thread")]
async fn two_owners_cannot_remove_each_other() {
    let app = TestApp::start().await;
    let first = app.user("owner").await;
    create(&app.owner().await, "second@example.com", &["owner"]).await;
    let second = app
        .anonymous()
        .logged_in("second@example.com", "a long password")
        .await;
    let second = UserId(domain_id(&app, &id_of(&second).await).await);
    for round in 0..20 {
        let disable = UserChange {
            disabled: Some(true),
            ..UserChange::default()
        };
        let demote = UserChange {
            roles: Some(vec!["clerk".into()]),
            ..UserChange::default()
        };
        let (one, other) = tokio::join!(
            change(&app, first.id, disable),
            change(&app, second, demote)
        );
        assert!(one != other, "round {round}: {one} and {other}");
        let restore = UserChange {
            disabled: Some(false),
            roles: Some(vec!["owner".into()]),
            ..UserChange::default()
        };
        assert!(
            change(&app, first.id, restore.clone()).await && change(&app, second, restore).await
        );
    }
}

/// Whether the change was made.
async fn change(app: &TestApp, id: UserId, change: UserChange) -> bool {
    let domain = app.domain().clone();
    let changed = tokio::spawn(async move {
        domain
            .users()
            .update(&Viewer::system("test"), id, change, None, None)
            .await
    });
    match changed.await.unwrap() {
        Ok(_) => true,
        Err(domain::Error::Refused(refusals)) if refusals[0].code == domain::Code::LastOwner => {
            false
        }
        Err(other) => panic!("{other}"),
    }
}

/// The id behind a client's id.
async fn domain_id(app: &TestApp, id: &str) -> uuid::Uuid {
    let (_, id) = api::graphql::id::decode(&id.into()).unwrap();
    let access = app.domain().users().by_login(UserId(id)).await.unwrap();
    access.unwrap().user.id.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_out() {
    let app = TestApp::start().await;
    let (owner, program) = (app.owner().await, app.clerk().await);
    let clerk = app
        .anonymous()
        .logged_in("clerk@example.com", PASSWORD)
        .await;
    let id = id_of(&clerk).await;
    let kept = sessions(&app).await;
    owner
        .ok(UPDATE, update(&id, json!({"disabled": true})))
        .await;
    assert_eq!(clerk.gql(ME, json!({})).await.status, 401, "at once");
    until(PATIENCE, "the token opens nothing", async || {
        program.gql("{ __typename }", json!({})).await.status == 401
    })
    .await;
    owner
        .ok(UPDATE, update(&id, json!({"disabled": false})))
        .await;
    // As if Redis had missed that they were ended.
    keep(&app, &kept).await;
    assert_eq!(
        clerk.gql(ME, json!({})).await.status,
        401,
        "old sessions do not come back"
    );
    logs_in(&app.anonymous(), "clerk@example.com", PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_come_in_pages() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    for name in ["a", "b", "c"] {
        create(&owner, &format!("{name}@example.com"), &["clerk"]).await;
    }
    let document = "query($after: String) {
        users(first: 3, after: $after) { nodes { email roles { code } } pageInfo { hasNextPage hasPreviousPage endCursor } }
    }";
    let first = owner.ok(document, json!({})).await["users"].clone();
    let emails = |page: &Value| {
        page["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["email"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        emails(&first),
        ["a@example.com", "b@example.com", "c@example.com"]
    );
    assert_eq!(first["nodes"][0]["roles"], json!([{"code": "clerk"}]));
    let second = owner
        .ok(document, json!({"after": first["pageInfo"]["endCursor"]}))
        .await["users"]
        .clone();
    assert_eq!(emails(&second), ["owner@example.com"]);
    assert_eq!(
        (
            &second["pageInfo"]["hasNextPage"],
            &second["pageInfo"]["hasPreviousPage"]
        ),
        (&json!(false), &json!(true))
    );
}
