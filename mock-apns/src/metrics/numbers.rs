//! All numbers at one moment, and how they are written.

use std::fmt;

use mock_apns_core::{
    AnswerCounts, Misconduct, Named as _, Reason, Service, Status, TeamId, Throttling, Totals,
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text},
    registry::Registry,
};

use super::{
    Metrics, Scope,
    families::{Family, PREFIX},
    histogram::Histogram,
};
use crate::{
    connection::Offence,
    connections::{Connections, ListenerCounts, Listening},
    entrance::{Entrance, Refusal},
    ledger::Ledger,
};
use apns_http2::Violation;

/// Teams that `apple_would_have_throttled` is told of; each has a series for each misconduct. Those that would have been
/// throttled come first; a test suite may make thousands of others.
const TEAMS_TOLD_MAX: usize = 100;

/// All numbers at one moment.
#[derive(Debug)]
pub(crate) struct Numbers {
    answers: AnswerCounts,
    totals: Totals,
    provider_tokens: u64,
    listeners: Vec<(Listening, ListenerCounts)>,
    entering: usize,
    refused: Vec<(Listening, Refusal, u64)>,
    cut_off: [u64; Offence::ALL.len()],
    violations: [[u64; Scope::ALL.len()]; Violation::ALL.len()],
    held_bytes: u64,
    streams: u64,
    handling_seconds: Histogram,
    batch_requests: Histogram,
    conduct: Vec<Conduct>,
    teams: u64,
    devices: u64,
}

/// What a team's provider has done, each misconduct in the order of the table.
#[derive(Clone, Copy, Debug)]
struct Conduct {
    team: TeamId,
    has: [bool; Misconduct::ALL.len()],
}

impl Numbers {
    /// Copies the numbers, while the service is locked.
    pub(crate) fn new(
        service: &Service,
        connections: &Connections,
        metrics: &Metrics,
        entrance: &Entrance,
        ledger: &Ledger,
    ) -> Self {
        let teams = || service.team_ids().filter_map(|id| service.team(id));
        let mut conduct: Vec<_> = teams()
            .map(|team| Conduct {
                team: team.id(),
                has: std::array::from_fn(|at| team.would_be_throttled(Misconduct::ALL[at])),
            })
            .collect();
        conduct.sort_by_key(|conduct| !conduct.has.contains(&true)); // stable: the order of the teams is kept
        conduct.truncate(TEAMS_TOLD_MAX);
        Self {
            answers: service.answers().clone(),
            totals: service.totals().clone(),
            provider_tokens: service.provider_tokens_seen(),
            listeners: Listening::COUNTED.iter().map(|it| (*it, connections.counts(*it))).collect(),
            entering: entrance.entering(),
            refused: refused(entrance),
            cut_off: metrics.cut_off,
            violations: metrics.violations,
            held_bytes: ledger.held(),
            streams: connections.streams(),
            handling_seconds: metrics.handling_seconds.clone(),
            batch_requests: metrics.batch_requests.clone(),
            conduct,
            teams: teams().count() as u64,
            devices: teams().map(|team| team.device_count() as u64).sum(),
        }
    }

