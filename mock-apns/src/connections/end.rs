//! Why connections end.

use mock_apns_core::Throttling;

/// Why a connection ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct End {
    pub(crate) because: Because,
    /// In words, where there is more to say: an error, the reason of a GOAWAY.
    pub(crate) detail: Option<String>,
}

/// What ends connections; [`meaning`](Because::meaning) says what each is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Because {
    Peer,
    Lost,
    ProtocolError,
    SentAway,
    Fault,
    Throttled,
    CutOff,
    Asked,
    Shutdown,
}

impl Because {
    pub(crate) const ALL: &'static [Self] = &[
        Self::Peer,
        Self::Lost,
        Self::ProtocolError,
        Self::SentAway,
        Self::Fault,
        Self::Throttled,
        Self::CutOff,
        Self::Asked,
        Self::Shutdown,
    ];

    /// Its name, in the control API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Lost => "lost",
            Self::ProtocolError => "protocol-error",
            Self::SentAway => "sent-away",
            Self::Fault => "fault",
            Self::Throttled => "throttled",
            Self::CutOff => "cut-off",
            Self::Asked => "asked",
            Self::Shutdown => "shutdown",
        }
    }

    /// What it says, in a few words.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Peer => "the peer has closed it",
            Self::Lost => "it broke, below HTTP/2 or the lines of the device gateway",
            Self::ProtocolError => "the peer broke the protocol",
            Self::SentAway => "the service has sent the peer away",
            Self::Fault => "a fault has ended it",
            Self::Throttled => "a setting asks to end it for what its provider does, and is named",
            Self::CutOff => "it kept the double waiting, or made it hold too much",
            Self::Asked => "it was closed through this API",
            Self::Shutdown => "the double stops",
        }
    }

    /// What was done to a provider, if it ends a connection: with the setting that asks for it.
    pub(crate) fn throttled(how: Throttling) -> Option<End> {
        match how {
            Throttling::FewerStreams => None,
            ends => Some(Self::Throttled.with(ends.setting())),
        }
    }

    /// With what there is to say of it.
    pub(crate) fn with(self, detail: &(impl ToString + ?Sized)) -> End {
        End { because: self, detail: Some(detail.to_string()) }
    }
}

impl From<Because> for End {
    fn from(because: Because) -> Self {
        Self { because, detail: None }
    }
}
