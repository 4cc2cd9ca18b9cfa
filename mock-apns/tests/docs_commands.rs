//! The commands of the README and of docs/ do what they say: each block of `sh` is run, unless it says why not.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

/// A double whose ports are free ones, and a folder in which commands find `mock-apns` and `cargo`.
struct Page {
    folder: TempDir,
    double: Child,
    ready: Value,
}

impl Page {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let program = env!("CARGO_BIN_EXE_mock-apns");
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(program, bin.join("mock-apns")).unwrap();
        let cargo = bin.join("cargo");
        fs::write(
            &cargo,
            CARGO
                .replace("@CARGO@", env!("CARGO"))
                .replace("@ROOT@", root().to_str().unwrap())
                .replace("@TARGET@", Path::new(program).parent().unwrap().to_str().unwrap()),
        )
        .unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();

        let (out, ready_file) = (folder.path().join("double"), folder.path().join("double/ready.json"));
        let mut command = mock_apns(program);
        let double = command
            .args(["--port", "0", "--log", "warn", "--out"])
            .arg(&out)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let ready =
            mock_apns(program).args(["ready", "--wait", "--ready-file"]).arg(&ready_file).output().unwrap();
        assert!(ready.status.success(), "{ready:?}");
        let ready = serde_json::from_slice(&fs::read(ready_file).unwrap()).unwrap();
        Self { folder, double, ready }
    }

    /// Runs the blocks of a page in one shell, as somebody would who pastes them. Of what pages take for granted, ports and the
    /// folder of a double on them, the test's double has others.
    fn run(&self, name: &str) {
        let (text, folder) = (fs::read_to_string(root().join(name)).unwrap(), self.folder.path());
        let port =
            |of: &str| self.ready[of]["address"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
        let blocks = blocks(&text);
        assert!(!blocks.is_empty(), "{name} has no commands");
        let script = blocks.concat().replace("/tmp/mock-apns-2197", folder.join("double").to_str().unwrap());
        let script = script.replace("localhost:2197", &format!("localhost:{}", port("sandbox")));
        let script = script.replace("localhost:8197", &format!("localhost:{}", port("control")));
        let script = script.replace("localhost:5223", &format!("localhost:{}", port("device_gateway")));

        let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = mock_apns("bash");
        command.args(["-euo", "pipefail", "-c", &script]).current_dir(folder).env("PATH", path);
        command.env("MOCK_APNS_READY_FILE", folder.join("double/ready.json"));
        // To files, which what the page leaves running does not keep open; in a group of its own, which ends with the page.
        let (out, err) = (folder.join("out"), folder.join("err"));
        command
            .stdin(Stdio::null())
            .stdout(fs::File::create(&out).unwrap())
            .stderr(fs::File::create(&err).unwrap());
        let status = status_in_time(command.process_group(0).spawn().unwrap());
        let (text, errors) = (fs::read_to_string(out).unwrap(), fs::read_to_string(err).unwrap());
        assert!(
            status.is_some_and(|status| status.success()),
            "{name}: {status:?}\n{errors}\n{text}\n{script}"
        );
        assert!(!text.contains("\"error\":{"), "{name}: {text}\n{script}");
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.double.kill(); // it may have ended by itself
        let _ = self.double.wait();
    }
}

/// How the shell ended; `None`: not in time. Whatever is left of it is ended too.
fn status_in_time(mut child: Child) -> Option<ExitStatus> {
    let (group, (sender, receiver)) = (child.id(), mpsc::channel());
    thread::spawn(move || sender.send(child.wait()));
    let status = receiver.recv_timeout(PATIENCE);
    let _ = Command::new("kill").args(["--", &format!("-{group}")]).stderr(Stdio::null()).status(); // mostly nothing is left
    status.ok().map(Result::unwrap)
}

/// Commands of other crates may have to be built first.
const PATIENCE: Duration = Duration::from_mins(5);

/// `cargo run` with what the tests have built, and the double that runs already.
const CARGO: &str = r#"#!/bin/sh
# What cargo tells a test is no setting: build scripts that look at it would run anew, and all that depends on them.
for name in $(env | sed -n 's/^\(CARGO_[A-Z_]*\)=.*/\1/p'); do
    case $name in
        CARGO_BIN_* | CARGO_CRATE_NAME | CARGO_MANIFEST_* | CARGO_PKG_* | CARGO_PRIMARY_PACKAGE) unset "$name" ;;
    esac
done
case "$*" in
    'run --release' | 'test --workspace') ;;
    'run --release -- '*) shift 3; exec mock-apns "$@" ;;
    # As the tests of the workspace build it: by itself it would be built anew, with other features of what it depends on.
    'run --release -p apns-provider-cli -- '*)
        shift 5
        "@CARGO@" test --quiet --workspace --no-run --test command --manifest-path "@ROOT@/Cargo.toml" >&2 || exit
        exec "@TARGET@/apns-provider" "$@" ;;
    'run --release -p '*) package=$4; shift 5; exec "@CARGO@" run --quiet --manifest-path "@ROOT@/Cargo.toml" -p "$package" -- "$@" ;;
    *) echo "no such command in these tests: cargo $*" >&2; exit 64 ;;
esac
"#;

/// The blocks of `sh` of a page, without those that say why they are not run.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```sh") else { continue };
        let block: String = lines
            .by_ref()
            .take_while(|line| line.trim_start() != "```")
            .flat_map(|line| [line, "\n"])
            .collect();
        if let Some(reason) = info.trim().strip_prefix("not-run=") {
            assert!(reason.len() > 2, "no reason: {block}");
        } else {
            assert_eq!(info.trim(), "", "{line}");
            blocks.push(block);
        }
    }
    blocks
}

/// A command without the variables of whoever runs the tests.
fn mock_apns(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MOCK_APNS_")) {
        command.env_remove(name);
    }
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

#[test]
fn the_readme() {
    Page::start().run("README.md");
}

#[test]
fn the_control_api() {
    Page::start().run("docs/control-api.md");
}

#[test]
fn the_data_folder() {
    Page::start().run("docs/data-dir.md");
}

#[test]
fn clients() {
    Page::start().run("docs/clients.md");
}

#[test]
fn the_device_gateway() {
    Page::start().run("docs/device-gateway.md");
}

#[test]
fn metrics() {
    Page::start().run("docs/metrics.md");
}

#[test]
fn profiles() {
    Page::start().run("docs/profiles.md");
}

#[test]
fn faults() {
    Page::start().run("docs/faults.md");
}

#[test]
fn frames() {
    Page::start().run("docs/frames.md");
}

#[test]
fn the_providers_command_line() {
    Page::start().run("docs/provider-cli.md");
}

#[test]
fn replay() {
    Page::start().run("docs/replay.md");
}

#[test]
fn scenarios() {
    Page::start().run("docs/scenarios.md");
}

#[test]
fn every_page_with_commands_is_run() {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.chain([root().join("README.md"), root().join("CONTRIBUTING.md")]);
    let with_commands: Vec<_> = pages
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| !blocks(&fs::read_to_string(path).unwrap()).is_empty())
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    for page in &with_commands {
        assert!(
            [
                "README.md",
                "control-api.md",
                "clients.md",
                "data-dir.md",
                "device-gateway.md",
                "faults.md",
                "frames.md",
                "metrics.md",
                "profiles.md",
                "provider-cli.md",
                "replay.md",
                "scenarios.md"
            ]
            .iter()
            .any(|run| page == run),
            "{page:?}"
        );
    }
    assert_eq!(with_commands.len(), 12);
}
