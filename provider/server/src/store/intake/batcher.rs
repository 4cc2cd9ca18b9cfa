//! Requests that come while a transaction is under way share the next one.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{Submission, Submitted, storing::store};
use crate::store::{StoreError, database::Database, settings::Weight};

type Reply = oneshot::Sender<Result<Submitted, StoreError>>;

/// The way to whoever stores submissions.
#[derive(Debug)]
pub(in crate::store) struct Intakes {
    queue: mpsc::Sender<(Submission, Reply)>,
}

impl Intakes {
    pub(in crate::store) fn start(database: Arc<Database>) -> Self {
        let (queue, queued) = mpsc::channel(QUEUED_MAX);
        tokio::spawn(run(database, queued));
        Self { queue }
    }

    pub(super) async fn submit(&self, submission: Submission) -> Result<Submitted, StoreError> {
        let (reply, replied) = oneshot::channel();
        self.queue.try_send((submission, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            mpsc::error::TrySendError::Full(_) => {
                StoreError::Behind(format!("{QUEUED_MAX} requests wait to be stored"))
            }
        })?;
        replied.await.map_err(|_| StoreError::Closed)?
    }
}

async fn run(database: Arc<Database>, mut queued: mpsc::Receiver<(Submission, Reply)>) {
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(first) => first,
            None => match queued.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let mut notifications = first.0.notifications.len();
        let (mut submissions, mut replies) = (vec![first.0], vec![first.1]);
        while let Ok(more) = queued.try_recv() {
            notifications += more.0.notifications.len();
            if notifications > TOGETHER_MAX {
                next = Some(more);
                break;
            }
            submissions.push(more.0);
            replies.push(more.1);
        }
        let stored = database
            .write(Weight::Promise, submissions, |submissions, transaction| {
                Box::pin(store(submissions, transaction))
            })
            .await;
        reply_to_all(replies, stored);
    }
}

/// Whoever asked may be gone by now: it is stored all the same.
fn reply_to_all(replies: Vec<Reply>, stored: Result<Vec<Submitted>, StoreError>) {
    match stored {
        Ok(results) => {
            for (reply, result) in replies.into_iter().zip(results) {
                let _ = reply.send(Ok(result));
            }
        }
        Err(error) => {
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

/// Requests that wait: beyond that, whoever asks is told so at once.
const QUEUED_MAX: usize = 10_000;
/// Notifications of one transaction, as far as requests can be put together: a tenth of a second.
const TOGETHER_MAX: usize = 1000;
