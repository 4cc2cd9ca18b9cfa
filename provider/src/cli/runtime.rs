use tokio::runtime::{Builder, Runtime};

/// For one push: no threads.
pub(super) fn for_one() -> Result<Runtime, String> {
    Builder::new_current_thread().enable_all().build().map_err(cannot_start)
}

/// For many: the connection has a thread of its own beside the one that prepares pushes and writes results.
pub(super) fn for_many() -> Result<Runtime, String> {
    Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().map_err(cannot_start)
}

fn cannot_start(error: impl std::fmt::Display) -> String {
    format!("cannot start: {error}")
}

const WORKERS: usize = 2;
