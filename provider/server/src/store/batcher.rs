//! Requests that come while a transaction is under way share the next one: its statements are for all of them together.

use std::{fmt, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{StoreError, database::Database};

/// What can be done for many requests in one transaction.
pub(super) trait Together: 'static {
    /// What one request asks for.
    type Request: Send + Sync + 'static;
    /// What it is answered.
    type Answer: Send + 'static;

    /// Parts of one transaction, as far as requests can be put together: about a tenth of a second.
    const PARTS_MAX: usize = 1000;

    /// How much a request is.
    fn size(request: &Self::Request) -> Size;

    /// Does it for all of them, or for none: an answer for each, in order.
    fn run(
        database: &Database,
        requests: Vec<Self::Request>,
    ) -> impl Future<Output = Result<Vec<Self::Answer>, StoreError>> + Send;
}

/// How much a request is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// What it consists of: notifications, registrations.
    pub(super) parts: usize,
    /// How much memory it takes, about.
    pub(super) kib: usize,
}

/// The way to whoever puts requests together.
pub(super) struct Batcher<T: Together> {
    queue: mpsc::Sender<Waiting<T>>,
    /// Kibibytes that may wait.
    room: Arc<Semaphore>,
}

/// A request that waits.
struct Waiting<T: Together> {
    request: T::Request,
    reply: Reply<T>,
    size: Size,
    /// The room it takes, until it is answered.
    room: OwnedSemaphorePermit,
}

type Reply<T> = oneshot::Sender<Result<<T as Together>::Answer, StoreError>>;

impl<T: Together> fmt::Debug for Batcher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").finish_non_exhaustive()
    }
}

impl<T: Together> Batcher<T> {
    pub(super) fn start(database: Arc<Database>) -> Self {
        let (queue, queued) = mpsc::channel(QUEUED_MAX);
        tokio::spawn(run::<T>(database, queued));
        Self { queue, room: Arc::new(Semaphore::new(ROOM_KIB as usize)) }
    }

    pub(super) async fn ask(&self, request: T::Request) -> Result<T::Answer, StoreError> {
        let behind = || StoreError::Behind("as many requests wait to be stored as there is room for".into());
        let size = T::size(&request);
        // Never more than there is: the largest one is stored as well.
        let kib = u32::try_from(size.kib + 1).unwrap_or(u32::MAX).min(ROOM_KIB);
        let room = Arc::clone(&self.room).try_acquire_many_owned(kib).map_err(|_| behind())?;
        let (reply, replied) = oneshot::channel();
        self.queue.try_send(Waiting { request, reply, size, room }).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            mpsc::error::TrySendError::Full(_) => behind(),
        })?;
        replied.await.map_err(|_| StoreError::Closed)?
    }
}

async fn run<T: Together>(database: Arc<Database>, mut queued: mpsc::Receiver<Waiting<T>>) {
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(first) => first,
            None => match queued.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let mut batch = Batch::of(first);
        while let Ok(more) = queued.try_recv() {
            if !batch.has_room_for(&more) {
                next = Some(more);
                break;
            }
            batch.push(more);
        }
        let Batch { requests, replies, .. } = batch;
        reply_to_all::<T>(replies, T::run(&database, requests).await);
    }
}

/// Requests of one transaction.
struct Batch<T: Together> {
    requests: Vec<T::Request>,
    replies: Vec<(Reply<T>, OwnedSemaphorePermit)>,
    parts: usize,
    kib: usize,
}

impl<T: Together> Batch<T> {
    fn of(first: Waiting<T>) -> Self {
        let mut batch = Self { requests: Vec::new(), replies: Vec::new(), parts: 0, kib: 0 };
        batch.push(first);
        batch
    }

    fn has_room_for(&self, more: &Waiting<T>) -> bool {
        self.parts + more.size.parts <= T::PARTS_MAX && self.kib + more.size.kib <= KIB_TOGETHER_MAX
    }

    fn push(&mut self, more: Waiting<T>) {
        self.parts += more.size.parts;
        self.kib += more.size.kib;
        self.requests.push(more.request);
        self.replies.push((more.reply, more.room));
    }
}

/// Whoever asked may be gone by now: it is done all the same.
fn reply_to_all<T: Together>(
    replies: Vec<(Reply<T>, OwnedSemaphorePermit)>,
    done: Result<Vec<T::Answer>, StoreError>,
) {
    match done {
        Ok(answers) => {
            for ((reply, _), answer) in replies.into_iter().zip(answers) {
                let _ = reply.send(Ok(answer));
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
/// Memory of one transaction's requests, as far as they can be put together.
const KIB_TOGETHER_MAX: usize = 4 * 1024;
