//! The task behind a client: connects when there is something to send, and feeds the connection from the
//! queue.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
};

use apns_provider_core::{ClockSteppedBack, NotSent, Outcome, ProviderToken, Push, TokenSource};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::warn;

use crate::{
    Credential, Endpoint,
    client::Counters,
    clock,
    connect::{Connected, Connector},
    connection::Connection,
};

/// Pushes taken from the queue that wait for a stream. The rest waits in the queue, where it holds callers
/// back.
const WAITING_MAX: usize = 1024;

/// A push that somebody waits for.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) push: Push,
    pub(crate) deadline: Instant,
    pub(crate) reply: oneshot::Sender<Outcome>,
}

/// Owns the queue's other end, the credential and the way to the server.
#[derive(Debug)]
pub(crate) struct Driver {
    endpoint: Endpoint,
    connector: Connector,
    tokens: Option<TokenSource>,
    queue: mpsc::Receiver<Job>,
    waiting: VecDeque<Job>,
    counters: Arc<Counters>,
}

impl Job {
    /// Tells the outcome. A caller that has stopped waiting does not want it any more.
    pub(crate) fn finish(self, outcome: Outcome) {
        let _ = self.reply.send(outcome);
    }
}

impl Driver {
    pub(crate) fn new(
        endpoint: Endpoint,
        credential: &Credential,
        connector: Connector,
        queue: mpsc::Receiver<Job>,
        counters: Arc<Counters>,
    ) -> Self {
        let tokens = credential.auth_key().map(|key| TokenSource::new(Arc::clone(key)));
        Self { endpoint, connector, tokens, queue, waiting: VecDeque::new(), counters }
    }

    /// Runs until every client is gone and their pushes are done.
    pub(crate) async fn run(mut self) {
        loop {
            if self.waiting.is_empty() {
                match self.queue.recv().await {
                    Some(job) => self.waiting.push_back(job),
                    None => return,
                }
            }
            match self.connect().await {
                Ok(Connected { socket, address: _in_use }) => {
                    self.counters.connections_opened.fetch_add(1, Ordering::Relaxed);
                    let connection = Connection::new(socket, self.endpoint.clone(), self.tokens.is_some());
                    let answered = connection.run(&mut self).await;
                    // A connection that answered nothing will not do better next time: no hot loop.
                    if let Err(why) = answered {
                        self.fail_waiting(&why);
                    }
                }
                Err(why) => self.fail_waiting(&why),
            }
        }
    }

    async fn connect(&self) -> Result<Connected, NotSent> {
        // Nobody waits for the connection longer than for the push that wants it.
        self.connector.connect(self.waiting.front().map(|job| job.deadline)).await
    }

    /// The provider token of the moment, if the credential is a key.
    pub(crate) fn provider_token(&mut self) -> Option<ProviderToken> {
        let tokens = self.tokens.as_mut()?;
        match tokens.token(clock::now()) {
            Ok(token) => Some(token),
            Err(error) => {
                warn!(%error, "the clock stepped back");
                let ClockSteppedBack { held, .. } = error;
                Some(held)
            }
        }
    }

    /// Waits for pushes, and takes as many as are there. False when there will be none.
    pub(crate) async fn take_pushes(&mut self) -> bool {
        let Some(room) = self.room() else { return std::future::pending().await };
        let mut taken = Vec::new();
        if self.queue.recv_many(&mut taken, room).await == 0 {
            return false;
        }
        self.waiting.extend(taken);
        true
    }

    /// Takes what is in the queue already.
    pub(crate) fn take_ready_pushes(&mut self) {
        while self.room().is_some() {
            match self.queue.try_recv() {
                Ok(job) => self.waiting.push_back(job),
                Err(_) => return,
            }
        }
    }

    pub(crate) fn waiting(&mut self) -> &mut VecDeque<Job> {
        &mut self.waiting
    }

    fn room(&self) -> Option<usize> {
        WAITING_MAX.checked_sub(self.waiting.len()).filter(|room| *room > 0)
    }

    fn fail_waiting(&mut self, why: &NotSent) {
        self.take_ready_pushes();
        for job in self.waiting.drain(..) {
            job.finish(Outcome::NotSent(why.clone()));
        }
    }
}
