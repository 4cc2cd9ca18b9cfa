//! The table of all metric families.

use prometheus_client::metrics::MetricType;

/// Declares [`Family`] and what is known of each.
macro_rules! families {
    ($($variant:ident $name:literal $kind:ident [$($label:literal),*] $help:literal;)*) => {
        /// Some metrics of one name.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Family {
            $(#[doc = $help] $variant,)*
        }

        impl Family {
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, without the prefix, and without what its type adds.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(super) const fn metric_type(self) -> MetricType {
                match self { $(Self::$variant => MetricType::$kind,)* }
            }

            #[cfg(test)]
            pub(super) const fn labels(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($label),*],)* }
            }

            /// What it tells, in one sentence.
            pub(super) const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)* }
            }
        }
    };
}

families! {
    Build "build" Info ["version"] "The version of mock-apns.";
    Requests "requests" Counter ["environment", "status", "reason", "push_type"]
        "Requests of providers that were answered; reason is empty for 200, push_type where APNs did not get to know one.";
    Deliveries "deliveries" Counter ["status"] "Notifications that have reached a status, in the words of Apple's console.";
    ConnectionsOpened "connections_opened" Counter ["listener"] "Connections whose TLS handshake was done.";
    ConnectionsOpen "connections_open" Gauge ["listener"] "Connections that are open.";
    ConnectionsEntering "connections_entering" Gauge []
        "Connections that were accepted and are not open yet, of all listeners.";
    ConnectionsRefused "connections_refused" Counter ["listener", "cause"] "Connections that came to nothing before they were open.";
    ConnectionsCutOff "connections_cut_off" Counter ["cause"]
        "Connections of providers that were ended because they kept the double waiting, or made it hold too much.";
    ProtocolErrors "protocol_errors" Counter ["violation", "ended"]
        "Errors of providers in HTTP/2, floods among them, for which their connection was ended or a stream reset.";
    HeldBytes "held_bytes" Gauge []
        "Memory that connections of providers hold for unfinished requests and unread answers, about.";
    StreamsInFlight "streams_in_flight" Gauge [] "HTTP/2 streams on which a request or its answer is under way.";
    HandlingSeconds "handling_seconds" Histogram []
        "Time from reading a batch of frames to having its answers, for batches with a request.";
    BatchRequests "batch_requests" Histogram [] "Requests that were handled in one batch.";
    ProviderTokensSeen "provider_tokens_seen" Counter [] "Provider tokens that were found to be rightly signed.";
    ProviderTokenChanges "provider_token_changes" Counter []
        "Times that a key's provider token became another, over all connections.";
    ShortConnections "short_connections" Counter []
        "Connections of a team's provider that were closed within a minute.";
    Repeated410s "repeated_410s" Counter []
        "Pushes to a device token whose provider had been answered 410 for it before.";
    WouldHaveThrottled "apple_would_have_throttled" Gauge ["team", "cause"]
        "Whether the team's provider has done what Apple would have throttled it for: 1 from then on, until the team is reset.";
    FaultFirings "fault_firings" Counter ["fault"]
        "Times that a fault has fired, by its name; other stands for those beyond the first thousand names.";
    Throttled "throttled" Counter ["how"] "Times that something was done to a provider by rule, because a setting asks for it.";
    JournalEvictions "journal_evictions" Counter [] "Entries of journals that made room for newer ones.";
    Teams "teams" Gauge [] "Teams that there are.";
    Devices "devices" Gauge [] "Devices that there are, of all teams.";
}

/// What begins the name of every family.
pub(super) const PREFIX: &str = "mock_apns";

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use mock_apns_core::Misconduct;

    use super::*;

    /// What its type adds to the name of a metric.
    fn suffix(family: Family) -> &'static str {
        match family.metric_type() {
            MetricType::Counter => "_total",
            MetricType::Info => "_info",
            _ => "",
        }
    }

    fn rows() -> String {
        let mut rows = String::new();
        for &family in Family::ALL {
            let labels: Vec<_> = family.labels().iter().map(|label| format!("`{label}`")).collect();
            let (name, kind) = (family.name(), family.metric_type());
            let (suffix, help) = (suffix(family), family.help());
            writeln!(
                rows,
                "| `{PREFIX}_{name}{suffix}` | {} | {} | {help} |",
                kind.as_str(),
                labels.join(", ")
            )
            .unwrap();
        }
        rows
    }

    fn causes() -> String {
        let row = |what: &Misconduct| {
            format!(
                "| `{}` | {} | {} | {} |\n",
                what.as_str(),
                what.meaning(),
                what.threshold(),
                what.source()
            )
        };
        Misconduct::ALL.iter().map(row).collect()
    }

    #[test]
    fn the_document_has_the_tables() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
        let document = std::fs::read_to_string(path).unwrap();
        for rows in [rows(), causes()] {
            assert!(document.contains(&rows), "docs/metrics.md lacks these rows, or has older ones:\n{rows}");
        }
        let listed = document.matches("\n| `").count();
        assert_eq!(listed, Family::ALL.len() + Misconduct::ALL.len(), "docs/metrics.md lists what is gone");
    }

    #[test]
    fn a_name_and_what_it_says_are_as_prometheus_wants_them() {
        for family in Family::ALL {
            let name = family.name();
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
            assert!(!["_total", "_info", "_sum", "_count", "_bucket"].iter().any(|end| name.ends_with(end)));
            assert!(family.help().ends_with('.') && !family.help().contains('\n'), "{name}");
        }
    }
}
