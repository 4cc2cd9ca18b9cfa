//! The queue of what is to be kept, and the thread that keeps it.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use tokio::sync::watch;
use tracing::error;

use super::{DataDirError, Entry, Store, store::Work};
use crate::snapshot::DoubleSnapshot;

/// Bytes of a log after which a checkpoint takes its place. A log of this size is replayed in a second or two, and a service that is
/// checkpointed is locked for as long as a copy of its journals takes.
const LOG_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Where what is done to a double is written down, in the order in which it is done; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: Mutex<Queue>,
    /// There is something in the queue, or it is closed.
    more: Condvar,
    progress: watch::Sender<Progress>,
    log_bytes_max: u64,
}

#[derive(Debug, Default)]
struct Queue {
    /// What was not taken by the writer yet.
    work: Vec<Work>,
    /// How much was ever put in.
    put: u64,
    is_closed: bool,
}

/// How far the writer is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// How much of what was put into the queue is on disk.
    pub(crate) kept: u64,
    /// Whether the log wants a checkpoint in its place.
    pub(crate) is_long: bool,
    /// Why nothing more is kept.
    failure: Option<DataDirError>,
}

/// The thread that keeps what is put into the log. Dropping it waits until all of it is kept.
#[derive(Debug)]
pub(crate) struct Writer {
    log: Log,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    /// Begins to write into the store.
    pub(crate) fn start(store: Store) -> Result<Self, DataDirError> {
        Self::start_with(store, LOG_BYTES_MAX)
    }

    fn start_with(store: Store, log_bytes_max: u64) -> Result<Self, DataDirError> {
        let (queue, more, progress) = (Mutex::default(), Condvar::new(), watch::Sender::default());
        let log = Log(Arc::new(Inner { queue, more, progress, log_bytes_max }));
        let path = store.path().to_owned();
        let thread = thread::Builder::new().name("data-dir".to_owned()).spawn({
            let log = log.clone();
            move || log.write_into(store)
        });
        let thread = thread.map_err(|error| DataDirError::new(&path, error))?;
        Ok(Self { log, thread: Some(thread) })
    }

    /// Where to put what is to be kept.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.log.queue().is_closed = true;
        self.log.0.more.notify_one();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the writer of the data folder has ended in a bug of mock-apns; please report it");
        }
    }
}

impl Log {
    /// Puts in what was done. The number of it is to be [kept](Self::kept_up_to).
    pub(crate) fn append(&self, entry: Entry) -> u64 {
        self.put(Work::Append(entry))
    }

    /// Puts in a state that takes the place of all that was put in before.
    pub(crate) fn checkpoint(&self, snapshot: DoubleSnapshot) -> u64 {
        self.put(Work::Checkpoint(Box::new(snapshot)))
    }

    fn put(&self, work: Work) -> u64 {
        let mut queue = self.queue();
        if !queue.is_closed {
            queue.work.push(work);
        }
        queue.put += 1;
        self.0.more.notify_one();
        queue.put
    }

    /// The number of what was put in last.
    pub(crate) fn put_last(&self) -> u64 {
        self.queue().put
    }

    /// Returns when all that was put in so far is on disk, with the number of the last that is.
    ///
    /// # Errors
    ///
    /// It never will be.
    pub(crate) async fn kept(&self) -> Result<u64, DataDirError> {
        let number = self.put_last();
        let mut progress = self.0.progress.subscribe();
        loop {
            {
                let progress = progress.borrow_and_update();
                if let Some(failure) = &progress.failure {
                    return Err(failure.clone());
                }
                if progress.kept >= number {
                    return Ok(progress.kept);
                }
            }
            let _ = progress.changed().await; // the sender is in `self`
        }
    }

    /// How far the writer is, and changes of it.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    /// Returns when nothing more can be kept, with the reason.
    pub(crate) async fn failed(&self) -> DataDirError {
        let mut progress = self.0.progress.subscribe();
        loop {
            if let Some(failure) = &progress.borrow_and_update().failure {
                return failure.clone();
            }
            let _ = progress.changed().await; // the sender is in `self`
        }
    }

