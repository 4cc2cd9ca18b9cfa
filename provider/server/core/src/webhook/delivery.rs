//! What comes after a delivery.

use std::time::Duration;

use apns_provider_core::{RetryAfter, UnixTime};

/// How long a receiver may take, from the first packet to its answer: who has more to do answers first and does it then. Standard Webhooks
/// has it between 15 and 30 s; a place is kept as long, so that it is shorter here.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// The pauses between deliveries of one event: as Standard Webhooks suggests it, three days in all.
pub const RETRIES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// How a delivery ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The receiver has answered.
    Status {
        /// With this.
        status: u16,
        /// And wants to be left alone so long.
        retry_after: Option<RetryAfter>,
    },
    /// Nobody has answered, in time or at all.
    Unanswered,
    /// It was not sent, since it leads to where nothing may be sent.
    Forbidden,
}

/// What comes after it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivered {
    /// The receiver has it.
    Done,
    /// It is delivered again.
    Again {
        /// Not before this.
        not_before: UnixTime,
    },
    /// It is not delivered any more.
    GivenUp,
    /// The receiver wants nothing any more: the webhook is disabled.
    Disabled,
}

/// What comes after a delivery that ended so, of an event that was delivered so often before.
///
/// A redirect is not followed: it would lead past what was checked. `random` scatters those that failed together.
pub fn after(now: UnixTime, answer: Answer, before: usize, random: u32) -> Delivered {
    let asked = match answer {
        Answer::Status { status: 200..=299, .. } => return Delivered::Done,
        Answer::Status { status: GONE, .. } => return Delivered::Disabled,
        Answer::Status { retry_after, .. } => retry_after.map_or(Duration::ZERO, |it| it.delay(now)),
        Answer::Unanswered => Duration::ZERO,
        Answer::Forbidden => return Delivered::GivenUp,
    };
    let Some(pause) = RETRIES.get(before) else { return Delivered::GivenUp };
    let scattered = pause.mul_f64(1.0 + f64::from(random) / f64::from(u32::MAX) * SCATTER);
    let pause = scattered.max(asked.min(ASKED_MAX));
    let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    Delivered::Again { not_before: UnixTime::from_millis(now.as_millis().saturating_add(pause)) }
}

/// The receiver wants nothing any more.
const GONE: u16 = 410;
/// The part of a pause that may be added to it.
const SCATTER: f64 = 0.1;
/// The longest that a `Retry-After` is heeded.
const ASKED_MAX: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn status(status: u16) -> Answer {
        Answer::Status { status, retry_after: None }
    }

    fn again_after(answer: Answer, before: usize) -> u64 {
        match after(NOW, answer, before, 0) {
            Delivered::Again { not_before } => not_before.as_secs() - NOW.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_success_is_done_and_only_gone_is_the_end() {
        for code in [200, 202, 204] {
            assert_eq!(after(NOW, status(code), 0, 0), Delivered::Done);
        }
        assert_eq!(after(NOW, status(410), 0, 0), Delivered::Disabled);
        for code in [301, 400, 401, 404, 429, 500, 503] {
            assert_eq!(again_after(status(code), 0), 5, "{code}");
        }
        assert_eq!(again_after(Answer::Unanswered, 3), 2 * 3600);
    }

    #[test]
    fn an_event_is_delivered_for_three_days() {
        let total: u64 = (0..RETRIES.len()).map(|before| again_after(Answer::Unanswered, before)).sum();
        assert!((3 * 86_400..4 * 86_400).contains(&total), "{total}");
        assert_eq!(after(NOW, Answer::Unanswered, RETRIES.len(), 0), Delivered::GivenUp);
        assert_eq!(after(NOW, Answer::Forbidden, 0, 0), Delivered::GivenUp);
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_it_up_to_a_day() {
        let asks = |secs| Answer::Status {
            status: 429,
            retry_after: Some(RetryAfter::Delay(Duration::from_secs(secs))),
        };
        assert_eq!((again_after(asks(60), 0), again_after(asks(1), 0)), (60, 5));
        assert_eq!(again_after(asks(10_000_000), 0), 86_400);
    }

    #[test]
    fn those_that_failed_together_do_not_come_back_together() {
        let Delivered::Again { not_before } = after(NOW, status(500), 1, u32::MAX) else { panic!() };
        assert_eq!(not_before.as_secs() - NOW.as_secs(), 330);
    }
}
