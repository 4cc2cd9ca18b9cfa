//! The heart stays pure: nothing it depends on can open a socket, read a clock of its own or ask the system
//! for randomness.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "asks cargo about the crate from outside it"
)]

use std::process::Command;

/// Crates whose presence would mean IO, an executor, TLS or operating-system randomness.
const FORBIDDEN: [&str; 11] =
    ["axum", "getrandom", "h2", "hyper", "mio", "rand", "ring", "rustls", "socket2", "sqlx", "tokio"];

#[test]
fn no_dependency_does_io_or_draws_randomness() {
    let tree = dependencies();
    let found: Vec<&str> = FORBIDDEN.into_iter().filter(|name| tree.iter().any(|dep| dep == name)).collect();
    assert!(found.is_empty(), "impure dependencies: {found:?}");
    assert!(tree.iter().any(|dep| dep == "bytes"), "the list was not read: {tree:?}");
}

fn dependencies() -> Vec<String> {
    let arguments = [
        "tree",
        "-p",
        "apns-provider-server-core",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--locked",
        "--offline",
    ];
    let output = Command::new(std::env::var("CARGO").unwrap())
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}
