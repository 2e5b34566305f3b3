//! Where values come from, and which of two holds.

use tempfile::TempDir;

use super::{env, load, refusal_of, write};
use crate::config::{BlobKind, Config, Env, Environment, ExposeSecret, LogFormat, file};

#[test]
fn defaults_suffice_but_for_the_two_servers() {
    let config = load(&[]);
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(config.http.address.port(), 8000);
    assert_eq!(config.auth.session_max.as_secs(), 30 * 86_400);
    assert_eq!(config.auth.session_idle.as_secs(), 12 * 3_600);
    assert_eq!(config.blob.kind, BlobKind::Local);
    assert_eq!(config.blob.endpoint, None);
    assert_eq!(config.telemetry.format, LogFormat::Auto);
    assert_eq!(
        config.database.url.expose_secret(),
        "postgres://me:hidden@db/shop"
    );
    assert_eq!(
        refusal_of(&Env::new(), None),
        "configuration: database.url (from the defaults): must be given, for example in DATABASE_URL"
    );
}

#[test]
fn later_layers_win() {
    let folder = TempDir::new().unwrap();
    let file = write(
        &folder,
        "shop.toml",
        "environment = 'test'\n[http]\nbody_limit_bytes = 2048\ncors_origins = ['https://a.example']\n[graphql]\nmax_depth = 9",
    );
    let variables = env(&[
        ("GOLDSHOP_GRAPHQL__MAX_DEPTH", "10"),
        ("GOLDSHOP_ENVIRONMENT", "development"),
        ("ENVIRONMENT", "production"),
        ("GOLDSHOP_HTTP__PUBLIC_URL", "https://shop.example"),
    ]);
    let config = Config::load_from(&variables, Some(&file)).unwrap();
    assert_eq!(config.environment, Environment::Production);
    assert_eq!(config.http.body_limit_bytes, 2048);
    assert_eq!(config.http.cors_origins, ["https://a.example"]);
    assert_eq!(config.graphql.max_depth, 10);
    assert_eq!(config.graphql.max_aliases, 50);
}

#[test]
fn plain_names_are_understood() {
    let config = load(&[
        ("LOG_LEVEL", "WARNING"),
        ("CORS_ORIGINS", "https://a.example, http://localhost:3000"),
        ("ENVIRONMENT", "test"),
    ]);
    assert_eq!(config.telemetry.level.to_string(), "warn");
    assert_eq!(
        config.http.cors_origins,
        ["https://a.example", "http://localhost:3000"]
    );
    assert_eq!(config.environment, Environment::Test);
}

#[test]
fn an_empty_plain_name_counts_as_not_given() {
    let config = load(&[
        ("GOLDSHOP_TELEMETRY__LEVEL", "error"),
        ("LOG_LEVEL", ""),
        ("CORS_ORIGINS", ""),
    ]);
    assert_eq!(config.telemetry.level.to_string(), "error");
}

#[test]
fn secrets_come_from_files() {
    let folder = TempDir::new().unwrap();
    let url = write(&folder, "url", "postgres://me:other@db/shop\n");
    let key = write(&folder, "key", "two words\r\n");
    let mut variables = env(&[
        ("DATABASE_URL_FILE", url.to_str().unwrap()),
        ("GOLDSHOP_BLOB__SECRET_KEY_FILE", key.to_str().unwrap()),
    ]);
    variables.remove("DATABASE_URL");
    let config = Config::load_from(&variables, None).unwrap();
    assert_eq!(
        config.database.url.expose_secret(),
        "postgres://me:other@db/shop"
    );
    assert_eq!(config.blob.secret_key.expose_secret(), "two words");
}

#[test]
fn the_file_is_the_named_one_or_the_one_at_hand() {
    let folder = TempDir::new().unwrap();
    assert_eq!(file::choose(&env(&[]), folder.path()).unwrap(), None);
    let at_hand = write(&folder, "goldshop.toml", "");
    assert_eq!(
        file::choose(&env(&[]), folder.path()).unwrap(),
        Some(at_hand)
    );
    let named = env(&[("GOLDSHOP_CONFIG", "/etc/shop.toml")]);
    assert_eq!(
        file::choose(&named, folder.path()).unwrap(),
        Some("/etc/shop.toml".into())
    );
    Config::load_from(&named, None).expect("the name of the file is no unknown key");
}

#[test]
fn no_secret_is_shown() {
    let secrets = [
        ("GOLDSHOP_BLOB__SECRET_KEY", "hidden"),
        ("GOLDSHOP_BACKUP__COPY_SECRET_KEY", "hidden"),
        ("DATABASE_BACKUP_URL", "postgres://me:hidden@db/shop"),
        ("DATABASE_SCRATCH_URL", "postgres://me:hidden@db/shop"),
        ("DATABASE_DIRECT_URL", "postgres://me:hidden@db/shop"),
        (
            "DATABASE_READ_URLS",
            "postgres://me:hidden@one/shop, postgres://me:hidden@two/shop",
        ),
    ];
    let shown = format!("{:?}", load(&secrets));
    assert!(!shown.contains("hidden"), "{shown}");
    assert_eq!(shown.matches("REDACTED").count(), 9, "{shown}");
}

#[test]
fn a_local_store_is_opened_in_its_folder() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("blobs");
    let config = load(&[("GOLDSHOP_BLOB__ROOT", root.to_str().unwrap())]);
    config.blob.open().unwrap();
    assert!(root.is_dir());
}
