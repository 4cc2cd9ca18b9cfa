use std::net::SocketAddr;

use apns_wire::WireError;
use mock_apns_core::{BundleIdError, CloseReason, GatewayErrorCode, MessageError};
use thiserror::Error;

/// Why a device could not do what it was asked. Text inside is for people: what the system or TLS said.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum DeviceError {
    /// No certificate could be made for the device; its name above all may be unfit.
    #[error("no certificate for the device: {0}")]
    Certificate(#[from] apns_certs::Error),
    /// An app's name is none.
    #[error(transparent)]
    App(#[from] BundleIdError),
    /// Nobody listens there, or not in time.
    #[error("cannot reach the device gateway at {address}: {why}. Is mock-apns running?")]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        why: String,
    },
    /// TLS came to nothing: the gateway refused the device's certificate, or the device the gateway's.
    #[error(
        "the TLS handshake failed: {why}. Are both certificates of the CA of this mock-apns, and in date?"
    )]
    Refused {
        /// What TLS said.
        why: String,
    },
    /// The gateway refused a request. The connection goes on.
    #[error("{message} ({})", .code.as_str())]
    Rejected {
        /// What was wrong, for programs.
        code: GatewayErrorCode,
        /// What was wrong, in words.
        message: String,
    },
    /// The gateway closed the connection; with its reason, or without a word.
    #[error("the device gateway closed the connection: {}", reason_in_words(*.reason))]
    Closed {
        /// Why, if it said so.
        reason: Option<CloseReason>,
    },
    /// The connection broke.
    #[error("the connection to the device gateway is lost: {why}")]
    Lost {
        /// What the system or TLS said.
        why: String,
    },
    /// The gateway does not speak as documented: it may be of another version, or no gateway.
    #[error("the device gateway said what this version does not understand: {why}")]
    Protocol {
        /// What is wrong with it.
        why: String,
    },
    /// The gateway did not answer in time.
    #[error("the device gateway did not answer within {seconds} s")]
    NoAnswer {
        /// How long was waited.
        seconds: u64,
    },
}

impl DeviceError {
    /// A connection that broke, once it was good.
    pub(super) fn lost(error: &WireError) -> Self {
        Self::Lost { why: error.to_string() }
    }

    /// A handshake that failed.
    pub(super) fn in_handshake(error: &WireError) -> Self {
        Self::Refused { why: error.to_string() }
    }
}

impl From<MessageError> for DeviceError {
    fn from(error: MessageError) -> Self {
        Self::Protocol { why: error.to_string() }
    }
}

fn reason_in_words(reason: Option<CloseReason>) -> &'static str {
    match reason {
        None => "it did not say why",
        Some(CloseReason::Replaced) => {
            "the device has connected anew elsewhere, and the newest connection wins"
        }
        Some(CloseReason::TakenOffline) => "the device was taken offline",
        Some(CloseReason::Shutdown) => "mock-apns stops",
        Some(_) => "for a reason that this version does not know",
    }
}
