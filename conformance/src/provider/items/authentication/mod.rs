//! Authentication: C-20 to C-30.

mod age;
mod breaker;
mod clock_skew;
mod clocks;
mod expired;
mod fleet;
mod form;
mod isolation;
mod rotation;
mod secrecy;
mod updates;

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    evidence::{Evidence, ProviderToken, Request},
    item::{Finding, Item},
};

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new("C-20", form::plays()),
        Item::new("C-21", age::plays_of_age()),
        Item::new("C-22", age::plays_of_single_flight()),
        Item::new("C-23", clock_skew::plays()),
        Item::new("C-24", fleet::plays()),
        Item::new("C-25", expired::plays()),
        Item::new("C-26", updates::plays()),
        Item::new("C-27", isolation::plays()),
        Item::new("C-28", breaker::plays()),
        Item::new("C-29", rotation::plays()),
        Item::new("C-30", secrecy::plays()),
    ]
}

/// The provider token of a request, taken apart.
fn token_of(request: &Request) -> Result<ProviderToken<'_>, Finding> {
    let read = request.provider_token().ok_or_else(|| "none in the authorization".to_owned());
    let read = read.and_then(ProviderToken::read);
    read.map_err(|why| Finding::wrong("a provider token", why).at(request.connection, request.at))
}

/// When the provider token of a request was issued, as it says.
fn issued_at(request: &Request) -> Result<i64, Finding> {
    token_of(request)?.issued_at().ok_or_else(|| {
        Finding::wrong("a provider token with iat", "none that is a date").at(request.connection, request.at)
    })
}

/// The first request with each provider token, in the order in which they came.
fn first_uses(requests: &[Request]) -> Vec<&Request> {
    let mut known = BTreeSet::new();
    requests
        .iter()
        .filter(|request| request.provider_token().is_some_and(|token| known.insert(token)))
        .collect()
}

/// The requests of each push, where each has a device token of its own.
fn attempts(requests: &[Request]) -> BTreeMap<&str, Vec<&Request>> {
    let mut attempts: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for request in requests {
        attempts.entry(request.device_token().unwrap_or_default()).or_default().push(request);
    }
    attempts
}

/// Says where to look: at a request, if there is one.
fn at(finding: Finding, request: Option<&Request>) -> Finding {
    match request {
        Some(request) => finding.at(request.connection, request.at),
        None => finding,
    }
}

/// How many connections have carried a request by now.
fn connections_in_use(evidence: &Evidence) -> usize {
    let requests = evidence.requests();
    let used: BTreeSet<usize> = requests.iter().map(|request| request.connection).collect();
    used.len()
}

/// Evidence made by hand, for the judges' tests.
#[cfg(test)]
mod testing {
    use std::time::Duration;

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use mock_apns::Environment;

    use super::super::super::{
        evidence::{Connection, Field, Form, Headers, Reported, Said},
        protocol::{Event, Outcome, Report},
    };

    /// A provider token that was issued then; its signature is none.
    pub(super) fn token(issued_at: i64) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"SOMEKEY001"}"#);
        let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"SOMETEAM01","iat":{issued_at}}}"#));
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode("the signature of nobody"))
    }

    /// The fields of a push to a device, on the stream of this number.
    pub(super) fn push_with(number: i64, token: &str) -> Headers {
        let field = |name: &str, value: &str| Field {
            name: name.to_owned(),
            value: value.to_owned(),
            form: Form::WithoutIndexing,
        };
        let fields =
            vec![field(":path", "/3/device/00fc13ad"), field("authorization", &format!("bearer {token}"))];
        Headers { fields, ..answer_with(number, "") }
    }

    /// An answer with this status.
    pub(super) fn answer_with(number: i64, status: &str) -> Headers {
        let status =
            Field { name: ":status".to_owned(), value: status.to_owned(), form: Form::WithoutIndexing };
        Headers {
            stream: u32::try_from(number).unwrap() * 2 + 1,
            fields: vec![status],
            table_sizes: Vec::new(),
            end: true,
            with_priority: false,
        }
    }

    pub(super) fn connection(said: impl IntoIterator<Item = Said>) -> Connection {
        Connection {
            opened_at: Duration::ZERO,
            dial: None,
            environment: Environment::Sandbox,
            said: said.into_iter().collect(),
            closed_at: None,
        }
    }

    /// What was told of a push that was not sent.
    pub(super) fn reported(id: u64, why: &str) -> Reported {
        let report = Report {
            id: id.to_string(),
            outcome: Outcome::NotSent,
            status: None,
            reason: None,
            timestamp: None,
            apns_id: None,
            ambiguous_before: false,
            why: Some(why.to_owned()),
        };
        Reported { at: Duration::ZERO, event: Event::Result(Box::new(report)) }
    }
}
