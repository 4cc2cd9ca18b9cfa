//! What a service has counted since it began: for metrics.

use std::collections::BTreeMap;

use crate::{
    Counters, Environment, Misconduct, PushType, Reason, Service, Team, Throttling, fault::FaultName,
};

/// What was counted since the service began, over all teams and what concerns none. No number ever falls, whatever is
/// reset or removed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Totals {
    /// How many notifications have reached each status.
    pub statuses: Counters,
    /// Entries of journals that have made room for newer ones. What a reset drops is not among them.
    pub journal_evictions: u64,
    /// Changes of a provider token: a key's token was used, and then one that was issued at another second.
    pub provider_token_changes: u64,
    /// Pushes to a device token that was answered 410 before, and has not changed since.
    pub repeated_410s: u64,
    /// Connections of a team's provider that were closed within a minute.
    pub short_connections: u64,
    /// How often each fault has fired.
    pub fault_firings: FaultFirings,
    pub(crate) throttled: [u64; Throttling::ALL.len()],
}

impl Totals {
    /// How often this was done to a provider.
    pub fn throttled(&self, how: Throttling) -> u64 {
        self.throttled[how as usize]
    }
}

/// How often faults have fired, by their names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FaultFirings {
    named: BTreeMap<FaultName, u64>,
    others: u64,
}

impl FaultFirings {
    pub(crate) fn count(&mut self, name: &FaultName) {
        if let Some(count) = self.named.get_mut(name) {
            *count += 1;
        } else if self.named.len() < FAULT_NAMES_MAX {
            self.named.insert(name.clone(), 1);
        } else {
            self.others += 1;
        }
    }

    /// Each name, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (&FaultName, u64)> {
        self.named.iter().map(|(name, count)| (name, *count))
    }

    /// How often others have fired, of which there are too many to count each.
    pub fn others(&self) -> u64 {
        self.others
    }
}

/// Names of faults that are counted each, so that a suite whose tests each make up a name does not fill the memory, or a metric.
const FAULT_NAMES_MAX: usize = 1000;

/// How many requests were answered: by environment, reason and push type, as the rules have read them.
#[derive(Clone, Debug)]
pub struct AnswerCounts(Box<[[[u64; PUSH_TYPES]; REASONS]; ENVIRONMENTS]>);

/// One number of [`AnswerCounts`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AnswerCount {
    /// Whose host or port was asked.
    pub environment: Environment,
    /// Why they were refused; `None`: they were accepted.
    pub reason: Option<Reason>,
    /// The push type; `None`: there was none that APNs knows, or they were refused before it was looked at.
    pub push_type: Option<PushType>,
    /// How many.
    pub count: u64,
}

impl AnswerCounts {
    /// An addition and no look-up: it is done for each request.
    pub(crate) fn count(
        &mut self,
        environment: Environment,
        reason: Option<Reason>,
        push_type: Option<PushType>,
    ) {
        let reason = reason.map_or(0, |reason| 1 + reason as usize);
        let push_type = push_type.map_or(0, |push_type| 1 + push_type as usize);
        self.0[environment as usize][reason][push_type] += 1;
    }

    /// Those that are not zero, always in the same order.
    pub fn iter(&self) -> impl Iterator<Item = AnswerCount> {
        let environments = self.0.iter().zip([Environment::Sandbox, Environment::Production]);
        environments.flat_map(|(reasons, environment)| {
            reasons.iter().zip(or_none(Reason::ALL)).flat_map(move |(push_types, reason)| {
                push_types.iter().zip(or_none(PushType::ALL)).filter(|(count, _)| **count > 0).map(
                    move |(count, push_type)| AnswerCount { environment, reason, push_type, count: *count },
                )
            })
        })
    }
}

impl Default for AnswerCounts {
    fn default() -> Self {
        Self(Box::new([[[0; PUSH_TYPES]; REASONS]; ENVIRONMENTS]))
    }
}

fn or_none<T: Copy>(all: &'static [T]) -> impl Iterator<Item = Option<T>> {
    std::iter::once(None).chain(all.iter().copied().map(Some))
}

/// What was counted.
impl Service {
    /// What was counted over all teams.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// How many requests were answered, by what they were and how.
    pub fn answers(&self) -> &AnswerCounts {
        &self.answers
    }

    /// How many provider tokens were found to be rightly signed. One that was forgotten, for many others or by a reset of
    /// its team, counts again.
    pub fn provider_tokens_seen(&self) -> u64 {
        self.providers.verified.inserted()
    }

    /// Counts from zero on: what was [done again](Self::redo) is not what this service has done.
    pub fn count_anew(&mut self) {
        (self.totals, self.answers) = (Totals::default(), AnswerCounts::default());
        self.providers.verified.count_anew();
    }
}

