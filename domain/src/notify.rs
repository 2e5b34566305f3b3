//! Tells all processes that something was committed, after the commit.
//!
//! `NOTIFY` inside the writing transaction would be simpler, but PostgreSQL lets only one notifying transaction commit at a time, disk
//! included: sixteen writers would be a tenth as fast. So a task sends at most one notification in some milliseconds for all commits of
//! this process. Should the process die in between, those who wait look by themselves a second later.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use tokio::sync::mpsc;

use crate::{db::Db, sql::statement};

/// Commits within this time share a notification.
const GATHER: Duration = Duration::from_millis(5);

/// How long a notification may take: a connection whose other end vanished without a word never answers.
const SEND_MAX: Duration = Duration::from_secs(10);

/// Sends the notifications of this process.
#[derive(Clone, Debug)]
pub(crate) struct Notifier(mpsc::Sender<()>);

impl Notifier {
    /// Begins to send over `db`; ends when all clones are gone. Needs a Tokio runtime.
    pub(crate) fn start(db: Db) -> Self {
        let (committed, mut commits) = mpsc::channel(1);
        tokio::spawn(async move {
            while commits.recv().await.is_some() {
                notify(&db).await;
                tokio::time::sleep(GATHER).await;
            }
        });
        Self(committed)
    }

    /// Something was committed. When a notification is already due, it will do for this too.
    pub(crate) fn committed(&self) {
        let _ = self.0.try_send(());
    }
}

/// Nothing depends on the notification being on disk, so its transaction does not wait for that.
async fn notify(db: &Db) {
    let sql = "SELECT set_config('synchronous_commit', 'off', true), \
               pg_notify('goldshop_event', ''), pg_notify('goldshop_job', '')";
    match tokio::time::timeout(SEND_MAX, db.execute_raw(statement(sql, []))).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "could not notify");
        }
        Err(_elapsed) => tracing::warn!("could not notify: the database does not answer"),
    }
}
