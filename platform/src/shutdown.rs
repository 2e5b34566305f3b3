//! Turns SIGINT and SIGTERM into a token that every part of a program can wait for.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled when the process is asked to stop. Must be called inside a Tokio runtime; from then
/// on the signals no longer end the process by themselves.
///
/// # Errors
/// When the operating system refuses the signal handlers.
pub fn on_signal() -> io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let token = CancellationToken::new();
    let stopped = token.clone();
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        };
        stopped.cancel();
        tracing::info!(signal = name, "asked to stop");
    });
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::Duration};

    use super::on_signal;

    async fn stops_on(signal: &str) {
        let token = on_signal().unwrap();
        assert!(!token.is_cancelled());
        let me = std::process::id().to_string();
        assert!(
            Command::new("sh")
                .args(["-c", "kill -s \"$0\" \"$1\"", signal, &me])
                .status()
                .unwrap()
                .success()
        );
        tokio::time::timeout(Duration::from_secs(5), token.cancelled())
            .await
            .unwrap();
    }

    /// One test for both, because every listener of the process hears each signal.
    #[tokio::test]
    async fn both_signals_cancel_the_token() {
        stops_on("TERM").await;
        stops_on("INT").await;
    }
}
