//! The run itself: takes lines, keeps so many pushes under way, writes down what becomes of them.

use std::{cell::RefCell, fmt::Write as _, pin::pin, time::Duration};

use apns_provider::Client;
use apns_provider_core::{Advice, ApnsId, DeviceToken, Outcome, Push, Reason};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::{
    select, signal,
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

use super::{
    apns_ids::ApnsIds,
    message::Message,
    progress::{Progress, TICK},
    recipients::Line,
    results::ResultsFile,
    resume::ResumeFile,
};
use crate::{report, tally::Tally};

/// What a run works with.
pub(super) struct Run<'a> {
    pub(super) client: Client,
    pub(super) message: Message<'a>,
    pub(super) apns_ids: ApnsIds,
    pub(super) concurrency: usize,
    pub(super) at_most_once: bool,
    pub(super) resume: Option<RefCell<ResumeFile>>,
}

/// What a run has come to.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) tally: Tally,
    /// Pushes that are worth another run.
    pub(super) may_be_sent_again: u64,
    /// Why it ended before the file did.
    pub(super) ended_early: Option<EndedEarly>,
    /// Pushes since the last answer.
    unanswered: u32,
}

/// Why a run ended before its file did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum EndedEarly {
    /// Ctrl-C: what was under way was waited for, or, with the second, not.
    Interrupted,
    /// Every push would end like this one.
    Hopeless(String),
    /// The file, or what is written about it, failed.
    Broken(String),
    /// Nothing was answered for long; the last outcome says why.
    NoWay(String),
}

/// What became of a line.
struct EndedLine {
    line: u64,
    bytes: u64,
    device_token: Option<DeviceToken>,
    what: What,
}

enum What {
    /// It was not sent, since it is wrong.
    Invalid(String),
    Sent(Outcome, ApnsId),
}

impl Run<'_> {
    /// Sends to all of them, or to as many as are let.
    pub(super) async fn all(
        &self,
        lines: mpsc::Receiver<Result<Line, String>>,
        mut results: Option<ResultsFile>,
        mut progress: Progress,
    ) -> Summary {
        let (stop, stopped) = oneshot::channel::<()>();
        let (mut stop, mut summary) = (Some(stop), Summary::default());
        let lines =
            stream::unfold(lines, async |mut lines| Some((lines.recv().await?, lines))).take_until(stopped);
        let ended = lines.map(|line| self.push(line)).buffer_unordered(self.concurrency).ready_chunks(CHUNK);
        let mut ended = pin!(ended);
        let mut interrupt = pin!(signal::ctrl_c());
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            select! {
                chunk = ended.next() => {
                    let Some(chunk) = chunk else { break };
                    let broken = summary.take_in(chunk, self, results.as_mut(), &mut progress).err();
                    if let Some(why) = broken {
                        summary.ended_early = Some(EndedEarly::Broken(why));
                    }
                    if summary.ended_early.is_some() && stop.take().is_some() { // dropped: no more lines are taken
                        if let Some(EndedEarly::Hopeless(_)) = summary.ended_early {
                            // Those that are held back would be so until their time is over.
                            let client = self.client.clone();
                            tokio::spawn(async move { client.drain(GRACE).await });
                        }
                    }
                }
                _ = interrupt.as_mut() => {
                    summary.ended_early.get_or_insert(EndedEarly::Interrupted);
                    if stop.take().is_none() {
                        break;
                    }
                    progress.finish();
                    report::note("waiting for what is under way; Ctrl-C again ends at once");
                    interrupt.set(signal::ctrl_c());
                }
                _ = ticks.tick() => progress.tick(&summary.tally),
            }
        }
        drop(stop);
        progress.finish();
        summary
    }

    async fn push(&self, line: Result<Line, String>) -> Result<EndedLine, String> {
        let Line { number: line, bytes, recipient } = line?;
        let invalid = |device_token, why| EndedLine { line, bytes, device_token, what: What::Invalid(why) };
        let recipient = match recipient {
            Ok(recipient) => recipient,
            Err(why) => return Ok(invalid(None, why)),
        };
        let device_token = recipient.device_token;
        let notification = match self.message.notification(&recipient.values) {
            Ok(notification) => notification,
            Err(why) => return Ok(invalid(Some(device_token), why)),
        };
        if let (true, Some(resume)) = (self.at_most_once, &self.resume) {
            resume.borrow_mut().begin(line)?;
        }
        let apns_id = self.apns_ids.of(line, &device_token);
        let outcome = self.client.send_push(Push::new(notification, device_token.clone(), apns_id)).await;
        Ok(EndedLine { line, bytes, device_token: Some(device_token), what: What::Sent(outcome, apns_id) })
    }
}

