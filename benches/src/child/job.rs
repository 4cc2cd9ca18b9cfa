use std::{
    fs,
    net::SocketAddr,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Explain as _, Failure};

/// What a child is told to do.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    /// Which server or client to be.
    pub(crate) role: String,
    /// The processor core to stay on; `None` leaves it to the scheduler.
    pub(crate) core: Option<usize>,
    /// Where a server listens (port 0 lets the system choose), or where a client connects.
    pub(crate) address: SocketAddr,
    /// Where the server puts what its clients need, and they find it: [`CA_FILE`], [`AUTH_KEY_FILE`], [`DEVICE_TOKENS_FILE`].
    pub(crate) directory: PathBuf,
    /// How much to send, and in what shape.
    pub(crate) workload: Workload,
}

impl Job {
    /// The root that clients trust, PEM.
    pub(crate) fn ca(&self) -> Result<Vec<u8>, Failure> {
        fs::read(self.directory.join(CA_FILE)).explain("reading the authority")
    }

    /// The key that signs provider tokens, PKCS#8 in PEM.
    pub(crate) fn auth_key(&self) -> Result<Vec<u8>, Failure> {
        fs::read(self.directory.join(AUTH_KEY_FILE)).explain("reading the key")
    }

    /// The devices that pushes go to in turn; at least one.
    pub(crate) fn device_tokens(&self) -> Result<Vec<String>, Failure> {
        device_tokens(&self.directory)
    }
}

/// The devices that a server has put into this directory; at least one.
pub(crate) fn device_tokens(directory: &Path) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(directory.join(DEVICE_TOKENS_FILE)).explain("reading the device tokens")?;
    let tokens: Vec<String> = text.lines().map(str::to_owned).collect();
    if tokens.is_empty() {
        Err(Failure::new("reading the device tokens", "there are none"))
    } else {
        Ok(tokens)
    }
}

/// How much is sent in one run, and in what shape.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Workload {
    /// Pushes in the measured part of one run.
    pub pushes: u64,
    /// Pushes that wait for their answer at any moment, over all connections.
    pub in_flight: usize,
    /// Bytes of each payload; in [`Workload::PAYLOAD_BYTES`].
    pub payload_bytes: usize,
    /// Connections, for the clients that let this be chosen; the others open as many as they like.
    pub connections: usize,
    /// The round trip that is added to the way between client and server, in milliseconds.
    pub rtt_ms: u32,
}

impl Workload {
    /// Payload lengths that can be asked for, in bytes: from the shortest alert worth the name to APNs' limit.
    pub const PAYLOAD_BYTES: Range<usize> = 64..4097;

    /// The most pushes a second that the way lets through: each connection's window, which comes back a round trip later, and the pushes
    /// in flight. `None` where no round trip is added.
    #[expect(clippy::cast_precision_loss, reason = "all are far below 2^52")]
    pub(crate) fn bound(&self) -> Option<f64> {
        let rtt = f64::from(self.rtt_ms) / 1e3;
        let by_window = self.connections as f64 * CONNECTION_WINDOW / self.payload_bytes as f64;
        (self.rtt_ms > 0).then(|| by_window.min(self.in_flight as f64) / rtt)
    }

    /// Pushes sent before the measured part, so that tables, caches and windows have found their size.
    pub(crate) fn warm_up(&self) -> u64 {
        (self.pushes / 10).clamp(1, WARM_UP_PUSHES_MAX)
    }
}

/// Bytes of a connection's window (RFC 9113 section 6.9.2): no server here makes it larger.
const CONNECTION_WINDOW: f64 = 65_535.0;

/// The app that pushes are for.
pub const TOPIC: &str = "com.example.app";
/// The team whose key signs the provider token; the double's ready-made one.
pub const TEAM_ID: &str = "MOCKTEAM01";
/// The `kid` of the key that signs the provider token; the ready-made team's first.
pub const KEY_ID: &str = "MOCKKEY001";
/// The name by which clients know the server; its certificate is good for it.
pub const HOST_NAME: &str = "localhost";
/// How many devices a server has that has none of its own.
pub const DEVICES: u64 = 1000;
/// Warm-up beyond this shows nothing new.
const WARM_UP_PUSHES_MAX: u64 = 10_000;

/// In [`Job::directory`]: the root that clients trust, PEM.
pub(crate) const CA_FILE: &str = "ca.pem";
/// In [`Job::directory`]: the key of the provider server's operator.
pub(crate) const API_KEY_FILE: &str = "api-key";
/// In [`Job::directory`]: the authority with its keys, PEM, from which devices' certificates are issued.
pub(crate) const AUTHORITY_FILE: &str = "authority.pem";
/// In [`Job::directory`]: the key that signs provider tokens, PKCS#8 in PEM.
pub(crate) const AUTH_KEY_FILE: &str = "AuthKey.p8";
/// In [`Job::directory`]: the device tokens, one a line.
pub(crate) const DEVICE_TOKENS_FILE: &str = "device-tokens";

/// The token of device `number` of [`DEVICES`], 64 hexadecimal digits.
pub fn device_token(number: u64) -> String {
    // Spread over all digits, as real tokens are; the constants are the golden ratio's and its neighbours, odd, so all differ.
    let word = |odd: u64| (number + 1).wrapping_mul(odd);
    let words = [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93];
    words.map(|odd| format!("{:016x}", word(odd))).concat()
}

/// An alert's payload of exactly `bytes` bytes (at least those of an alert with an empty body).
pub fn payload(bytes: usize) -> String {
    const START: &str = r#"{"aps":{"alert":{"title":"Bench","body":""#;
    const END: &str = r#""}}}"#;
    let body = "x".repeat(bytes.saturating_sub(START.len() + END.len()));
    format!("{START}{body}{END}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_device_has_a_token_of_its_own() {
        let tokens: BTreeSet<String> = (0..DEVICES).map(device_token).collect();
        assert_eq!(tokens.len() as u64, DEVICES);
        assert!(tokens.iter().all(|token| token.len() == 64));
    }

    #[test]
    fn a_payload_is_json_of_the_length_asked_for() {
        for bytes in [Workload::PAYLOAD_BYTES.start, 200, Workload::PAYLOAD_BYTES.end - 1] {
            let payload = payload(bytes);
            assert_eq!(payload.len(), bytes);
            let json: serde_json::Value = serde_json::from_str(&payload).unwrap();
            assert_eq!(json["aps"]["alert"]["title"], "Bench");
        }
    }
}
