//! GraphQL over WebSocket, spoken by a real client library over a real socket.

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use super::{
    fixture::{App, eventually},
    server::Running,
};

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

async fn open(
    server: &Running,
    headers: &[(&'static str, &'static str)],
) -> Result<Client, tungstenite::Error> {
    let mut request = format!("ws://{}/api/graphql", server.address).into_client_request()?;
    request.headers_mut().insert(
        "sec-websocket-protocol",
        "graphql-transport-ws".parse().unwrap(),
    );
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    tokio_tungstenite::connect_async(request)
        .await
        .map(|(socket, _)| Client(socket))
}

impl Client {
    /// A connection that has been acknowledged.
    async fn ready(server: &Running) -> Self {
        Self::introduced(server, json!(null)).await
    }

    /// The same, of somebody we know.
    async fn alice(server: &Running) -> Self {
        Self::introduced(server, json!({ "authorization": "Bearer alice" })).await
    }

    async fn introduced(server: &Running, payload: Value) -> Self {
        let mut client = open(server, &[]).await.unwrap();
        client
            .say(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(client.hear().await, json!({ "type": "connection_ack" }));
        client
    }

    async fn say(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({ "type": "subscribe", "id": id, "payload": { "query": query } }))
            .await;
    }

    async fn next_frame(&mut self) -> Option<Message> {
        let frame = timeout(Duration::from_secs(30), self.0.next())
            .await
            .unwrap();
        frame.and_then(Result::ok)
    }

    async fn hear(&mut self) -> Value {
        loop {
            match self.next_frame().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).unwrap(),
                Some(Message::Ping(_)) => {}
                other => panic!("expected a message, got {other:?}"),
            }
        }
    }

    /// Reads on until the server closes.
    async fn close_code(&mut self) -> (u16, String) {
        loop {
            match self.next_frame().await {
                Some(Message::Close(Some(frame))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(_) => {}
                None => panic!("the connection ended without a close frame"),
            }
        }
    }
}

#[tokio::test]
async fn operations_run_side_by_side() {
    let app = App::default();
    let server = Running::start(&app).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("quiet", "subscription { silence }").await;
    client
        .subscribe("count", "subscription { count(to: 2) }")
        .await;
    for number in 1..=2 {
        let next =
            json!({ "type": "next", "id": "count", "payload": { "data": { "count": number } } });
        assert_eq!(client.hear().await, next);
    }
    assert_eq!(
        client.hear().await,
        json!({ "type": "complete", "id": "count" })
    );
    client.subscribe("count", "{ hello }").await;
    assert_eq!(client.hear().await["payload"]["data"]["hello"], "world");
    assert_eq!(
        client.hear().await,
        json!({ "type": "complete", "id": "count" })
    );
}

#[tokio::test]
async fn a_stopped_operation_frees_its_id() {
    let app = App::default();
    let server = Running::start(&app).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { silence }").await;
    client.say(json!({ "type": "complete", "id": "a" })).await;
    client.subscribe("a", "{ hello }").await;
    assert_eq!(client.hear().await["payload"]["data"]["hello"], "world");
}

