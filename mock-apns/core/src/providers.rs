//! What the service knows of providers: their connections, and the provider tokens that they have used.

use rustc_hash::FxHashMap;

use crate::{
    ConnectionId, connection::Connection, snapshot::Problem, team::TeamIndex, token_updates::TokenPast,
    verified_tokens::VerifiedTokens,
};

/// The connections of providers, and what their tokens have proven and been.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    pub(crate) connections: FxHashMap<ConnectionId, Connection>,
    /// How many were opened ever.
    opened: u64,
    pub(crate) verified: VerifiedTokens,
    /// The past of each key's tokens, over all connections.
    pub(crate) token_past: TokenPast,
}

impl Providers {
    /// None, after so many were opened.
    pub(crate) fn after(opened: u64, token_past: TokenPast) -> Self {
        Self { opened, token_past, ..Self::default() }
    }

    /// Opens a connection that was open.
    pub(crate) fn restore(&mut self, id: ConnectionId, connection: Connection) -> Result<(), Problem> {
        if id.0 >= self.opened {
            return Err(Problem::NoSuch("connection", id.0));
        }
        match self.connections.insert(id, connection) {
            Some(_) => Err(Problem::Twice("a connection")),
            None => Ok(()),
        }
    }

    /// The ID of the connection that is opened next.
    pub(crate) fn next_id(&self) -> ConnectionId {
        ConnectionId(self.opened)
    }

    pub(crate) fn open(&mut self, connection: Connection) {
        self.connections.insert(self.next_id(), connection);
        self.opened += 1;
    }

    /// Forgets what the provider tokens of a team have proven, but not which they were.
    pub(crate) fn verify_anew(&mut self, team: TeamIndex) {
        #[expect(clippy::iter_over_hash_type, reason = "each is changed by itself")]
        for connection in self.connections.values_mut() {
            connection.verify_anew(team);
        }
        self.verified.forget(team);
    }

    /// Forgets the provider tokens of a team, wherever they were used. Its keys may have other places from now on, and its
    /// clock may show an earlier time.
    pub(crate) fn forget(&mut self, team: TeamIndex) {
        self.verify_anew(team);
        #[expect(clippy::iter_over_hash_type, reason = "each is changed by itself")]
        for connection in self.connections.values_mut() {
            connection.forget(team);
        }
        self.token_past.forget(team);
    }
}
