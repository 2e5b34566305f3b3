//! What is refused, and the one line that says so.

use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use tempfile::TempDir;

use super::{env, load, refusal, refusal_of, write};
use crate::config::{Env, variables::of_variables};

#[test]
fn secrets_that_cannot_be_read_are_named() {
    let missing = refusal(&[("GOLDSHOP_BLOB__SECRET_KEY_FILE", "/does/not/exist")]);
    assert!(
        missing.starts_with(
            "configuration: blob.secret_key (from GOLDSHOP_BLOB__SECRET_KEY_FILE): the file /does/not/exist: No such file"
        ),
        "{missing}"
    );
    let folder = TempDir::new().unwrap();
    let large = write(&folder, "large", &"x".repeat(70_000));
    let too_large = refusal(&[("GOLDSHOP_BLOB__SECRET_KEY_FILE", large.to_str().unwrap())]);
    assert!(
        too_large.ends_with("is larger than 65536 bytes"),
        "{too_large}"
    );
}

#[test]
fn a_variable_that_is_no_text_is_named() {
    let broken = OsString::from_vec(vec![0xff]);
    let given = |name: &str| of_variables([(name.into(), broken.clone())].into_iter());
    let text = given("LOG_LEVEL").unwrap_err().to_string();
    assert_eq!(
        text,
        "configuration: the value of the variable LOG_LEVEL is not valid UTF-8"
    );
    assert!(given("GOLDSHOP_HTTP__ADDRESS").is_err());
    assert_eq!(given("SOMEBODY_ELSES").unwrap(), Env::new());
}

#[test]
fn a_value_and_its_file_are_not_given_together() {
    assert_eq!(
        refusal(&[("REDIS_URL_FILE", "/run/secrets/redis")]),
        "configuration: REDIS_URL and REDIS_URL_FILE are both given; keep one of them"
    );
}

#[test]
fn unknown_variables_are_named_with_a_suggestion() {
    assert_eq!(
        refusal(&[("GOLDSHOP_HTTP__ADRESS", "x")]),
        "configuration: http.adress (from GOLDSHOP_HTTP__ADRESS) is not a known key; did you mean http.address?"
    );
    assert_eq!(
        refusal(&[("GOLDSHOP_DATABASE_URL", "x")]),
        "configuration: database_url (from GOLDSHOP_DATABASE_URL) is not a known key; did you mean database.url?"
    );
    assert_eq!(
        refusal(&[("GOLDSHOP_ZZZ", "x")]),
        "configuration: zzz (from GOLDSHOP_ZZZ) is not a known key"
    );
}

