//! What faults make of a connection: what they want done, when, and what follows.

use std::time::Instant;

use apns_http2::{CommandError, StreamId};
use futures::FutureExt as _;
use mock_apns_core::{
    Effect,
    fault::{Deed, FaultName},
};
use tokio::{
    io::{Interest, Ready},
    time::sleep_until,
};
use tracing::{debug, info};

use super::{Connection, Next, misbehaving::Fate};
use crate::connections::Because;

impl Connection {
    /// Does what something else than a batch of its own has brought about.
    pub(super) fn follow_orders(&mut self) -> Next {
        let shared = self.shared.clone();
        let Some(mut batch) = shared.batch_in(self.era) else { return Next::Close };
        let orders = batch.connections_mut().take_orders(self.id);
        drop(batch);
        let mut next = Next::Continue;
        for effect in orders {
            if let Effect::Fault { stream, fault, deed, .. } = effect
                && self.misbehave(stream, &fault, deed) == Next::Close
            {
                next = Next::Close;
            }
        }
        next
    }

    /// A fault has fired at a request on `stream`, or at the connection.
    pub(super) fn misbehave(&mut self, stream: Option<u32>, fault: &FaultName, deed: Deed) -> Next {
        info!(target: "mock_apns::fault", connection = %self.id, stream, %fault, "fault");
        if let Deed::Reply(reply) = &deed
            && let Some(status) = reply.status()
        {
            self.traffic.answered(status);
        }
        let it = self.misbehaving.get_or_insert_default();
        let stream = stream.map(StreamId::new);
        let fate = it.carry_out(Instant::now(), &mut self.http2, stream, fault, deed);
        self.follow(fate)
    }

    /// Does what faults want done at this time.
    pub(super) fn on_time(&mut self) -> Next {
        let Some(it) = &mut self.misbehaving else { return Next::Continue };
        if it.reads_nothing() && self.is_peer_gone() {
            return Next::Close;
        }
        let Some(it) = &mut self.misbehaving else { return Next::Continue };
        let fate = it.on_time(Instant::now(), &mut self.http2);
        self.follow(fate)
    }

    fn follow(&mut self, fate: Result<Fate, CommandError>) -> Next {
        match fate {
            Ok(Fate::GoOn) => Next::Continue,
            Ok(Fate::End(how, fault)) => {
                (self.how, self.end) = (how, Some(Because::Fault.with(&fault)));
                Next::Close
            }
            Ok(Fate::TimeOut(fault)) => {
                self.go_away("IdleTimeout");
                self.end = Some(Because::Fault.with(&fault));
                Next::Close
            }
            Err(error) => {
                debug!(connection = %self.id, %error, "a fault could not do all it wanted");
                Next::Continue
            }
        }
    }

    /// Whether the peer has closed its side, though nothing is read.
    fn is_peer_gone(&self) -> bool {
        let ready = self.socket.tcp().ready(Interest::READABLE).now_or_never();
        ready.is_some_and(|ready| ready.is_err() || ready.is_ok_and(Ready::is_read_closed))
    }

    pub(super) fn due_at(&self) -> Option<Instant> {
        self.misbehaving.as_ref()?.due_at(Instant::now())
    }

    pub(super) fn is_drained(&self) -> bool {
        self.misbehaving.as_ref().is_some_and(|it| it.is_drained(&self.http2))
    }
}

/// Returns at a point in time; never, if there is none.
pub(super) async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}
