//! `apns-provider bulk`: a push to each line of a file.
//!
//! ```text
//!   file ──▶ thread: Recipients ──▶ Run: Message, Client::send_push, so many at once ──▶ results, then resume file
//!            (without what is done)                                                  └──▶ Summary
//! ```

mod apns_ids;
mod message;
mod progress;
mod recipients;
mod results;
mod resume;
mod run;
mod template;

use std::{
    cell::RefCell,
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use apns_provider::{Clock as _, SystemClock};
use clap::Args;
use tokio::sync::mpsc;

use super::{
    dates::span,
    exit,
    options::{AddressArgs, CredentialArgs, MessageArgs, again},
    report, runtime,
};
use apns_ids::ApnsIds;
use message::Message;
use progress::Progress;
pub(super) use progress::rate;
use recipients::{Line, Recipients};
use results::ResultsFile;
use resume::{Past, ResumeFile};
use run::{EndedEarly, Run, Summary};

/// Whom to push to, what, and how to go on after an interruption.
#[derive(Args, Debug)]
pub(super) struct BulkArgs {
    /// The file, or `-` for standard input.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,

    /// Pushes that are under way at once, at most.
    #[arg(long, default_value_t = 500, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    concurrency: u16,

    /// Appends a line of JSON for each push: line, device-token, outcome, status, reason, apns-id, todo.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,

    /// Keeps in this file which lines are done, and leaves them out when run again.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,

    /// Derives apns-ids from this name and the line, so that another run repeats the same ones. Drawn if not
    /// given.
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,

    /// Does not send again what APNs may have processed, though it may be lost then; with --resume, not even
    /// in another run.
    #[arg(long)]
    at_most_once: bool,

    /// Print the summary as one line of JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    address: AddressArgs,

    #[command(flatten)]
    credential: CredentialArgs,

    #[command(flatten)]
    message: MessageArgs,
}

pub(super) fn run(args: &BulkArgs) -> Result<ExitCode, String> {
    if args.file == Path::new("-") && args.message.reads_standard_input() {
        return Err("standard input cannot be both the file and the payload".to_owned());
    }
    let message = Message::new(&args.message, SystemClock.now())?;
    let sender = args.address.sender(&args.credential)?;
    let (mut input, bytes_total) = opened(&args.file)?;
    let mut past = Past::default();
    let mut resume = None;
    if let Some(path) = &args.resume {
        let beginning = first_lines(&mut input).map_err(|error| told(&args.file, &error))?;
        let (file, found) = ResumeFile::open(path, &beginning)?;
        (resume, past) = (Some(RefCell::new(file)), found);
        input = Box::new(Cursor::new(beginning).chain(input));
    }
    let recipients = Recipients::open(input).map_err(|error| told(&args.file, &error))?;
    message.fits(recipients.columns())?;
    let results = args.results.as_deref().map(ResultsFile::open).transpose()?;
    let skipped = Arc::new(Skipped::default());
    let (summary, elapsed) = runtime::for_many(async {
        let run = Run {
            client: sender.client(again(args.at_most_once))?,
            message,
            apns_ids: args.campaign.clone().map_or(ApnsIds::Drawn, |campaign| ApnsIds::Derived { campaign }),
            concurrency: args.concurrency.into(),
            at_most_once: args.at_most_once,
            resume,
        };
        let began = tokio::time::Instant::now();
        let lines = read_ahead(recipients, past, args.at_most_once, Arc::clone(&skipped));
        Ok::<_, String>((run.all(lines, results, Progress::new(bytes_total)).await, began.elapsed()))
    })??;
    report::print_of_pushes(summed_up(args, &summary, &skipped, elapsed));
    Ok(ExitCode::from(code(&summary, &skipped)))
}

/// Lines that were left out.
#[derive(Debug, Default)]
struct Skipped {
    done: AtomicU64,
    /// Nobody knows whether they were sent, and they are to be sent once at most.
    begun: AtomicU64,
}

type Input = Box<dyn BufRead + Send>;

/// The file, and its size if it has one.
fn opened(file: &Path) -> Result<(Input, Option<u64>), String> {
    if file == Path::new("-") {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let opened = File::open(file).map_err(|error| told(file, &error))?;
    let size = opened.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    Ok((Box::new(BufReader::with_capacity(READ_BYTES, opened)), size))
}

/// The first two lines, by which a resume file knows its input.
fn first_lines(input: &mut Input) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for _ in 0..2 {
        input.by_ref().take(FIRST_LINE_BYTES_MAX).read_until(b'\n', &mut lines)?;
    }
    Ok(lines)
}

/// Reads on a thread of its own, since files and pipes can block, and not further ahead than needed.
fn read_ahead(
    recipients: Recipients<Input>,
    past: Past,
    at_most_once: bool,
    skipped: Arc<Skipped>,
) -> mpsc::Receiver<Result<Line, String>> {
    let (sender, lines) = mpsc::channel(READ_AHEAD);
    thread::spawn(move || {
        for line in recipients {
            if let Ok(line) = &line {
                if past.done.contains(line.number) {
                    skipped.done.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                if at_most_once && past.begun.contains(line.number) {
                    skipped.begun.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
            }
            let is_last = line.is_err();
            if sender.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    lines
}

fn told(file: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", file.display())
}

/// What is printed at the end.
fn summed_up(args: &BulkArgs, summary: &Summary, skipped: &Skipped, elapsed: Duration) -> String {
    let (done, begun) = (skipped.done.load(Ordering::Relaxed), skipped.begun.load(Ordering::Relaxed));
    let total = summary.tally.total();
    let ended_early = summary.ended_early.as_ref().map(|early| match early {
        EndedEarly::Interrupted => "interrupted".to_owned(),
        EndedEarly::Hopeless(why) => format!("every other push would have ended the same: {why}"),
        EndedEarly::Broken(why) => why.clone(),
        EndedEarly::NoWay(why) => format!("the last thousand pushes got no answer: {why}"),
    });
    if args.json {
        let json = serde_json::json!({
            "pushes": total,
            "outcomes": summary.tally.kinds(),
            "done-before": done,
            "unknown-before": begun,
            "may-be-sent-again": summary.may_be_sent_again,
            "seconds": elapsed.as_secs_f64(),
            "ended-early": ended_early,
        });
        return json.to_string();
    }
    let mut lines = vec![format!(
        "{total} pushes in {}, {}/s: {}",
        span(elapsed),
        rate(total, elapsed),
        summary.tally.told()
    )];
    if done > 0 {
        lines.push(format!("{done} lines were done before and left out"));
    }
    if begun > 0 {
        lines.push(format!(
            "{begun} lines were begun before, and nobody knows how they ended: not sent again (--at-most-once)"
        ));
    }
    lines.extend(ended_early.map(|why| format!("ended early: {why}")));
    if summary.may_be_sent_again > 0 || summary.ended_early.is_some() {
        let how = match &args.resume {
            Some(_) => "to go on, run the same command again: what is done is left out",
            None => "without --resume, another run begins from the first line",
        };
        lines.push(how.to_owned());
    }
    lines.join("\n")
}

fn code(summary: &Summary, skipped: &Skipped) -> u8 {
    let refused = summary.tally.total() - summary.tally.of("accepted");
    match &summary.ended_early {
        Some(EndedEarly::Hopeless(_) | EndedEarly::Broken(_)) => exit::MISCONFIGURED,
        Some(EndedEarly::Interrupted | EndedEarly::NoWay(_)) => exit::RETRYABLE,
        None if summary.may_be_sent_again > 0 => exit::RETRYABLE,
        None if refused > 0 || skipped.begun.load(Ordering::Relaxed) > 0 => exit::REJECTED,
        None => exit::ACCEPTED,
    }
}

/// Lines that wait for their turn.
const READ_AHEAD: usize = 1024;
/// Bytes that are read of a file at once.
const READ_BYTES: usize = 256 * 1024;
/// Bytes of a line by which a resume file knows its input.
const FIRST_LINE_BYTES_MAX: u64 = 4096;
