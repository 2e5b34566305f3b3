//! Asks the primary and its replicas over and over how far they have got, each over a connection of its own.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use sea_orm::sqlx::{self, Connection as _, PgConnection, Row as _, postgres::PgConnectOptions};

use super::{Position, Replicas, Standing, State};

/// How long to wait between two looks.
pub(super) const EVERY: Duration = Duration::from_millis(100);

/// Who has not answered by then is lost.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is flushed is what replicas are sent. As one text, which a statement that is not prepared gives in every mode of every pooler.
const OF_PRIMARY: &str = "SELECT concat_ws(' ', pg_is_in_recovery(), system_identifier, pg_current_wal_flush_lsn()) FROM pg_control_system()";

const OF_REPLICA: &str = "SELECT concat_ws(' ', pg_is_in_recovery(), system_identifier, coalesce(pg_last_wal_replay_lsn(), '0/0')) FROM pg_control_system()";

/// What a server says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) is_replica: bool,
    pub(super) system: String,
    pub(super) position: Position,
}

impl Sample {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (is_replica, system, position) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            is_replica: is_replica == "t",
            system: system.to_owned(),
            position: Position::of_postgres(position)?,
        })
    }
}

/// Begins to ask. Ends when the replicas are dropped.
pub(super) fn start(
    replicas: &Arc<Replicas>,
    primary: PgConnectOptions,
    addresses: Vec<PgConnectOptions>,
) {
    tokio::spawn(watch_primary(
        Arc::downgrade(replicas),
        Line::to(primary, OF_PRIMARY),
    ));
    for (index, address) in addresses.into_iter().enumerate() {
        let line = Line::to(address, OF_REPLICA);
        tokio::spawn(watch_replica(Arc::downgrade(replicas), index, line));
    }
}

/// While the primary is away nothing is written, and what is known of its replicas stays true.
async fn watch_primary(replicas: Weak<Replicas>, mut line: Line) {
    while replicas.strong_count() > 0 {
        let sample = line.ask().await;
        if let (Some(replicas), Some(sample)) = (replicas.upgrade(), sample) {
            replicas.saw_primary(sample, Instant::now());
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn watch_replica(replicas: Weak<Replicas>, index: usize, mut line: Line) {
    while replicas.strong_count() > 0 {
        let sample = line.ask().await;
        if let Some(replicas) = replicas.upgrade() {
            let replica = &replicas.all[index];
            match sample {
                Some(sample) => replicas.saw_replica(replica, &sample, Instant::now()),
                None => replica.stands(State {
                    standing: Standing::Lost,
                    replayed: Position::default(),
                }),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// A connection to one server, made anew when it breaks.
struct Line {
    address: PgConnectOptions,
    question: &'static str,
    connection: Option<PgConnection>,
}

impl Line {
    fn to(address: PgConnectOptions, question: &'static str) -> Self {
        Self {
            address,
            question,
            connection: None,
        }
    }

    async fn ask(&mut self) -> Option<Sample> {
        let answer = tokio::time::timeout(PATIENCE, self.try_ask()).await;
        match answer {
            Ok(Ok(sample)) => sample,
            Ok(Err(error)) => {
                tracing::trace!(%error, "a server that is watched does not answer");
                None
            }
            Err(_elapsed) => None,
        }
    }

    /// A connection over which no answer came is not used again.
    async fn try_ask(&mut self) -> sqlx::Result<Option<Sample>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.address).await?,
        };
        let row = sqlx::raw_sql(self.question)
            .fetch_optional(&mut connection)
            .await?;
        self.connection = Some(connection);
        match row {
            Some(row) => Ok(Sample::parse(row.try_get::<&str, _>(0)?)),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_understood() {
        let sample = Sample::parse("t 7432423532342345234 0/3000060").unwrap();
        assert!(sample.is_replica);
        assert_eq!(sample.system, "7432423532342345234");
        assert_eq!(Some(sample.position), Position::of_postgres("0/3000060"));
        assert!(!Sample::parse("f 1 0/0").unwrap().is_replica);
        for text in ["", "t", "t 1", "t 1 x"] {
            assert_eq!(Sample::parse(text), None, "{text}");
        }
    }
}
