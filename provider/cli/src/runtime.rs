use std::{future::Future, io};

use tokio::runtime::{Builder, Runtime};

/// Does the work of one push: no threads.
pub(super) fn for_one<T>(work: impl Future<Output = T>) -> Result<T, String> {
    done(Builder::new_current_thread().enable_all().build(), work)
}

/// Does the work of many: the connection has a thread of its own beside the one that prepares pushes and writes results.
pub(super) fn for_many<T>(work: impl Future<Output = T>) -> Result<T, String> {
    done(Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build(), work)
}

fn done<T>(runtime: io::Result<Runtime>, work: impl Future<Output = T>) -> Result<T, String> {
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    let done = runtime.block_on(work);
    // A question for a name that the system does not give up would be waited for otherwise.
    runtime.shutdown_background();
    Ok(done)
}

const WORKERS: usize = 2;

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use tokio::task::spawn_blocking;

    use super::*;

    #[test]
    fn what_hangs_is_not_waited_for() {
        for run in [for_one, for_many] {
            let (answers, question) = channel::<()>();
            let done = run(async {
                drop(spawn_blocking(move || question.recv()));
                7
            });
            assert_eq!(done, Ok(7));
            drop(answers);
        }
    }
}
