//! Addresses of servers as the programs that are called want them: passwords in the environment of the child alone, never among its arguments, which
//! everybody on the machine can read.

use percent_encoding::percent_decode_str;
use url::Url;

use super::BackupError;

/// Variables for a child.
pub(super) type Variables = Vec<(&'static str, String)>;

/// What libpq reads besides, which must not come from our own environment.
pub(super) const OF_LIBPQ: &[&str] = &[
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGDATABASE",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGOPTIONS",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGTARGETSESSIONATTRS",
];

fn parse(url: &str) -> Result<Url, BackupError> {
    // What is wrong is not told: the text may hold a password.
    Url::parse(url).map_err(|_error| BackupError::about("address", "is no URL"))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The database at this address, for `pg_dump` and its like.
///
/// # Errors
/// When it is no URL.
pub(super) fn postgres(url: &str) -> Result<Variables, BackupError> {
    let url = parse(url)?;
    let mut variables = vec![
        ("PGAPPNAME", "goldshop-backup".to_owned()),
        ("PGCONNECT_TIMEOUT", "15".to_owned()),
    ];
    let mut set = |name, value: Option<String>| {
        variables.retain(|(known, _)| *known != name);
        variables.extend(
            value
                .filter(|value| !value.is_empty())
                .map(|value| (name, value)),
        );
    };
    set(
        "PGHOST",
        url.host_str()
            .map(|host| decoded(host.trim_matches(['[', ']']))),
    );
    set("PGPORT", url.port().map(|port| port.to_string()));
    set("PGUSER", Some(decoded(url.username())));
    set("PGPASSWORD", url.password().map(decoded));
    set(
        "PGDATABASE",
        Some(decoded(url.path().trim_start_matches('/'))),
    );
    for (name, value) in url.query_pairs() {
        let value = Some(value.into_owned());
        match &*name {
            "host" => set("PGHOST", value),
            "port" => set("PGPORT", value),
            "user" => set("PGUSER", value),
            "password" => set("PGPASSWORD", value),
            "dbname" => set("PGDATABASE", value),
            "options" => set("PGOPTIONS", value),
            "sslmode" => set("PGSSLMODE", value),
            "sslrootcert" => set("PGSSLROOTCERT", value),
            "sslcert" => set("PGSSLCERT", value),
            "sslkey" => set("PGSSLKEY", value),
            _ => {}
        }
    }
    Ok(variables)
}

/// The database that this address names.
///
/// # Errors
/// When it is no URL, or names none.
pub fn database_of(url: &str) -> Result<String, BackupError> {
    let url = parse(url)?;
    match decoded(url.path().trim_start_matches('/')) {
        name if name.is_empty() => Err(BackupError::about("address", "names no database")),
        name => Ok(name),
    }
}

/// The same server and role, another database.
///
/// # Errors
/// When it is no URL.
pub fn with_database(url: &str, database: &str) -> Result<String, BackupError> {
    let mut url = parse(url)?;
    url.set_path(database);
    Ok(url.into())
}

/// The server at this address, for `redis-cli`: arguments and variables.
///
/// # Errors
/// When it is no URL.
pub(super) fn redis(url: &str) -> Result<(Vec<String>, Variables), BackupError> {
    let url = parse(url)?;
    let mut arguments = match url.scheme() {
        "redis" => vec![
            "-h".to_owned(),
            url.host_str()
                .unwrap_or("127.0.0.1")
                .trim_matches(['[', ']'])
                .to_owned(),
            "-p".to_owned(),
            url.port().unwrap_or(6379).to_string(),
        ],
        _ => vec!["-s".to_owned(), decoded(url.path())],
    };
    let mut pairs = url.query_pairs();
    let mut password = url.password().map(decoded);
    if let Some((_, value)) = pairs.find(|(name, _)| name == "pass") {
        password = Some(value.into_owned());
    }
    if !url.username().is_empty() {
        arguments.extend(["--user".to_owned(), decoded(url.username())]);
    }
    let password = password.filter(|password| !password.is_empty());
    Ok((
        arguments,
        password
            .map(|password| ("REDISCLI_AUTH", password))
            .into_iter()
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::{database_of, postgres, redis, with_database};

    #[test]
    fn passwords_are_variables_and_no_arguments() {
        let found = postgres("postgres://own%20er:se%40cret@db:5433/shop?sslmode=require").unwrap();
        for expected in [
            ("PGHOST", "db"),
            ("PGPORT", "5433"),
            ("PGUSER", "own er"),
            ("PGPASSWORD", "se@cret"),
            ("PGDATABASE", "shop"),
            ("PGSSLMODE", "require"),
        ] {
            assert!(
                found.contains(&(expected.0, expected.1.to_owned())),
                "{found:?}"
            );
        }
        let (arguments, variables) = redis("redis://till:se%40cret@cache:6380/2").unwrap();
        assert_eq!(arguments, ["-h", "cache", "-p", "6380", "--user", "till"]);
        assert_eq!(variables, [("REDISCLI_AUTH", "se@cret".to_owned())]);
        let (arguments, variables) = redis("unix:///run/redis.sock?pass=secret").unwrap();
        assert_eq!(arguments, ["-s", "/run/redis.sock"]);
        assert_eq!(variables, [("REDISCLI_AUTH", "secret".to_owned())]);
    }

    #[test]
    fn a_socket_may_be_named() {
        let found = postgres("postgres://me@%2Frun%2Fpostgresql/shop").unwrap();
        assert!(
            found.contains(&("PGHOST", "/run/postgresql".to_owned())),
            "{found:?}"
        );
        let found = postgres("postgres:///shop?host=/run/postgresql").unwrap();
        assert!(
            found.contains(&("PGHOST", "/run/postgresql".to_owned())),
            "{found:?}"
        );
    }

    #[test]
    fn another_database_is_of_the_same_server() {
        let url =
            with_database("postgres://me:secret@db:5433/shop?sslmode=require", "other").unwrap();
        assert_eq!(url, "postgres://me:secret@db:5433/other?sslmode=require");
        assert_eq!(database_of(&url).unwrap(), "other");
        assert!(database_of("postgres://me@db").is_err());
        let refused = postgres("no secret").unwrap_err().to_string();
        assert!(!refused.contains("secret"), "{refused}");
    }
}
