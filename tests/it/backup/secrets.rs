//! No secret of the shop's settings is in a backup's own files, nor in what is logged.

use serde_json::Value;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_the_settings_is_kept_or_logged() {
    let shop = Shop::open().await;
    let secrets = [
        ("GOLDSHOP_BACKUP__COPY_SECRET_KEY", "secret-key-of-copies"),
        ("GOLDSHOP_BLOB__SECRET_KEY", "secret-key-of-blobs"),
        (
            "LOG_LEVEL",
            "trace,worker=trace,platform=trace,domain=trace",
        ),
    ];
    let made = shop.worker_with(&["backup"], &secrets).await;
    assert!(made.status.success(), "{made:?}");
    let folder = shop.app.backups().join(shop.backups().remove(0));
    let mut hidden: Vec<_> = secrets[..2]
        .iter()
        .map(|(_, secret)| (*secret).to_owned())
        .collect();
    for name in [
        "DATABASE_URL",
        "DATABASE_BACKUP_URL",
        "DATABASE_SCRATCH_URL",
        "REDIS_URL",
    ] {
        let url: url::Url = shop.variables()[name].parse().unwrap();
        hidden.push(url.password().unwrap().to_owned());
    }
    let configuration = std::fs::read_to_string(folder.join("configuration.json")).unwrap();
    let told = format!("{configuration}{:?}{}", made, manifest(&folder));
    for secret in &hidden {
        assert!(!told.contains(secret), "{secret}");
    }
    // It is the whole of the settings all the same: each that is no secret, by its name.
    let configuration: Value = serde_json::from_str(&configuration).unwrap();
    let mut left_out = Vec::new();
    let (mut section, manual) = (String::new(), platform::config::default_toml());
    for line in manual.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, _)) = line.split_once(" = ") {
            let found = if section.is_empty() {
                &configuration[key]
            } else {
                &configuration[&section][key]
            };
            let without = ["endpoint", "copy_endpoint", "api_address", "worker_address"];
            if found.is_null() && !without.contains(&key) {
                left_out.push(format!("{section}.{key}"));
            }
        }
    }
    let expected = [
        "database.url",
        "database.read_urls",
        "database.direct_url",
        "redis.url",
        "blob.secret_key",
        "worker.metal_rate_url",
        "backup.database_url",
        "backup.scratch_url",
        "backup.copy_secret_key",
    ];
    assert_eq!(left_out, expected);
    assert_eq!(configuration["worker"]["lease_seconds"], 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_reads_a_backup() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = Shop::open().await;
    let folder = shop.backup().await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in in_folder(&folder) {
        assert_eq!(mode(&folder.join(&file)), 0o600, "{file}");
    }
}
