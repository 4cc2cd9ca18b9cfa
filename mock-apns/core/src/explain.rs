//! Why a request is answered as it is: every rule with what it looked at.

mod listing;

use serde::{Serialize, Serializer};

use crate::{
    ConnectionId, Opened, Reason, Rule, TokenStatus,
    answer::STATUS_OK,
    answering::gone_since,
    rules::{self, Checking, DEVICE_RULES},
};

/// What would become of a request, rule by rule: what [`Service::explain`](crate::Service::explain) returns.
///
/// It displays as a listing for a terminal, and serialises with keys in kebab case. It has no secrets: of a provider
/// token it tells the header and the claims, never the signature; of a payload the length and the beginning.
///
/// ```
/// use mock_apns_core::{Environment, ExplainOn, Opened, Request, Service, Settings, Timestamp};
///
/// let service = Service::new(Settings::default(), 42, |_, _, _| false);
/// let mut request = Request::new();
/// request.field(b":method", b"POST");
/// request.field(b":path", b"/3/device/");
/// let new = Opened { environment: Environment::Sandbox, server_name: None, certificate: None };
/// let explanation = service.explain(Timestamp::default(), ExplainOn::New(new), &request, b"{}").expect("is new");
/// let failed: Vec<&str> = explanation.failed().map(|step| step.rule.id).collect();
/// assert_eq!(failed, ["provider-token-is-present", "topic-is-present", "device-token-is-present"]);
/// println!("{explanation}");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// Every rule of [`DEVICE_RULES`], in its order.
    pub steps: Vec<Step>,
    /// What would be answered.
    pub answer: ForeseenAnswer,
}

/// One rule, and what came of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The rule: what it wants, where that is documented, and the usual mistake.
    pub rule: &'static Rule,
    /// Whether it holds.
    pub outcome: Outcome,
    /// What it looked at, in words. `None`: it was not reached, or had nothing to look at: with a certificate there is no
    /// provider token.
    pub looked_at: Option<String>,
}

/// Whether a rule holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It does.
    Passed,
    /// It does not. The first such rule decides the answer; the next ones would, were the first mistake mended.
    Failed {
        /// What is answered for it.
        reason: Reason,
    },
    /// It cannot be judged, as one that it builds on does not hold.
    NotReached,
}

/// What would be answered to a request that is explained.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ForeseenAnswer {
    /// The `:status`; with `goaway` the one that the reason is documented with.
    pub status: u16,
    /// Why the request would be refused.
    pub reason: Option<Reason>,
    /// The body of the answer, or the debug data of GOAWAY.
    pub body: String,
    /// Whether it is told by GOAWAY once the connection is open, and the request gets no answer at all.
    pub goaway: bool,
}

/// The connection on which a request is explained.
#[derive(Clone, Copy, Debug)]
pub enum ExplainOn<'a> {
    /// One that is open, with its past: its key, its provider tokens.
    Connection(ConnectionId),
    /// One that is opened for this request, by what is known of it.
    New(Opened<'a>),
}

impl Explanation {
    /// Judges by every rule that can be judged.
    pub(crate) fn of(checking: &mut Checking<'_>) -> Self {
        let steps = rules::run_all(checking);
        let reason = steps.iter().find_map(Step::reason);
        Self { answer: ForeseenAnswer::new(reason, checking.token_status, false), steps }
    }

    /// The connection is told to go away: no rule is asked.
    pub(crate) fn of_goaway(reason: Reason) -> Self {
        let steps = DEVICE_RULES.iter().map(|rule| Step::not_reached(rule)).collect();
        Self { steps, answer: ForeseenAnswer::new(Some(reason), None, true) }
    }

    /// The rules that do not hold. The first decides the answer.
    pub fn failed(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.reason().is_some())
    }

    /// The answer and the rule behind it, in a sentence or two.
    pub fn summary(&self) -> String {
        let ForeseenAnswer { status, reason, goaway, .. } = self.answer;
        let reason = reason.map_or("", Reason::as_str);
        let mut failed = self.failed().map(|step| step.rule.id);
        match failed.next() {
            _ if goaway => format!("No answer: the connection is told to go away, for {reason}."),
            None => format!("{status}: every rule holds."),
            Some(first) => {
                let next: Vec<&str> = failed.collect();
                let next = match next[..] {
                    [] => String::new(),
                    _ => format!(" Next would be: {}.", next.join(", ")),
                };
                format!("{status} {reason}: {first} does not hold.{next}")
            }
        }
    }
}

impl Step {
    pub(crate) const fn not_reached(rule: &'static Rule) -> Self {
        Self { rule, outcome: Outcome::NotReached, looked_at: None }
    }

    /// What is answered for the rule, if it does not hold.
    pub const fn reason(&self) -> Option<Reason> {
        match self.outcome {
            Outcome::Failed { reason } => Some(reason),
            Outcome::Passed | Outcome::NotReached => None,
        }
    }
}

impl Outcome {
    /// Its name, which is also what it serialises to.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::NotReached => "not-reached",
        }
    }
}

impl ForeseenAnswer {
    fn new(reason: Option<Reason>, token_status: Option<TokenStatus>, goaway: bool) -> Self {
        let mut body = Vec::new();
        if let Some(reason) = reason {
            let timestamp = token_status.and_then(|status| gone_since(reason, status));
            reason.body(timestamp, &mut body);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Self { status: reason.map_or(STATUS_OK, Reason::status), reason, body, goaway }
    }
}

impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row<'a> {
            summary: &'a str,
            answer: &'a ForeseenAnswer,
            rules: &'a [Step],
        }
        let row = Row { summary: &self.summary(), answer: &self.answer, rules: &self.steps };
        row.serialize(serializer)
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "kebab-case")]
        struct Row<'a> {
            rule: &'a str,
            group: &'a str,
            title: &'a str,
            outcome: &'a str,
            reason: Option<&'a str>,
            looked_at: Option<&'a str>,
            source: &'a str,
            usual_mistake: &'a str,
        }
        let Rule { id, group, title, source, usual_mistake, .. } = *self.rule;
        let row = Row {
            rule: id,
            group: group.name(),
            title,
            outcome: self.outcome.name(),
            reason: self.reason().map(Reason::as_str),
            looked_at: self.looked_at.as_deref(),
            source,
            usual_mistake,
        };
        row.serialize(serializer)
    }
}

impl Serialize for ForeseenAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row<'a> {
            status: u16,
            reason: Option<&'a str>,
            body: &'a str,
            goaway: bool,
        }
        let Self { status, reason, body, goaway } = self;
        let reason = reason.map(Reason::as_str);
        Row { status: *status, reason, body, goaway: *goaway }.serialize(serializer)
    }
}
