//! Counting in a real Redis server. The clock is a parameter, so nothing waits.

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Attempt, Attempted, Throttle};
use crate::redis::{
    Redis,
    tests::{keys_with_time_to_live, settings},
};

/// 5 attempts within 15 minutes, the defaults, with keys of its own.
fn throttle() -> Throttle {
    let settings = settings();
    Throttle::new(Redis::connect(&settings.redis).unwrap(), &settings.auth)
}

fn noon() -> DateTime<Utc> {
    "2030-01-01T12:00:00Z".parse().unwrap()
}

fn attempted(name: &str, address: &str) -> Attempted {
    Attempted::login(name, address.parse::<IpAddr>().unwrap())
}

fn zoe() -> Attempted {
    attempted("zoe", "192.0.2.1")
}

fn is_allowed(attempt: Attempt) -> bool {
    matches!(attempt, Attempt::Allowed(_))
}

/// Makes attempts until one is refused; tells how many were allowed.
async fn exhaust(throttle: &Throttle, now: DateTime<Utc>) -> usize {
    let mut allowed = 0;
    while is_allowed(throttle.reserve(&zoe(), now).await.unwrap()) {
        allowed += 1;
        assert!(allowed < 100, "there is no limit");
    }
    allowed
}

#[tokio::test]
async fn a_hundred_guesses_at_once_are_five() {
    let throttle = throttle();
    let guesses = (0..100).map(|_| {
        let throttle = throttle.clone();
        tokio::spawn(async move { throttle.reserve(&zoe(), noon()).await.unwrap() })
    });
    let answers = futures::future::join_all(guesses.collect::<Vec<_>>()).await;
    let allowed = answers
        .into_iter()
        .filter(|answer| is_allowed(*answer.as_ref().unwrap()))
        .count();
    assert_eq!(allowed, 5);
}

#[tokio::test]
async fn the_window_moves_on() {
    let throttle = throttle();
    throttle.reserve(&zoe(), noon()).await.unwrap();
    let later = noon() + TimeDelta::minutes(10);
    assert_eq!(exhaust(&throttle, later).await, 4);
    let refused = throttle.reserve(&zoe(), later).await.unwrap();
    assert_eq!(
        refused,
        Attempt::Refused {
            retry_after: Duration::from_secs(300)
        }
    );
    let after_first = noon() + TimeDelta::minutes(15);
    assert_eq!(
        exhaust(&throttle, after_first).await,
        1,
        "only the first attempt is forgotten"
    );
    assert_eq!(exhaust(&throttle, noon() + TimeDelta::minutes(60)).await, 5);
}

#[tokio::test]
async fn refused_attempts_do_not_prolong_the_wait() {
    let throttle = throttle();
    exhaust(&throttle, noon()).await;
    let almost = noon() + TimeDelta::minutes(15) - TimeDelta::milliseconds(1);
    let refused = throttle.reserve(&zoe(), almost).await.unwrap();
    assert_eq!(
        refused,
        Attempt::Refused {
            retry_after: Duration::from_millis(1)
        }
    );
    assert_eq!(exhaust(&throttle, noon() + TimeDelta::minutes(15)).await, 5);
}

#[tokio::test]
async fn the_right_password_clears_the_count() {
    let throttle = throttle();
    exhaust(&throttle, noon()).await;
    throttle.reset(&zoe()).await.unwrap();
    assert_eq!(exhaust(&throttle, noon()).await, 5);
}

#[tokio::test]
async fn an_attempt_that_was_not_made_does_not_count() {
    let throttle = throttle();
    let Attempt::Allowed(reservation) = throttle.reserve(&zoe(), noon()).await.unwrap() else {
        panic!("the first attempt was refused");
    };
    throttle.release(&zoe(), reservation).await.unwrap();
    assert_eq!(exhaust(&throttle, noon()).await, 5);
}

#[tokio::test]
async fn others_are_not_held_up() {
    let throttle = throttle();
    exhaust(&throttle, noon()).await;
    for other in [
        attempted("zoe", "192.0.2.2"),
        attempted("adam", "192.0.2.1"),
    ] {
        assert!(is_allowed(throttle.reserve(&other, noon()).await.unwrap()));
    }
}

#[tokio::test]
async fn counts_are_forgotten_and_bounded() {
    let throttle = throttle();
    exhaust(&throttle, noon()).await;
    let keys = keys_with_time_to_live(&throttle.redis).await;
    let [(key, left)] = keys.as_slice() else {
        panic!("{keys:?}")
    };
    assert!((1..=900_000).contains(left), "{left}");
    assert!(!key.contains("zoe"), "{key}");
    let count: u32 = throttle.redis.query(&redis::Cmd::zcard(key)).await.unwrap();
    assert_eq!(count, 5);
}

#[test]
fn spellings_of_one_name_and_network_are_one() {
    assert_eq!(zoe(), attempted(" ZOE ", "192.0.2.1"));
    assert_eq!(zoe(), attempted("zoe", "::ffff:192.0.2.1"));
    assert_eq!(
        attempted("zoe", "2001:db8::1"),
        attempted("zoe", "2001:db8::ffff:1:2:3")
    );
    assert_ne!(
        attempted("zoe", "2001:db8::1"),
        attempted("zoe", "2001:db8:0:1::1")
    );
}
