//! The table of the server's metrics. What a client to APNs counts is the library's (`docs/provider-metrics.md`), and stands beside it.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Declares [`Family`] and what is known of each.
macro_rules! families {
    ($($variant:ident $name:literal $kind:ident [$($label:literal),*] $help:literal;)*) => {
        /// Some metrics of one name.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Family {
            $(#[doc = $help] $variant,)*
        }

        impl Family {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            #[cfg(test)]
            const fn labels(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($label),*],)* }
            }

            /// What it tells, in one sentence.
            const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)* }
            }
        }
    };
}

families! {
    Requests "apns_server_api_requests_total" Counter ["method", "operation", "status"] "Requests to the API that were answered.";
    RequestSeconds "apns_server_api_request_seconds" Histogram ["method", "operation"]
        "Time from a request's head to its answer, in seconds.";
    Queued "apns_server_queued" Gauge ["lane"]
        "Recipients without an outcome, of all tenants; those that are to be sent later are among them.";
    QueueAge "apns_server_queue_age_seconds" Gauge ["lane"]
        "How long the first recipients that are due, and that nobody has claimed or paused, have been so, in seconds.";
    Claimed "apns_server_claimed" Gauge ["lane"] "Recipients that this process has claimed and not handed to a client yet.";
    InEngine "apns_server_in_engine" Gauge ["lane"] "Pushes that this process has handed to a client, which has not said what became of them.";
    Unsaved "apns_server_unsaved" Gauge [] "Outcomes of this process that the database has not confirmed yet.";
    Shards "apns_server_shards" Gauge [] "Shards that this process works on.";
    Clients "apns_server_clients" Gauge [] "Apps and environments that this process has a client for.";
    Troubled "apns_server_troubled" Gauge []
        "Apps and environments that this process leaves alone for a while, since their credential or APNs is in trouble.";
    Troubles "apns_server_troubles_total" Counter [] "Times that an app was left alone for a while.";
    RemovalsSuspended "apns_server_removals_suspended" Gauge []
        "Apps and environments of which no device is removed, since too many of their tokens are invalid: look at it when it is not 0.";
    RemovalAlarms "apns_server_removal_alarms_total" Counter []
        "Times that it was told that too many tokens of an app are invalid; once a minute while it is so.";
    Removed "apns_server_devices_removed_total" Counter [] "Devices that were removed, since APNs says that their token is dead.";
    Outcomes "apns_server_outcomes_total" Counter [] "Outcomes of recipients that were stored.";
    Retries "apns_server_retries_total" Counter []
        "Recipients that were put back to be tried again, beyond what a client tries by itself.";
    CampaignsFinished "apns_server_campaigns_finished_total" Counter [] "Campaigns that have an outcome for each recipient.";
    StoreFailures "apns_server_store_failures_total" Counter [] "Times that the database did not do what sending wanted of it.";
    WebhookDeliveries "apns_server_webhook_deliveries_total" Counter ["result"] "Deliveries to webhooks by result.";
    WebhookWaiting "apns_server_webhook_waiting" Gauge [] "Deliveries to webhooks that wait, of all tenants.";
}

/// Tells a recorder what each tells.
pub(super) fn describe() {
    for family in Family::ALL {
        match family.kind() {
            Kind::Counter => describe_counter!(family.name(), family.help()),
            Kind::Gauge => describe_gauge!(family.name(), family.help()),
            Kind::Histogram => describe_histogram!(family.name(), family.help()),
        }
    }
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
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/provider-server.md");
        let page = std::fs::read_to_string(path).unwrap();
        assert!(
            page.contains(&rows()),
            "docs/provider-server.md lacks these rows, or has older ones:\n{}",
            rows()
        );
        assert_eq!(page.matches("\n| `apns_server_").count(), Family::ALL.len(), "it lists what is gone");
    }

    #[test]
    fn a_name_says_what_kind_it_is() {
        for family in Family::ALL {
            let name = family.name();
            assert!(name.starts_with("apns_server_"), "{name}");
            assert_eq!(name.ends_with("_total"), family.kind() == Kind::Counter, "{name}");
            assert!(family.help().ends_with('.'), "{name}");
        }
    }
}
