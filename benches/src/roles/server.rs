use std::{io, net::SocketAddr, thread};

use tokio::sync::oneshot;

use crate::child::{Command, CpuTime, Explain as _, Failure, Job, Line, Served, pin_to_core};

/// Is a server until standard input ends. `serve` says where it listens as soon as it does, and goes on for ever.
///
/// The server has a runtime of one thread: on one core that is what suits the h2 crate best, and ours do not care.
pub(super) fn run_server<S, Fut>(job: Job, serve: S)
where
    S: FnOnce(Job, oneshot::Sender<SocketAddr>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>>,
{
    if let Some(why) = job.core.and_then(|core| pin_to_core(core).err()) {
        return Line::Failed { why: why.to_string() }.print();
    }
    let (listening, address) = oneshot::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let served = runtime
            .explain("starting the server's runtime")
            .and_then(|runtime| runtime.block_on(serve(job, listening)));
        if let Err(failure) = served {
            Line::Failed { why: failure.to_string() }.print();
        }
    });
    let Ok(address) = address.blocking_recv() else { return }; // the thread has said why
    Line::Ready { address }.print();
    if let Err(failure) = obey() {
        Line::Failed { why: failure.to_string() }.print();
    }
}

/// Measures between the commands to begin and to end, until there are no more.
fn obey() -> Result<(), Failure> {
    let mut begun = CpuTime::now()?;
    for line in io::stdin().lines().map_while(Result::ok) {
        match Command::parse(&line) {
            Some(Command::Begin) => {
                begun = CpuTime::now()?;
                Line::Begun.print();
            }
            Some(Command::End) => Line::Served(Served { cpu_us: CpuTime::now()?.since_us(begun) }).print(),
            None => return Err(Failure::new("reading a command", line)),
        }
    }
    Ok(())
}
