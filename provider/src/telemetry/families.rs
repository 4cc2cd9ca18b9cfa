//! The table of all metrics.

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Declares [`Family`] and what is known of each.
macro_rules! families {
    ($($variant:ident $name:literal $kind:ident [$($label:literal),*] $help:literal;)*) => {
        /// Some metrics of one name.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Family {
            $(#[doc = $help] $variant,)*
        }

        impl Family {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(super) const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
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
    Pushes "apns_provider_pushes_total" Counter ["outcome", "status", "reason"] "Pushes that are finished, by what became of them.";
    Attempts "apns_provider_attempts_total" Counter ["outcome", "status", "reason"]
        "Attempts on a connection that are over; a push has one or more.";
    Retries "apns_provider_retries_total" Counter [] "Attempts that were put off or repeated, beyond the first of their pushes.";
    PushSeconds "apns_provider_push_seconds" Histogram [] "Time from send to outcome, waiting and pausing included, in seconds.";
    PushesWaiting "apns_provider_pushes_waiting" Gauge [] "Pushes that wait for a stream.";
    PushesPausing "apns_provider_pushes_pausing" Gauge [] "Pushes that are sent again later.";
    PushesUnderWay "apns_provider_pushes_under_way" Gauge [] "Pushes that were sent and have no answer yet.";
    Connections "apns_provider_connections" Gauge ["state"] "Connections by state.";
    StreamsFree "apns_provider_streams_free" Gauge [] "Streams that could be opened more on the connections that take pushes.";
    WindowBytes "apns_provider_window_bytes" Gauge [] "Bytes that the send windows of the connections that take pushes have left.";
    ConnectionsOpened "apns_provider_connections_opened_total" Counter [] "Connections whose TLS handshake was done.";
    ConnectionsFailed "apns_provider_connections_failed_total" Counter [] "Connections that did not come about.";
    ConnectionsEnded "apns_provider_connections_ended_total" Counter ["why"] "Connections that were open and are no more.";
    Goaways "apns_provider_goaways_total" Counter ["reason"] "GOAWAY frames from APNs, by the reason in their debug data.";
    Resets "apns_provider_resets_total" Counter ["code"] "RST_STREAM frames from APNs, by their HTTP/2 error code.";
    PingSeconds "apns_provider_ping_seconds" Histogram [] "Time from a PING to its acknowledgement, in seconds.";
    TokenIssued "apns_provider_token_issued_at_seconds" Gauge ["key_id"]
        "When the provider token in use was issued, in seconds since 1970: its age is the time since.";
    CertificateExpires "apns_provider_certificate_expires_at_seconds" Gauge ["serial"]
        "When the certificate in use is over, in seconds since 1970.";
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn rows() -> String {
        let mut rows = String::new();
        for family in Family::ALL {
            let labels: Vec<_> = family.labels().iter().map(|label| format!("`{label}`")).collect();
            let kind = format!("{:?}", family.kind()).to_lowercase();
            let (name, labels, help) = (family.name(), labels.join(", "), family.help());
            writeln!(rows, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
        }
        rows
    }

    #[test]
    fn the_page_has_the_table() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/provider-metrics.md");
        let page = std::fs::read_to_string(path).unwrap();
        assert!(
            page.contains(&rows()),
            "docs/provider-metrics.md lacks these rows, or has older ones:\n{}",
            rows()
        );
        assert_eq!(page.matches("\n| `apns").count(), Family::ALL.len(), "it lists what is gone");
    }

    #[test]
    fn a_name_says_what_kind_it_is() {
        for family in Family::ALL {
            let name = family.name();
            assert!(name.starts_with("apns_provider_"), "{name}");
            assert_eq!(name.ends_with("_total"), family.kind() == Kind::Counter, "{name}");
            assert!(family.help().ends_with('.'), "{name}");
        }
    }
}
