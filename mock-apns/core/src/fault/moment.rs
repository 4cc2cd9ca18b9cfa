//! When a rule is looked at.

use crate::{Environment, KeyId, Record, TeamId};

/// When a rule is looked at.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Moment {
    /// A provider's TCP connection was accepted. Nothing is known of it but the environment of the listener.
    Accept,
    /// A client has said hello in TLS. No more is known.
    Handshake,
    /// A connection is open. For a rule of a team: as soon as it has shown whose it is, by its certificate or by its first good
    /// provider token.
    Connection,
    /// A request is complete and was judged, and nothing is answered yet.
    Request,
    /// The beginning of the rule's time window, for each connection that is open then.
    Clock,
}

impl Moment {
    /// Every one, in their order on a connection.
    pub const ALL: &'static [Self] =
        &[Self::Accept, Self::Handshake, Self::Connection, Self::Request, Self::Clock];

    /// Its name, as a rule's `on` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Handshake => "handshake",
            Self::Connection => "connection",
            Self::Request => "request",
            Self::Clock => "clock",
        }
    }
}

/// What a rule is looked at for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    pub(crate) moment: Moment,
    /// Whose provider it is, as far as that is proven.
    pub(crate) team: Option<TeamId>,
    pub(crate) key: Option<KeyId>,
    pub(crate) environment: Environment,
    /// Which of the connections of the team it is, or of all, counted from 1; and how many others are open.
    pub(crate) among_team: Option<Among>,
    pub(crate) among_all: Among,
    /// Which of the requests on its connection it is, counted from 1.
    pub(crate) stream: Option<u64>,
    /// What the journal would say of the request.
    pub(crate) record: Option<&'a Record<'a>>,
}

/// A connection among others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Among {
    /// Which it is, in the order in which they were opened, counted from 1.
    pub(crate) ordinal: u64,
    /// How many others are open.
    pub(crate) others_open: u64,
}
