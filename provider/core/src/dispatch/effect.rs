use super::{ConnectionId, Finished};

/// What the shell is to do.
#[derive(Debug)]
pub enum Effect<T> {
    /// Connect; then say [`opened`](super::Dispatcher::opened) or [`open_failed`](super::Dispatcher::open_failed).
    Open(ConnectionId),
    /// Let this connection [take](super::Dispatcher::take) pushes.
    Wake(ConnectionId),
    /// Close this connection as soon as nothing is under way on it; one that is not there yet need not come about.
    Drain(ConnectionId),
    /// Tell the caller how its push ended.
    Finish(Finished<T>),
}
