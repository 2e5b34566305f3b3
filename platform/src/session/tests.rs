//! Sessions in a real Redis server. The clock is a parameter, so nothing waits.

use std::net::{IpAddr, Ipv4Addr};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Login, SESSIONS_PER_USER, SessionToken, Sessions};
use crate::redis::{
    Redis,
    tests::{keys_with_time_to_live, settings},
};

/// Sessions with keys of their own; 12 idle hours and 30 days at most, the defaults.
struct Bench {
    redis: Redis,
    sessions: Sessions,
}

fn bench() -> Bench {
    let settings = settings();
    let redis = Redis::connect(&settings.redis).unwrap();
    Bench {
        sessions: Sessions::new(redis.clone(), &settings.auth),
        redis,
    }
}

fn noon() -> DateTime<Utc> {
    "2030-01-01T12:00:00Z".parse().unwrap()
}

fn somebody() -> Login<'static> {
    Login {
        user_id: Uuid::from_u128(rand::random()),
        credential_version: 3,
        user_agent: "Browser/1.0",
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

#[tokio::test]
async fn a_token_opens_its_session() {
    let Bench { sessions, .. } = bench();
    let login = somebody();
    let (token, created) = sessions.create(login, noon()).await.unwrap();
    assert_eq!(
        (created.user_id, created.credential_version),
        (login.user_id, 3)
    );
    assert_eq!(created.expires_at, noon() + TimeDelta::days(30));
    let found = sessions
        .find(&token, noon() + TimeDelta::seconds(59))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, created);
    assert!(
        sessions
            .find(&SessionToken::random(), noon())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn redis_never_sees_the_token_and_forgets_every_key() {
    let Bench { sessions, redis } = bench();
    let (token, session) = sessions.create(somebody(), noon()).await.unwrap();
    let keys = keys_with_time_to_live(&redis).await;
    assert_eq!(keys.len(), 2, "{keys:?}");
    for (key, left) in keys {
        assert!(!key.contains(token.expose()), "{key}");
        assert!(
            (1..=12 * 3_600_000).contains(&left),
            "{key} lives {left} ms"
        );
    }
    let key = redis.key("session", &session.id);
    let record: String = redis.query(&redis::Cmd::get(key)).await.unwrap();
    assert!(!record.contains(token.expose()));
}

#[tokio::test]
async fn an_idle_session_ends() {
    let Bench { sessions, .. } = bench();
    let (token, _) = sessions.create(somebody(), noon()).await.unwrap();
    let last_moment = noon() + TimeDelta::hours(12) - TimeDelta::milliseconds(1);
    let found = sessions.find(&token, last_moment).await.unwrap().unwrap();
    assert_eq!(found.last_seen, last_moment, "being used keeps it");
    let later = last_moment + TimeDelta::hours(11);
    assert!(sessions.find(&token, later).await.unwrap().is_some());
    assert!(
        sessions
            .find(&token, later + TimeDelta::hours(12))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_session_in_use_ends_at_its_greatest_age() {
    let Bench { sessions, .. } = bench();
    let (token, session) = sessions.create(somebody(), noon()).await.unwrap();
    let mut now = noon();
    while now + TimeDelta::hours(11) < session.expires_at {
        now += TimeDelta::hours(11);
        assert!(sessions.find(&token, now).await.unwrap().is_some(), "{now}");
    }
    assert!(
        sessions
            .find(&token, session.expires_at)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn use_is_noted_once_a_minute() {
    let Bench { sessions, .. } = bench();
    let (token, _) = sessions.create(somebody(), noon()).await.unwrap();
    let seen_at = async |seconds| {
        let now = noon() + TimeDelta::seconds(seconds);
        let session = sessions.find(&token, now).await.unwrap().unwrap();
        (session.last_seen - noon()).num_seconds()
    };
    assert_eq!(seen_at(59).await, 0);
    assert_eq!(seen_at(60).await, 60);
    assert_eq!(seen_at(119).await, 60);
}

#[tokio::test]
async fn a_revoked_session_is_gone_and_stays_gone() {
    let Bench { sessions, redis } = bench();
    let login = somebody();
    let (token, session) = sessions.create(login, noon()).await.unwrap();
    let record = super::Record::new(login, noon(), session.expires_at);
    assert!(sessions.revoke(login.user_id, &session.id).await.unwrap());
    assert!(!sessions.revoke(login.user_id, &session.id).await.unwrap());
    sessions.touch(&session.id, &record, noon()).await.unwrap();
    assert!(sessions.find(&token, noon()).await.unwrap().is_none());
    assert_eq!(keys_with_time_to_live(&redis).await, []);
}

#[tokio::test]
async fn nobody_revokes_the_session_of_another() {
    let Bench { sessions, .. } = bench();
    let (token, session) = sessions.create(somebody(), noon()).await.unwrap();
    assert!(
        !sessions
            .revoke(somebody().user_id, &session.id)
            .await
            .unwrap()
    );
    assert!(sessions.find(&token, noon()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_user_sees_and_ends_all_own_sessions() {
    let Bench { sessions, .. } = bench();
    let (login, other) = (somebody(), somebody());
    let (first, _) = sessions.create(login, noon()).await.unwrap();
    let (second, _) = sessions
        .create(login, noon() + TimeDelta::minutes(5))
        .await
        .unwrap();
    let (foreign, _) = sessions.create(other, noon()).await.unwrap();
    let now = noon() + TimeDelta::minutes(10);
    let listed = sessions.list(login.user_id, now).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|session| session.id.clone()).collect();
    assert_eq!(ids, [second.id(), first.id()]);
    assert_eq!(listed[0].user_agent, "Browser/1.0");
    assert_eq!(sessions.revoke_all(login.user_id).await.unwrap(), 2);
    assert_eq!(sessions.list(login.user_id, now).await.unwrap(), []);
    assert!(sessions.find(&first, now).await.unwrap().is_none());
    assert!(sessions.find(&foreign, now).await.unwrap().is_some());
}

#[tokio::test]
async fn ended_sessions_are_not_listed() {
    let Bench { sessions, .. } = bench();
    let login = somebody();
    sessions.create(login, noon()).await.unwrap();
    assert_eq!(
        sessions
            .list(login.user_id, noon() + TimeDelta::hours(12))
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn one_user_cannot_fill_redis() {
    let Bench { sessions, redis } = bench();
    let login = somebody();
    let (first, _) = sessions.create(login, noon()).await.unwrap();
    let mut now = noon();
    for _ in 0..SESSIONS_PER_USER {
        now += TimeDelta::seconds(1);
        sessions.create(login, now).await.unwrap();
    }
    assert!(
        sessions.find(&first, now).await.unwrap().is_none(),
        "the oldest one ended"
    );
    assert_eq!(
        sessions.list(login.user_id, now).await.unwrap().len(),
        SESSIONS_PER_USER
    );
    assert_eq!(
        keys_with_time_to_live(&redis).await.len(),
        SESSIONS_PER_USER + 1
    );
}

#[tokio::test]
async fn ended_sessions_leave_the_users_set() {
    let Bench { sessions, redis } = bench();
    let login = somebody();
    sessions.create(login, noon()).await.unwrap();
    sessions
        .create(login, noon() + TimeDelta::hours(13))
        .await
        .unwrap();
    let count: usize = redis
        .query(&redis::Cmd::zcard(redis.key("sessions", login.user_id)))
        .await
        .unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn a_browsers_endless_name_is_cut() {
    let Bench { sessions, .. } = bench();
    let user_agent = "é".repeat(10_000);
    let (_, session) = sessions
        .create(
            Login {
                user_agent: &user_agent,
                ..somebody()
            },
            noon(),
        )
        .await
        .unwrap();
    assert_eq!(session.user_agent.chars().count(), 256);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_opens_nothing() {
    let Bench { sessions, redis } = bench();
    let token = SessionToken::random();
    let key = redis.key("session", token.id());
    redis
        .query::<()>(&redis::Cmd::pset_ex(key, "{broken", 60_000))
        .await
        .unwrap();
    assert!(sessions.find(&token, noon()).await.unwrap().is_none());
}