    /// The media type of [`into_text`](Self::into_text).
    pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// The numbers as Prometheus reads them: OpenMetrics 1.0.
    pub(crate) fn into_text(self) -> String {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(self));
        let mut out = String::new();
        text::encode(&mut out, &registry).expect("writing to a string does not fail");
        out
    }

    fn encode_requests(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut to = describe(to, Family::Requests)?;
        for it in self.answers.iter() {
            let labels = [
                ("environment", it.environment.name().to_owned()),
                ("status", it.reason.map_or(STATUS_OK, Reason::status).to_string()),
                ("reason", it.reason.map_or("", Reason::as_str).to_owned()),
                ("push_type", it.push_type.map_or("", |push_type| push_type.as_str()).to_owned()),
            ];
            counter(&mut to.encode_family(&labels)?, it.count)?;
        }
        Ok(())
    }

    fn encode_deliveries(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut to = describe(to, Family::Deliveries)?;
        for &status in Status::ALL {
            let labels = [("status", status.as_str())];
            counter(&mut to.encode_family(&labels)?, self.totals.statuses.get(status))?;
        }
        Ok(())
    }

    fn encode_connections(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut opened = describe(to, Family::ConnectionsOpened)?;
        for (listening, counts) in &self.listeners {
            counter(&mut opened.encode_family(&[("listener", listening.as_str())])?, counts.opened)?;
        }
        let mut open = describe(to, Family::ConnectionsOpen)?;
        for (listening, counts) in &self.listeners {
            open.encode_family(&[("listener", listening.as_str())])?.encode_gauge(&counts.open)?;
        }
        gauge(to, Family::StreamsInFlight, self.streams)
    }

    fn encode_faults(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut to = describe(to, Family::FaultFirings)?;
        let firings = &self.totals.fault_firings;
        for (fault, count) in firings.iter() {
            counter(&mut to.encode_family(&[("fault", fault.as_str())])?, count)?;
        }
        match firings.others() {
            0 => Ok(()),
            count => counter(&mut to.encode_family(&[("fault", "other")])?, count),
        }
    }

    /// What was done to those who attack, or who err.
    fn encode_ends(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        gauge(to, Family::ConnectionsEntering, self.entering as u64)?;
        let mut refused = describe(to, Family::ConnectionsRefused)?;
        for (listening, why, count) in &self.refused {
            let labels = [("listener", listening.as_str()), ("cause", why.as_str())];
            counter(&mut refused.encode_family(&labels)?, *count)?;
        }
        let mut cut_off = describe(to, Family::ConnectionsCutOff)?;
        for (offence, count) in Offence::ALL.iter().zip(self.cut_off) {
            counter(&mut cut_off.encode_family(&[("cause", offence.as_str())])?, count)?;
        }
        let mut errors = describe(to, Family::ProtocolErrors)?;
        for (violation, counts) in Violation::ALL.iter().zip(self.violations) {
            for (ended, count) in Scope::ALL.iter().zip(counts).filter(|(_, count)| *count > 0) {
                let labels = [("violation", violation.name()), ("ended", ended.as_str())];
                counter(&mut errors.encode_family(&labels)?, count)?;
            }
        }
        gauge(to, Family::HeldBytes, self.held_bytes)
    }

    fn encode_conduct(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        total(to, Family::ProviderTokensSeen, self.provider_tokens)?;
        total(to, Family::ProviderTokenChanges, self.totals.provider_token_changes)?;
        total(to, Family::ShortConnections, self.totals.short_connections)?;
        total(to, Family::Repeated410s, self.totals.repeated_410s)?;
        let mut would = describe(to, Family::WouldHaveThrottled)?;
        for Conduct { team, has } in &self.conduct {
            for (what, has) in Misconduct::ALL.iter().zip(has) {
                let labels = [("team", team.as_str()), ("cause", what.as_str())];
                would.encode_family(&labels)?.encode_gauge(&u32::from(*has))?;
            }
        }
        let mut was = describe(to, Family::Throttled)?;
        for &how in Throttling::ALL {
            counter(&mut was.encode_family(&[("how", how.as_str())])?, self.totals.throttled(how))?;
        }
        Ok(())
    }
}

impl Collector for Numbers {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        let to = &mut to;
        describe(to, Family::Build)?.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        self.encode_requests(to)?;
        self.encode_deliveries(to)?;
        self.encode_connections(to)?;
        self.encode_ends(to)?;
        histogram(to, Family::HandlingSeconds, &self.handling_seconds)?;
        histogram(to, Family::BatchRequests, &self.batch_requests)?;
        self.encode_conduct(to)?;
        self.encode_faults(to)?;
        total(to, Family::JournalEvictions, self.totals.journal_evictions)?;
        gauge(to, Family::Teams, self.teams)?;
        gauge(to, Family::Devices, self.devices)
    }
}

fn refused(entrance: &Entrance) -> Vec<(Listening, Refusal, u64)> {
    let of =
        |listening| Refusal::ALL.iter().map(move |why| (listening, *why, entrance.refusals(listening, *why)));
    Listening::ALL.iter().flat_map(|listening| of(*listening)).collect()
}

fn describe<'a>(to: &'a mut DescriptorEncoder<'_>, family: Family) -> Result<MetricEncoder<'a>, fmt::Error> {
    to.encode_descriptor(family.name(), family.help(), None, family.metric_type())
}

fn counter(to: &mut MetricEncoder<'_>, value: u64) -> fmt::Result {
    to.encode_counter::<NoLabelSet, u64, u64>(&value, None)
}

fn total(to: &mut DescriptorEncoder<'_>, family: Family, value: u64) -> fmt::Result {
    counter(&mut describe(to, family)?, value)
}

fn gauge(to: &mut DescriptorEncoder<'_>, family: Family, value: u64) -> fmt::Result {
    describe(to, family)?.encode_gauge(&value)
}

fn histogram(to: &mut DescriptorEncoder<'_>, family: Family, values: &Histogram) -> fmt::Result {
    let (sum, count, buckets) = (values.sum(), values.count(), values.buckets());
    describe(to, family)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
}

/// The status of an accepted push.
const STATUS_OK: u16 = 200;

#[cfg(test)]
mod tests {
    use mock_apns_core::{Settings, Team};

    use super::*;
    use crate::es256::verify_es256;

    #[test]
    fn the_number_of_series_does_not_grow_with_the_teams() {
        let mut service = Service::new(Settings::default(), 0, verify_es256);
        let series = |service: &Service| {
            let (connections, metrics) = (Connections::default(), Metrics::default());
            let (entrance, ledger) = (Entrance::default(), Ledger::new(0));
            let text = Numbers::new(service, &connections, &metrics, &entrance, &ledger).into_text();
            text.matches("apple_would_have_throttled{").count()
        };
        assert_eq!(series(&service), 0);
        for number in 0..2 * TEAMS_TOLD_MAX {
            service.add_team(Team::new(TeamId::parse(&format!("TEAM{number:06}")).unwrap())).unwrap();
        }
        assert_eq!(series(&service), TEAMS_TOLD_MAX * Misconduct::ALL.len());
    }
}