#[tokio::test]
async fn the_credential_may_come_with_the_handshake_or_the_first_message() {
    let app = App::default();
    let server = Running::start(&app).await;
    let with_cookie: &[_] = &[
        ("cookie", "session=alice"),
        ("origin", "https://shop.example"),
    ];
    for (headers, payload) in [
        (with_cookie, json!(null)),
        (&[][..], json!({ "authorization": "Bearer alice" })),
        (&[][..], json!({ "Authorization": "Bearer alice" })),
    ] {
        let mut client = open(&server, headers).await.unwrap();
        client
            .say(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(client.hear().await["type"], "connection_ack");
        client.subscribe("a", "{ who }").await;
        assert_eq!(client.hear().await["payload"]["data"]["who"], "alice");
    }
}

#[tokio::test]
async fn each_violation_has_its_close_code() {
    let app = App::default();
    let server = Running::start(&app).await;
    let init = json!({ "type": "connection_init" });
    let subscribe = json!({ "type": "subscribe", "id": "a", "payload": { "query": "subscription { silence }" } });
    let bad_token =
        json!({ "type": "connection_init", "payload": { "authorization": "Bearer mallory" } });
    let down = json!({ "type": "connection_init", "payload": { "authorization": "Bearer store-is-down" } });
    for (messages, code) in [
        (vec![json!("nonsense")], 4400),
        (
            vec![init.clone(), json!({ "type": "subscribe", "id": "a" })],
            4400,
        ),
        (vec![init.clone(), json!({ "type": "dance" })], 4400),
        (vec![subscribe.clone()], 4401),
        (vec![bad_token], 4403),
        (vec![init.clone(), subscribe.clone(), subscribe], 4409),
        (vec![init.clone(), init], 4429),
        (vec![down], 1013),
    ] {
        let mut client = open(&server, &[]).await.unwrap();
        for message in &messages {
            client.say(message.clone()).await;
        }
        assert_eq!(client.close_code().await.0, code, "{messages:?}");
    }
    let mut client = open(&server, &[]).await.unwrap();
    client.0.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(client.close_code().await.0, 4400);
}

#[tokio::test]
async fn silence_at_the_beginning_is_4408() {
    let app = App::with(|settings| settings.sockets.init_timeout = Duration::from_millis(50));
    let server = Running::start(&app).await;
    let mut client = open(&server, &[]).await.unwrap();
    assert_eq!(client.close_code().await.0, 4408);
}

#[tokio::test]
async fn foreign_pages_other_protocols_and_too_many_connections_are_refused() {
    let app = App::with(|settings| settings.sockets.max_connections = 1);
    let server = Running::start(&app).await;
    let _first = Client::ready(&server).await;
    for (name, value, status) in [
        ("origin", "https://evil.example", 403),
        ("sec-websocket-protocol", "graphql-ws", 400),
        ("x-anything", "else", 503),
    ] {
        match open(&server, &[(name, value)]).await {
            Err(tungstenite::Error::Http(response)) => {
                assert_eq!(response.status().as_u16(), status, "{name}")
            }
            Err(other) => panic!("{name}: {other}"),
            Ok(_) => panic!("{name}: the handshake succeeded"),
        }
    }
}

#[tokio::test]
async fn refused_operations_leave_the_connection_alone() {
    let app = App::with(|settings| settings.sockets.max_operations = 1);
    let server = Running::start(&app).await;
    let mut client = Client::ready(&server).await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        client.subscribe("a", query).await;
        let message = client.hear().await;
        assert_eq!(
            (
                &message["type"],
                &message["payload"][0]["extensions"]["code"]
            ),
            (&json!("error"), &json!(code))
        );
    }
    client.subscribe("b", "subscription { silence }").await;
    client.subscribe("c", "{ hello }").await;
    assert_eq!(
        client.hear().await["payload"][0]["extensions"]["code"],
        "TOO_LARGE"
    );
}

#[tokio::test]
async fn crashes_and_hangs_end_one_operation_only() {
    let app = App::with(|settings| settings.request_timeout = Duration::from_millis(100));
    let server = Running::start(&app).await;
    let mut client = Client::ready(&server).await;
    for (query, code) in [("{ crash }", "INTERNAL"), ("{ hang }", "TIMEOUT")] {
        client.subscribe("a", query).await;
        assert_eq!(
            client.hear().await["payload"][0]["extensions"]["code"],
            code
        );
    }
    client.subscribe("b", "subscription { crashLater }").await;
    assert_eq!(client.hear().await["payload"]["data"]["crashLater"], 1);
    assert_eq!(
        client.hear().await["payload"][0]["extensions"]["code"],
        "INTERNAL"
    );
    client.subscribe("c", "{ hello }").await;
    assert_eq!(client.hear().await["payload"]["data"]["hello"], "world");
}

