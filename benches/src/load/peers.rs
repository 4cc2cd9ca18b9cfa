//! Other people's clients: a program of its own, with its own lock file, built when it is wanted.

use std::{
    env,
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde::Deserialize;

use super::LoadError;

/// Builds the program and says where it is. Takes minutes the first time; cargo tells on standard error what it does.
pub(super) fn build() -> Result<PathBuf, LoadError> {
    eprintln!("building other people's clients ({MANIFEST}); `--no-peers` leaves them out");
    let failed = |why: String| LoadError::PeersNotBuilt { why };
    let built = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
        .args([
            "build",
            "--release",
            "--locked",
            "--message-format=json-render-diagnostics",
            "--manifest-path",
        ])
        .arg(MANIFEST)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("cargo: {error}")))?;
    if !built.status.success() {
        return Err(failed(format!("cargo: {}", built.status)));
    }
    let messages = String::from_utf8_lossy(&built.stdout);
    executable(&messages).ok_or_else(|| failed("cargo did not say where the program is".to_owned()))
}

/// The manifest lies beside this crate's, wherever that was built.
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/Cargo.toml");

/// The part of cargo's messages that names the program.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

fn executable(messages: &str) -> Option<PathBuf> {
    messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok()?.executable).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
{"reason":"compiler-artifact","executable":"/a/apns-bench-peers"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some("/a/apns-bench-peers".into()));
        assert_eq!(executable("error"), None);
    }
}
