//! The double, and a folder with what a person has.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use apns_certs::{Flaw, Pkcs12Encryption, ProviderCertificateKind, Purpose};
use mock_apns::{Filter, MockApns, ReceivedPush};
use tempfile::TempDir;

/// The double, and a folder with a CA, a key and certificates.
pub(crate) struct Desk {
    pub(crate) mock: MockApns,
    pub(crate) folder: TempDir,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A key that the double knows, and whom to trust.
pub(crate) const KEY: &str = "--ca ca.pem --key key.p8 --key-id MOCKKEY001 --team-id MOCKTEAM01";

impl Desk {
    pub(crate) async fn new() -> Self {
        let mock = MockApns::start().await.unwrap();
        let folder = TempDir::new().unwrap();
        let certificates = mock.certificates();
        let universal = certificates.provider(ProviderCertificateKind::Universal).unwrap();
        let expired = certificates.flawed_provider(Flaw::Expired).unwrap();
        let files = [
            ("ca.pem", certificates.authority().root_pem(Purpose::Server).into_bytes()),
            ("key.p8", mock.ready_made().keys[0].key.to_p8().into_bytes()),
            ("certificate.pem", universal.to_pem().into_bytes()),
            ("certificate.p12", universal.to_pkcs12("secret", Pkcs12Encryption::Modern).unwrap()),
            ("expired.pem", expired.to_pem().into_bytes()),
            ("payload.json", br#"{"aps":{"alert":"From a file"}}"#.to_vec()),
        ];
        for (name, contents) in files {
            fs::write(folder.path().join(name), contents).unwrap();
        }
        Self { mock, folder }
    }

    pub(crate) fn token(&self, name: &str) -> String {
        self.mock.ready_made().device_token(name).unwrap().token.clone()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: &str) {
        fs::write(self.path(name), contents).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// What the double has seen.
    pub(crate) fn seen(&self) -> Vec<ReceivedPush> {
        self.mock.team().pushes(&Filter::default())
    }

    /// `--to` the sandbox.
    pub(crate) fn to(&self) -> String {
        format!("--to localhost:{}", self.mock.sandbox().port())
    }

    /// The command in the folder, for the ready-made app.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = provider(arguments);
        command.current_dir(self.folder.path()).env("APNS_PROVIDER_BUNDLE_ID", "com.example.app");
        command
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, arguments: &str) -> Ran {
        run(self.command(arguments)).await
    }
}

/// The payload of a push, as the double has got it.
pub(crate) fn payload(push: &ReceivedPush) -> serde_json::Value {
    serde_json::from_slice(&push.payload).unwrap()
}

/// The command without the variables of whoever runs the tests: theirs may name a proxy, too.
pub(crate) fn provider(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_apns-provider"));
    let is_read =
        |name: &str| name.starts_with("APNS_PROVIDER_") || name.to_ascii_lowercase().ends_with("_proxy");
    for (name, _) in std::env::vars().filter(|(name, _)| is_read(name)) {
        command.env_remove(name);
    }
    command.args(arguments.split_whitespace());
    command
}

pub(crate) async fn run(mut command: Command) -> Ran {
    // The double runs on this runtime: waiting here would stop it.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    output.into()
}

impl Ran {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// All that it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}
