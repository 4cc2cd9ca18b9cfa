//! Requests that come while a transaction is under way share the next one.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{Submission, Submitted, storing::store};
use crate::store::{StoreError, database::Database, settings::Weight};

type Reply = oneshot::Sender<Result<Submitted, StoreError>>;

/// The way to whoever stores submissions.
#[derive(Debug)]
pub(in crate::store) struct Intakes {
    queue: mpsc::Sender<Waiting>,
    /// Kibibytes that may wait.
    room: Arc<Semaphore>,
}

/// A submission that waits to be stored.
#[derive(Debug)]
struct Waiting {
    submission: Submission,
    reply: Reply,
    /// The room it takes, until it is answered.
    room: OwnedSemaphorePermit,
}

impl Intakes {
    pub(in crate::store) fn start(database: Arc<Database>) -> Self {
        let (queue, queued) = mpsc::channel(QUEUED_MAX);
        tokio::spawn(run(database, queued));
        Self { queue, room: Arc::new(Semaphore::new(ROOM_KIB as usize)) }
    }

    pub(super) async fn submit(&self, submission: Submission) -> Result<Submitted, StoreError> {
        let behind = || StoreError::Behind("as many requests wait to be stored as there is room for".into());
        let room = Arc::clone(&self.room);
        let room = room.try_acquire_many_owned(kib_of(&submission)).map_err(|_| behind())?;
        let (reply, replied) = oneshot::channel();
        self.queue.try_send(Waiting { submission, reply, room }).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            mpsc::error::TrySendError::Full(_) => behind(),
        })?;
        replied.await.map_err(|_| StoreError::Closed)?
    }
}

async fn run(database: Arc<Database>, mut queued: mpsc::Receiver<Waiting>) {
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(first) => first,
            None => match queued.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let mut together = Together::default();
        together.push(first);
        while let Ok(more) = queued.try_recv() {
            if !together.has_room_for(&more) {
                next = Some(more);
                break;
            }
            together.push(more);
        }
        let Together { submissions, replies, .. } = together;
        let stored = database
            .write(Weight::Promise, submissions, |submissions, transaction| {
                Box::pin(store(submissions, transaction))
            })
            .await;
        let stored = stored.map(|(submitted, told)| {
            told.count();
            submitted
        });
        reply_to_all(replies, stored);
    }
}

/// Submissions of one transaction.
#[derive(Default)]
struct Together {
    submissions: Vec<Submission>,
    replies: Vec<(Reply, OwnedSemaphorePermit)>,
    notifications: usize,
    kib: usize,
}

impl Together {
    fn has_room_for(&self, more: &Waiting) -> bool {
        self.notifications + more.submission.notifications.len() <= TOGETHER_MAX
            && self.kib + more.room.num_permits() <= KIB_TOGETHER_MAX
    }

    fn push(&mut self, more: Waiting) {
        self.notifications += more.submission.notifications.len();
        self.kib += more.room.num_permits();
        self.submissions.push(more.submission);
        self.replies.push((more.reply, more.room));
    }
}

/// How much memory a submission takes, about, and never more than there is: the largest one is stored as well.
fn kib_of(submission: &Submission) -> u32 {
    let of_shards =
        submission.notifications.iter().flat_map(|it| &it.shards).map(|it| it.bytes.len()).sum::<usize>();
    let of_messages = submission.notifications.iter().map(|it| it.message.variants() * 1024).sum::<usize>();
    u32::try_from((of_shards + of_messages) / 1024 + 1).unwrap_or(u32::MAX).min(ROOM_KIB)
}

/// Whoever asked may be gone by now: it is stored all the same.
fn reply_to_all(replies: Vec<(Reply, OwnedSemaphorePermit)>, stored: Result<Vec<Submitted>, StoreError>) {
    match stored {
        Ok(results) => {
            for ((reply, _), result) in replies.into_iter().zip(results) {
                let _ = reply.send(Ok(result));
            }
        }
        Err(error) => {
            for (reply, _) in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

/// Requests that wait: beyond that, whoever asks is told so at once.
const QUEUED_MAX: usize = 10_000;
/// Memory of requests that wait.
const ROOM_KIB: u32 = 64 * 1024;
/// Notifications of one transaction, as far as requests can be put together: a tenth of a second.
const TOGETHER_MAX: usize = 1000;
/// Memory of one transaction's requests, as far as they can be put together.
const KIB_TOGETHER_MAX: usize = 4 * 1024;
