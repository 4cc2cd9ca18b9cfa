use std::{convert::Infallible, future, io, thread, time::Instant};

use tokio::sync::oneshot;

use super::{Command, CpuTime, Explain as _, Failure, Job, Latencies, Line, Sent, pin_to_core};

/// A client under measurement.
pub(crate) trait Client: Sized {
    /// Reads its credentials and opens what it wants open.
    async fn connect(job: &Job) -> Result<Self, Failure>;

    /// Sends `count` pushes and waits for all answers. One that is not a 200 is a failure.
    async fn push(&mut self, count: u64) -> Result<Latencies, Failure>;
}

/// Is a client until standard input ends: connects, warms up, and sends what the job says when it is told to begin.
pub(crate) fn run_client<C: Client>(job: Job) {
    if let Some(why) = job.core.and_then(|core| pin_to_core(core).err()) {
        return Line::Failed { why: why.to_string() }.print();
    }
    let (begin, word) = oneshot::channel();
    // Apart from this thread, which sees the end of the input whatever the client is doing then.
    thread::spawn(move || {
        let Err(failure) = measure::<C>(&job, word); // it does not end otherwise
        Line::Failed { why: failure.to_string() }.print();
    });
    let mut begin = Some(begin);
    for line in io::stdin().lines().map_while(Result::ok) {
        if Command::parse(&line) == Some(Command::Begin)
            && let Some(begin) = begin.take()
        {
            let _ = begin.send(()); // a client that has failed says so itself
        }
    }
}

fn measure<C: Client>(job: &Job, word: oneshot::Receiver<()>) -> Result<Infallible, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .explain("starting the client's runtime")?;
    runtime.block_on(async {
        let mut client = C::connect(job).await?;
        client.push(job.workload.warm_up()).await?;
        Line::Ready { address: job.address }.print();
        word.await.explain("waiting for the word to begin")?;

        let (start, used) = (Instant::now(), CpuTime::now()?);
        let mut latencies = client.push(job.workload.pushes).await?;
        let (wall, cpu_us) = (start.elapsed(), CpuTime::now()?.since_us(used));
        let sent = Sent {
            pushes: latencies.len() as u64,
            wall_us: wall.as_micros() as u64,
            cpu_us,
            p50_us: latencies.percentile_us(50),
            p99_us: latencies.percentile_us(99),
        };
        Line::Sent(sent).print();
        // The parent counts the connections now; they stay open until this process ends.
        Ok(future::pending().await)
    })
}
