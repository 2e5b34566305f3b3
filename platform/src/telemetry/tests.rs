//! The log as a collector sees it: each line is parsed again.

use std::{
    io::{self, Write},
    panic,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::{info, info_span};
use tracing_subscriber::fmt::MakeWriter;

use super::{panics, subscriber};
use crate::{
    config::{Environment, LogFormat, Telemetry},
    redis::RedisUnavailable,
};

/// A writer that keeps what is written.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What `action` logs in the given format.
fn logged(format: LogFormat, environment: Environment, action: impl FnOnce()) -> String {
    let buffer = Buffer::default();
    let settings = Telemetry {
        level: "info".parse().unwrap(),
        format,
    };
    let subscriber = subscriber(&settings, environment, "api", buffer.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, action);
    let bytes = buffer.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// The single JSON line that `action` logs.
fn json_line(action: impl FnOnce()) -> Value {
    let text = logged(LogFormat::Json, Environment::Test, action);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_line_tells_when_who_and_what() {
    let line = json_line(
        || info!(target: "api::http", status = 200, slow = false, path = "/x", "served \"it\""),
    );
    let timestamp = line["timestamp"].as_str().unwrap();
    assert!(
        timestamp.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(timestamp).is_ok(),
        "{timestamp}"
    );
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["target"], "api::http");
    assert_eq!(line["service"], "api");
    assert_eq!(line["message"], "served \"it\"");
    assert_eq!(line["status"], 200);
    assert_eq!(line["slow"], false);
    assert_eq!(line["path"], "/x");
}

#[test]
fn ids_of_spans_stand_at_the_top() {
    let line = json_line(|| {
        let request = info_span!("request", request_id = "r-1", level = 3, attempt = 1).entered();
        let job = info_span!("job", job_id = tracing::field::Empty, attempt = 2).entered();
        job.record("job_id", 7);
        info!("working");
        drop((job, request));
    });
    assert_eq!(line["request_id"], "r-1");
    assert_eq!(line["job_id"], 7);
    assert_eq!(line["attempt"], 2, "the inner span wins");
    assert_eq!(line["level_"], 3, "a field cannot pose as the level");
    assert_eq!(line["level"], "INFO");
}

#[test]
fn an_event_of_several_lines_is_one_line() {
    let line = json_line(|| info!("first\nsecond"));
    assert_eq!(line["message"], "first\nsecond");
}

#[test]
fn an_error_tells_its_cause() {
    let cause = io::Error::other("connection refused");
    let error = RedisUnavailable::Failed(cause.into());
    let line = json_line(|| info!(error = &error as &dyn std::error::Error, "no answer"));
    let text = line["error"].as_str().unwrap();
    assert!(
        text.starts_with("Redis did not carry out a command: "),
        "{text}"
    );
    assert!(text.contains("connection refused"), "{text}");
}

#[test]
fn the_environment_chooses_the_format() {
    let log = |environment| logged(LogFormat::Auto, environment, || info!("hello"));
    assert!(log(Environment::Production).starts_with('{'));
    assert!(log(Environment::Test).starts_with('{'));
    assert!(log(Environment::Development).contains(" INFO "));
}

#[test]
fn less_than_the_level_is_not_logged() {
    assert_eq!(
        logged(LogFormat::Json, Environment::Test, || tracing::debug!(
            "detail"
        )),
        ""
    );
}

#[test]
fn a_panic_is_logged_with_the_request_it_broke() {
    let line = json_line(|| {
        let usual = panic::take_hook();
        panics::log_them();
        let _span = info_span!("request", request_id = "r-2").entered();
        let result = panic::catch_unwind(|| panic!("it broke"));
        panic::set_hook(usual);
        assert!(result.is_err());
    });
    assert_eq!(line["message"], "panicked: it broke");
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["request_id"], "r-2");
    assert!(
        line["location"]
            .as_str()
            .unwrap()
            .contains("telemetry/tests.rs")
    );
}
