//! What is queued becomes pushes, and what becomes of them is stored.
//!
//! ```text
//!            ┌── planner: audiences become shards
//!   store ───┤
//!     ▲      └── shell ──▶ Worker ──Effect──▶ clients ──▶ APNs
//!     │            ▲          ▲                  │
//!     └── batches ─┘          └───── Ended ──────┘
//! ```
//!
//! What is decided is decided by [`Worker`](apns_provider_server_core::worker::Worker): which lane goes first, what is tried again, when a
//! lease is renewed. Here is what it needs hands for.
//!
//! | module | what |
//! |---|---|
//! | `shell` | the task that a worker lives in |
//! | `clients` | a client for each app and environment, made when it is needed |
//! | `planner` | a task that plans what is due |
//! | `queue` | what is asked of the store |
//! | `secrets` | how credentials are opened |
//! | `settings`, `status` | how much, how patient; how it is doing |

mod clients;
mod jobs;
mod planner;
mod queue;
mod secrets;
mod settings;
mod shell;
mod status;

use std::{sync::Arc, time::Duration};

use apns_provider_server_core::{readiness, tuning::Tuning, worker::InvalidWorkerConfig};
use tokio::{
    sync::{Mutex, watch},
    task::{AbortHandle, JoinHandle},
    time::Instant,
};

pub use queue::Queue;
pub use secrets::{SecretError, Secrets};
pub use settings::{PipelineSettings, Services};
pub use status::{Counts, PipelineStatus};

use shell::{Shell, Told};
use status::Shared;

/// A running pipeline. It runs until it is [stopped](Self::stop); one that is dropped ends as a killed process does.
#[derive(Debug)]
pub struct Pipeline {
    stop: watch::Sender<Option<Instant>>,
    tuning: watch::Sender<Tuning>,
    shared: Arc<Shared>,
    tasks: [AbortHandle; 2],
    ended: Mutex<Option<Tasks>>,
}

/// Those that end when it is stopped.
#[derive(Debug)]
struct Tasks {
    shell: JoinHandle<()>,
    planner: JoinHandle<()>,
}

impl Pipeline {
    /// Starts one on the runtime that this is called on.
    ///
    /// # Errors
    /// What the settings say could never work.
    pub fn start<Q: Queue>(
        queue: Q,
        secrets: Arc<dyn Secrets>,
        settings: PipelineSettings,
    ) -> Result<Self, InvalidWorkerConfig> {
        let (stop, stopped) = watch::channel(None);
        let (tuning, tuned) = watch::channel(settings.tuning);
        let shared = Arc::new(Shared::default());
        let owner = settings.owner;
        let planner = planner::run(queue.clone(), owner, Arc::clone(&settings.clock), stopped.clone());
        let shell = Shell::new(queue, secrets, settings, Arc::clone(&shared), Told { stopped, tuned })?;
        let tasks = Tasks { shell: tokio::spawn(shell.run()), planner: tokio::spawn(planner) };
        let handles = [tasks.shell.abort_handle(), tasks.planner.abort_handle()];
        Ok(Self { stop, tuning, shared, tasks: handles, ended: Mutex::new(Some(tasks)) })
    }

    /// How it is doing.
    pub fn status(&self) -> PipelineStatus {
        self.shared.get()
    }

    /// What is not as it should be, a sentence each: APNs is away, for instance. It goes on by itself.
    pub fn notes(&self) -> Vec<String> {
        readiness::notes(&self.shared.ways(), self.status().worker.suspended)
    }

    /// How it is tuned.
    pub fn tuning(&self) -> Tuning {
        *self.tuning.borrow()
    }

    /// How it is tuned, now and from now on.
    pub fn tuned(&self) -> watch::Receiver<Tuning> {
        self.tuning.subscribe()
    }

    /// Tunes it, from now on. With another number of connections, each client is replaced by one that has it with the next push; what the
    /// old one has is finished.
    pub fn tune(&self, tuning: Tuning) {
        self.tuning.send_replace(tuning);
    }

    /// Whether it has ended although nobody has stopped it: a mistake of this program, which the log tells.
    pub fn has_failed(&self) -> bool {
        self.stop.borrow().is_none() && self.tasks.iter().any(AbortHandle::is_finished)
    }

    /// Claims nothing more, lets the engine finish what it has, for so long, and gives the rest back. Says whether all was finished and
    /// stored: if not, what is missing is sent again, under the same apns-id, when its lease has run out. To be called once.
    pub async fn stop(&self, within: Duration) -> bool {
        self.stop.send_replace(Some(Instant::now() + within));
        let Some(tasks) = self.ended.lock().await.take() else { return self.status().is_drained() };
        let ended = async {
            let _ = tasks.planner.await; // one that has panicked has stopped
            tasks.shell.await.is_ok()
        };
        // The worker stops by itself at the deadline; what it asked of the store then has a little longer.
        let in_time = tokio::time::timeout(within + status::STORE_PATIENCE * 2, ended).await;
        matches!(in_time, Ok(true)) && self.status().is_drained()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}