    /// Keeps what comes until the queue is closed and empty.
    fn write_into(&self, mut store: Store) {
        while let Some((work, number)) = self.take() {
            let written = store.write(&work);
            if let Err(error) = &written {
                error!(%error, "nothing more is kept, and nothing more is answered");
            }
            let is_over = written.is_err();
            self.0.progress.send_replace(Progress {
                kept: if is_over { 0 } else { number },
                is_long: store.log_bytes() > self.0.log_bytes_max,
                failure: written.err(),
            });
            if is_over {
                return;
            }
        }
    }

    /// All that has come meanwhile, and the number of the last of it. `None`: there will be no more.
    fn take(&self) -> Option<(Vec<Work>, u64)> {
        let queue = self.queue();
        let waited = self.0.more.wait_while(queue, |queue| queue.work.is_empty() && !queue.is_closed);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        let work = std::mem::take(&mut queue.work);
        (!work.is_empty()).then_some((work, queue.put))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mock_apns_core::{DeviceId, Service, Settings, Team, TeamId, Timestamp};
    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::*;
    use crate::{
        credentials::Credentials,
        data_dir::{Begun, Origin, full_disk::Disk, keeper},
        shared::Shared,
    };

    const PATIENCE: Duration = Duration::from_secs(20);

    fn service() -> Service {
        Service::new(Settings::default(), 0, crate::verify_es256)
    }

    fn team(number: u32) -> TeamId {
        TeamId::parse(&format!("TEAM{number:06}")).unwrap()
    }

    /// A folder with a service without teams.
    fn begun(folder: &TempDir) -> Store {
        let (mut store, found) = Store::open(folder.path()).unwrap();
        assert!(found.is_none());
        let begun = Begun { seed: 0, settings: Settings::default() };
        let origin = Origin { authority: String::new(), ready_made: Default::default() };
        let (credentials, service) = (Credentials::default().to_form(), service().checkpoint());
        store.begin(&begun, &origin, &DoubleSnapshot { credentials, service }).unwrap();
        store
    }

    #[tokio::test]
    async fn a_checkpoint_takes_the_place_of_a_long_log() {
        let folder = TempDir::new().unwrap();
        let writer = Writer::start_with(begun(&folder), 1_000).unwrap();
        let log = writer.log().clone();
        let shared = Shared::new(service(), Some(log.clone()));
        let keeper = tokio::spawn(keeper::run(shared.clone(), Credentials::default(), log.clone()));
        let mut progress = log.progress();
        let mut is_long = async |wanted| {
            let reached = timeout(PATIENCE, progress.wait_for(|progress| progress.is_long == wanted));
            reached.await.expect("the writer goes on").unwrap();
        };
        for number in 0..100 {
            shared.batch().service().add_team(Team::new(team(number))).unwrap();
        }
        shared.kept().await.unwrap();
        is_long(false).await;
        keeper.abort();
        drop(writer);

        let (_, found) = Store::open(folder.path()).unwrap();
        let found = found.unwrap();
        assert!(found.log.len() < 100, "{}", found.log.len());
        let mut again = Service::resume(&found.checkpoint.service, crate::verify_es256).unwrap();
        for entry in found.log {
            let Entry::Service(recorded) = entry else { panic!("{entry:?}") };
            again.redo(recorded);
        }
        assert_eq!(again.team_ids().collect::<Vec<_>>(), (0..100).map(team).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_never_told() {
        let disk = Disk::default();
        let writer = Writer::start(Store::on(disk.clone())).unwrap();
        let shared = Shared::new(service(), Some(writer.log().clone()));
        let (id, mut device) = shared.batch().device_connected(DeviceId::parse("phone").unwrap());
        // What a device says wrongly is answered; there is no team that it could be told of.
        let say = || shared.batch().service().device_line(Timestamp::from_secs(1_700_000_000), id, b"hello");
        say();
        assert!(device.try_recv().is_err(), "told before it was kept");
        shared.settled().await.unwrap();
        device.try_recv().expect("told once it was kept");
        disk.fill();
        say();
        let error = shared.kept().await.unwrap_err().to_string();
        assert!(error.contains("it cannot be read or written"), "{error}");
        assert_eq!(timeout(PATIENCE, writer.log().failed()).await.unwrap().to_string(), error);
        // And so it stays.
        assert!(shared.kept().await.is_err() && shared.settled().await.is_err());
        assert!(device.try_recv().is_err());
    }
}
