/// What is looked at, in this order: each needs those before it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Subject {
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
    const ALL: [Self; 12] = [
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

    /// Its name: `dns`, `device-token`.
    pub const fn as_str(self) -> &'static str {
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
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Verdict {
    /// Well.
    Ok,
    /// Not well; [`Step::causes`] has what is likely behind it.
    Failed,
    /// Not looked at, or nothing is known.
    Skipped,
}

impl Verdict {
    /// Its name: `ok`, `failed`, `skipped`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// What was looked at.
    pub subject: Subject,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen, or what is wrong.
    pub says: String,
    /// When it failed: what is likely behind it and what to do, the likeliest first.
    pub causes: Vec<String>,
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

/// Every step once, in order: those that were not looked at are skipped.
pub(super) fn all(mut looked_at: Vec<Step>) -> Vec<Step> {
    for subject in Subject::ALL {
        if !looked_at.iter().any(|step| step.subject == subject) {
            looked_at.push(Step::skipped(subject, "not reached"));
        }
    }
    looked_at.sort_by_key(|step| step.subject);
    looked_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_reached_is_told_in_its_place() {
        let looked_at = vec![
            Step::ok(Subject::Dns, "127.0.0.1"),
            Step::failed(Subject::Tcp, "refused", &["Nobody listens."]),
            Step::ok(Subject::Proxy, "none"),
        ];
        let all = all(looked_at.iter().rev().cloned().collect());
        assert_eq!(all[..3], looked_at);
        assert_eq!(all.iter().map(|step| step.subject).collect::<Vec<_>>(), Subject::ALL);
        let skipped = |step: &Step| (step.verdict, step.says.as_str()) == (Verdict::Skipped, "not reached");
        assert!(all[3..].iter().all(skipped), "{all:?}");
    }
}
