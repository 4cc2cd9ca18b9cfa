//! What a play has shown: what the double saw on the wire, and what the adapter reported. Judges look at nothing else.

mod attempts;
mod dates;
mod going_away;
mod hello;
mod in_force;
mod open_streams;
mod provider_token;
mod reader;
mod requests;
mod said;
#[cfg(test)]
pub(crate) mod sketch;
mod windows;

use std::{collections::BTreeMap, time::Duration};

use mock_apns::Environment;

use super::protocol::{Event, Outcome, Report};

pub(crate) use attempts::word;
pub(crate) use dates::Dates;
pub(crate) use going_away::GoingAway;
pub(crate) use hello::Hello;
pub(crate) use provider_token::{KnownKey, KnownKeys, ProviderToken};
pub(crate) use reader::Reader;
#[cfg(test)]
pub(crate) use requests::Answer;
pub(crate) use requests::Request;
pub(crate) use said::{
    Field, Form, Headers, SETTINGS_ENABLE_PUSH, SETTINGS_HEADER_TABLE_SIZE, SETTINGS_INITIAL_WINDOW_SIZE,
    SETTINGS_MAX_CONCURRENT_STREAMS, SETTINGS_MAX_FRAME_SIZE, Said, Side, What,
};

/// What a play has shown. Times count from its beginning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// What the adapter can be told beyond sending.
    pub(crate) can: Vec<String>,
    /// Every TCP connection to the double, in the order in which they were accepted.
    pub(crate) dials: Vec<Dial>,
    /// What a proxy was asked for, in plays that have one.
    pub(crate) tunnels: Vec<Tunnel>,
    /// Every connection whose TLS handshake was done, in that order.
    pub(crate) connections: Vec<Connection>,
    /// What the adapter was told to send, by its id.
    pub(crate) sent: BTreeMap<u64, Sent>,
    /// What the adapter reported, in order.
    pub(crate) reported: Vec<Reported>,
    /// The end of what the adapter wrote to its standard error.
    pub(crate) stderr: String,
    /// What the script has noted.
    pub(crate) marks: Vec<(Duration, &'static str)>,
    /// What the date was in the play.
    pub(crate) dates: Dates,
    /// The keys that the double knows and the adapter was given, by their IDs.
    pub(crate) keys: KnownKeys,
    /// What the adapter was given and is nobody else's to know, each with what it is.
    pub(crate) secrets: Vec<(&'static str, String)>,
    /// The most memory that the adapter had taken, in bytes, whenever the script has asked.
    pub(crate) memory: Vec<u64>,
}

/// A TCP connection to where the double is.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    /// When it was accepted.
    pub(crate) at: Duration,
    /// Which of the addresses that lead to the double it was made to.
    pub(crate) road: usize,
    /// The first words of TLS, if there were any.
    pub(crate) hello: Option<Hello>,
    /// The first bytes that it said.
    pub(crate) first_bytes: Vec<u8>,
    /// When the provider ended it.
    pub(crate) ended_at: Option<Duration>,
}

/// What a proxy was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Tunnel {
    /// The first line: `CONNECT host:port HTTP/1.1`.
    pub(crate) asked: String,
    /// The value of `proxy-authorization`.
    pub(crate) credentials: Option<String>,
    /// Whether a way was opened.
    pub(crate) opened: bool,
}

/// A connection whose TLS handshake was done.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// When it was done.
    pub(crate) opened_at: Duration,
    /// The TCP connection, as its place in [`Evidence::dials`].
    pub(crate) dial: Option<usize>,
    /// The environment of the double's port.
    pub(crate) environment: Environment,
    /// Everything that was said, in the order in which the double read and wrote it.
    pub(crate) said: Vec<Said>,
    /// When the double was done with it.
    pub(crate) closed_at: Option<Duration>,
}

/// A push that the adapter was told to send.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// When.
    pub(crate) at: Duration,
    /// To which device token.
    pub(crate) device_token: String,
    /// Its payload.
    pub(crate) payload: String,
    /// Its `apns-id`, if it was given one.
    pub(crate) apns_id: Option<String>,
}

/// A line of the adapter.
#[derive(Clone, Debug)]
pub(crate) struct Reported {
    /// When it came.
    pub(crate) at: Duration,
    /// What it says.
    pub(crate) event: Event,
}

impl Evidence {
    /// Every request, by the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let each = self.connections.iter().enumerate();
        let mut requests: Vec<Request> =
            each.flat_map(|(number, connection)| requests::on(number, connection)).collect();
        requests.sort_by_key(|request| request.at);
        requests
    }

    /// What was reported of a push, in words.
    pub(crate) fn told(&self, id: u64) -> String {
        self.result(id).map_or_else(|| "no result".to_owned(), ToString::to_string)
    }

    /// Whether a push was reported as answered with this error.
    pub(crate) fn is_rejected(&self, id: u64, status: u16) -> bool {
        let is_it = |report: &Report| report.outcome == Outcome::Rejected && report.status == Some(status);
        self.result(id).is_some_and(is_it)
    }

    /// What became of a push, if that was reported.
    pub(crate) fn result(&self, id: u64) -> Option<&Report> {
        self.results().get(&id).map(|(_, report)| *report)
    }

    /// What became of each push, by its id: the last that was reported of it.
    pub(crate) fn results(&self) -> BTreeMap<u64, (Duration, &Report)> {
        let each = self.reported.iter().filter_map(|reported| match &reported.event {
            Event::Result(report) => Some((report.id.parse().ok()?, (reported.at, &**report))),
            _ => None,
        });
        each.collect()
    }

    /// Whether the adapter can be told this, and so was told it by the script.
    pub(crate) fn can(&self, what: &str) -> bool {
        self.can.iter().any(|can| can == what)
    }

    /// When the script has noted this first.
    pub(crate) fn mark(&self, what: &str) -> Option<Duration> {
        self.marks.iter().find(|mark| mark.1 == what).map(|mark| mark.0)
    }

    /// What was said on all connections.
    pub(crate) fn said(&self) -> impl Iterator<Item = (usize, &Said)> {
        let each = self.connections.iter().enumerate();
        each.flat_map(|(number, connection)| connection.said.iter().map(move |said| (number, said)))
    }

    /// How many pushes were reported to have this outcome.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.results().values().filter(|(_, report)| report.outcome == outcome).count()
    }
}

impl Connection {
    /// What the provider has said.
    pub(crate) fn by_provider(&self) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(|said| said.side == Side::Provider)
    }

    /// What the double has said.
    pub(crate) fn by_double(&self) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(|said| said.side == Side::Double)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_those_of_the_pushs_device_token_in_whatever_case() {
        let evidence = Evidence::default()
            .with_push("0a", 0)
            .with_push("0b", 0)
            .with_request("0A", 5, 503)
            .with_request("0a", 7, 200)
            .with_request("0c", 9, 200);
        let statuses: Vec<Vec<_>> =
            evidence.attempts().values().map(|it| it.iter().map(Request::status).collect()).collect();
        assert_eq!(statuses, [vec![Some(503), Some(200)], vec![]]);
    }

    #[test]
    fn what_was_reported_is_told_in_words() {
        let evidence = Evidence::default().with_result(3, 0, Outcome::Rejected, Some(503));
        assert_eq!((evidence.told(3), evidence.told(4)), ("rejected 503".to_owned(), "no result".to_owned()));
        assert!(evidence.is_rejected(3, 503) && !evidence.is_rejected(3, 500));
    }
}
