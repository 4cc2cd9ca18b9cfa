use std::{net::SocketAddr, ops::Range, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::Failure;

/// What a child is told to do.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    /// Which server or client to be.
    pub(crate) role: String,
    /// The processor core to stay on; `None` leaves it to the scheduler.
    pub(crate) core: Option<usize>,
    /// Where a server listens (port 0 lets the system choose), or where a client connects.
    pub(crate) address: SocketAddr,
    /// Where the parent has put credentials for this run.
    pub(crate) directory: PathBuf,
    /// How much to send, and in what shape.
    pub(crate) workload: Workload,
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
}

impl Workload {
    /// Payload lengths that can be asked for, in bytes: from the shortest alert worth the name to APNs' limit.
    pub const PAYLOAD_BYTES: Range<usize> = 64..4097;

    /// Pushes sent before the measured part, so that tables, caches and windows have found their size.
    pub(crate) fn warm_up(&self) -> u64 {
        (self.pushes / 10).clamp(1, WARM_UP_PUSHES_MAX)
    }
}

/// The app that pushes are for.
pub const TOPIC: &str = "com.example.app";
/// The team whose key signs the provider token.
pub const TEAM_ID: &str = "DEF123GHIJ";
/// The `kid` of the key that signs the provider token.
pub const KEY_ID: &str = "ABC123DEFG";
/// The name by which clients know the server; its certificate is good for it.
pub const HOST_NAME: &str = "localhost";
/// How many different devices the pushes go to in turn.
pub const DEVICES: u64 = 1000;
/// Warm-up beyond this shows nothing new.
const WARM_UP_PUSHES_MAX: u64 = 10_000;

/// In [`Job::directory`]: the root that clients trust, PEM.
pub(crate) const CA_FILE: &str = "ca.pem";
/// In [`Job::directory`]: the key that signs provider tokens, PKCS#8 in PEM.
pub(crate) const AUTH_KEY_FILE: &str = "AuthKey.p8";

/// The token of device `number`, 64 hexadecimal digits; numbers from [`DEVICES`] on begin again at 0.
pub fn device_token(number: u64) -> String {
    let number = number % DEVICES;
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

/// Refuses to compare clients that do not send the same: `payload` is what one is about to send.
pub(crate) fn check_length(payload: &str, expected: usize) -> Result<(), Failure> {
    if payload.len() == expected {
        return Ok(());
    }
    let why = format!("it has {} bytes where the workload says {expected}: {payload}", payload.len());
    Err(Failure::new("building the payload", why))
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
        assert_eq!(device_token(DEVICES), device_token(0));
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
