//! The program `apns-certs`, as a person runs it.

#![expect(clippy::unwrap_used, reason = "what a helper cannot do ends the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use apns_certs::Authority;
use apns_certs::catalogue::Entry;
use tempfile::TempDir;

#[test]
fn list_shows_every_name_once_with_a_line_on_it() {
    let output = apns_certs(&["list"]);
    assert!(output.status.success());
    let names: Vec<String> = stdout(&output)
        .lines()
        .map(|line| {
            let (name, about) = line.split_once("  ").unwrap();
            assert!(!about.trim().is_empty(), "{line}");
            name.to_owned()
        })
        .collect();
    assert_eq!(names, Entry::all().into_iter().map(Entry::name).collect::<Vec<_>>());
}

#[test]
fn write_without_names_writes_everything() {
    let folder = TempDir::new().unwrap();
    let into = folder.path().join("new/folder");
    assert!(apns_certs(&["write", "--out", into.to_str().unwrap()]).status.success());
    for name in [
        "ca.pem",
        "server.pem",
        "server.key",
        "provider-universal.p12",
        "revoked.crl",
        "AuthKey_ABC123DEFG.p8",
    ] {
        assert!(into.join(name).is_file(), "{name}");
    }
}

#[test]
fn write_with_names_writes_those_for_whom_it_is_told() {
    let folder = TempDir::new().unwrap();
    let arguments = [
        "write",
        "--out",
        path(&folder),
        "--key-id",
        "K000000001",
        "--host",
        "apns.test",
        "auth-key",
        "server",
    ];
    assert!(apns_certs(&arguments).status.success());
    assert_eq!(files(&folder), ["AuthKey_K000000001.p8", "authority.pem", "server.key", "server.pem"]);
    let certificate = folder.path().join("server.pem");
    let text = openssl(&["x509", "-noout", "-ext", "subjectAltName", "-in", certificate.to_str().unwrap()]);
    assert!(stdout(&text).contains("DNS:apns.test"));
}

#[test]
fn what_is_written_later_fits_what_was_written_before() {
    let folder = TempDir::new().unwrap();
    for name in ["ca", "server"] {
        assert!(apns_certs(&["write", "--out", path(&folder), name]).status.success());
    }
    let (ca, chain) = (folder.path().join("ca.pem"), folder.path().join("server.pem"));
    let (ca, chain) = (ca.to_str().unwrap(), chain.to_str().unwrap());
    assert!(openssl(&["verify", "-CAfile", ca, "-untrusted", chain, chain]).status.success());
    let kept = fs::read_to_string(folder.path().join("authority.pem")).unwrap();
    assert_eq!(Authority::from_pem(&kept).unwrap().to_pem(), kept);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_file_with_a_key_even_one_that_was_open_before() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let key = folder.path().join("server.key");
    fs::write(&key, "old").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(apns_certs(&["write", "--out", path(&folder), "server", "device"]).status.success());
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    for name in ["authority.pem", "server.key", "device.pem", "device.key", "device.p12", "device.legacy.p12"]
    {
        assert_eq!(mode(name), 0o600, "{name}");
    }
}

#[test]
fn an_unknown_name_stops_it_with_the_list_before_anything_is_written() {
    let folder = TempDir::new().unwrap();
    let output = apns_certs(&["write", "--out", path(&folder), "server", "sever"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("there is no \"sever\"") && said.contains("provider-universal"), "{said}");
    assert!(output.stdout.is_empty() && files(&folder).is_empty());
}

#[test]
fn a_wrong_argument_or_a_broken_authority_is_named() {
    let folder = TempDir::new().unwrap();
    let output = apns_certs(&["write", "--out", path(&folder), "--team-id", "short"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("\"short\" is not a team ID"));

    fs::write(folder.path().join("authority.pem"), "not PEM").unwrap();
    let output = apns_certs(&["write", "--out", path(&folder), "ca"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("authority.pem: the stored authority has no readable server root"), "{said}");
}

fn apns_certs(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_apns-certs")).args(arguments).output().unwrap()
}

fn openssl(arguments: &[&str]) -> Output {
    Command::new("openssl").args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn path(folder: &TempDir) -> &str {
    Path::to_str(folder.path()).unwrap()
}

fn files(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
