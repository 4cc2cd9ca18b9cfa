//! What to paste so that a provider client pushes to a double: one row for each client, with its program.
//!
//! ```text
//!   Client::ALL ──parse("node-apn")──▶ Client ──render(&Target)──▶ a program that pushes "Hello"
//!        │                               │ template with {{placeholders}}
//!        └─ docs/clients.md              └─ Language: how it writes a comment and a string
//! ```
//!
//! | module | what |
//! |---|---|
//! | `table` | the rows |
//! | `templates/` | the programs, in the client's own language |
//! | `template` | placeholders, and what stands for each |
//! | `language` | comments and strings of each language |
//!
//! # Example
//!
//! ```
//! use mock_apns::client_settings::{Client, Target};
//!
//! let target = Target {
//!     host: "localhost",
//!     sandbox_port: 2197,
//!     production_port: 2198,
//!     control: None,
//!     ca: "ca.pem",
//!     key: "AuthKey_MOCKKEY001.p8",
//!     key_id: "MOCKKEY001",
//!     team_id: "MOCKTEAM01",
//!     topic: "com.example.app",
//!     device_token: "00ff",
//! };
//! let settings = Client::parse("node-apn").unwrap().render(&target);
//! assert!(settings.contains(r#"address: "localhost","#));
//! ```

mod language;
mod table;
mod template;

use thiserror::Error;

use language::Language;
pub(crate) use language::shell_word;

/// A provider client, and how it is pointed at a double.
#[derive(Debug)]
pub struct Client {
    name: &'static str,
    package: &'static str,
    checked: &'static str,
    address: &'static str,
    ca: &'static str,
    note: &'static str,
    file: &'static str,
    language: Language,
    template: &'static str,
}

/// Where the double is and what it knows. Paths may be absolute, or relative to where the program runs.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Host name, as it stands in a URL. The double's certificate is for `localhost` and Apple's names.
    pub host: &'a str,
    /// Port of the sandbox's provider API, to which all programs push.
    pub sandbox_port: u16,
    /// Port of production's provider API.
    pub production_port: u16,
    /// URL of the control API with no slash at its end, if `ca` and `key` have to be fetched there first.
    pub control: Option<&'a str>,
    /// Path of the CA, in PEM.
    pub ca: &'a str,
    /// Path of the `.p8` file.
    pub key: &'a str,
    /// The key's ID.
    pub key_id: &'a str,
    /// The team's ID.
    pub team_id: &'a str,
    /// Topic of an alert: the app's bundle ID.
    pub topic: &'a str,
    /// A device token of the app in the sandbox, as hexadecimal digits.
    pub device_token: &'a str,
}

/// There is no row of that name.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("no client {0:?}; there are {names}", names = names())]
pub struct UnknownClient(pub String);

impl Client {
    /// Every client that settings are known for.
    pub const ALL: &'static [Self] = table::CLIENTS;

    /// The client of that [name](Self::name).
    pub fn parse(name: &str) -> Result<&'static Self, UnknownClient> {
        Self::ALL.iter().find(|client| client.name == name).ok_or_else(|| UnknownClient(name.to_owned()))
    }

    /// Its name here: lower case, digits and hyphens, as in a URL.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A program, or a configuration, that pushes an alert to the sandbox of `target`. Before it, as comments, how to
    /// fetch its files from the control API if there is one.
    pub fn render(&self, target: &Target<'_>) -> String {
        let mut text = self.fetching(target);
        text.push_str(&template::fill(self.template, self.language, target));
        text
    }

    /// Its row in docs/clients.md, a line of Markdown.
    pub fn row(&self) -> String {
        let Self { name, package, checked, address, ca, note, file, .. } = self;
        let program = format!("../mock-apns/src/client_settings/templates/{file}");
        format!("| [`{name}`]({program}) | {package} | {checked} | {address} | {ca} | {note} |")
    }

    fn fetching(&self, target: &Target<'_>) -> String {
        let Some(control) = target.control else { return String::new() };
        let Target { ca, key, key_id, team_id, .. } = target;
        let comment = self.language.comment();
        [
            (format!("{control}/v1/certificates/ca.pem"), ca),
            (format!("{control}/v1/keys/{key_id}/key.p8?team={team_id}"), key),
        ]
        .map(|(url, path)| {
            let command = format!("curl -fsS {} -o {}", shell_word(&url), shell_word(path));
            format!("{comment} {}\n", language::one_line(&command))
        })
        .concat()
    }
}