impl Summary {
    /// Counts and writes down what has ended: results first, so that a line that is done has its result.
    fn take_in(
        &mut self,
        chunk: Vec<Result<EndedLine, String>>,
        run: &Run<'_>,
        results: Option<&mut ResultsFile>,
        progress: &mut Progress,
    ) -> Result<(), String> {
        let (mut lines, mut done, mut again, mut broken) = (String::new(), Vec::new(), Vec::new(), None);
        for ended in chunk {
            let ended = match ended {
                Ok(ended) => ended,
                Err(why) => {
                    broken = Some(why);
                    continue;
                }
            };
            progress.advance(ended.bytes);
            if let What::Sent(outcome, _) = &ended.what {
                if is_done(outcome, run.at_most_once) {
                    done.push(ended.line);
                } else {
                    self.may_be_sent_again += 1;
                    if run.at_most_once && is_unprocessed(outcome) {
                        again.push(ended.line);
                    }
                }
                self.look_ahead(outcome);
            }
            self.tally.count(match &ended.what {
                What::Invalid(_) => INVALID.to_owned(),
                What::Sent(outcome, _) => report::kind(outcome),
            });
            let _ = writeln!(lines, "{}", ended.json()); // to a String it never fails
        }
        if let Some(results) = results {
            results.write(&lines)?;
        }
        if let Some(resume) = &run.resume {
            resume.borrow_mut().ended(&done, &again)?;
        }
        broken.map_or(Ok(()), Err)
    }

    /// Whether it makes sense to go on.
    fn look_ahead(&mut self, outcome: &Outcome) {
        let is_answered = matches!(outcome, Outcome::Accepted(_) | Outcome::Rejected(_));
        self.unanswered = if is_answered { 0 } else { self.unanswered + 1 };
        let why = match hopeless(outcome) {
            Some(why) => EndedEarly::Hopeless(why),
            None if self.unanswered >= UNANSWERED_MAX => EndedEarly::NoWay(report::sentence(outcome)),
            None => return,
        };
        self.ended_early.get_or_insert(why);
    }
}

impl EndedLine {
    fn json(&self) -> Value {
        let mut json = match &self.what {
            What::Invalid(why) => json!({ "outcome": INVALID, "why": why }),
            What::Sent(outcome, apns_id) => report::json_line(outcome, apns_id),
        };
        json["line"] = self.line.into();
        json["device-token"] = self.device_token.as_ref().map(DeviceToken::as_str).into();
        json
    }
}

/// Whether another run has nothing to do for it.
fn is_done(outcome: &Outcome, at_most_once: bool) -> bool {
    match outcome {
        Outcome::Accepted(_) | Outcome::Expired => true,
        Outcome::Ambiguous(_) => at_most_once,
        Outcome::NotSent(why) => !why.may_send_again() && hopeless(outcome).is_none(),
        Outcome::Rejected(rejection) => !rejection.advice.may_send_again() && hopeless(outcome).is_none(),
    }
}

/// Whether APNs has certainly not taken it, in no attempt.
fn is_unprocessed(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::NotSent(_) | Outcome::Expired => true,
        Outcome::Rejected(rejection) => !rejection.ambiguous_before,
        Outcome::Accepted(_) | Outcome::Ambiguous(_) => false,
    }
}

/// Why every other push would end like this one: the credential or the topic, which they share, is wrong.
fn hopeless(outcome: &Outcome) -> Option<String> {
    let is_shared = match outcome {
        Outcome::NotSent(why) => why.needs_mending(),
        Outcome::Rejected(rejection) => {
            rejection.advice == Advice::FixCredentials
                || matches!(
                    rejection.reason,
                    Some(Reason::BadTopic | Reason::MissingTopic | Reason::TopicDisallowed)
                )
        }
        Outcome::Accepted(_) | Outcome::Ambiguous(_) | Outcome::Expired => false,
    };
    is_shared.then(|| report::sentence(outcome))
}

/// How long what is under way is waited for when every push would end alike.
const GRACE: Duration = Duration::from_secs(1);
/// Lines that are wrong are counted under this word.
const INVALID: &str = "invalid";
/// Pushes without an answer in a row until a run ends; each was tried until its time was over.
const UNANSWERED_MAX: u32 = 1000;
/// Outcomes that are written down together at most.
const CHUNK: usize = 512;

#[cfg(test)]
mod tests {
    use apns_provider_core::{Ambiguity, Answer, NotSent};

    use super::*;

    fn refused(status: u16, reason: &str) -> Outcome {
        let mut answer = Answer::new(status);
        answer.read_body(json!({ "reason": reason }).to_string().as_bytes());
        Outcome::from_answer(answer, ApnsId::from_random([7; 16]))
    }

    #[test]
    fn what_another_run_would_not_change_is_done_and_what_somebody_can_mend_is_not() {
        let lost = Outcome::Ambiguous(Ambiguity::ConnectionLost);
        for (outcome, done) in [
            (refused(410, "Unregistered"), true),
            (refused(503, "ServiceUnavailable"), false),
            (refused(403, "InvalidProviderToken"), false),
            (refused(400, "TopicDisallowed"), false),
            (Outcome::NotSent(NotSent::OutOfTime), false),
            (Outcome::NotSent(NotSent::CertificateRefused { why: "expired".into() }), false),
            (Outcome::NotSent(NotSent::FieldsTooLarge { bytes: 600, limit: 500 }), true),
            (lost.clone(), false),
        ] {
            assert_eq!(is_done(&outcome, false), done, "{outcome:?}");
        }
        assert!(is_done(&lost, true) && !is_unprocessed(&lost));
    }

    #[test]
    fn a_refusal_behind_an_attempt_without_an_answer_does_not_say_that_nothing_was_taken() {
        let Outcome::Rejected(mut busy) = refused(503, "ServiceUnavailable") else { panic!("it is refused") };
        assert!(is_unprocessed(&Outcome::Rejected(busy.clone())));
        busy.ambiguous_before = true;
        assert!(!is_unprocessed(&Outcome::Rejected(busy)));
    }
}
