//! A program that cannot be started as it is configured: it says so in one line, which names the key and repeats no secret.

use std::collections::BTreeMap;

use tempfile::TempDir;
use tests::process::ends_by_itself;

/// Whatever secret a program is given here contains this.
const SECRET: &str = "hunter2";
const DATABASE_URL: &str = "postgres://goldshop:hunter2-database@127.0.0.1:1/goldshop";
const REDIS_URL: &str = "redis://:hunter2-redis@127.0.0.1:1/0";

/// One way to configure a program wrongly.
struct Case {
    /// Variables beside the usual ones; an empty value takes one of those away.
    variables: Vec<(&'static str, String)>,
    /// What the complaint must tell.
    named: Vec<String>,
}

impl Case {
    fn new(variable: &'static str, value: impl Into<String>, named: &[&str]) -> Self {
        Self {
            variables: vec![(variable, value.into())],
            named: named.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    /// The same without this variable.
    fn without(mut self, variable: &'static str) -> Self {
        self.variables.push((variable, String::new()));
        self
    }

    /// Every variable of the program. But for the one mistake it could start, without meeting anybody.
    fn environment(&self, folder: &TempDir) -> BTreeMap<String, String> {
        let blobs = folder.path().join("blobs").display().to_string();
        let usual = [
            ("ENVIRONMENT", "test".to_owned()),
            ("DATABASE_URL", DATABASE_URL.to_owned()),
            ("REDIS_URL", REDIS_URL.to_owned()),
            ("GOLDSHOP_HTTP__ADDRESS", "127.0.0.1:0".to_owned()),
            ("GOLDSHOP_BLOB__ROOT", blobs),
        ];
        let all: BTreeMap<_, _> = usual.into_iter().chain(self.variables.clone()).collect();
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Both programs end in failure, after the one line.
    async fn is_complained_about(&self, folder: &TempDir) {
        for program in ["api", "worker"] {
            let output = ends_by_itself(program, &self.environment(folder)).await;
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8(said).unwrap();
            assert!(!output.status.success(), "{program}: {said}");
            assert_eq!(said.lines().count(), 1, "{program}: {said}");
            assert!(said.starts_with(&format!("{program}: ")), "{said}");
            for name in &self.named {
                assert!(
                    said.contains(name),
                    "{program} does not name {name}: {said}"
                );
            }
            assert!(!said.contains(SECRET), "{said}");
        }
    }
}

/// A file of this content; its path.
fn file(folder: &TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let misspelt = file(
        &folder,
        "misspelt.toml",
        "[http]\nadress = \"127.0.0.1:0\"\n",
    );
    let section = file(
        &folder,
        "section.toml",
        "[htpp]\naddress = \"127.0.0.1:0\"\n",
    );
    let misplaced = file(
        &folder,
        "misplaced.toml",
        "[database]\nurl = \"postgres://a:hunter2@b/c\"\npassword = \"hunter2\"\n",
    );
    for case in [
        Case::new("GOLDSHOP_NONSENSE", "1", &["GOLDSHOP_NONSENSE", "nonsense"]),
        Case::new("GOLDSHOP_NONSENSE", SECRET, &["GOLDSHOP_NONSENSE"]),
        Case::new(
            "GOLDSHOP_HTTP__NONSENSE_FILE",
            "/x",
            &["GOLDSHOP_HTTP__NONSENSE_FILE"],
        ),
        Case::new("GOLDSHOP_CONFIG", &misspelt, &["http.adress", &misspelt]),
        Case::new("GOLDSHOP_CONFIG", &section, &["htpp.address", &section]),
        Case::new(
            "GOLDSHOP_CONFIG",
            &misplaced,
            &["database.password", &misplaced],
        ),
    ] {
        case.is_complained_about(&folder).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_value_is_told_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let type_of = file(&folder, "type.toml", "[worker]\nlease_seconds = \"long\"\n");
    for case in [
        Case::new(
            "GOLDSHOP_WORKER__LEASE_SECONDS",
            "1000",
            &["worker.lease_seconds", "GOLDSHOP_WORKER__LEASE_SECONDS"],
        ),
        Case::new("GOLDSHOP_HTTP__PLAYGROUND", "perhaps", &["http.playground"]),
        Case::new(
            "GOLDSHOP_CONFIG",
            &type_of,
            &["worker.lease_seconds", &type_of],
        ),
        Case::new("LOG_LEVEL", "loud", &["telemetry.level", "LOG_LEVEL"]),
        Case::new("ENVIRONMENT", "moon", &["environment", "ENVIRONMENT"]),
        Case::new(
            "CORS_ORIGINS",
            "shop",
            &["http.cors_origins", "CORS_ORIGINS"],
        ),
        Case::new(
            "DATABASE_URL",
            "mysql://goldshop:hunter2@127.0.0.1/goldshop",
            &["database.url", "DATABASE_URL"],
        ),
        Case::new(
            "REDIS_URL",
            "hunter2@127.0.0.1",
            &["redis.url", "REDIS_URL"],
        ),
        Case::new("DATABASE_URL", "", &["database.url"]),
    ] {
        case.is_complained_about(&folder).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_read_is_told_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").display().to_string();
    let a_folder = folder.path().display().to_string();
    let wrong = file(&folder, "wrong", "http://goldshop:hunter2@127.0.0.1/\n");
    for case in [
        Case::new(
            "DATABASE_URL_FILE",
            &missing,
            &["database.url", "DATABASE_URL_FILE", &missing],
        )
        .without("DATABASE_URL"),
        Case::new(
            "REDIS_URL_FILE",
            &a_folder,
            &["redis.url", "REDIS_URL_FILE", &a_folder],
        )
        .without("REDIS_URL"),
        Case::new(
            "GOLDSHOP_BLOB__SECRET_KEY_FILE",
            &missing,
            &[
                "blob.secret_key",
                "GOLDSHOP_BLOB__SECRET_KEY_FILE",
                &missing,
            ],
        ),
        Case::new(
            "DATABASE_URL_FILE",
            &wrong,
            &["database.url", "DATABASE_URL_FILE"],
        )
        .without("DATABASE_URL"),
        Case::new(
            "DATABASE_URL_FILE",
            &wrong,
            &["DATABASE_URL", "DATABASE_URL_FILE"],
        ),
    ] {
        case.is_complained_about(&folder).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_file_that_is_none_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml").display().to_string();
    let broken = file(
        &folder,
        "broken.toml",
        "[database]\nurl = \"postgres://a:hunter2@b\n",
    );
    for (path, told) in [(&missing, "missing.toml"), (&broken, "line")] {
        let case = Case::new("GOLDSHOP_CONFIG", path, &[path, told]);
        case.is_complained_about(&folder).await;
    }
}
