//! What the service knows of providers: their connections, and the provider tokens that they have used.

use rustc_hash::FxHashMap;

use crate::{
    ConnectionId, connection::Connection, fault::Among, snapshot::Problem, team::TeamIndex,
    token_updates::TokenPast, verified_tokens::VerifiedTokens,
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

    /// The open connections, in the order in which they were opened.
    pub(crate) fn open_ids(&self) -> Vec<ConnectionId> {
        let mut ids: Vec<ConnectionId> = self.connections.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// A connection among all. One that is not open yet is the next.
    pub(crate) fn among_all(&self, id: Option<ConnectionId>) -> Among {
        let is_open = id.is_some_and(|id| self.connections.contains_key(&id));
        let others_open = self.connections.len() as u64 - u64::from(is_open);
        Among { ordinal: id.map_or(self.opened, |id| id.0) + 1, others_open }
    }

    /// A connection among those of its team; `None`: it has not shown whose it is.
    /// How many others are open is looked up only where that counts.
    pub(crate) fn among_team(&self, id: ConnectionId, counts: bool) -> Option<Among> {
        let connection = self.connections.get(&id)?;
        let (team, ordinal) = (connection.team()?, connection.ordinal()?);
        let is_other =
            |(other, state): &(&ConnectionId, &Connection)| **other != id && state.team() == Some(team);
        let others_open = if counts { self.connections.iter().filter(is_other).count() as u64 } else { 0 };
        Some(Among { ordinal, others_open })
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
