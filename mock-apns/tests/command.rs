//! The command line, run as a process.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use std::{
    io::Read as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

fn mock_apns() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-apns"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MOCK_APNS_")) {
        command.env_remove(name);
    }
    command
}

/// A double on free ports with its files in a folder of its own. Killed if the test forgets it.
struct Running {
    child: Child,
    folder: TempDir,
}

impl Running {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let child = mock_apns()
            .args(["--port", "0", "--out"])
            .arg(folder.path().join("out"))
            .arg("--ready-file")
            .arg(folder.path().join("ready.json"))
            .current_dir("/") // from any folder
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let running = Self { child, folder };
        let ready = ready(&["--wait", "--timeout", "20"], &running.ready_file());
        assert!(ready.status.success(), "{}", String::from_utf8_lossy(&ready.stderr));
        running
    }

    fn ready_file(&self) -> std::path::PathBuf {
        self.folder.path().join("ready.json")
    }

    /// Terminates, and sees that nobody can take the double for ready any more.
    fn terminate(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut banner = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut banner).unwrap();
        assert!(!self.ready_file().exists());
        assert_eq!(ready(&[], &self.ready_file()).status.code(), Some(1));
        (status.code(), banner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready(arguments: &[&str], ready_file: &Path) -> Output {
    mock_apns().arg("ready").args(arguments).arg("--ready-file").arg(ready_file).output().unwrap()
}

#[test]
fn it_tells_where_it_is_and_stops_on_sigterm() {
    let running = Running::start();
    let ready_file = running.ready_file();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&ready_file).unwrap()).unwrap();
    let port = json["sandbox"]["address"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    assert_ne!(port, "0");
    for path in
        [&json["ca"], &json["provider_token"], &json["keys"][0]["file"], &json["certificates"][0]["file"]]
    {
        assert!(Path::new(path.as_str().unwrap()).is_absolute());
        assert!(Path::new(path.as_str().unwrap()).exists(), "{path}");
    }
    assert!(ready(&[], &ready_file).status.success());

    let (code, banner) = running.terminate();
    assert_eq!(code, Some(0));
    assert!(banner.contains(&format!("https://localhost:{port}")), "{banner}");
    for shown in ["team_id", "bundle_id"] {
        assert!(banner.contains(json[shown].as_str().unwrap()), "{shown}: {banner}");
    }
    assert!(banner.contains("curl -i --http2 --cacert"), "{banner}");
}

#[test]
fn a_wrong_option_or_variable_stops_the_start_with_its_name() {
    for (arguments, variable, named) in [
        (&["--prot", "1"][..], None, "--prot"),
        (&["--port", "http"], None, "--port"),
        (&["--string-iat", "maybe"], None, "string-iat"),
        (&["--log", "mock_apns=loud"], None, "--log"),
        (&[], Some(("MOCK_APNS_PORT", "http")), "--port"),
        (&[], Some(("MOCK_APNS_PROT", "1")), "MOCK_APNS_PROT"),
        (&[], Some(("MOCK_APNS_STRING_IAT", "maybe")), "string-iat"),
    ] {
        let mut command = mock_apns();
        command.args(arguments).envs(variable);
        let output = command.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {variable:?}: {message}");
        assert!(message.contains(named), "{named}: {message}");
    }
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = mock_apns().args(["--port", &port, "--production-port", "0"]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains(&format!("127.0.0.1:{port}")) && message.contains("Port 0"), "{message}");
}

#[test]
fn nobody_is_ready_when_nothing_runs() {
    let folder = TempDir::new().unwrap();
    let output = ready(&["--wait", "--timeout", "0.1"], &folder.path().join("ready.json"));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not ready"));
}
