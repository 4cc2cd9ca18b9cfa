//! The one connection that writes. What is asked for meanwhile is done in one transaction: it is synced once, and a page that several
//! change is written once.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

use crate::store::{Durability, StoreError, database::Work, settings::Weight, sql::Connection};

/// The way to the writer.
#[derive(Debug)]
pub(super) struct Queue {
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
}

impl Queue {
    /// Gives the connection to a task of its own.
    pub(super) fn start(connection: Connection, durability: Durability) -> (Self, JoinHandle<()>) {
        let (jobs, queued) = mpsc::channel(JOBS_QUEUED_MAX);
        let writer = Writer { connection, durability, syncs: None };
        (Self { jobs: Mutex::new(Some(jobs)) }, tokio::spawn(writer.run(queued)))
    }

    pub(super) async fn write<D, T>(&self, weight: Weight, data: D, work: Work<D, T>) -> Result<T, StoreError>
    where
        D: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (reply, replied) = oneshot::channel();
        let job = Box::new(Request { weight, data, work, result: None, reply });
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.ok_or(StoreError::Closed)?.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            mpsc::error::TrySendError::Full(_) => {
                StoreError::Behind(format!("{JOBS_QUEUED_MAX} changes wait to be written"))
            }
        })?;
        replied.await.map_err(|_| StoreError::Closed)?
    }

    /// Takes no more; what is queued is still written.
    pub(super) fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Something to do within a transaction.
trait Job: Send {
    fn weight(&self) -> Weight;

    fn run<'a>(&'a mut self, transaction: &'a mut Connection) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The transaction it ran in is committed.
    fn succeed(self: Box<Self>);

    fn fail(self: Box<Self>, error: StoreError);
}

/// A job that ran, and what became of it.
type Ran = (Box<dyn Job>, Result<(), StoreError>);

struct Request<D, T> {
    weight: Weight,
    data: D,
    work: Work<D, T>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<D: Send + Sync, T: Send> Job for Request<D, T> {
    fn weight(&self) -> Weight {
        self.weight
    }

    fn run<'a>(&'a mut self, transaction: &'a mut Connection) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            self.result = Some((self.work)(&self.data, transaction).await?);
            Ok(())
        })
    }

    // Whoever asked may be gone by now: it is done all the same.
    fn succeed(self: Box<Self>) {
        let _ = self.reply.send(self.result.ok_or(StoreError::Closed));
    }

    fn fail(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(error));
    }
}

struct Writer {
    connection: Connection,
    durability: Durability,
    /// Whether the connection syncs what it commits, if that was ever said.
    syncs: Option<bool>,
}

impl Writer {
    async fn run(mut self, mut queued: mpsc::Receiver<Box<dyn Job>>) {
        let mut received = Vec::new();
        while queued.recv_many(&mut received, JOBS_TOGETHER_MAX).await > 0 {
            let mut jobs: VecDeque<_> = received.drain(..).collect();
            while !jobs.is_empty() {
                self.write_some(&mut jobs).await;
            }
        }
        super::close(self.connection).await;
    }

    /// One transaction with as many of the jobs as there is time for.
    async fn write_some(&mut self, jobs: &mut VecDeque<Box<dyn Job>>) {
        let mut ran = Vec::with_capacity(jobs.len());
        let Err(error) = self.transaction(jobs, &mut ran).await else {
            for (job, result) in ran {
                match result {
                    Ok(()) => job.succeed(),
                    Err(error) => job.fail(error),
                }
            }
            return;
        };
        // Where it failed SQLite may have ended the transaction by itself.
        let _ = self.connection.script("ROLLBACK".into()).await;
        // If it did not even begin, the others need not try.
        let waiting = if ran.is_empty() { jobs.drain(..).collect() } else { Vec::new() };
        for job in ran.into_iter().map(|(job, _)| job).chain(waiting) {
            job.fail(error.clone());
        }
    }

    /// Fails as a whole if the transaction cannot go on.
    async fn transaction(
        &mut self,
        jobs: &mut VecDeque<Box<dyn Job>>,
        ran: &mut Vec<Ran>,
    ) -> Result<(), StoreError> {
        let weight = jobs.iter().map(|job| job.weight()).max().unwrap_or(Weight::Progress);
        self.sync(self.durability.syncs(weight)).await?;
        self.connection.script("BEGIN IMMEDIATE".into()).await?;
        let until = Instant::now() + TRANSACTION_TIME;
        let is_alone = jobs.len() == 1;
        while let Some(mut job) = jobs.pop_front() {
            let result =
                if is_alone { job.run(&mut self.connection).await } else { self.run_one(&mut job).await };
            let stops = match &result {
                Err(error) if is_alone || ends_transaction(error) => Some(error.clone()),
                _ => None,
            };
            ran.push((job, result));
            if let Some(error) = stops {
                return Err(error);
            }
            if Instant::now() >= until {
                break;
            }
        }
        self.connection.script("COMMIT".into()).await
    }

    /// Runs a job so that, if it fails, the others of its transaction do not.
    async fn run_one(&mut self, job: &mut Box<dyn Job>) -> Result<(), StoreError> {
        self.connection.script("SAVEPOINT job".into()).await?;
        let result = job.run(&mut self.connection).await;
        if result.is_err() {
            self.connection.script("ROLLBACK TO job".into()).await?;
        }
        self.connection.script("RELEASE job".into()).await?;
        result
    }

    /// Says whether what is committed from now on is synced. SQLite takes it between two transactions only.
    async fn sync(&mut self, syncs: bool) -> Result<(), StoreError> {
        if self.syncs != Some(syncs) {
            let level = if syncs { "FULL" } else { "NORMAL" };
            self.connection.script(format!("PRAGMA synchronous = {level}")).await?;
            self.syncs = Some(syncs);
        }
        Ok(())
    }
}

/// Whether the others of a transaction would fail with it.
fn ends_transaction(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Behind(_) | StoreError::Damaged(_) | StoreError::Full(_) | StoreError::Unreachable(_)
    )
}

/// Changes that wait: more than a second's. Beyond that, whoever asks is told so at once.
const JOBS_QUEUED_MAX: usize = 1024;
/// Changes of one transaction.
const JOBS_TOGETHER_MAX: usize = 256;
/// How long a transaction goes on, so that whoever came first is not kept waiting by those behind.
const TRANSACTION_TIME: Duration = Duration::from_millis(50);
