//! `mock-apns env`: what a provider has to be told of a running double, for a shell or for one client.

use std::{io::Write as _, path::Path, process::ExitCode};

use super::{FAILED, args::EnvArgs, fail, folder::default_ready_file, ready_file::ReadyFile};
use crate::client_settings::{Client, Target, shell_word};

pub(super) fn run(args: &EnvArgs) -> ExitCode {
    if args.list {
        print(&Client::ALL.iter().flat_map(|client| [client.name(), "\n"]).collect::<String>());
        return ExitCode::SUCCESS;
    }
    let path = args.ready_file.clone().unwrap_or_else(|| default_ready_file(args.port));
    match text(args, &path) {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(message) => fail(FAILED, message),
    }
}

fn text(args: &EnvArgs, path: &Path) -> Result<String, String> {
    let ready = ReadyFile::read(path)
        .map_err(|error| format!("{error}. Is mock-apns running? --ready-file or --port says where"))?;
    let told = Told::new(&ready).ok_or_else(|| {
        format!("{}: no host, key, device token or path that a provider could use", path.display())
    })?;
    Ok(args.client.map_or_else(|| told.exports(), |client| client.render(&told.target)))
}

/// What is in a ready file, as providers need it.
struct Told<'a> {
    target: Target<'a>,
    url: &'a str,
    control: &'a str,
    provider_token: &'a str,
}

impl<'a> Told<'a> {
    /// `None` if the ready file lacks something: a double writes none that does.
    fn new(ready: &'a ReadyFile) -> Option<Self> {
        let url = ready.sandbox.url.as_str();
        let (host, _) = url.strip_prefix("https://")?.rsplit_once(':')?;
        let (key, device) = (ready.keys.first()?, ready.device_tokens.first()?);
        let target = Target {
            host,
            sandbox_port: ready.sandbox.address.port(),
            production_port: ready.production.address.port(),
            control: None, // the files are on this machine
            ca: ready.ca.to_str()?,
            key: key.file.to_str()?,
            key_id: &key.key_id,
            team_id: &ready.team_id,
            topic: &device.topic,
            device_token: &device.token,
        };
        let provider_token = ready.provider_token.to_str()?;
        Some(Self { target, url, control: &ready.control.url, provider_token })
    }

    /// One line for each variable, which `eval "$(mock-apns env)"` sets. None is called `MOCK_APNS_…`: those are options of
    /// the double, and one that it does not know stops it. `SSL_CERT_FILE` is not among them: it would take the place of
    /// the system's CAs for everything in that shell.
    fn exports(&self) -> String {
        let Target { host, ca, key, key_id, team_id, topic, device_token, .. } = self.target;
        let sandbox_port = self.target.sandbox_port.to_string();
        let production_port = self.target.production_port.to_string();
        [
            ("APNS_HOST", host),
            ("APNS_SANDBOX_PORT", &sandbox_port),
            ("APNS_PRODUCTION_PORT", &production_port),
            ("APNS_URL", self.url),
            ("APNS_CONTROL_URL", self.control),
            ("APNS_CA", ca),
            ("APNS_KEY_FILE", key),
            ("APNS_KEY_ID", key_id),
            ("APNS_TEAM_ID", team_id),
            ("APNS_TOPIC", topic),
            ("APNS_DEVICE_TOKEN", device_token),
            ("APNS_PROVIDER_TOKEN_FILE", self.provider_token),
            ("NODE_EXTRA_CA_CERTS", ca),
        ]
        .map(|(name, value)| format!("export {name}={}\n", shell_word(value)))
        .concat()
    }
}

/// A reader that has gone away wants no more.
fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
