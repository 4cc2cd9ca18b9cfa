use super::{
    Dispatcher, Ending,
    connections::{Connection, Phase},
};
use crate::{NotSent, Reason};

/// How things are with a client.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct DispatchStatus {
    /// Pushes that wait for a stream.
    pub waiting: usize,
    /// Pushes that are sent again later.
    pub pausing: usize,
    /// Pushes that were sent and have no answer yet.
    pub under_way: usize,
    /// Connections that are being made.
    pub opening: usize,
    /// Connections that take pushes.
    pub open: usize,
    /// Connections that take none any more, and end with the last push that is under way on them.
    pub draining: usize,
    /// Streams that could be opened more on the open connections, as they said last.
    pub streams_free: usize,
    /// Bytes that the send windows of the open connections have left, as they said last.
    pub window: usize,
    /// Why there was no connection the last time there was none; until there is one again.
    pub no_connection: Option<NotSent>,
    /// While pushes are held back because APNs refuses the credential: what it says.
    pub credential_refused: Option<Reason>,
    /// Whether pushes are held back because the service answers nothing but that it is in trouble.
    pub service_in_trouble: bool,
    /// Connections opened so far.
    pub connections_opened: u64,
    /// Attempts so far, beyond the first of their pushes.
    pub retries: u64,
}

impl<T> Dispatcher<T> {
    /// How things are.
    pub fn status(&self) -> DispatchStatus {
        let open = || self.connections.iter().filter(|one| one.phase == Phase::Open).map(Connection::room);
        let count = |is: fn(&Phase) -> bool| self.connections.iter().filter(|one| is(&one.phase)).count();
        DispatchStatus {
            waiting: self.queue.len(),
            pausing: self.pausing.len(),
            under_way: self.connections.iter().map(|one| one.under_way).sum(),
            opening: count(|phase| matches!(phase, Phase::Opening { .. })),
            open: count(|phase| *phase == Phase::Open),
            draining: count(|phase| *phase == Phase::Draining),
            streams_free: open().map(|room| room.streams).fold(0, usize::saturating_add),
            window: open().map(|room| room.window).fold(0, usize::saturating_add),
            no_connection: self.last_failure.clone(),
            credential_refused: self.refused.clone().filter(|_| self.credential.is_open()),
            service_in_trouble: self.service.is_open(),
            connections_opened: self.opened,
            retries: self.retries,
        }
    }

    /// Whether every push is finished, every connection gone, and no more is taken.
    pub fn is_done(&self) -> bool {
        self.ending != Ending::NotYet
            && self.queue.is_empty()
            && self.pausing.len() == 0
            && self.connections.is_empty()
    }
}
