use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use super::{Builder, Trusted, serve};

#[tokio::test]
async fn what_is_counted_and_seen_is_told_in_the_text_format() {
    let mut builder = Builder::new("test").unwrap();
    let counts = builder
        .counters("goldshop_songs_total", "Songs.", &["kind"])
        .unwrap();
    counts.with_label_values(&["loud"]).inc_by(3);
    let answers = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&answers);
    builder
        .look("radio", move || {
            let answers = asked.load(Ordering::SeqCst);
            async move { answers }
        })
        .unwrap();
    let metrics = builder.finish();
    let text = metrics.text().await.unwrap();
    for line in [
        "# TYPE goldshop_songs_total counter",
        "goldshop_songs_total{kind=\"loud\"} 3",
        "goldshop_source_up{source=\"radio\"} 1",
        "goldshop_source_up{source=\"process\"} 1",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}: {text}");
    }
    assert!(text.contains("goldshop_build_info{program=\"test\",version="));
    answers.store(false, Ordering::SeqCst);
    let text = metrics.text().await.unwrap();
    assert!(text.contains("goldshop_source_up{source=\"radio\"} 0\n"));
}

#[test]
fn a_name_is_told_of_once() {
    let builder = Builder::new("test").unwrap();
    builder.gauge("goldshop_songs", "Songs.").unwrap();
    assert!(builder.gauge("goldshop_songs", "Songs.").is_err());
}

#[test]
fn those_outside_and_those_without_an_address_are_not_trusted() {
    let machine = Trusted::default();
    let admits = |trusted: &Trusted, text: &str| trusted.admits(text.parse::<IpAddr>().ok());
    for here in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert!(admits(&machine, here), "{here}");
    }
    for elsewhere in ["10.0.0.1", "128.0.0.1", "::2", "::ffff:10.0.0.1", "nowhere"] {
        assert!(!admits(&machine, elsewhere), "{elsewhere}");
    }
    let networks: Trusted = serde_json::from_str(r#"["10.1.0.0/16", "fd00::5"]"#).unwrap();
    assert!(admits(&networks, "10.1.200.3") && admits(&networks, "fd00::5"));
    assert!(!admits(&networks, "10.2.0.1") && !admits(&networks, "127.0.0.1"));
    assert!(serde_json::from_str::<Trusted>(r#"["10.1.0.0/33"]"#).is_err());
}

async fn ask(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_listener_tells_of_metrics_and_of_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let metrics = Builder::new("test").unwrap().finish();
    let serving = tokio::spawn(serve(listener, metrics, stop.clone()));
    for (request, status) in [
        ("GET /metrics", "200"),
        ("GET /api/metrics", "200"),
        ("POST /metrics", "405"),
        ("GET /api/graphql", "404"),
    ] {
        let answer = ask(address, &format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answer}"
        );
        assert_eq!(answer.contains("goldshop_build_info"), status == "200");
    }
    stop.cancel();
    serving.await.unwrap();
}
