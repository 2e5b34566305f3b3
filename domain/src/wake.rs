//! Being woken by PostgreSQL when a transaction commits, instead of asking it again and again.

use std::time::Duration;

use sea_orm::sqlx::postgres::{PgListener, PgPoolOptions};

use crate::{
    db::{self, Settings},
    error::Result,
};

/// How long to wait before connecting again.
const RECONNECT: Duration = Duration::from_millis(500);

/// How long nothing may be heard before the connection is made anew: one whose other end vanished without a word looks like this.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Notifications of one channel, on a connection of its own that no pooler takes away.
#[derive(Debug)]
pub struct Wakeups {
    settings: Settings,
    channel: &'static str,
    listener: Option<PgListener>,
    /// How long the listener has heard nothing.
    silence: Duration,
}

impl Wakeups {
    pub(crate) fn new(settings: &Settings, channel: &'static str) -> Self {
        Self {
            settings: settings.clone(),
            channel,
            listener: None,
            silence: Duration::ZERO,
        }
    }

    /// Returns when something was committed, and at the latest after `at_most`: a notification is a hint, and while the database is
    /// away there are none. Never fails; never returns at once over and over.
    pub async fn next(&mut self, at_most: Duration) {
        if tokio::time::timeout(at_most, self.notified()).await.is_ok() {
            self.silence = Duration::ZERO;
            return;
        }
        self.silence += at_most;
        if self.silence >= SILENCE_MAX {
            tracing::trace!(channel = self.channel, "nothing was notified for long");
            self.listener = None;
            self.silence = Duration::ZERO;
        }
    }

    async fn notified(&mut self) {
        match self.listener.as_mut() {
            Some(listener) => match listener.try_recv().await {
                // What was notified meanwhile is answered by the same look.
                Ok(Some(_)) => while listener.next_buffered().is_some() {},
                // The connection was lost and is there again: something may have been missed.
                Ok(None) => {}
                Err(error) => self.lost(&error).await,
            },
            None => self.connect().await,
        }
    }

    /// Connects, and returns as if notified: what was committed before is to be looked for.
    async fn connect(&mut self) {
        match self.try_connect().await {
            Ok(listener) => self.listener = Some(listener),
            Err(error) => self.lost(&error).await,
        }
    }

    async fn lost(&mut self, error: &(dyn std::error::Error + Send + Sync)) {
        tracing::warn!(channel = self.channel, error = %error, "not listening to the database");
        self.listener = None;
        tokio::time::sleep(RECONNECT).await;
    }

    async fn try_connect(&self) -> Result<PgListener> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(db::direct_options(&self.settings)?);
        let listen = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(self.channel).await?;
            Ok(listener)
        };
        listen.await.map_err(db::from_sqlx)
    }
}
