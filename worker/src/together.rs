//! Attempts that begin or end at the same time do so by one statement.
//!
//! PostgreSQL waits for the disk once for each transaction, and much of the work of a small one is not the statement. So nobody waits for others
//! to come, but who comes while such a statement is under way waits for its end, and goes with the next one. A job that is alone loses nothing, and
//! of many quick ones there are as many to a statement as come meanwhile.

use std::time::Duration;

use domain::{
    Domain, Viewer,
    job::{Beginning, Ending, Started},
};
use entity::id::JobId;
use tokio::{
    sync::{mpsc, oneshot},
    time::{error::Elapsed, timeout},
};

use crate::jobs::Attempt;

/// Most of them in one statement.
const MOST: usize = 256;
/// How long it may take. A connection whose other end vanished without a word never answers.
const LIMIT: Duration = Duration::from_secs(10);

/// Begins attempts, and ends them. Clones share the statements.
#[derive(Clone, Debug)]
pub struct Together {
    domain: Domain,
    beginnings: Gatherer<Beginning, Started>,
    endings: Gatherer<Ending, ()>,
}

impl Together {
    /// Needs a Tokio runtime.
    #[must_use]
    pub fn new(domain: &Domain) -> Self {
        Self {
            beginnings: begin(domain.clone()),
            endings: end(domain.clone()),
            domain: domain.clone(),
        }
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// As [`domain::job::Jobs::start`].
    pub async fn start(&self, viewer: &Viewer, job: JobId) -> domain::Result<Started> {
        let beginning = Beginning {
            job,
            request_id: viewer.request_id.clone(),
        };
        match self.beginnings.ask(beginning).await {
            Some(started) => Ok(started),
            None => self.domain.jobs().start(viewer, job).await,
        }
    }

    /// Ends an attempt well that has nothing else to write.
    ///
    /// # Errors
    /// As [`domain::job::Jobs::succeed`].
    pub async fn succeed(&self, attempt: &Attempt) -> domain::Result<()> {
        let Attempt {
            job,
            number,
            viewer,
        } = attempt;
        let ending = Ending {
            job: *job,
            attempt: *number,
            request_id: viewer.request_id.clone(),
        };
        match self.endings.ask(ending).await {
            Some(()) => Ok(()),
            None => self.domain.jobs().succeed(viewer, *job, *number).await,
        }
    }
}

fn begin(domain: Domain) -> Gatherer<Beginning, Started> {
    Gatherer::new(move |beginnings: Vec<Beginning>| {
        let domain = domain.clone();
        async move {
            let (jobs, viewer) = (domain.jobs(), Viewer::system("worker"));
            jobs.start_together(&viewer, &beginnings).await
        }
    })
}

fn end(domain: Domain) -> Gatherer<Ending, ()> {
    Gatherer::new(move |endings: Vec<Ending>| {
        let domain = domain.clone();
        async move {
            let (jobs, viewer) = (domain.jobs(), Viewer::system("worker"));
            let ended = jobs.succeed_together(&viewer, &endings).await?;
            Ok(ended.into_iter().map(|ended| ended.then_some(())).collect())
        }
    })
}

/// A question, and where the answer is waited for.
type Asked<Q, A> = (Q, oneshot::Sender<A>);

/// Answers questions, those together that come at the same time.
#[derive(Debug)]
struct Gatherer<Q, A>(mpsc::Sender<Asked<Q, A>>);

impl<Q, A> Clone for Gatherer<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q: Send + 'static, A: Send + 'static> Gatherer<Q, A> {
    /// `answer` gives an answer, or none, to each of some questions, in their order. Ends when all clones are gone.
    fn new<F>(answer: impl Fn(Vec<Q>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = domain::Result<Vec<Option<A>>>> + Send,
    {
        let (ask, mut asked) = mpsc::channel(MOST);
        tokio::spawn(async move {
            let mut some = Vec::new();
            while asked.recv_many(&mut some, MOST).await > 0 {
                // Who does not wait any more has stopped, and wants nothing to be written.
                let waiting = some
                    .drain(..)
                    .filter(|(_, reply): &Asked<Q, A>| !reply.is_closed());
                let (questions, replies): (Vec<_>, Vec<_>) = waiting.unzip();
                if !questions.is_empty() {
                    reply_to(replies, timeout(LIMIT, answer(questions)).await);
                }
            }
        });
        Self(ask)
    }

    /// None when it is to be asked in another way.
    async fn ask(&self, question: Q) -> Option<A> {
        let (reply, answer) = oneshot::channel();
        self.0.send((question, reply)).await.ok()?;
        answer.await.ok()
    }
}

/// Who gets no answer sees that none will come.
fn reply_to<A>(
    replies: Vec<oneshot::Sender<A>>,
    answers: Result<domain::Result<Vec<Option<A>>>, Elapsed>,
) {
    match answers {
        Ok(Ok(answers)) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                if let Some(answer) = answer {
                    // It may have stopped waiting meanwhile.
                    let _ = reply.send(answer);
                }
            }
        }
        Ok(Err(error)) => tracing::debug!(
            error = &error as &dyn std::error::Error,
            "jobs do not begin or end together; each does by itself"
        ),
        Err(_elapsed) => tracing::warn!(
            "the database does not let jobs begin or end together; each does by itself"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::Gatherer;

    type Batches = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Answers even numbers with their halves, one batch for each permit, and keeps the batches.
    fn halves(permits: &Arc<Semaphore>) -> (Gatherer<u32, u32>, Batches) {
        let (batches, permits) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(permits));
        let kept = Arc::clone(&batches);
        let gatherer = Gatherer::new(move |numbers: Vec<u32>| {
            kept.lock().unwrap().push(numbers.clone());
            let permits = Arc::clone(&permits);
            async move {
                permits.acquire().await.unwrap().forget();
                let half = |number: u32| number.is_multiple_of(2).then_some(number / 2);
                Ok(numbers.into_iter().map(half).collect())
            }
        });
        (gatherer, batches)
    }

    #[tokio::test]
    async fn who_comes_meanwhile_goes_with_the_next() {
        let permits = Arc::new(Semaphore::new(0));
        let (gatherer, batches) = halves(&permits);
        let first = tokio::spawn({
            let gatherer = gatherer.clone();
            async move { gatherer.ask(10).await }
        });
        while batches.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let asks: Vec<_> = (1..=6).map(|number| gatherer.ask(number)).collect();
        let (answers, ()) = tokio::join!(join_all(asks), async { permits.add_permits(2) });
        assert_eq!(first.await.unwrap(), Some(5));
        assert_eq!(answers, [None, Some(1), None, Some(2), None, Some(3)]);
        assert_eq!(*batches.lock().unwrap(), [vec![10], vec![1, 2, 3, 4, 5, 6]]);
    }

    #[tokio::test]
    async fn who_has_stopped_waiting_is_not_asked_for() {
        let permits = Arc::new(Semaphore::new(0));
        let (gatherer, batches) = halves(&permits);
        let first = tokio::spawn({
            let gatherer = gatherer.clone();
            async move { gatherer.ask(10).await }
        });
        while batches.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let stopped = tokio::spawn({
            let gatherer = gatherer.clone();
            async move { gatherer.ask(12).await }
        });
        while gatherer.0.capacity() == gatherer.0.max_capacity() {
            tokio::task::yield_now().await;
        }
        stopped.abort();
        assert!(stopped.await.unwrap_err().is_cancelled());
        permits.add_permits(2);
        assert_eq!(first.await.unwrap(), Some(5));
        assert_eq!(gatherer.ask(14).await, Some(7));
        assert_eq!(*batches.lock().unwrap(), [vec![10], vec![14]]);
    }

    #[tokio::test]
    async fn without_an_answer_nobody_waits() {
        let gatherer = Gatherer::<u32, u32>::new(|_| async {
            Err(domain::Error::internal("the database is away"))
        });
        assert_eq!(gatherer.ask(1).await, None);
        let gatherer = Gatherer::<u32, u32>::new(|_| async { panic!("it panics") });
        assert_eq!(gatherer.ask(1).await, None);
        assert_eq!(gatherer.ask(2).await, None);
    }
}
