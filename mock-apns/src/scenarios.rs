//! Scenarios: the library of ready ones, and reading one from a file.

use mock_apns_core::{Named as _, Profile, Scenario, ScenarioError, Service, Settings, Timestamp};
use thiserror::Error;

use crate::MockTeam;

/// A scenario of the library, as it stands in its file.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use mock_apns::{MockApns, scenarios};
///
/// let mock = MockApns::start().await?;
/// let busy = scenarios::get("busy").expect("it is one of scenarios::all()");
/// mock.team().play(&busy.scenario())?;
/// // Push: two of a hundred are answered 503 ServiceUnavailable, until the team is reset.
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadyScenario {
    name: &'static str,
    toml: &'static str,
}

/// Declares the library: each file of `scenarios/`, in the order of what users of APNs doubles ask for.
macro_rules! library {
    ($($name:literal)*) => {
        const LIBRARY: &[ReadyScenario] = &[$(ReadyScenario {
            name: $name,
            toml: include_str!(concat!("../scenarios/", $name, ".toml")),
        }),*];
    };
}

library! {
    "key-revoked"
    "marked-answers"
    "round-trip-time"
    "lost-answers"
    "too-many-token-updates"
    "expired-provider-token"
    "strict-clock"
    "goaway-shutdown"
    "goaway-and-silence"
    "idle-timeout"
    "half-open"
    "one-stream-after-an-error"
    "busy"
    "uninstalled-app"
    "timestamps-of-410"
    "wrong-environment"
    "environment-key-spelling"
    "missing-push-type"
    "background-budget"
    "offline-for-an-hour"
    "throttled"
    "alpn-http11"
    "alpn-refused"
    "goaway-http11-required"
    "server-certificate-expired"
    "server-certificate-wrong-host"
    "server-certificate-unknown-ca"
    "new-root"
    "credentials-expire"
    "live-activity-ends"
    "no-unique-id"
    "dry-run"
    "strict"
    "bad-day"
    "hostile"
}

/// Every scenario of the library.
pub fn all() -> &'static [ReadyScenario] {
    LIBRARY
}

/// The one of this name.
pub fn get(name: &str) -> Option<&'static ReadyScenario> {
    LIBRARY.iter().find(|it| it.name == name)
}

/// Reads a scenario as somebody has written it, in TOML or, if it begins with `{`, in JSON. What is wrong is told with its line.
///
/// ```
/// let text = "name = \"busy\"\nabout = \"All is 503.\"\n[[faults]]\nname = \"f\"\naktion = \"no-answer\"\n";
/// let error = mock_apns::scenarios::parse(text).unwrap_err().to_string();
/// assert!(error.contains("line 5") && error.contains("unknown field `aktion`"), "{error}");
/// ```
pub fn parse(text: &str) -> Result<Scenario, ScenarioTextError> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| ScenarioTextError(error.to_string()))
    } else {
        toml::from_str(text).map_err(|error| ScenarioTextError(error.to_string().trim_end().to_owned()))
    }
}

/// A text is not a scenario: where, and why.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("this is not a scenario: {0}")]
pub struct ScenarioTextError(String);

impl ReadyScenario {
    /// Its name, which is its file's too.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its file.
    pub fn toml(&self) -> &'static str {
        self.toml
    }

    /// What the file says.
    pub fn scenario(&self) -> Scenario {
        parse(self.toml).expect("each file of the library is read by a test")
    }
}

impl MockTeam {
    /// Plays a scenario from now on, by the team's clock: of the [library](all), [read](parse) from a file, or put together here.
    /// A [reset](mock_apns_core::TeamAt::reset) ends it, and takes back the faults that it has given to everyone.
    ///
    /// # Errors
    ///
    /// Something in it is wrong, or about a device, token or key that the team has not. Then nothing of it is played.
    pub fn play(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        self.at_work(|team| team.play(scenario))
    }
}

/// What the profile hostile is beside its settings: the faults of the scenario of that name, for everyone. Of any other profile,
/// nothing.
pub(crate) fn unleash(service: &mut Service, now: Timestamp) {
    if !is_hostile(service.settings()) {
        return;
    }
    let hostile = get(Profile::Hostile.name()).expect("the library has it: tested");
    for fault in hostile.scenario().faults {
        service
            .add_fault(now, fault)
            .expect("a service that begins anew has no fault, and takes these: tested");
    }
}

