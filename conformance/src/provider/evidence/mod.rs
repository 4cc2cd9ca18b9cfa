//! What a play has shown: what the double saw on the wire, and what the adapter reported. Judges look at nothing else.

mod hello;
mod reader;
mod requests;
mod said;

use std::{collections::BTreeMap, time::Duration};

use mock_apns::Environment;

use super::protocol::{Event, Report};

pub(crate) use hello::Hello;
pub(crate) use reader::Reader;
pub(crate) use requests::{Answer, Request};
pub(crate) use said::{
    Data, Field, Form, Headers, SETTINGS_ENABLE_PUSH, SETTINGS_HEADER_TABLE_SIZE,
    SETTINGS_INITIAL_WINDOW_SIZE, SETTINGS_MAX_CONCURRENT_STREAMS, SETTINGS_MAX_FRAME_SIZE,
    SETTINGS_MAX_HEADER_LIST_SIZE, Said, Side, What,
};

/// What a play has shown. Times count from its beginning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// Every TCP connection to the double, in the order in which they were accepted.
    pub(crate) dials: Vec<Dial>,
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

    /// What became of each push, by its id: the last that was reported of it.
    pub(crate) fn results(&self) -> BTreeMap<u64, (Duration, &Report)> {
        let each = self.reported.iter().filter_map(|reported| match &reported.event {
            Event::Result(report) => Some((report.id.parse().ok()?, (reported.at, &**report))),
            _ => None,
        });
        each.collect()
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
    pub(crate) fn count(&self, outcome: super::protocol::Outcome) -> usize {
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
