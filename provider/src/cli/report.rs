//! How an outcome is told to a person, and to a program.

use std::process::ExitCode;

use apns_provider_core::{Ambiguity, ApnsId, NotSent, Outcome, Reason, Rejection, UnixTime};
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

/// Says what is wrong with options, files or credentials.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
pub(super) fn misconfigured(message: &str) -> ExitCode {
    eprintln!("apns-provider: {message}");
    ExitCode::from(exit::MISCONFIGURED)
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
            lines.push(format!("{head}: {}", not_sent(why)));
            lines.push(ids(apns_id, None));
        }
        Outcome::Expired => {
            lines.push("not sent, and of no use any more: its expiration passed".to_owned());
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

fn not_sent(why: &NotSent) -> String {
    match why {
        NotSent::BeyondGoaway { reason: Some(reason) } => {
            let todo = reason.todo().map(|todo| format!(". {todo}")).unwrap_or_default();
            format!("APNs closed the connection with GOAWAY and the reason {reason}{todo}")
        }
        NotSent::BeyondGoaway { reason: None } => {
            "APNs closed the connection with GOAWAY and no reason".to_owned()
        }
        NotSent::CertificateRefused { why } | NotSent::NoConnection { why } => why.to_string(),
        NotSent::Closed => "the client was closed before its turn came".to_owned(),
        NotSent::CredentialRefused { reason } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("APNs refused the credential of the pushes before it{reason}")
        }
        NotSent::FieldsTooLarge { bytes, limit } => {
            format!("the fields of its request have {bytes} bytes and the server takes {limit}")
        }
        NotSent::ServiceUnavailable => {
            "APNs answered the pushes before it with nothing but that it is in trouble".to_owned()
        }
        NotSent::OutOfTime => "its time was over before it could be sent".to_owned(),
        NotSent::StreamRefused => "APNs refused the stream before looking at it".to_owned(),
        NotSent::Unwritten => "the connection ended before it was written".to_owned(),
        other => format!("{other:?}"),
    }
}

fn ambiguous(why: &Ambiguity) -> String {
    match why {
        Ambiguity::ConnectionLost => {
            "the connection ended after the request and before the answer".to_owned()
        }
        Ambiguity::NoAnswer => "no answer came in time".to_owned(),
        Ambiguity::StreamReset { code } => {
            format!("APNs reset the stream with {}", apns_http2::ErrorCode(*code))
        }
        other => format!("{other:?}"),
    }
}

fn json_line(outcome: &Outcome, apns_id: &ApnsId) -> Value {
    let apns_id = apns_id.as_str();
    match outcome {
        Outcome::Accepted(acceptance) => json!({
            "outcome": "accepted",
            "status": 200,
            "apns_id": acceptance.apns_id.as_str(),
            "apns_unique_id": acceptance.apns_unique_id,
        }),
        Outcome::Rejected(rejection) => json!({
            "outcome": "rejected",
            "status": rejection.status,
            "reason": rejection.reason.as_ref().map(Reason::as_str),
            "apns_id": rejection.apns_id.as_str(),
            "apns_unique_id": rejection.apns_unique_id,
            "timestamp": rejection.unregistered_since.map(UnixTime::as_millis),
            "may_send_again": rejection.advice.may_send_again(),
        }),
        Outcome::NotSent(why) => json!({
            "outcome": "not-sent",
            "why": not_sent(why),
            "may_send_again": !why.needs_mending() && !matches!(why, NotSent::FieldsTooLarge { .. }),
            "apns_id": apns_id,
        }),
        Outcome::Expired => json!({ "outcome": "expired", "apns_id": apns_id }),
        Outcome::Ambiguous(why) => {
            json!({ "outcome": "ambiguous", "why": ambiguous(why), "apns_id": apns_id })
        }
    }
}
