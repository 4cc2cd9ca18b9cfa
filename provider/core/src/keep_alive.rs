use std::time::Duration;

/// When to ask whether the other end of a connection is still there. Of values that would end connections which are well, or ask all the
/// time, the nearest that works is taken: an answer has [`PATIENCE_MIN`](Self::PATIENCE_MIN) at least, and PINGs are half a minute apart.
///
/// ```
/// use std::time::Duration;
/// use apns_provider_core::KeepAlivePolicy;
///
/// let policy = KeepAlivePolicy::default().with_idle(Duration::from_mins(2));
/// # let _ = policy;
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeepAlivePolicy {
    idle: Duration,
    silence: Duration,
    patience: Duration,
}

impl KeepAlivePolicy {
    /// The least time that an answer has, whatever is [set](Self::with_patience): with less, every connection that is asked is taken for
    /// dead before any answer can come.
    pub const PATIENCE_MIN: Duration = Duration::from_millis(100);

    /// How long an idle connection hears nothing before it is asked; five minutes unless set. Apple wants it neither closed nor asked
    /// all the time; firewalls forget a silent connection after six minutes and more.
    #[must_use]
    pub fn with_idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// How long nothing at all comes while answers are due, before it is asked; ten seconds unless set.
    #[must_use]
    pub fn with_silence(self, silence: Duration) -> Self {
        Self { silence, ..self }
    }

    /// How long the answer may take before the connection is taken for dead; ten seconds unless set, and
    /// [`PATIENCE_MIN`](Self::PATIENCE_MIN) at least.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience: patience.max(Self::PATIENCE_MIN), ..self }
    }
}

impl Default for KeepAlivePolicy {
    fn default() -> Self {
        Self {
            idle: Duration::from_mins(5),
            silence: Duration::from_secs(10),
            patience: Duration::from_secs(10),
        }
    }
}

/// The least time between two PINGs, whatever the policy says: a server may take more for abuse (C-38).
const APART: Duration = Duration::from_secs(30);

/// One connection's signs of life (C-38, C-39). Times are those of any one steady clock.
#[derive(Clone, Debug)]
pub struct KeepAlive {
    policy: KeepAlivePolicy,
    heard_at: Duration,
    asked_at: Option<Duration>,
    is_asked: bool,
}

/// What is to be done about a silent connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pulse {
    /// Send a PING.
    Ask,
    /// Nobody is there: drop the connection.
    Dead,
}

impl KeepAlive {
    /// A connection that has just been made.
    pub fn new(policy: KeepAlivePolicy, now: Duration) -> Self {
        Self { policy, heard_at: now, asked_at: None, is_asked: false }
    }

    /// Something has come, whatever it is.
    pub fn heard(&mut self, now: Duration) {
        self.heard_at = now;
        self.is_asked = false;
    }

    /// Answers are due from now on: silence counts from here, unless they were due before.
    pub fn awaits(&mut self, now: Duration) {
        self.heard_at = self.heard_at.max(now);
    }

    /// What is to be done now, if anything.
    pub fn poll(&mut self, now: Duration, awaits_answers: bool) -> Option<Pulse> {
        if self.next(awaits_answers) > now {
            return None;
        }
        if self.is_asked {
            return Some(Pulse::Dead);
        }
        self.is_asked = true;
        self.asked_at = Some(now);
        Some(Pulse::Ask)
    }

    /// When to [poll](Self::poll) next, if nothing comes.
    pub fn next(&self, awaits_answers: bool) -> Duration {
        let after = if awaits_answers { self.policy.silence } else { self.policy.idle };
        match self.asked_at {
            Some(asked_at) if self.is_asked => asked_at.saturating_add(self.policy.patience),
            Some(asked_at) => self.heard_at.saturating_add(after).max(asked_at + APART),
            None => self.heard_at.saturating_add(after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn connection() -> KeepAlive {
        KeepAlive::new(KeepAlivePolicy::default(), Duration::ZERO)
    }

    #[test]
    fn c38_an_idle_connection_is_asked_after_five_minutes_and_again_after_the_next() {
        let mut one = connection();
        assert_eq!(one.poll(secs(299), false), None);
        assert_eq!(one.poll(secs(300), false), Some(Pulse::Ask));
        assert_eq!(one.poll(secs(301), false), None, "once");
        one.heard(secs(301));
        assert_eq!(one.next(false), secs(601));
    }

    #[test]
    fn c38_pings_are_half_a_minute_apart_whatever_is_due() {
        let mut one = connection();
        let mut asked = Vec::new();
        for now in 0..300 {
            if one.poll(secs(now), true) == Some(Pulse::Ask) {
                asked.push(now);
                one.heard(secs(now));
            }
        }
        assert!(asked.len() >= 9 && asked.windows(2).all(|pair| pair[1] - pair[0] >= 30), "{asked:?}");
    }

    #[test]
    fn c39_a_peer_that_answers_nothing_is_dead_after_silence_and_patience() {
        let mut one = connection();
        assert_eq!(one.poll(secs(9), true), None);
        assert_eq!(one.poll(secs(10), true), Some(Pulse::Ask));
        assert_eq!(one.poll(secs(19), true), None);
        assert_eq!(one.poll(secs(20), true), Some(Pulse::Dead));
    }

    #[test]
    fn no_policy_takes_a_connection_for_dead_before_an_answer_can_come() {
        let none = KeepAlivePolicy::default()
            .with_idle(Duration::ZERO)
            .with_silence(Duration::ZERO)
            .with_patience(Duration::ZERO);
        let mut one = KeepAlive::new(none, Duration::ZERO);
        assert_eq!(one.poll(secs(1), false), Some(Pulse::Ask));
        assert_eq!(one.poll(secs(1), false), None, "it has had no time to answer");
        one.heard(secs(1) + Duration::from_millis(99));
        assert_eq!(one.poll(secs(30), false), None, "and is left in peace");
        assert_eq!(one.poll(secs(31), true), Some(Pulse::Ask));
        assert_eq!(one.poll(secs(31) + KeepAlivePolicy::PATIENCE_MIN, true), Some(Pulse::Dead));
    }

    #[test]
    fn c39_any_sign_of_life_counts() {
        let mut one = connection();
        assert_eq!(one.poll(secs(10), true), Some(Pulse::Ask));
        one.heard(secs(15));
        assert_eq!(one.poll(secs(39), true), None);
    }

    #[test]
    fn silence_counts_from_when_answers_are_due() {
        let mut one = connection();
        one.awaits(secs(200));
        assert_eq!(one.poll(secs(209), true), None);
        assert_eq!(one.poll(secs(210), true), Some(Pulse::Ask));
    }
}
