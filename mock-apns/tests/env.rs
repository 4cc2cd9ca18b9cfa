//! `mock-apns env`, run as a process beside a double whose paths are awkward.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use mock_apns::client_settings::Client;
use serde_json::Value;
use tempfile::TempDir;

/// A folder that no shell and no language takes unless it is quoted.
const AWKWARD: &str = r#"it's "a" $HOME \ `folder`"#;

fn mock_apns() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-apns"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MOCK_APNS_")) {
        command.env_remove(name);
    }
    command
}

/// A double on free ports, which ends with the test.
struct Double {
    child: Child,
    folder: TempDir,
}

impl Double {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let out = folder.path().join(AWKWARD);
        let child =
            mock_apns().args(["--port", "0", "--out"]).arg(out).stdout(Stdio::null()).spawn().unwrap();
        let double = Self { child, folder };
        let ready =
            mock_apns().args(["ready", "--wait", "--ready-file"]).arg(double.ready_file()).status().unwrap();
        assert!(ready.success());
        double
    }

    fn ready_file(&self) -> PathBuf {
        self.folder.path().join(AWKWARD).join("ready.json")
    }

    fn ready(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.ready_file()).unwrap()).unwrap()
    }

    fn env(&self, arguments: &[&str]) -> String {
        let output = mock_apns()
            .arg("env")
            .args(arguments)
            .arg("--ready-file")
            .arg(self.ready_file())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a shell has in these variables once it has evaluated `script`.
fn variables_after(script: &str, names: &[&str]) -> Vec<String> {
    let quoted: String = names.iter().flat_map(|name| [" \"$", name, "\""]).collect();
    let output = Command::new("sh")
        .args(["-euc", &format!("eval \"$1\"\nprintf '%s\\n'{quoted}"), "sh", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn a_shell_that_evaluates_it_has_what_is_in_the_ready_file() {
    let double = Double::start();
    let ready = double.ready();
    let text = |pointer: &str| ready.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let port = |pointer: &str| text(pointer).rsplit_once(':').unwrap().1.to_owned();
    let expected = [
        ("APNS_HOST", "localhost".to_owned()),
        ("APNS_SANDBOX_PORT", port("/sandbox/url")),
        ("APNS_PRODUCTION_PORT", port("/production/url")),
        ("APNS_URL", text("/sandbox/url")),
        ("APNS_CONTROL_URL", text("/control/url")),
        ("APNS_CA", text("/ca")),
        ("APNS_KEY_FILE", text("/keys/0/file")),
        ("APNS_KEY_ID", text("/keys/0/key_id")),
        ("APNS_TEAM_ID", text("/team_id")),
        ("APNS_TOPIC", text("/bundle_id")),
        ("APNS_DEVICE_TOKEN", text("/device_tokens/0/token")),
        ("APNS_PROVIDER_TOKEN_FILE", text("/provider_token")),
        ("NODE_EXTRA_CA_CERTS", text("/ca")),
    ];
    assert!(text("/ca").contains(AWKWARD), "{ready}");
    let script = double.env(&[]);
    let names = expected.each_ref().map(|(name, _)| *name);
    assert_eq!(variables_after(&script, &names), expected.map(|(_, value)| value));

    let exported: Vec<&str> =
        script.lines().map(|line| line.strip_prefix("export ").unwrap().split_once('=').unwrap().0).collect();
    assert_eq!(exported, names, "and nothing else, above all no SSL_CERT_FILE and no MOCK_APNS_…");
}

#[test]
fn every_client_on_the_list_has_a_program_for_this_double() {
    let double = Double::start();
    let ready = double.ready();
    let list = mock_apns().args(["env", "--list"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert_eq!(list.lines().collect::<Vec<_>>(), Client::ALL.iter().map(Client::name).collect::<Vec<_>>());
    for name in list.lines() {
        let program = double.env(&["--client", name]);
        for pointer in ["/keys/0/key_id", "/team_id", "/bundle_id", "/device_tokens/0/token"] {
            assert!(
                program.contains(ready.pointer(pointer).unwrap().as_str().unwrap()),
                "{pointer}: {program}"
            );
        }
    }
}

#[test]
fn a_shell_reads_the_paths_in_the_program_for_curl() {
    let double = Double::start();
    let program = double.env(&["--client", "curl"]);
    let (before, curl) = program.split_once("curl -i").unwrap();
    // Everything but the push: a function in its place keeps what it is given.
    let script = format!("{before}kept() {{ ca=$4 url=$(eval echo \\${{$#}}); }}\nkept -i{curl}");
    let ready = double.ready();
    let url = format!(
        "{}/3/device/{}",
        ready["sandbox"]["url"].as_str().unwrap(),
        ready["device_tokens"][0]["token"].as_str().unwrap()
    );
    assert_eq!(variables_after(&script, &["ca", "url"])[1], url);
    assert_eq!(variables_after(&script, &["ca"])[0], ready["ca"].as_str().unwrap());
}

#[test]
fn a_wrong_name_is_refused_with_those_there_are() {
    let output = mock_apns().args(["env", "--client", "pushsharp"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    for client in Client::ALL {
        assert!(stderr(&output).contains(client.name()), "{}", stderr(&output));
    }
}

#[test]
fn without_a_double_it_says_where_it_looked_and_what_to_do() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ready.json");
    for contents in [None, Some("{}"), Some("hello")] {
        if let Some(contents) = contents {
            std::fs::write(&path, contents).unwrap();
        }
        let output = mock_apns().args(["env", "--ready-file"]).arg(&path).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1));
        assert!(said.contains(path.to_str().unwrap()) && said.contains("Is mock-apns running?"), "{said}");
        assert!(output.stdout.is_empty());
    }
}
