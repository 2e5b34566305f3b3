//! Putting tasks into the queue.

use redis::ScriptInvocation;
use serde::Serialize;

use super::{Error, NewTask, Queue, scripts};

/// Tasks per script call: few enough not to hold up the server, enough to make the round trip cheap.
const CHUNK: usize = 500;

impl Queue {
    /// Queues tasks and returns how many were accepted. An id that waits, runs, or finished a short while ago
    /// (see [`Settings::retention`](super::Settings::retention)) is passed over, so a push may be repeated at will.
    ///
    /// # Errors
    /// [`Error::Payload`] before anything of its chunk of 500 is sent; [`Error::Redis`] when some or all tasks may not
    /// have arrived: push the same tasks again.
    pub async fn push<T: Serialize>(&self, tasks: &[NewTask<T>]) -> Result<u64, Error> {
        self.push_in_mode("new", tasks).await
    }

    /// Like [`push`](Self::push), but a task that has finished (done or dead) starts afresh with all its attempts.
    ///
    /// # Errors
    /// Those of [`push`](Self::push). Repeating this push can run a task again that finished in between.
    pub async fn push_again<T: Serialize>(&self, tasks: &[NewTask<T>]) -> Result<u64, Error> {
        self.push_in_mode("again", tasks).await
    }

    async fn push_in_mode<T: Serialize>(
        &self,
        mode: &str,
        tasks: &[NewTask<T>],
    ) -> Result<u64, Error> {
        let mut accepted = 0;
        for chunk in tasks.chunks(CHUNK) {
            let mut call = self.keys.call(&scripts::PUSH);
            call.arg(mode);
            for task in chunk {
                add_task(&mut call, task)?;
            }
            accepted += self.link.run::<u64>(&call).await?;
        }
        Ok(accepted)
    }
}

fn add_task<T: Serialize>(call: &mut ScriptInvocation<'_>, task: &NewTask<T>) -> Result<(), Error> {
    let payload = serde_json::to_vec(&task.payload).map_err(|source| Error::Payload {
        id: task.id,
        source,
    })?;
    call.arg(task.id.to_string())
        .arg(payload)
        .arg(task.due_millis())
        .arg(task.priority)
        .arg(task.max_attempts.max(1));
    Ok(())
}
