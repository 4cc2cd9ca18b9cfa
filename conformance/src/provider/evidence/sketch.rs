//! Evidence as tests of judges write it. Times are milliseconds.

use std::time::Duration;

use mock_apns::Environment;

use super::{Connection, Evidence, Field, Form, Headers, Reported, Said, Sent, Side, What};
use crate::provider::protocol::{Event, Outcome, Report};

impl Evidence {
    /// The adapter was told to send a push to this device token; ids count from 0.
    pub(crate) fn with_push(mut self, device_token: &str, at: u64) -> Self {
        let device_token = device_token.to_owned();
        let sent = Sent { at: millis(at), device_token, payload: String::new(), apns_id: None };
        self.sent.insert(self.sent.len() as u64, sent);
        self
    }

    /// A request to a device token came, and was answered so at once.
    pub(crate) fn with_request(self, device_token: &str, at: u64, status: u16) -> Self {
        let path = format!("/3/device/{device_token}");
        self.with_fields(&[(":path", &path)], at, status)
    }

    /// A request with these fields came, and was answered so at once.
    pub(crate) fn with_fields(mut self, fields: &[(&str, &str)], at: u64, status: u16) -> Self {
        if self.connections.is_empty() {
            let (opened_at, environment) = (Duration::ZERO, Environment::Sandbox);
            let connection =
                Connection { opened_at, dial: None, environment, said: Vec::new(), closed_at: None };
            self.connections.push(connection);
        }
        let said = &mut self.connections[0].said;
        let stream = 1 + said.len() as u32; // two a request
        let headers = |fields: &[(&str, &str)]| {
            What::Headers(Headers {
                stream,
                fields: fields.iter().map(|(name, value)| field(name, value)).collect(),
                table_sizes: Vec::new(),
                end: true,
                with_priority: false,
            })
        };
        said.push(Said { at: millis(at), side: Side::Provider, what: headers(fields) });
        let status = status.to_string();
        said.push(Said { at: millis(at), side: Side::Double, what: headers(&[(":status", &status)]) });
        self
    }

    /// The adapter has reported this of a push.
    pub(crate) fn with_result(mut self, id: u64, at: u64, outcome: Outcome, status: Option<u16>) -> Self {
        let report = Report {
            id: id.to_string(),
            outcome,
            status,
            reason: None,
            timestamp: None,
            apns_id: None,
            ambiguous_before: false,
            why: None,
        };
        self.reported.push(Reported { at: millis(at), event: Event::Result(Box::new(report)) });
        self
    }

    /// The script has noted this.
    pub(crate) fn with_mark(mut self, what: &'static str, at: u64) -> Self {
        self.marks.push((millis(at), what));
        self
    }
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: value.to_owned(), form: Form::WithoutIndexing }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
