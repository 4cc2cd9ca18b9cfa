//! What can happen before a connection is one: while it is accepted, and in its TLS handshake.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::span;

/// A TCP connection that is not accepted as usual.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Accepting {
    /// Nobody listens for so long: who connects meanwhile is refused by the system (ECONNREFUSED). The connection with
    /// which that begins is reset, as are those that wait to be accepted; connections that are open stay.
    Refuse {
        /// For how long.
        #[serde(rename = "for", with = "span")]
        lasts: Duration,
    },
    /// It is closed at once, with FIN.
    Close,
    /// It is closed at once, with RST.
    Reset,
    /// Nothing is read or written for so long, then all is as usual.
    Delay {
        /// For how long.
        #[serde(rename = "for", with = "span")]
        lasts: Duration,
    },
}

impl Accepting {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "a row of the table of actions")]
    pub(super) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A TLS handshake that goes otherwise.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handshake {
    /// It never completes: the client's hello is read, and nothing is said until the client goes, or the double stops.
    Stall,
    /// It is refused with this alert: a name of RFC 8446, 6, in kebab case, or its number.
    Alert(Alert),
    /// The server shows another certificate.
    Certificate(ServerCertificate),
    /// TLS 1.2 and nothing newer.
    Tls12,
    /// The client's protocols are refused with the alert no_application_protocol (RFC 7301). Who offers none is let in.
    AlpnRefused,
    /// ALPN chooses `http/1.1`, if the client offers it, and no protocol if not. HTTP/2 is spoken all the same, as
    /// Apple was seen to do.
    Http11,
}

/// The certificate that a server shows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerCertificate {
    /// One that has expired.
    Expired,
    /// One for other names.
    WrongHost,
    /// One that nobody has signed but itself.
    SelfSigned,
    /// One of a CA that nobody knows.
    UnknownCa,
    /// One whose chain goes through a new root, signed by the old one: what a client needs that trusts the old one alone.
    NewRootCrossSigned,
    /// One whose chain ends below the new root: a client that trusts the old one alone refuses it.
    NewRoot,
}

/// A TLS alert (RFC 8446, 6).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "AlertForm", into = "AlertForm")]
pub struct Alert(u8);

#[derive(Clone, Deserialize, Serialize)]
#[serde(
    untagged,
    expecting = "an alert is a name of RFC 8446 such as \"internal-error\", or a number from 0 to 255"
)]
enum AlertForm {
    Number(u8),
    Name(String),
}

/// RFC 8446, 6; certificate_revoked, certificate_expired and certificate_unknown were seen of APNs.
const ALERTS: &[(&str, u8)] = &[
    ("close-notify", 0),
    ("unexpected-message", 10),
    ("bad-record-mac", 20),
    ("record-overflow", 22),
    ("handshake-failure", 40),
    ("bad-certificate", 42),
    ("unsupported-certificate", 43),
    ("certificate-revoked", 44),
    ("certificate-expired", 45),
    ("certificate-unknown", 46),
    ("illegal-parameter", 47),
    ("unknown-ca", 48),
    ("access-denied", 49),
    ("decode-error", 50),
    ("decrypt-error", 51),
    ("protocol-version", 70),
    ("insufficient-security", 71),
    ("internal-error", 80),
    ("inappropriate-fallback", 86),
    ("user-canceled", 90),
    ("missing-extension", 109),
    ("unsupported-extension", 110),
    ("unrecognized-name", 112),
    ("bad-certificate-status-response", 113),
    ("unknown-psk-identity", 115),
    ("certificate-required", 116),
    ("no-application-protocol", 120),
];

impl Alert {
    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<AlertForm> for Alert {
    type Error = String;

    fn try_from(form: AlertForm) -> Result<Self, String> {
        match form {
            AlertForm::Number(number) => Ok(Self(number)),
            AlertForm::Name(name) => {
                let known = ALERTS.iter().find(|(known, _)| *known == name);
                known.map(|(_, number)| Self(*number)).ok_or_else(|| {
                    let names: Vec<_> = ALERTS.iter().map(|(name, _)| *name).collect();
                    format!("{name:?} is not one of {}", names.join(", "))
                })
            }
        }
    }
}

impl From<Alert> for AlertForm {
    fn from(alert: Alert) -> Self {
        match ALERTS.iter().find(|(_, number)| *number == alert.0) {
            Some((name, _)) => Self::Name((*name).to_owned()),
            None => Self::Number(alert.0),
        }
    }
}

impl Handshake {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "a row of the table of actions")]
    pub(super) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::fault::Action;

    #[test]
    fn what_happens_at_the_door_is_read_back_as_written() {
        for json in [
            r#"{"accept":{"refuse":{"for":"2s"}}}"#,
            r#"{"accept":"close"}"#,
            r#"{"tls":"stall"}"#,
            r#"{"tls":{"alert":"certificate-revoked"}}"#,
            r#"{"tls":{"alert":99}}"#,
            r#"{"tls":{"certificate":"wrong-host"}}"#,
            r#"{"tls":"http11"}"#,
        ] {
            let action: Action = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&action).unwrap(), json);
        }
        let error = serde_json::from_str::<Action>(r#"{"tls": {"alert": "oops"}}"#).unwrap_err();
        assert!(error.to_string().contains("\"oops\" is not one of close-notify"), "{error}");
    }
}
