//! The first user, whom nobody could create through the front door: `worker user create`.

use tests::{
    app::{PASSWORD, TestApp},
    process::{self, Ended},
    wait::PATIENCE,
};

use super::support::*;

const EMAIL: &str = "sara@example.com";

/// Asks for Sara, with something different or more, and this on the standard input.
async fn create(app: &TestApp, more: &[&str], input: &str) -> Ended {
    let arguments = [
        &["user", "create", "--email", EMAIL, "--name", "Sara"],
        more,
    ]
    .concat();
    process::run("worker", &arguments, app.variables(), input, PATIENCE).await
}

async fn users(app: &TestApp) -> i64 {
    app.count("SELECT count(*) FROM app_user").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_user_gets_the_password_from_the_standard_input_and_logs_in() {
    let app = TestApp::start().await;
    let ended = create(&app, &[], &format!("{PASSWORD}\n")).await;
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.output, format!("login: {EMAIL}\n"));
    let me = login(&app.anonymous(), EMAIL, PASSWORD).await.ok();
    assert_eq!(me["login"]["me"]["user"]["roles"][0]["code"], "owner");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_there_keeps_the_password() {
    let app = TestApp::start().await;
    create(&app, &["--role", "clerk", "--locale", "fa"], PASSWORD).await;
    let ended = create(&app, &[], "another long password").await;
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.output.contains("unchanged"), "{ended:?}");
    let me = login(&app.anonymous(), EMAIL, PASSWORD).await.ok();
    assert_eq!(me["login"]["me"]["user"]["roles"][0]["code"], "clerk");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_not_do_is_said_in_one_line() {
    let app = TestApp::start().await;
    let too_long = "x".repeat(129);
    for (more, input, word) in [
        (&[][..], "", "password"),
        (&[], "\n", "password"),
        (&[], "too short", "password"),
        (&[], &too_long, "password"),
        (&["--role", "king"], PASSWORD, "roles"),
        (&["--locale", "tlh"], PASSWORD, "tlh"),
    ] {
        let ended = create(&app, more, input).await;
        // What is refused will not go better another time.
        assert!(matches!(ended.status.code(), Some(1 | 3)), "{ended:?}");
        assert_eq!(ended.output, "");
        let lines: Vec<_> = ended.errors.lines().collect();
        let [line] = lines[..] else {
            panic!("{ended:?}")
        };
        assert!(
            line.starts_with("worker: ") && line.contains(word),
            "{line}"
        );
        assert!(input.trim().is_empty() || !line.contains(input), "{line}");
    }
    assert_eq!(users(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_no_argument() {
    let app = TestApp::start().await;
    for more in [&["--password", PASSWORD][..], &[PASSWORD]] {
        let ended = create(&app, more, PASSWORD).await;
        assert!(!ended.status.success(), "{ended:?}");
    }
    assert_eq!(users(&app).await, 0);
}