#[test]
fn bad_values_are_named_with_their_source() {
    let cases = [
        (
            ("GOLDSHOP_HTTP__ADDRESS", "nowhere"),
            "http.address",
            "must be a numeric address and a port such as 127.0.0.1:8000, not `nowhere`",
        ),
        (
            ("GOLDSHOP_GRAPHQL__MAX_DEPTH", "deep"),
            "graphql.max_depth",
            "must be a whole number, not `deep`",
        ),
        (
            ("GOLDSHOP_GRAPHQL__MAX_DEPTH", "0"),
            "graphql.max_depth",
            "must be from 1 to 100, not 0",
        ),
        (
            ("GOLDSHOP_HTTP__PLAYGROUND", "yes"),
            "http.playground",
            "must be true or false, not `yes`",
        ),
        (
            ("GOLDSHOP_HTTP__PUBLIC_URL", "ftp://x"),
            "http.public_url",
            "must be an http or https URL, not ftp",
        ),
        (
            ("GOLDSHOP_REDIS__KEY_PREFIX", "a b"),
            "redis.key_prefix",
            "must be 1 to 64 letters, digits, dots, hyphens or underscores",
        ),
        (
            ("GOLDSHOP_BLOB__KIND", "tape"),
            "blob.kind",
            "unknown variant `tape`, expected `local` or `s3`",
        ),
        (
            ("CORS_ORIGINS", "https://a.example/shop"),
            "http.cors_origins",
            "`https://a.example/shop` is not an origin; did you mean https://a.example?",
        ),
        (
            ("ENVIRONMENT", "staging"),
            "environment",
            "unknown variant `staging`, expected one of `development`, `test`, `production`",
        ),
        (
            ("LOG_LEVEL", "loud"),
            "telemetry.level",
            "`loud` is not a log level (error, warn, info, debug, trace) or a directive such as sqlx=debug",
        ),
        (
            ("REDIS_URL", "http://:hidden@cache"),
            "redis.url",
            "must be a URL that starts with redis:// or redis+unix:// or unix://",
        ),
        (
            ("DATABASE_URL", "hidden"),
            "database.url",
            "must be a URL that starts with postgres:// or postgresql://",
        ),
        (
            ("DATABASE_READ_URLS", "postgres://replica/shop,hidden"),
            "database.read_urls",
            "must be a URL that starts with postgres:// or postgresql://",
        ),
    ];
    for (variable, key, reason) in cases {
        let expected = format!("configuration: {key} (from {}): {reason}", variable.0);
        assert_eq!(refusal(&[variable]), expected);
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = TempDir::new().unwrap();
    let cases = [
        (
            "[http]\nadress = 1",
            "http.adress (from {}) is not a known key; did you mean http.address?",
        ),
        ("[htpp]", "htpp (from {}) is not a known key"),
        (
            "[http]\naddress = 1",
            "http.address (from {}): must be a text",
        ),
        (
            "[graphql.max_depth]\nx = 1",
            "graphql.max_depth (from {}): must be a whole number",
        ),
        (
            "[http]\ncors_origins = [1]",
            "http.cors_origins (from {}): invalid type: integer `1`, expected a string",
        ),
        (
            "[redis]\nurl = 'http://hidden'",
            "redis.url (from {}): must be a URL that starts with redis:// or redis+unix:// or unix://",
        ),
        ("[redis]\nurl = \"hidden", "the file {}: line 2: "),
    ];
    for (text, expected) in cases {
        let path = write(&folder, "shop.toml", text);
        let mut variables = env(&[]);
        variables.remove("REDIS_URL");
        let expected = format!(
            "configuration: {}",
            expected.replace("{}", path.to_str().unwrap())
        );
        let complaint = refusal_of(&variables, Some(&path));
        assert!(complaint.starts_with(&expected), "{complaint}\n{expected}");
    }
    let missing = refusal_of(&env(&[]), Some(&folder.path().join("none.toml")));
    assert!(missing.contains("none.toml: No such file"), "{missing}");
}

#[test]
fn production_refuses_what_is_only_safe_at_home() {
    let production = ("ENVIRONMENT", "production");
    let public = ("GOLDSHOP_HTTP__PUBLIC_URL", "https://shop.example");
    let anybody = refusal(&[production, public, ("CORS_ORIGINS", "*")]);
    assert!(
        anybody.contains("http.cors_origins (from CORS_ORIGINS): must name the origins"),
        "{anybody}"
    );
    let plain = refusal(&[
        production,
        ("GOLDSHOP_HTTP__PUBLIC_URL", "http://shop.example"),
    ]);
    assert!(plain.contains("http.public_url"), "{plain}");
    load(&[
        production,
        ("GOLDSHOP_HTTP__PUBLIC_URL", "http://localhost:8080"),
    ]);
    assert!(load(&[production, public]).environment.secure_cookies());
    assert!(!load(&[("CORS_ORIGINS", "*")]).environment.secure_cookies());
}

#[test]
fn an_s3_store_is_complete_or_refused() {
    let mut variables = vec![("GOLDSHOP_BLOB__KIND", "s3")];
    let parts = [
        (
            "GOLDSHOP_BLOB__ENDPOINT",
            "http://store:9000",
            "blob.endpoint",
        ),
        ("GOLDSHOP_BLOB__BUCKET", "shop", "blob.bucket"),
        ("GOLDSHOP_BLOB__ACCESS_KEY_ID", "shop", "blob.access_key_id"),
        ("GOLDSHOP_BLOB__SECRET_KEY", "hidden", "blob.secret_key"),
    ];
    for (variable, value, key) in parts {
        let missing = refusal(&variables);
        assert!(
            missing.contains(key) && missing.contains("must be given"),
            "{missing}"
        );
        variables.push((variable, value));
    }
    let plain = refusal(&variables);
    assert!(
        plain.contains("blob.endpoint") && plain.contains("is plain HTTP"),
        "{plain}"
    );
    variables.push(("GOLDSHOP_BLOB__ALLOW_HTTP", "true"));
    load(&variables).blob.open().unwrap();
}

#[test]
fn an_idle_time_beyond_the_greatest_age_is_refused() {
    let text = refusal(&[
        ("GOLDSHOP_AUTH__SESSION_MAX_DAYS", "1"),
        ("GOLDSHOP_AUTH__SESSION_IDLE_HOURS", "25"),
    ]);
    assert!(
        text.contains("auth.session_idle_hours (from GOLDSHOP_AUTH__SESSION_IDLE_HOURS)"),
        "{text}"
    );
}

#[test]
fn behind_a_pooler_listening_needs_an_address_of_its_own() {
    let pooled = ("GOLDSHOP_DATABASE__TRANSACTION_POOLING", "true");
    let missing = refusal(&[pooled]);
    assert!(
        missing.contains("database.direct_url") && missing.contains("must be given where"),
        "{missing}"
    );
    let direct = ("DATABASE_DIRECT_URL", "postgres://me@db/shop");
    assert!(load(&[pooled, direct]).database.transaction_pooling);
    assert!(load(&[direct]).database.read_urls.is_empty());
}
