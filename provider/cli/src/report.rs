//! How an outcome is told to a person, and to a program.

use std::{
    fmt,
    io::{self, Write as _},
};

use apns_provider_core::{Ambiguity, ApnsId, Cut, Outcome, Reason, Rejection, UnixTime};
use serde_json::{Value, json};

/// Prints the outcome to standard output.
pub(super) fn outcome(outcome: &Outcome, apns_id: &ApnsId, as_json: bool) {
    if as_json {
        print_of_pushes(json_line(outcome, apns_id));
    } else {
        print_of_pushes(text(outcome, apns_id));
    }
}

/// Prints what became of pushes. If that fails it is said, and no more: the exit code goes on to tell what became of them.
pub(super) fn print_of_pushes(result: impl fmt::Display) {
    if let Err(error) = print(result) {
        note(&error);
    }
}

/// Prints a command's result, and the end of its last line. Whoever has closed the other end of the pipe has read enough.
///
/// # Errors
/// Standard output takes no more: a disk may be full.
pub(super) fn print(result: impl fmt::Display) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{result}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}

/// Says what was cut off for a push to fit.
pub(super) fn cuts(cuts: &[Cut]) {
    for cut in cuts {
        note(&format!("shortened {cut}"));
    }
}

/// Says something to whoever looks on: standard error may be closed.
pub(super) fn note(message: &str) {
    let _ = writeln!(io::stderr(), "apns-provider: {message}");
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

/// What outcomes are counted by: the word, and for a rejection the status and the reason.
pub(super) fn kind(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Rejected(rejection) => format!("{}{}", rejection.status, reason(rejection)),
        _ => outcome.name().to_owned(),
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
            let head = if why.may_send_again() {
                "not sent, may be sent again"
            } else {
                "not sent, and would not be"
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
            "outcome": outcome.name(),
            "status": 200,
            "apns-id": acceptance.apns_id.as_str(),
            "apns-unique-id": acceptance.apns_unique_id,
            "ambiguous-before": acceptance.ambiguous_before,
        }),
        Outcome::Rejected(rejection) => json!({
            "outcome": outcome.name(),
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
            "outcome": outcome.name(),
            "why": why.to_string(),
            "may-send-again": why.may_send_again(),
            "apns-id": apns_id,
        }),
        Outcome::Expired => json!({ "outcome": outcome.name(), "apns-id": apns_id }),
        Outcome::Ambiguous(why) => {
            json!({ "outcome": outcome.name(), "why": ambiguous(why), "apns-id": apns_id })
        }
    }
}

#[cfg(test)]
mod tests {
    use apns_provider_core::NotSent;

    use super::*;
    use crate::exit;

    #[test]
    fn text_json_and_exit_code_say_the_same_of_what_was_not_sent() {
        let id = ApnsId::from_random([0; 16]);
        for (why, head, may_send_again, code) in [
            (NotSent::OutOfTime, "not sent, may be sent again: ", true, exit::RETRYABLE),
            (
                NotSent::FieldsTooLarge { bytes: 600, limit: 500 },
                "not sent, and would not be: ",
                false,
                exit::REJECTED,
            ),
            (
                NotSent::CertificateRefused { why: "expired".into() },
                "not sent, and would not be: ",
                false,
                exit::MISCONFIGURED,
            ),
        ] {
            let outcome = Outcome::NotSent(why);
            let told = text(&outcome, &id);
            assert!(told.starts_with(head), "{told}");
            assert_eq!(json_line(&outcome, &id)["may-send-again"], may_send_again, "{told}");
            assert_eq!(exit::code(&outcome), code, "{told}");
        }
    }
}
