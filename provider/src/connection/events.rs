//! What the server does, as far as pushes are concerned.

use apns_http2::{ErrorCode, Event, Section};
use apns_provider_core::{Ambiguity, ErrorBody, NotSent, Outcome, Reason};
use tracing::debug;

use super::{answers::AnswerFields, in_flight::InFlight};
use crate::telemetry;

/// A GOAWAY has come.
#[derive(Debug)]
pub(super) struct GoingAway {
    /// What its debug data gave as its reason.
    pub(super) reason: Option<Reason>,
    pub(super) wants_calm: bool,
    /// Whether the dispatcher knows.
    pub(super) is_told: bool,
}

pub(super) fn handle(
    event: Event<'_>,
    answers: &mut AnswerFields,
    in_flight: &mut InFlight,
    going_away: &mut Option<GoingAway>,
) {
    match event {
        Event::Headers { stream, section: Section::Response, end_stream } => {
            if let Some(answer) = answers.take() {
                in_flight.answer(stream, answer, end_stream);
            }
        }
        Event::Headers { stream, section: Section::Trailers, .. } => in_flight.body(stream, &[], true),
        Event::Data { stream, data, end_stream } => in_flight.body(stream, data, end_stream),
        Event::Reset { stream, code, violation } => {
            if violation.is_none() {
                telemetry::reset(code.0);
            }
            in_flight.end(stream, reset(code, violation.is_none()));
        }
        Event::GoAway { last_stream, code, debug } => {
            let reason = ErrorBody::parse(debug).reason;
            debug!(%last_stream, %code, ?reason, "GOAWAY");
            telemetry::goaway(reason.as_ref());
            // A second GOAWAY usually has no reason; the first one's is the one to tell.
            let reason = reason.or_else(|| going_away.take()?.reason);
            let beyond = || Outcome::NotSent(NotSent::BeyondGoaway { reason: reason.clone() });
            in_flight.end_above(last_stream, beyond);
            let wants_calm = code == ErrorCode::ENHANCE_YOUR_CALM;
            *going_away = Some(GoingAway { reason, wants_calm, is_told: false });
        }
        _ => {}
    }
}

/// How a push ends whose stream was reset, by the server or, for what the server did wrong on it, by us.
fn reset(code: ErrorCode, is_servers: bool) -> Outcome {
    if is_servers && code == ErrorCode::REFUSED_STREAM {
        Outcome::NotSent(NotSent::StreamRefused)
    } else {
        Outcome::Ambiguous(Ambiguity::StreamReset { code: code.0 })
    }
}
