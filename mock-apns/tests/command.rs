//! The command line, run as a process.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
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
        Self::start_with(&[])
    }

    fn start_with(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let child = mock_apns()
            .args(arguments)
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
    assert!(json["device_gateway"]["url"].as_str().unwrap().starts_with("tls://localhost:"), "{json}");
    for path in [
        &json["ca"],
        &json["authority"],
        &json["device_certificate"],
        &json["provider_token"],
        &json["keys"][0]["file"],
        &json["certificates"][0]["file"],
    ] {
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
        (&[], Some(("MOCK_APNS_PROFILE", "slow")), "the profiles are fast, realistic, hostile"),
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

/// Longer than anything here takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// `mock-apns device`, run against a double. Killed if the test forgets it.
struct RunningDevice {
    child: Child,
    lines: Receiver<String>,
}

impl RunningDevice {
    fn start(double: &Running, arguments: &[&str]) -> Self {
        let mut child = mock_apns()
            .args(["device", "--ready-file"])
            .arg(double.ready_file())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        // A pipe cannot be read with a time limit otherwise; ends with the child's output.
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("it prints one more line in time")
    }

    /// Waits for the end; exit code, and what was said on standard error.
    fn end(&mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for RunningDevice {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_device_prints_its_tokens_and_ends_with_ctrl_c() {
    let double = Running::start();
    let kinds = ["--name", "phone", "--kind", "app", "--kind", "voip", "--environment", "production"];
    let mut device = RunningDevice::start(&double, &kinds);
    assert!(device.line().starts_with("phone of team MOCKTEAM01 is online at tls://localhost:"));
    assert_eq!(device.line(), "");
    for (kind, topic) in [("app", "com.example.app"), ("voip", "com.example.app.voip")] {
        assert_eq!(device.line(), format!("production, {kind}, topic {topic}"));
        let token = device.line();
        let token = token.strip_prefix("  ").unwrap();
        assert!(token.len() >= 2 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    }
    assert!(Command::new("kill").args(["-INT", &device.child.id().to_string()]).status().unwrap().success());
    assert_eq!(device.end(), (Some(0), String::new()));
}

#[test]
fn a_device_prints_the_lines_of_the_gateway_when_asked_to() {
    let double = Running::start();
    let mut device = RunningDevice::start(&double, &["--json", "--app", "com.example.app,com.example.other"]);
    let expected =
        [("connected", None), ("token", Some("com.example.app")), ("token", Some("com.example.other"))];
    for (name, app) in expected {
        let line: serde_json::Value = serde_json::from_str(&device.line()).unwrap();
        assert_eq!((line["type"].as_str(), line["app"].as_str()), (Some(name), app), "{line}");
    }
}

#[test]
fn a_device_that_is_replaced_or_loses_its_double_says_why() {
    let double = Running::start();
    let mut first = RunningDevice::start(&double, &["--json", "--name", "phone"]);
    first.line();
    let mut second = RunningDevice::start(&double, &["--json", "--name", "phone"]);
    second.line();
    let (code, said) = first.end();
    assert!(code == Some(1) && said.contains("the newest connection wins"), "{code:?}: {said}");
    double.terminate();
    let (code, said) = second.end();
    assert!(code == Some(1) && said.contains("mock-apns stops"), "{code:?}: {said}");
}

#[test]
fn a_device_without_a_double_says_where_it_looked() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ready.json");
    let output = mock_apns().args(["device", "--ready-file"]).arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(path.to_str().unwrap()) && said.contains("Is mock-apns running?"), "{said}");
}

#[test]
fn only_its_owner_can_read_the_authority() {
    use std::os::unix::fs::PermissionsExt as _;
    let double = Running::start();
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(double.ready_file()).unwrap()).unwrap();
    let authority = std::fs::metadata(json["authority"].as_str().unwrap()).unwrap();
    assert_eq!(authority.permissions().mode() & 0o777, 0o600);
}

#[test]
fn scenarios_are_listed_and_shown() {
    let output = mock_apns().args(["scenario", "list"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), mock_apns::scenarios::all().len());
    assert!(text.lines().any(|line| line.starts_with("goaway-shutdown ")), "{text}");

    let output = mock_apns().args(["scenario", "show", "busy"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), mock_apns::scenarios::get("busy").unwrap().toml());
}

#[test]
fn a_wrong_scenario_stops_the_start_with_where_it_is_wrong() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let head = "name = \"mine\"\nabout = \"Mine.\"\n";
    let misspelt = file("misspelt.toml", &format!("{head}[[events]]\nat = \"0s\"\ndevcie = {{}}\n"));
    let unplayable = file(
        "unplayable.toml",
        &format!("{head}[[events]]\nat = \"0s\"\ndevice = {{ name = \"nobody\", state = \"offline\" }}\n"),
    );
    for (arguments, named) in [
        (["scenario", "show", "bsuy"].as_slice(), "there is no scenario \"bsuy\"; there are key-revoked, "),
        (&["scenario", "run", "bsuy", "--port", "0"], "no scenario of this name, and no file"),
        (&["scenario", "run", &misspelt, "--port", "0"], "line 5"),
        (
            &["--scenario", &misspelt, "--port", "0"],
            "unknown field `devcie`, expected one of `at`, `token-gone`",
        ),
        (
            &["--scenario", &unplayable, "--port", "0"],
            "the scenario mine: events[0]: the team has no device nobody",
        ),
        (&["scenario", "run", "busy", "--prot", "0"], "--prot"),
    ] {
        let output = mock_apns().args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
}

#[test]
fn a_double_runs_on_a_scenario_and_a_hostile_one_tells_its_seed() {
    for arguments in [["scenario", "run", "busy"].as_slice(), &["--scenario", "busy", "--profile", "hostile"]]
    {
        let double = Running::start_with(&[arguments, &["--seed", "42"]].concat());
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(double.ready_file()).unwrap()).unwrap();
        let is_hostile = json["profile"] == "hostile";
        assert_eq!(is_hostile, arguments.contains(&"hostile"));
        let (code, banner) = double.terminate();
        assert_eq!(code, Some(0));
        assert_eq!(banner.contains("--profile hostile --seed 42"), is_hostile, "{banner}");
    }
}
