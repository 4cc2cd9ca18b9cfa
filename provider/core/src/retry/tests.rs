use proptest::prelude::*;

use super::*;
use crate::{Acceptance, Ambiguity, Answer, ApnsId, Reason};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn end() -> AttemptEnd {
    AttemptEnd { now: NOW, deadline: in_secs(86_400), expiration: None, random: 0 }
}

fn in_secs(secs: u64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}

fn refused(status: u16, reason: &str) -> Outcome {
    refused_with(status, reason, None)
}

fn refused_with(status: u16, reason: &str, retry_after: Option<&str>) -> Outcome {
    let mut answer = Answer::new(status);
    if let Some(value) = retry_after {
        answer.read_header(b"Retry-After", value.as_bytes());
    }
    answer.read_body(format!(r#"{{"reason":"{reason}"}}"#).as_bytes());
    Outcome::from_answer(answer, ApnsId::from_random([7; 16]))
}

fn next(outcome: &Outcome) -> Next {
    Attempts::default().next(outcome, end(), &RetryPolicy::default())
}

fn pause(next: Next) -> Duration {
    match next {
        Next::Again { after, is_budgeted: true } => after,
        other => panic!("{other:?}"),
    }
}

const AT_ONCE: Next = Next::Again { after: Duration::ZERO, is_budgeted: false };

#[test]
fn c47_what_would_be_refused_again_is_not_sent_again() {
    for reason in Reason::known() {
        let status = reason.documented_status().unwrap_or(400);
        let is_final = next(&refused(status, reason.as_str())) == Next::Final;
        let is_exception = matches!(reason, Reason::IdleTimeout | Reason::ExpiredProviderToken);
        assert_eq!(is_final, status < 429 && !is_exception, "{status} {reason}");
    }
    assert_eq!(next(&refused(400, "IdleTimeout")), AT_ONCE);
    for status in [400, 403, 404, 405, 410, 413] {
        assert_eq!(next(&refused(status, "BrandNew2027")), Next::Final, "{status}");
    }
    let acceptance =
        Acceptance { apns_id: ApnsId::from_random([7; 16]), apns_unique_id: None, ambiguous_before: false };
    assert_eq!(next(&Outcome::Accepted(acceptance)), Next::Final);
}

#[test]
fn c48_pauses_grow_and_are_never_the_same_for_two() {
    let busy = refused(503, "ServiceUnavailable");
    let pauses = |random| {
        let mut attempts = Attempts::default();
        [(); 4].map(|()| pause(attempts.next(&busy, AttemptEnd { random, ..end() }, &RetryPolicy::default())))
    };
    assert_eq!(pauses(0), [500, 1000, 2000, 4000].map(Duration::from_millis));
    assert_eq!(pauses(u32::MAX), [1, 2, 4, 8].map(Duration::from_secs));
    assert_ne!(pauses(1 << 20), pauses(1 << 21));
}

#[test]
fn attempts_end() {
    let mut attempts = Attempts::default();
    for outcome in [refused(503, "Shutdown"), refused(400, "IdleTimeout")].iter().cycle().take(4) {
        assert_ne!(attempts.next(outcome, end(), &RetryPolicy::default()), Next::Final);
    }
    assert_eq!(attempts.next(&refused(503, "Shutdown"), end(), &RetryPolicy::default()), Next::Final);
    assert_eq!(attempts.made(), 5);
    assert_eq!(Attempts::default().next(&refused(503, ""), end(), &RetryPolicy::never()), Next::Final);
}

#[test]
fn c25_an_expired_provider_token_is_tried_once_more() {
    let mut attempts = Attempts::default();
    let expired = refused(403, "ExpiredProviderToken");
    assert_eq!(attempts.next(&expired, end(), &RetryPolicy::default()), AT_ONCE);
    assert_eq!(attempts.next(&expired, end(), &RetryPolicy::default()), Next::Final);
}

#[test]
fn c51_retry_after_is_heeded_and_capped_by_the_deadline() {
    let after = |value: &str| next(&refused_with(503, "ServiceUnavailable", Some(value)));
    assert_eq!(pause(after("120")), Duration::from_mins(2));
    assert_eq!(pause(after("Tue, 14 Nov 2023 22:14:20 GMT")), Duration::from_mins(1));
    assert_eq!(pause(after("soon")), Duration::from_millis(500), "garbage is ignored");
    assert_eq!(pause(after("0")), Duration::from_millis(500), "and no hot loop asked for");
    assert_eq!(after("99999999999"), Next::Final);
}

#[test]
fn c52_no_attempt_begins_after_the_deadline_or_the_expiration() {
    let busy = refused_with(503, "ServiceUnavailable", Some("5"));
    let next = |deadline, expiration: Option<u64>| {
        let expiration = expiration.map(|secs| Expiration::at_secs(NOW.as_secs() + secs).unwrap());
        let end = AttemptEnd { deadline: in_secs(deadline), expiration, ..end() };
        Attempts::default().next(&busy, end, &RetryPolicy::default())
    };
    assert_eq!(next(5, None), Next::Final);
    assert_eq!(pause(next(6, None)), Duration::from_secs(5));
    assert_eq!(next(60, Some(4)), Next::Final);
    assert_eq!(pause(next(60, Some(5))), Duration::from_secs(5));
}

#[test]
fn c34_and_c37_what_was_not_processed_is_sent_again_at_once_and_costs_nothing() {
    for why in
        [NotSent::BeyondGoaway { reason: Some(Reason::Shutdown) }, NotSent::StreamRefused, NotSent::Unwritten]
    {
        assert_eq!(next(&Outcome::NotSent(why.clone())), AT_ONCE, "{why:?}");
    }
    assert_eq!(next(&Outcome::NotSent(NotSent::OutOfTime)), Next::Final);
    let refused = NotSent::CertificateRefused { why: "expired".into() };
    assert_eq!(next(&Outcome::NotSent(refused)), Next::Final);
    assert_eq!(next(&Outcome::NotSent(NotSent::FieldsTooLarge { bytes: 600, limit: 500 })), Next::Final);
    let bad = NotSent::BeyondGoaway { reason: Some(Reason::BadCertificate) };
    assert_eq!(next(&Outcome::NotSent(bad)), Next::Final, "until somebody mends it");
}

#[test]
fn c41_where_there_is_no_way_it_is_tried_with_growing_pauses() {
    let outcome = Outcome::NotSent(NotSent::NoConnection { why: "refused".into() });
    assert_eq!(pause(next(&outcome)), Duration::from_millis(500));
}

#[test]
fn c46_an_ambiguous_push_is_sent_again_only_if_the_policy_wants_it() {
    for ambiguity in [Ambiguity::ConnectionLost, Ambiguity::NoAnswer, Ambiguity::StreamReset { code: 8 }] {
        let outcome = Outcome::Ambiguous(ambiguity);
        // A lost connection is paid for by the pause before the next one.
        let is_budgeted = outcome != Outcome::Ambiguous(Ambiguity::ConnectionLost);
        assert_eq!(next(&outcome), Next::Again { after: Duration::from_millis(500), is_budgeted });
        let policy = RetryPolicy::default().with_ambiguous_pushes(AmbiguousPushes::Report);
        assert_eq!(Attempts::default().next(&outcome, end(), &policy), Next::Final);
    }
}

#[test]
fn a_policy_that_could_never_work_is_refused() {
    let second = Duration::from_secs(1);
    assert_eq!(RetryPolicy::new(0, second, second), Err(InvalidRetryPolicy::NoAttempts));
    for (first, longest) in [(Duration::ZERO, second), (second * 2, second)] {
        assert_eq!(RetryPolicy::new(1, first, longest), Err(InvalidRetryPolicy::Pauses { first, longest }));
    }
    assert_eq!(RetryPolicy::new(5, second, Duration::from_mins(15)), Ok(RetryPolicy::default()));
}

proptest! {
    #[test]
    fn a_pause_is_within_half_of_what_it_should_be_and_never_too_long(before in 0..u32::MAX, random: u32) {
        let policy = RetryPolicy::default();
        let whole = Duration::from_secs(1).saturating_mul(2_u32.saturating_pow(before)).min(Duration::from_mins(15));
        let pause = policy.pause(before, random);
        prop_assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
    }
}