#[tokio::test]
async fn pings_are_answered_on_both_levels() {
    let app = App::with(|settings| settings.sockets.heartbeat = Duration::from_secs(1));
    let server = Running::start(&app).await;
    let mut client = Client::ready(&server).await;
    client
        .say(json!({ "type": "ping", "payload": { "n": 1 } }))
        .await;
    assert_eq!(
        client.hear().await,
        json!({ "type": "pong", "payload": { "n": 1 } })
    );
    for _ in 0..2 {
        assert!(matches!(client.next_frame().await, Some(Message::Ping(_))));
    }
}

#[tokio::test]
async fn a_dead_client_is_noticed() {
    let app = App::with(|settings| settings.sockets.heartbeat = Duration::from_secs(1));
    let server = Running::start(&app).await;
    let client = Client::ready(&server).await;
    assert_eq!(app.streams.len(), 1);
    // The client keeps its socket open but never reads, so it never answers a ping.
    eventually("the end of a dead connection", || app.streams.is_empty()).await;
    drop(client);
}

#[tokio::test]
async fn a_logout_ends_the_connection_with_4403() {
    let app = App::with(|settings| settings.sockets.heartbeat = Duration::from_secs(1));
    let server = Running::start(&app).await;
    let mut client = Client::alice(&server).await;
    app.log_out("alice");
    assert_eq!(client.close_code().await.0, 4403);
}

/// With the heartbeat of production, which comes long after.
#[tokio::test]
async fn whoever_is_logged_out_begins_no_operation() {
    for query in [
        "mutation { touch }",
        "{ who }",
        "subscription { count(to: 1) }",
    ] {
        let app = App::default();
        let server = Running::start(&app).await;
        let mut client = Client::alice(&server).await;
        client.subscribe("a", "mutation { touch }").await;
        assert_eq!(client.hear().await["payload"]["data"]["touch"], 1);
        assert_eq!(client.hear().await["type"], "complete");
        app.log_out("alice");
        client.subscribe("b", query).await;
        match client.next_frame().await {
            Some(Message::Close(Some(frame))) => assert_eq!(u16::from(frame.code), 4403),
            other => panic!("{query}: {other:?}"),
        }
        assert_eq!(app.count(), 1, "{query}");
    }
}

#[tokio::test]
async fn while_nobody_can_be_checked_operations_are_refused_and_the_connection_stays() {
    let app = App::default();
    let server = Running::start(&app).await;
    let mut client = Client::alice(&server).await;
    app.tokens.are_lost.store(true, Ordering::SeqCst);
    client.subscribe("a", "mutation { touch }").await;
    assert_eq!(
        client.hear().await["payload"][0]["extensions"]["code"],
        "SERVICE_UNAVAILABLE"
    );
    assert_eq!(app.count(), 0);
    app.tokens.are_lost.store(false, Ordering::SeqCst);
    client.subscribe("a", "mutation { touch }").await;
    assert_eq!(client.hear().await["payload"]["data"]["touch"], 1);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_and_nothing_piles_up() {
    let app = App::with(|settings| settings.sockets.send_timeout = Duration::from_millis(200));
    let server = Running::start(&app).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { flood }").await;
    eventually("the end of a slow connection", || app.streams.is_empty()).await;
    assert!(
        app.count() < 500,
        "{} items of 100 kB were taken for a client that does not read",
        app.count()
    );
}

#[tokio::test]
async fn a_message_over_the_limit_is_1009() {
    let app = App::with(|settings| settings.sockets.max_message_bytes = 10_000);
    let server = Running::start(&app).await;
    let mut client = Client::ready(&server).await;
    client
        .subscribe("a", &format!("{{ hello }} # {}", "x".repeat(20_000)))
        .await;
    assert_eq!(client.close_code().await.0, 1009);
}

#[tokio::test]
async fn at_shutdown_every_connection_is_closed_with_1001() {
    let app = App::default();
    let server = Running::start(&app).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { silence }").await;
    app.shutdown.cancel();
    assert_eq!(client.close_code().await.0, 1001);
    app.streams.close();
    timeout(Duration::from_secs(5), app.streams.wait())
        .await
        .unwrap();
}
