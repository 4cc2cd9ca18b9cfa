//! How an outcome is told to a person, and to a program.

use std::process::ExitCode;

use apns_provider_core::{Ambiguity, ApnsId, Cut, NotSent, Outcome, Reason, Rejection, UnixTime};
use serde_json::{Value, json};

use super::exit;

/// Prints the outcome to standard output.
#[expect(clippy::print_stdout, reason = "the outcome is the command's result")]
pub(super) fn outcome(outcome: &Outcome, apns_id: &ApnsId, as_json: bool) {
    if as_json {
        println!("{}", json_line(outcome, apns_id));
    } else {
        println!("{}", text(outcome, apns_id));
    }
}

/// Says what was cut off for a push to fit.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
pub(super) fn cuts(cuts: &[Cut]) {
    for cut in cuts {
        eprintln!("apns-provider: shortened {cut}");
    }
}

/// Says what is wrong with options, files or credentials.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
pub(super) fn misconfigured(message: &str) -> ExitCode {
    eprintln!("apns-provider: {message}");
    ExitCode::from(exit::MISCONFIGURED)
}

/// Says something that is no error.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
pub(super) fn note(message: &str) {
    eprintln!("apns-provider: {message}");
}

/// How it ended, in one line.
pub(super) fn sentence(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(_) => kind(outcome),
        Outcome::Rejected(rejection) => {
            let todo = rejection.reason.as_ref().and_then(Reason::todo);
            todo.map_or_else(|| kind(outcome), |todo| format!("{}. {todo}", kind(outcome)))
        }
        Outcome::NotSent(why) => why.to_string(),
        Outcome::Ambiguous(why) => ambiguous(why),
        Outcome::Expired => EXPIRED.to_owned(),
    }
}

const EXPIRED: &str = "not sent, and of no use any more: its expiration passed";

/// One word for how it ended.
pub(super) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted(_) => "accepted",
        Outcome::Rejected(_) => "rejected",
        Outcome::NotSent(_) => "not-sent",
        Outcome::Ambiguous(_) => "ambiguous",
        Outcome::Expired => "expired",
    }
}

/// What outcomes are counted by: the word, and for a rejection the status and the reason.
pub(super) fn kind(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Rejected(rejection) => format!("{}{}", rejection.status, reason(rejection)),
        _ => word(outcome).to_owned(),
    }
}

fn text(outcome: &Outcome, apns_id: &ApnsId) -> String {
    let mut lines = Vec::new();
    let ids = |apns_id: &ApnsId, unique_id: Option<&str>| {
        let unique_id = unique_id.map(|id| format!("\n  apns-unique-id  {id}")).unwrap_or_default();
        format!("  apns-id         {apns_id}{unique_id}")
    };
    match outcome {
        Outcome::Accepted(acceptance) => {
            lines.push("accepted: 200".to_owned());
            lines.push(ids(&acceptance.apns_id, acceptance.apns_unique_id.as_deref()));
        }
        Outcome::Rejected(rejection) => {
            lines.push(format!("rejected: {}{}", rejection.status, reason(rejection)));
            lines.push(ids(&rejection.apns_id, rejection.apns_unique_id.as_deref()));
            if let Some(since) = rejection.unregistered_since {
                lines.push(format!("  timestamp       {} (milliseconds since 1970)", since.as_millis()));
            }
            if let Some(what) = &rejection.reason {
                lines.extend(what.meaning().map(|meaning| format!("  meaning         {meaning}")));
                lines.extend(what.todo().map(|todo| format!("  what to do      {todo}")));
            }
        }
        Outcome::NotSent(why) => {
            let head = if why.needs_mending() {
                "not sent, and would not be"
            } else {
                "not sent, may be sent again"
            };
            lines.push(format!("{head}: {why}"));
            lines.push(ids(apns_id, None));
        }
        Outcome::Expired => {
            lines.push(EXPIRED.to_owned());
            lines.push(ids(apns_id, None));
        }
        Outcome::Ambiguous(why) => {
            lines.push(format!("unknown whether it was processed: {}", ambiguous(why)));
            lines.push(ids(apns_id, None));
        }
    }
    lines.join("\n")
}

fn reason(rejection: &Rejection) -> String {
    rejection.reason.as_ref().map(|reason| format!(" {reason}")).unwrap_or_default()
}

fn ambiguous(why: &Ambiguity) -> String {
    match why {
        Ambiguity::StreamReset { code } => {
            format!("APNs reset the stream with {}", apns_http2::ErrorCode(*code))
        }
        other => other.to_string(),
    }
}

/// The outcome for a program.
pub(super) fn json_line(outcome: &Outcome, apns_id: &ApnsId) -> Value {
    let apns_id = apns_id.as_str();
    match outcome {
        Outcome::Accepted(acceptance) => json!({
            "outcome": word(outcome),
            "status": 200,
            "apns-id": acceptance.apns_id.as_str(),
            "apns-unique-id": acceptance.apns_unique_id,
            "ambiguous-before": acceptance.ambiguous_before,
        }),
        Outcome::Rejected(rejection) => json!({
            "outcome": word(outcome),
            "status": rejection.status,
            "reason": rejection.reason.as_ref().map(Reason::as_str),
            "todo": rejection.reason.as_ref().and_then(Reason::todo),
            "apns-id": rejection.apns_id.as_str(),
            "apns-unique-id": rejection.apns_unique_id,
            "timestamp": rejection.unregistered_since.map(UnixTime::as_millis),
            "may-send-again": rejection.advice.may_send_again(),
            "ambiguous-before": rejection.ambiguous_before,
        }),
        Outcome::NotSent(why) => json!({
            "outcome": word(outcome),
            "why": why.to_string(),
            "may-send-again": !why.needs_mending() && !matches!(why, NotSent::FieldsTooLarge { .. }),
            "apns-id": apns_id,
        }),
        Outcome::Expired => json!({ "outcome": word(outcome), "apns-id": apns_id }),
        Outcome::Ambiguous(why) => {
            json!({ "outcome": word(outcome), "why": ambiguous(why), "apns-id": apns_id })
        }
    }
}
