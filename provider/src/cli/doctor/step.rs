use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::exit;

/// What is looked at, in this order: each needs those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Subject {
    /// The host name has addresses.
    Dns,
    /// One of them takes connections.
    Tcp,
    /// The proxy, if there is one, opens a way to the server.
    Proxy,
    /// TLS agrees, and the server's certificate is trusted.
    Tls,
    /// TLS agreed on HTTP/2.
    Alpn,
    /// The server says what it allows.
    Settings,
    /// A push is answered.
    Answer,
    /// This machine's clock and the server's agree.
    Clock,
    /// The key or certificate is accepted.
    Credential,
    /// It is one for this environment.
    Environment,
    /// It may push to this topic.
    PushTopic,
    /// The device token is one of this topic and environment.
    DeviceToken,
}

impl Subject {
    pub(super) const ALL: [Self; 12] = [
        Self::Dns,
        Self::Tcp,
        Self::Proxy,
        Self::Tls,
        Self::Alpn,
        Self::Settings,
        Self::Answer,
        Self::Clock,
        Self::Credential,
        Self::Environment,
        Self::PushTopic,
        Self::DeviceToken,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Alpn => "alpn",
            Self::Settings => "settings",
            Self::Answer => "answer",
            Self::Clock => "clock",
            Self::Credential => "credential",
            Self::Environment => "environment",
            Self::PushTopic => "topic",
            Self::DeviceToken => "device-token",
        }
    }

    /// The exit code when this has failed: trouble on the way may pass, what is set up wrong does not.
    fn code(self) -> u8 {
        match self {
            Self::Dns | Self::Tcp | Self::Settings | Self::Answer => exit::RETRYABLE,
            Self::DeviceToken => exit::REJECTED,
            _ => exit::MISCONFIGURED,
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    Ok,
    Failed,
    /// Not looked at, or nothing is known.
    Skipped,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Step {
    pub(super) subject: Subject,
    pub(super) verdict: Verdict,
    pub(super) says: String,
    /// When it failed: what is likely behind it and what to do, the likeliest first.
    pub(super) causes: Vec<String>,
}

impl Step {
    pub(super) fn ok(subject: Subject, says: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Ok, says: says.into(), causes: Vec::new() }
    }

    pub(super) fn skipped(subject: Subject, says: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Skipped, says: says.into(), causes: Vec::new() }
    }

    pub(super) fn failed(subject: Subject, says: impl Into<String>, causes: &[&str]) -> Self {
        let causes = causes.iter().map(|cause| (*cause).to_owned()).collect();
        Self { subject, verdict: Verdict::Failed, says: says.into(), causes }
    }
}

/// Every step, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Report {
    steps: Vec<Step>,
}

impl Report {
    /// What was not looked at is told as skipped.
    pub(super) fn new(mut looked_at: Vec<Step>) -> Self {
        for subject in Subject::ALL {
            if !looked_at.iter().any(|step| step.subject == subject) {
                looked_at.push(Step::skipped(subject, "not reached"));
            }
        }
        looked_at.sort_by_key(|step| step.subject);
        Self { steps: looked_at }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        let failed = self.steps.iter().find(|step| step.verdict == Verdict::Failed);
        ExitCode::from(failed.map_or(exit::ACCEPTED, |step| step.subject.code()))
    }

    pub(super) fn to_text(&self) -> String {
        let mut lines = Vec::new();
        for step in &self.steps {
            lines.push(format!("{:<8} {:<13} {}", step.verdict.as_str(), step.subject.as_str(), step.says));
            let numbered = step.causes.iter().zip(1..);
            lines.extend(numbered.map(|(cause, number)| format!("{:>23} {cause}", format!("{number}."))));
        }
        lines.join("\n")
    }

    pub(super) fn to_json(&self) -> Value {
        let steps = self.steps.iter().map(|step| {
            let verdict = step.verdict.as_str().to_ascii_lowercase();
            json!({ "step": step.subject.as_str(), "verdict": verdict, "says": step.says, "causes": step.causes })
        });
        let well = self.steps.iter().all(|step| step.verdict != Verdict::Failed);
        json!({ "well": well, "steps": steps.collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_reached_is_told_and_the_first_failure_decides() {
        let looked_at = vec![
            Step::ok(Subject::Dns, "127.0.0.1"),
            Step::failed(Subject::Tcp, "refused", &["Nobody listens."]),
        ];
        let report = Report::new(looked_at);
        let text = report.to_text();
        assert!(
            text.starts_with("ok       dns           127.0.0.1\nFAILED   tcp           refused\n"),
            "{text}"
        );
        assert!(text.contains("1. Nobody listens.\nskipped  proxy         not reached"), "{text}");
        assert_eq!(text.lines().count(), Subject::ALL.len() + 1);
        assert_eq!(report.exit_code(), ExitCode::from(exit::RETRYABLE));
        assert_eq!(report.to_json()["well"], false);
        let wrong = Report::new(vec![Step::failed(Subject::PushTopic, "400 TopicDisallowed", &[])]);
        assert_eq!(wrong.exit_code(), ExitCode::from(exit::MISCONFIGURED));
        assert_eq!(Report::new(Vec::new()).exit_code(), ExitCode::SUCCESS);
    }
}
