//! The core cannot do IO: nothing that it is built from can. What it may not call is banned in `clippy.toml`.

#![expect(clippy::disallowed_types, reason = "the test asks cargo; the core does not")]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::process::Command;

/// Crates that own sockets, threads, clocks, randomness or cryptography.
const BANNED: &[&str] = &[
    "aws-lc-rs",
    "fastrand",
    "getrandom",
    "h2",
    "hyper",
    "mio",
    "openssl",
    "p256",
    "polling",
    "rand",
    "ring",
    "rustls",
    "socket2",
    "tokio",
];

#[test]
fn nothing_that_the_core_is_built_from_does_io() {
    let dependencies = dependencies();
    assert!(dependencies.iter().any(|name| name == "serde_json"), "not the core's: {dependencies:?}");
    for banned in BANNED {
        assert!(!dependencies.iter().any(|name| name == banned), "the core must not depend on {banned}");
    }
}

/// The names of all crates that the core is built from, tests left aside.
fn dependencies() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", "mock-apns-core", "-e", "normal", "--prefix", "none", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().filter_map(|line| line.split(' ').next()).map(ToOwned::to_owned).collect()
}
