//! What the service knows of providers: their connections, and the provider tokens that they have used.

use rustc_hash::FxHashMap;

use crate::{
    ConnectionId, connection::Connection, team::TeamIndex, token_updates::TokenPast,
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
    /// The ID of the connection that is opened next.
    pub(crate) fn next_id(&self) -> ConnectionId {
        ConnectionId(self.opened)
    }

    pub(crate) fn open(&mut self, connection: Connection) {
        self.connections.insert(self.next_id(), connection);
        self.opened += 1;
    }

    /// Forgets the provider tokens of a team, wherever they were used. Its keys may have other places from now on, and its
    /// clock may show an earlier time.
    pub(crate) fn forget(&mut self, team: TeamIndex) {
        #[expect(clippy::iter_over_hash_type, reason = "each is changed by itself")]
        for connection in self.connections.values_mut() {
            connection.forget(team);
        }
        self.verified.forget(team);
        self.token_past.forget(team);
    }
}
