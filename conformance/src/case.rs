//! What a case is: what is sent on one connection, and what is expected to come.

use std::collections::BTreeSet;

use crate::{About, Expected, Jwt, Request, Selectable};

/// One question to a target: what is sent on a connection of its own, and what has to come back. A value: nothing of it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name, in kebab-case, which does not change.
    pub id: String,
    /// What is asked, in words.
    pub title: String,
    /// What it is about, for selection; the first one is its group in reports.
    pub tags: Vec<&'static str>,
    /// The ids of the rows that it rests on.
    pub rows: Vec<String>,
    /// What the control API of a double is asked to do before.
    pub arranged: Vec<Arrangement>,
    /// How the connection begins.
    pub opening: Opening,
    /// What is done on it, in order.
    pub steps: Vec<Step>,
    /// What has to be true of everything that came.
    pub expected: Vec<Expected>,
}

/// A fault that a double is asked for before, and asked to forget behind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arrangement {
    /// The fault's name.
    pub name: String,
    /// The fault, as docs/faults.md has it: JSON.
    pub fault: String,
}

/// How a connection begins.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Opening {
    /// The name of the certificate that is shown.
    pub certificate: Option<&'static str>,
    /// What is offered by ALPN.
    pub alpn: Vec<&'static str>,
    /// The first bytes in TLS.
    pub greeting: Greeting,
}

/// The first bytes of a connection, in TLS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Greeting {
    /// The preface of HTTP/2 and SETTINGS with these parameters.
    Settings(Vec<(u16, u32)>),
    /// Any bytes, in place of that.
    Bytes(Vec<u8>),
}

/// What is done on a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Sends a request, and waits for its answer.
    Ask(Request),
    /// Sends a request, and does not wait.
    Send(Request),
    /// Sends frames, or what looks like them, as they are.
    Bytes(Vec<u8>),
    /// Sends PING, and waits until it is answered: whatever was sent before has been read then.
    Settle,
    /// Waits until the target has acknowledged our SETTINGS.
    AwaitSettingsAck,
}

impl Default for Opening {
    fn default() -> Self {
        Self { certificate: None, alpn: vec!["h2"], greeting: Greeting::Settings(Vec::new()) }
    }
}

impl Case {
    /// What reports say of it.
    pub fn about(&self) -> About {
        let Self { id, title, tags, rows, .. } = self.clone();
        About { id, title, tags, rows }
    }

    /// What a target must have for this case, as the keys of a target file: `tokens.voip`, `keys.main`, `certificates.topic`,
    /// `control`.
    pub fn needs(&self) -> BTreeSet<String> {
        let mut needs: BTreeSet<String> = self.requests().flat_map(Request::needs).collect();
        needs.extend(self.opening.certificate.map(|name| format!("certificates.{name}")));
        if !self.arranged.is_empty() {
            needs.insert("control".to_owned());
        }
        needs
    }

    /// Every request that it sends, in order.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.steps.iter().filter_map(|step| match step {
            Step::Ask(request) | Step::Send(request) => Some(request),
            Step::Bytes(_) | Step::Settle | Step::AwaitSettingsAck => None,
        })
    }

    /// Every provider token that it signs.
    pub fn provider_tokens(&self) -> impl Iterator<Item = &Jwt> {
        self.requests().filter_map(Request::jwt)
    }
}

impl Selectable for Case {
    fn id(&self) -> &str {
        &self.id
    }

    fn tags(&self) -> &[&'static str] {
        &self.tags
    }

    fn rows(&self) -> &[String] {
        &self.rows
    }
}

/// How cases are written down.
impl Case {
    /// A case about `tag` that does nothing yet.
    pub(crate) fn new(tag: &'static str, id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            tags: vec![tag],
            rows: Vec::new(),
            arranged: Vec::new(),
            opening: Opening::default(),
            steps: Vec::new(),
            expected: Vec::new(),
        }
    }

    pub(crate) fn rests_on(mut self, rows: &[&str]) -> Self {
        self.rows.extend(rows.iter().map(|row| (*row).to_owned()));
        self
    }

    pub(crate) fn tagged(mut self, tag: &'static str) -> Self {
        self.tags.push(tag);
        self
    }

    pub(crate) fn with_certificate(mut self, name: &'static str) -> Self {
        self.opening.certificate = Some(name);
        self
    }

    pub(crate) fn greeting(mut self, greeting: Greeting) -> Self {
        self.opening.greeting = greeting;
        self
    }

    pub(crate) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(crate) fn expect(mut self, expected: Expected) -> Self {
        self.expected.push(expected);
        self
    }

    /// Asks, and expects to be accepted.
    pub(crate) fn accepted(self, request: Request) -> Self {
        let number = self.requests().count();
        self.step(Step::Ask(request)).expect(Expected::answer(number, 200, None))
    }

    /// Asks, and expects to be refused.
    pub(crate) fn refused(self, request: Request, status: u16, reason: &str) -> Self {
        let number = self.requests().count();
        self.step(Step::Ask(request)).expect(Expected::answer(number, status, Some(reason)))
    }
}
