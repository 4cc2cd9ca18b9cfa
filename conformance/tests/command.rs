//! The command, as a user runs it: what it prints, what it writes, how it exits.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use apns_certs::Purpose;
use mock_apns::MockApns;

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_apns-conformance")).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn differences(folder: &Path, text: &str) -> String {
    let path = folder.join("differences.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn cases_that_pass_exit_with_0_and_leave_their_reports() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (junit, json, markdown) = (path("junit.xml"), path("report.json"), path("report.md"));
    let output = run(&[
        "server",
        "header-priority-*",
        "--shard",
        "1/2",
        "--seed",
        "3",
        "--junit",
        &junit,
        "--json",
        &json,
        "--markdown",
        &markdown,
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.ends_with("the double conforms: 9 cases\n"), "{text}");
    assert!(fs::read_to_string(junit).unwrap().contains("failures=\"0\""));
    assert!(fs::read_to_string(markdown).unwrap().contains("9 passed."));
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(json["cases"].as_array().unwrap().len(), 9);
}

#[test]
fn a_difference_that_is_none_any_more_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let row = "[[difference]]\ncase = \"header-priority-accepts-10\"\nreason = \"it was so once\"\n";
    let output = run(&["header-priority-accepts-10", "--differences", &differences(folder.path(), row)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("NO LONGER DIFFERS  header-priority-accepts-10"), "{}", stdout(&output));
}

#[test]
fn what_cannot_be_run_exits_with_2_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = differences(folder.path(), "[[difference]]\ncase = \"none\"\nreason = \"x\"\n");
    let target = folder.path().join("target.toml");
    fs::write(&target, "address = \"localhost:1\"\ntopic = \"a.b\"\n[tokens]\nvoib = \"00\"\n").unwrap();
    let target = target.to_str().unwrap();
    for (args, says) in [
        (&["no-such-case"][..], "no case is selected"),
        (&["--shard", "3/2"], "is no shard"),
        (&["--differences", &unknown], "none is no case"),
        (&["--target", "nowhere.toml"], "nowhere.toml"),
        (&["--target", target], "`tokens.voib` must be a name that a case needs"),
        (&["--no-such-option"], "unexpected argument"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(says), "{args:?}: {}", stderr(&output));
    }
}

/// A target that nobody is at: every case that could be asked fails, and the rest is skipped by name.
#[test]
fn a_target_that_is_not_there_fails_each_case() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target.toml");
    fs::write(&target, "address = \"127.0.0.1:1\"\nserver-name = \"localhost\"\ntopic = \"a.b\"\n").unwrap();
    let output = run(&["--target", target.to_str().unwrap(), "connection-ping", "answer-reason"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    assert!(text.contains("skipped, as the target has no keys.main: answer-reason"), "{text}");
    assert!(text.contains("FAILED  connection-ping") && text.contains("refused"), "{text}");
    assert!(text.contains(&format!("server connection-ping --target {}", target.display())), "{text}");
}

/// The same over an address, with what a user has: a CA, a key, a device token, and the control API.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_file_reaches_a_double_that_runs_elsewhere() {
    let double = MockApns::start().await.unwrap();
    let (folder, ready) = (tempfile::tempdir().unwrap(), double.ready_made());
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("ca.pem", double.certificates().authority().root_pem(Purpose::Server));
    write("key.p8", ready.keys[0].key.to_p8());
    write(
        "target.toml",
        format!(
            "address = \"{}\"\nserver-name = \"localhost\"\nca = \"ca.pem\"\ntopic = \"{}\"\ncontrol = \"http://{}\"\n\
             tokens.alert = \"{}\"\n[keys.main]\nteam-id = \"{}\"\nkey-id = \"{}\"\np8 = \"key.p8\"\n",
            double.sandbox(),
            ready.bundle_id,
            double.control(),
            ready.device_tokens[0].token,
            ready.team_id,
            ready.keys[0].key_id,
        ),
    );
    let target = folder.path().join("target.toml").to_str().unwrap().to_owned();
    let ids = ["reason-internal-server-error", "answer-makes-up-id", "reason-unregistered"];
    let arguments: Vec<&str> = ["--target", &target].into_iter().chain(ids).collect();
    let output = tokio::task::block_in_place(|| run(&arguments));
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("2 passed, 1 skipped") && text.contains("no tokens.unregistered"), "{text}");
}

#[test]
fn list_names_what_is_selected() {
    let output = run(&["list", "--row", "reason-duplicate-headers", "--tag", "reasons"]);
    assert_eq!(output.status.code(), Some(0));
    let expected = "reason-duplicate-headers  [reasons]  DuplicateHeaders is answered with 400\n";
    assert_eq!(stdout(&output), expected);
}

/// A target that never ends is cut off by bytes, long before it is by time.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_floods_is_cut_off() {
    let double = MockApns::start().await.unwrap();
    let identity = double.certificates().server();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config =
        config.with_single_cert(identity.chain().to_vec(), identity.private_key().to_der()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut socket = apns_wire::TlsSocket::accept(tcp, |_| config.into()).await.unwrap();
        let mut frame = vec![0, 4, 0, 0x77, 0, 0, 0, 0, 0]; // of a type that nobody knows
        frame.extend([0; 1024]);
        let frames = frame.repeat(60);
        while socket.write(&frames).is_ok() {
            while !socket.flush().unwrap_or(true) {
                socket.writable().await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca.pem"), double.certificates().authority().root_pem(Purpose::Server))
        .unwrap();
    let target = folder.path().join("target.toml");
    let text =
        format!("address = \"{address}\"\nserver-name = \"localhost\"\nca = \"ca.pem\"\ntopic = \"a.b\"\n");
    fs::write(&target, text).unwrap();
    let target = target.to_str().unwrap().to_owned();
    let arguments = ["--target", &target, "connection-ping", "--patience", "100000"];
    let output = tokio::task::block_in_place(|| run(&arguments));
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(text.contains("not HTTP/2: more than 16777216 bytes"), "{}", &text[..text.len().min(2000)]);
}
