//! The pool against a real Redis server, and against none.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{Redis, RedisUnavailable};
use crate::config::Config;

/// Settings for the server that `REDIS_URL` names, with a key prefix of their own.
pub(crate) fn settings() -> Config {
    let url =
        std::env::var("REDIS_URL").expect("REDIS_URL must name the Redis server to test with");
    settings_for(&url)
}

/// A pool for the server that `REDIS_URL` names; nobody else uses its prefix.
pub(crate) fn connect() -> Redis {
    Redis::connect(&settings().redis).unwrap()
}

/// All keys under the pool's prefix, with the milliseconds that they still have to live.
pub(crate) async fn keys_with_time_to_live(redis: &Redis) -> Vec<(String, i64)> {
    let pattern = redis.key("*", "*");
    let keys: Vec<String> = redis.query(redis::cmd("KEYS").arg(pattern)).await.unwrap();
    let mut found = Vec::new();
    for key in keys {
        let left = redis.query(redis::cmd("PTTL").arg(&key)).await.unwrap();
        found.push((key, left));
    }
    found
}

fn settings_for(url: &str) -> Config {
    let prefix = format!("test-{}", Uuid::from_u128(rand::random()));
    let variables = [
        ("REDIS_URL", url),
        ("GOLDSHOP_REDIS__KEY_PREFIX", prefix.as_str()),
        ("GOLDSHOP_REDIS__ACQUIRE_TIMEOUT_SECONDS", "1"),
        ("DATABASE_URL", "postgres://unused@127.0.0.1/unused"),
    ];
    let env: BTreeMap<_, _> = variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    Config::load_from(&env, None).unwrap()
}

#[tokio::test]
async fn a_command_is_carried_out_under_the_prefix() {
    let redis = connect();
    redis.ping().await.unwrap();
    let key = redis.key("greeting", 7);
    assert!(
        key.starts_with("test-") && key.ends_with(":greeting:7"),
        "{key}"
    );
    redis
        .query::<()>(&redis::Cmd::pset_ex(&key, "hello", 60_000))
        .await
        .unwrap();
    let value: String = redis.query(&redis::Cmd::get(&key)).await.unwrap();
    assert_eq!(value, "hello");
}

#[tokio::test]
async fn an_error_of_the_server_is_an_error() {
    let answer = connect().query::<()>(&redis::cmd("NOSUCHCOMMAND")).await;
    assert!(
        matches!(answer, Err(RedisUnavailable::Failed(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn more_tasks_than_connections_share_the_pool() {
    let redis = connect();
    let tasks = (0..200).map(|_| redis.ping());
    for answer in futures::future::join_all(tasks).await {
        answer.unwrap();
    }
    assert!(redis.pool.state().connections <= 8);
}

#[tokio::test]
async fn connections_that_broke_cost_nobody_an_error() {
    let redis = connect();
    let mut ids: Vec<i64> = Vec::new();
    {
        let mut lent = Vec::new();
        for _ in 0..3 {
            let mut connection = redis.connection().await.unwrap();
            ids.push(
                redis::cmd("CLIENT")
                    .arg("ID")
                    .query_async(&mut *connection)
                    .await
                    .unwrap(),
            );
            lent.push(connection);
        }
    }
    let other = connect();
    for id in ids {
        let killed: i64 = other
            .query(redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id))
            .await
            .unwrap();
        assert_eq!(killed, 1);
    }
    for _ in 0..10 {
        redis.ping().await.unwrap();
    }
}

#[tokio::test]
async fn the_password_is_not_shown() {
    let redis = Redis::connect(&settings_for("redis://me:hidden@127.0.0.1:1").redis).unwrap();
    let shown = format!("{redis:?}");
    assert!(!shown.contains("hidden"), "{shown}");
    let error = redis.ping().await.unwrap_err();
    assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_down_is_noticed_in_bounded_time() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let redis = Redis::connect(&settings_for(&format!("redis://{free}")).redis).unwrap();
    let begun = Instant::now();
    assert!(matches!(
        redis.ping().await,
        Err(RedisUnavailable::NoConnection)
    ));
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_noticed_in_bounded_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let redis = Redis::connect(&settings_for(&url).redis).unwrap();
    let begun = Instant::now();
    assert!(redis.ping().await.is_err());
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}