/// Every name, in the order of the table.
fn names() -> String {
    Client::ALL.iter().map(Client::name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing in here is in a template, and some of it has to be escaped in every language.
    const TARGET: Target<'static> = Target {
        host: "double.test",
        sandbox_port: 30_001,
        production_port: 30_002,
        control: None,
        ca: r#"/tmp/my "files"/it's \ca.pem"#,
        key: r#"/tmp/my "files"/it's \key.p8"#,
        key_id: "KEYKEYKEY1",
        team_id: "TEAMTEAM01",
        topic: "org.example.topic",
        device_token: "0123456789abcdef",
    };

    #[test]
    fn every_client_is_found_by_its_name_and_no_other_is() {
        for client in Client::ALL {
            assert_eq!(Client::parse(client.name).unwrap().name, client.name);
            assert!(client.name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')));
        }
        let error = Client::parse("pushsharp").unwrap_err().to_string();
        assert!(error.contains("pushsharp") && error.contains("node-apn, apns2-npm"), "{error}");
    }

    #[test]
    fn every_program_has_what_it_needs_and_nothing_unfilled() {
        for client in Client::ALL {
            let program = client.render(&TARGET);
            for needed in [TARGET.key_id, TARGET.team_id, TARGET.topic, TARGET.device_token] {
                assert!(program.contains(needed), "{needed}: {program}");
            }
            assert!(!program.contains("{{"), "{program}");
            assert!(program.ends_with('\n') && program.starts_with(|first: char| !first.is_whitespace()));
        }
    }

    #[test]
    fn who_can_be_told_a_host_is_told_it_and_the_others_say_where_they_connect() {
        for client in Client::ALL {
            let program = client.render(&TARGET);
            let is_told = program.contains(TARGET.host) && program.contains("30001");
            assert!(is_told || program.contains("api.sandbox.push.apple.com:443"), "{program}");
            assert_eq!(is_told, !client.address.starts_with("none"), "{}", client.name);
        }
    }

    #[test]
    fn files_are_fetched_first_when_there_is_a_control_api() {
        let target = Target { control: Some("http://localhost:8080"), ca: "ca.pem", key: "key.p8", ..TARGET };
        for client in Client::ALL {
            let (alone, fetched) =
                (client.render(&Target { control: None, ..target }), client.render(&target));
            let comment = client.language.comment();
            let fetching = format!(
                "{comment} curl -fsS 'http://localhost:8080/v1/certificates/ca.pem' -o 'ca.pem'\n\
                 {comment} curl -fsS 'http://localhost:8080/v1/keys/KEYKEYKEY1/key.p8?team=TEAMTEAM01' -o 'key.p8'\n"
            );
            assert_eq!(fetched, fetching + &alone);
        }
    }

    #[test]
    fn a_line_break_in_a_path_ends_no_comment() {
        let target = Target { control: Some("http://localhost\nrm"), ca: "a\nb", key: "c\nd", ..TARGET };
        for client in Client::ALL {
            let lines = |target: &Target<'_>| client.render(target).lines().count();
            let plain = Target { control: Some("http://localhost"), ca: "ab", key: "cd", ..TARGET };
            // A shell's own strings, outside of comments, may have them.
            let breaks = if matches!(client.language, Language::Shell) { 2 } else { 0 };
            assert_eq!(lines(&target), lines(&plain) + breaks, "{}", client.render(&target));
        }
    }
}