pub(crate) fn is_hostile(settings: &Settings) -> bool {
    settings.profile() == Profile::Hostile
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mock_apns_core::{Environment, Event, Opened, Request};

    use super::*;
    use crate::{json, provider_token, ready_made::ReadyMade, verify_es256};

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn service(settings: Settings) -> Service {
        let mut service = Service::new(settings, 7, verify_es256);
        let ready_made = ReadyMade::add_to(&mut service, NOW, ReadyMade::new_keys().unwrap());
        assert_eq!(ready_made.team_id, crate::ready_made::TEAM_ID);
        service
    }

    #[test]
    fn each_is_read_and_played_on_the_ready_made_team() {
        for ready in all() {
            let scenario = parse(ready.toml).unwrap_or_else(|error| panic!("{}: {error}", ready.name));
            assert_eq!(scenario.name.as_str(), ready.name);
            let mut service = service(Settings::default());
            let team = mock_apns_core::TeamId::parse(crate::ready_made::TEAM_ID).unwrap();
            let played = service.team_at(NOW, team).unwrap().play(&scenario);
            assert_eq!(played, Ok(()), "{}", ready.name);
        }
    }

    #[test]
    fn each_says_in_two_sentences_what_happens_and_what_a_provider_has_to_do() {
        for ready in all() {
            let about = ready.scenario().about;
            assert!(about.ends_with('.') && !about.contains('\n'), "{}: {about}", ready.name);
            assert!(
                about.contains(". A provider ") || about.contains(". A client "),
                "{}: {about}",
                ready.name
            );
            let has_sources = !ready.scenario().sources.is_empty();
            assert!(has_sources || ready.name == "bad-day", "{}: who asks for it?", ready.name);
        }
    }

    #[test]
    fn the_documents_table_is_the_library_and_its_example_is_one_of_it() {
        let page = include_str!("../../docs/scenarios.md");
        let row = |ready: &ReadyScenario| {
            let Scenario { about, sources, .. } = ready.scenario();
            format!("| `{}` | {about} | {} |\n", ready.name, sources.join(", "))
        };
        let rows = all().iter().map(row).collect::<Vec<_>>().concat();
        assert!(
            page.contains(&format!("|---|---|---|\n{rows}\n")),
            "docs/scenarios.md should have these rows:\n{rows}"
        );
        assert!(page.contains(&format!("```toml\n{}```", get("bad-day").unwrap().toml)));
    }

    #[test]
    fn every_example_of_the_document_is_played_on_the_ready_made_team() {
        let page = include_str!("../../docs/scenarios.md");
        let examples: Vec<_> =
            page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert_eq!(examples.len(), 2);
        for example in examples {
            let scenario = parse(example).unwrap_or_else(|error| panic!("{example}: {error}"));
            let mut service = service(Settings::default());
            let team = mock_apns_core::TeamId::parse(crate::ready_made::TEAM_ID).unwrap();
            assert_eq!(service.team_at(NOW, team).unwrap().play(&scenario), Ok(()), "{example}");
        }
    }

    #[test]
    fn every_event_has_an_example_in_the_document_that_can_be_read() {
        let page = include_str!("../../docs/scenarios.md");
        let (_, table) = page.split_once("| Event |").unwrap();
        let examples: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(examples.len(), 10);
        for row in examples {
            let (event, example) = (row.split('`').nth(1).unwrap(), row.rsplit('`').nth(1).unwrap());
            assert!(example.starts_with(event), "{row}");
            let text = format!("name = \"x\"\nabout = \"x\"\n[[events]]\nat = \"1s\"\n{example}\n");
            assert!(parse(&text).is_ok(), "{row}: {:?}", parse(&text));
        }
    }

    #[test]
    fn every_file_is_in_the_library_once() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let files: BTreeSet<_> = files.map(|name| name.to_str().unwrap().to_owned()).collect();
        let names: BTreeSet<_> = all().iter().map(|ready| format!("{}.toml", ready.name)).collect();
        assert_eq!(files, names);
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn hostile_is_for_everyone_and_the_other_profiles_are_nothing_of_the_kind() {
        for &profile in Profile::ALL {
            let mut service = service(Settings::of(profile));
            unleash(&mut service, NOW);
            let expected =
                if profile == Profile::Hostile { get("hostile").unwrap().scenario().faults.len() } else { 0 };
            assert_eq!(service.faults(NOW).count(), expected, "{}", profile.name());
        }
    }

    /// The journal of a hostile double of this seed to which the same was pushed, and which faults have fired in it.
    fn hostile_journal(seed: u64) -> (String, Vec<String>) {
        let mut service = Service::new(Settings::of(Profile::Hostile), seed, verify_es256);
        let ready_made = ReadyMade::add_to(&mut service, NOW, ReadyMade::new_keys().unwrap());
        unleash(&mut service, NOW);
        let bearer = provider_token::mint(&ready_made.keys[0].key, ready_made.team_id, NOW).unwrap();
        let mut request = Request::new();
        for (name, value) in [
            (":method", "POST"),
            (":path", &format!("/3/device/{}", ready_made.device_tokens[0].token)),
            ("authorization", &format!("bearer {bearer}")),
            ("apns-topic", ready_made.bundle_id),
            ("apns-push-type", "alert"),
        ] {
            request.field(name.as_bytes(), value.as_bytes());
        }
        for _ in 0..100 {
            let opened = Opened { environment: Environment::Sandbox, server_name: None, certificate: None };
            let connection = service.connected(NOW, opened);
            for stream in [1, 3, 5] {
                service.request(NOW, connection, stream, &request, br#"{"aps":{"alert":"Hello"}}"#);
            }
            while service.poll_effect().is_some() {}
            service.disconnected(NOW, connection);
        }
        let team = service.team(mock_apns_core::TeamId::parse(ready_made.team_id).unwrap()).unwrap();
        let fired = team.journal(0).filter_map(|record| match record.event {
            Event::Fault(firing) => Some(firing.fault().to_string()),
            _ => None,
        });
        (team.journal(0).map(|record| json::line(&record) + "\n").collect(), fired.collect())
    }

    #[test]
    fn a_seed_of_the_hostile_profile_gives_one_journal_to_the_byte_and_another_gives_another() {
        let (journal, fired) = hostile_journal(7);
        assert!(fired.len() > 30, "{fired:?}");
        assert_eq!(hostile_journal(7).0, journal);
        assert_ne!(hostile_journal(8).1, fired);
    }
}
