//! `mock-apns` as a process of its own.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::Value;

use crate::{
    control::Control,
    support::{Peer, trusting},
};

/// A double that was started, and what its files say. Killed if the test forgets it.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) ready: Value,
}

impl Process {
    /// Starts it with these arguments, its files in `folder`, from a shell, which may limit it. The shell's last word is
    /// `exec "$0" "$@"`, so that the process is the double's.
    pub(crate) fn start_in(shell: &str, folder: &Path, arguments: &[&str]) -> Self {
        let ready_file = folder.join("ready.json");
        let program = env!("CARGO_BIN_EXE_mock-apns");
        let command = |program: &str| {
            let mut command = Command::new(program);
            for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MOCK_APNS_")) {
                command.env_remove(name);
            }
            command
        };
        let _ = std::fs::remove_file(&ready_file); // of the one that was killed
        let child = command("bash")
            .args(["-c", shell, program])
            .args(["--port", "0", "--log", "warn"])
            .args(arguments)
            .arg("--out")
            .arg(folder.join("out"))
            .arg("--ready-file")
            .arg(&ready_file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let waited =
            command(program).args(["ready", "--wait", "--ready-file"]).arg(&ready_file).status().unwrap();
        assert!(waited.success());
        Self { child, ready: serde_json::from_slice(&std::fs::read(ready_file).unwrap()).unwrap() }
    }

    /// A kill -9.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn control(&self) -> Control {
        Control::at(self.ready["control"]["address"].as_str().unwrap().parse().unwrap())
    }

    /// TLS that trusts it, with ALPN.
    pub(crate) fn client_config(folder: &Path) -> ClientConfig {
        let root = CertificateDer::from_pem_file(folder.join("out/ca.pem")).unwrap();
        let mut config = trusting(root, None);
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    /// The port that this part of the ready file names.
    pub(crate) fn port(&self, of: &str) -> u16 {
        self.ready[of]["address"].as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// A connection to the sandbox.
    pub(crate) async fn peer(&self, folder: &Path) -> Peer {
        Peer::dial(self.port("sandbox"), Self::client_config(folder)).await.unwrap()
    }

    /// A device token in the sandbox.
    pub(crate) fn device_token(&self) -> String {
        self.ready["device_tokens"][0]["token"].as_str().unwrap().to_owned()
    }

    /// The `authorization` that was written for people to copy.
    pub(crate) fn authorization(folder: &Path) -> String {
        let provider_token = std::fs::read_to_string(folder.join("out/provider-token")).unwrap();
        format!("bearer {}", provider_token.trim())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