impl Team {
    /// Whether a provider of this team has done what Apple would have throttled it for, since the team was added or reset.
    pub fn would_be_throttled(&self, what: Misconduct) -> bool {
        self.conduct.has(what)
    }
}

const ENVIRONMENTS: usize = 2;
/// 0 stands for none.
const REASONS: usize = 1 + Reason::ALL.len();
const PUSH_TYPES: usize = 1 + PushType::ALL.len();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Bench, Jwt, NOW, Push, TEAM, TOKEN};
    use crate::{DeviceToken, Status, TeamId, TokenStatus};

    #[test]
    fn answers_are_counted_by_what_they_were() {
        let mut bench = Bench::new();
        let good = bench.push();
        let production = good.clone().with(":authority", "api.push.apple.com");
        for push in [&good, &good, &production, &good.clone().with("apns-push-type", "silent")] {
            bench.effects(push);
        }
        bench.effects(&good.without("authorization"));
        let counts: Vec<_> = bench
            .service
            .answers()
            .iter()
            .map(|it| (it.environment, it.reason.map(Reason::as_str), it.push_type, it.count))
            .collect();
        let alert = Some(PushType::Alert);
        let expected = [
            (Environment::Sandbox, None, alert, 2),
            (Environment::Sandbox, Some("InvalidPushType"), None, 1),
            (Environment::Sandbox, Some("MissingProviderToken"), None, 1),
            (Environment::Production, Some("BadDeviceToken"), alert, 1),
        ];
        assert_eq!(counts, expected);
    }

    /// A push that concerns no team.
    fn strange(bench: &Bench) -> Push {
        bench.push().without("authorization").with(":path", "/3/device/00")
    }

    /// A bench where everything was counted that is, and what was counted.
    fn busy() -> (Bench, Totals) {
        let mut bench = Bench::with_setting("journal-entries", "10");
        let push = bench.push();
        for _ in 0..20 {
            bench.effects(&push);
        }
        let newer = push.signed_by(&Jwt { iat: &(NOW.as_secs() - 1).to_string(), ..Jwt::default() });
        bench.effects(&newer);
        let token = DeviceToken::from_hex(TOKEN.as_bytes()).unwrap();
        assert!(bench.team_at().set_token_status(&token, TokenStatus::Unregistered { since: NOW }));
        bench.effects(&newer);
        bench.effects(&newer);
        bench.service.disconnected(NOW, bench.connection);
        bench.connect();
        let strange = strange(&bench);
        for _ in 0..15 {
            bench.effects(&strange);
        }
        let totals = bench.service.totals().clone();
        (bench, totals)
    }

    #[test]
    fn everything_is_counted_over_all_teams_and_what_concerns_none() {
        let (mut bench, totals) = busy();
        let Totals {
            statuses,
            journal_evictions,
            provider_token_changes,
            repeated_410s,
            short_connections,
            fault_firings,
            throttled,
        } = totals;
        assert_eq!(throttled, [0; Throttling::ALL.len()]); // no setting asks for it
        assert_eq!((statuses.get(Status::Received), statuses.get(Status::Delivered)), (21, 21));
        assert_eq!((provider_token_changes, repeated_410s, short_connections), (1, 1, 1));
        assert_eq!(fault_firings, FaultFirings::default());
        let evicted = bench.team_at().team().evicted();
        assert!(evicted >= 30, "{evicted}");
        assert_eq!(journal_evictions, evicted + 5); // 15 concern no team, where there is room for 10
    }

    #[test]
    fn no_number_falls_or_counts_twice_when_a_team_is_reset_or_removed() {
        let (mut bench, totals) = busy();
        bench.team_at().reset();
        assert_eq!(bench.team_at().team().counters().get(Status::Received), 0);
        assert_eq!(bench.service.totals(), &totals);
        bench.service.reset(NOW);
        assert_eq!(bench.service.totals(), &totals);
        assert!(bench.service.remove_team(TeamId::parse(TEAM).unwrap()));
        assert_eq!(bench.service.totals(), &totals);
    }

    #[test]
    fn numbers_count_on_after_a_reset() {
        let (mut bench, totals) = busy();
        bench.service.reset(NOW);
        bench.register(Environment::Sandbox);
        let push = bench.push();
        bench.effects(&push);
        bench.service.disconnected(NOW, bench.connection);
        let counted = bench.service.totals();
        assert_eq!(counted.statuses.get(Status::Received), totals.statuses.get(Status::Received) + 1);
        assert_eq!(counted.short_connections, totals.short_connections + 1);
        assert_eq!(counted.journal_evictions, totals.journal_evictions); // what a reset drops makes room for nothing
        assert_eq!(counted.provider_token_changes, totals.provider_token_changes); // its first token again
    }
}
