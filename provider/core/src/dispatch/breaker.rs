//! Stops sending what would be refused, and tries one push now and then.

use std::time::Duration;

/// Opens after refusals in a row. While it is open one push goes out each interval, and the answer decides: taken, and all may go
/// again; refused, and the next one waits longer, up to the longest interval.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    threshold: u32,
    first_interval: Duration,
    longest_interval: Duration,
    in_a_row: u32,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    interval: Duration,
    probe_at: Duration,
    is_probing: bool,
}

/// What may be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pass {
    /// Anything.
    Everything,
    /// One push, whose answer decides; tell [`Breaker::probing`] when it goes out.
    Probe,
    /// Nothing, unless an answer or time changes that.
    Nothing,
}

impl Breaker {
    pub(super) fn new(threshold: u32, first_interval: Duration, longest_interval: Duration) -> Self {
        Self { threshold, first_interval, longest_interval, in_a_row: 0, open: None }
    }

    pub(super) fn pass(&self, now: Duration) -> Pass {
        match self.open {
            None => Pass::Everything,
            Some(Open { is_probing: false, probe_at, .. }) if probe_at <= now => Pass::Probe,
            Some(_) => Pass::Nothing,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// When a probe may go out, if nothing else does.
    pub(super) fn next_probe(&self) -> Option<Duration> {
        self.open.filter(|open| !open.is_probing).map(|open| open.probe_at)
    }

    /// The probe goes out.
    pub(super) fn probing(&mut self) {
        if let Some(open) = &mut self.open {
            open.is_probing = true;
        }
    }

    /// A push was taken, or refused for another reason than this breaker's.
    pub(super) fn passed(&mut self) {
        self.in_a_row = 0;
        self.open = None;
    }

    /// A push was refused, and not before `asked` another one is wanted. What was under way when the breaker opened, and is refused
    /// now, does not make the interval longer: only the probe does.
    pub(super) fn refused(&mut self, now: Duration, was_probe: bool, asked: Duration) {
        self.in_a_row = self.in_a_row.saturating_add(1);
        let interval = match self.open {
            Some(open) if was_probe => open.interval.saturating_mul(2).min(self.longest_interval),
            None if self.in_a_row >= self.threshold => self.first_interval,
            _ => return,
        };
        self.open =
            Some(Open { interval, probe_at: now.saturating_add(interval.max(asked)), is_probing: false });
    }

    /// There is no doubt: opens at once.
    pub(super) fn trip(&mut self, now: Duration) {
        self.in_a_row = self.threshold;
        let interval = self.open.map_or(self.first_interval, |open| open.interval);
        self.open = Some(Open { interval, probe_at: now.saturating_add(interval), is_probing: false });
    }

    /// The probe ended without an answer: another one is due after the same interval.
    pub(super) fn unanswered(&mut self, now: Duration) {
        if let Some(open) = &mut self.open {
            *open = Open { probe_at: now.saturating_add(open.interval), is_probing: false, ..*open };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn open_at_10() -> Breaker {
        let mut breaker = Breaker::new(3, secs(5), secs(15));
        for _ in 0..3 {
            assert_eq!(breaker.pass(secs(10)), Pass::Everything);
            breaker.refused(secs(10), false, Duration::ZERO);
        }
        breaker
    }

    #[test]
    fn refusals_in_a_row_open_it_and_others_do_not() {
        let mut breaker = Breaker::new(3, secs(5), secs(15));
        for _ in 0..10 {
            breaker.refused(secs(1), false, Duration::ZERO);
            breaker.refused(secs(1), false, Duration::ZERO);
            breaker.passed();
        }
        assert_eq!(breaker.pass(secs(1)), Pass::Everything);
        assert_eq!(open_at_10().pass(secs(10)), Pass::Nothing);
    }

    #[test]
    fn one_probe_goes_out_each_interval_and_intervals_grow() {
        let mut breaker = open_at_10();
        let mut at = 10;
        for interval in [5, 10, 15, 15] {
            assert_eq!(breaker.pass(secs(at + interval - 1)), Pass::Nothing);
            at += interval;
            assert_eq!(breaker.pass(secs(at)), Pass::Probe);
            breaker.probing();
            assert_eq!(breaker.pass(secs(at + 100)), Pass::Nothing, "one at a time");
            breaker.refused(secs(at), true, Duration::ZERO);
        }
        breaker.passed();
        assert_eq!(breaker.pass(secs(at)), Pass::Everything);
    }

    #[test]
    fn answers_to_what_was_under_way_do_not_lengthen_it() {
        let mut breaker = open_at_10();
        for _ in 0..500 {
            breaker.refused(secs(11), false, Duration::ZERO);
        }
        assert_eq!(breaker.pass(secs(15)), Pass::Probe);
    }

    #[test]
    fn a_probe_without_an_answer_is_followed_by_another() {
        let mut breaker = open_at_10();
        breaker.probing();
        breaker.unanswered(secs(20));
        assert_eq!(breaker.pass(secs(24)), Pass::Nothing);
        assert_eq!(breaker.pass(secs(25)), Pass::Probe);
    }

    #[test]
    fn what_the_service_asks_for_is_waited() {
        let mut breaker = Breaker::new(1, secs(1), secs(15));
        breaker.refused(secs(10), false, secs(40));
        assert_eq!(breaker.next_probe(), Some(secs(50)));
    }
}
