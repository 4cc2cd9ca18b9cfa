//! The task behind a client: connects when there is something to send, and feeds the connection from the
//! queue.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use apns_provider_core::{ClockSteppedBack, NotSent, Outcome, ProviderToken, Push, TokenSource};
use apns_wire::{TlsSocket, WireError};
use rustls::ClientConfig;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use tracing::{debug, warn};

use crate::{Credential, Endpoint, client::Counters, clock, connection::Connection, tls::ALPN_H2};

/// Time for DNS, TCP and TLS together.
const CONNECT_MAX: Duration = Duration::from_secs(10);
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
    tls: Arc<ClientConfig>,
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
        tls: Arc<ClientConfig>,
        queue: mpsc::Receiver<Job>,
        counters: Arc<Counters>,
    ) -> Self {
        let tokens = credential.auth_key().map(|key| TokenSource::new(Arc::clone(key)));
        Self { endpoint, tls, tokens, queue, waiting: VecDeque::new(), counters }
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
                Ok(socket) => {
                    self.counters.connections_opened.fetch_add(1, Ordering::Relaxed);
                    let connection = Connection::new(socket, self.endpoint.clone(), self.tokens.is_some());
                    let answered = connection.run(&mut self).await;
                    // A connection that answered nothing will not do better next time: no hot loop.
                    if let Err(why) = answered {
                        self.fail_waiting(&why);
                    }
                }
                Err(why) => {
                    debug!(endpoint = %self.endpoint, ?why, "no connection");
                    self.fail_waiting(&why);
                }
            }
        }
    }

    async fn connect(&self) -> Result<TlsSocket, NotSent> {
        let (host, port) = (self.endpoint.host(), self.endpoint.port());
        let longest = Instant::now() + CONNECT_MAX;
        // Nobody waits for the connection longer than for the push that wants it.
        let deadline = self.waiting.front().map_or(longest, |job| job.deadline.min(longest));
        let late =
            |what| move |_| no_connection(format!("{what} with {} was not done in time", self.endpoint));
        // Resolves anew for each connection (C-03) and tries the addresses one after the other.
        let tcp = timeout_at(deadline, TcpStream::connect((host, port)))
            .await
            .map_err(late("a TCP connection"))?
            .map_err(|error| no_connection(format!("cannot connect to {}: {error}", self.endpoint)))?;
        let handshake = TlsSocket::connect(tcp, Arc::clone(&self.tls), self.endpoint.server_name());
        let socket = timeout_at(deadline, handshake)
            .await
            .map_err(late("the TLS handshake"))?
            .map_err(|error| wire_failure(&self.endpoint, &error))?;
        if socket.tls().alpn_protocol() != Some(ALPN_H2) {
            return Err(no_connection(format!(
                "{} does not speak HTTP/2: TLS did not agree on h2",
                self.endpoint
            )));
        }
        Ok(socket)
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

/// What a TLS failure means for the pushes that waited for the connection.
pub(crate) fn wire_failure(endpoint: &Endpoint, error: &WireError) -> NotSent {
    match error {
        WireError::Tls(rustls::Error::InvalidCertificate(why)) => NotSent::CertificateRefused {
            why: format!("the certificate of {endpoint} is not trusted: {why}").into(),
        },
        WireError::Tls(rustls::Error::AlertReceived(alert)) => NotSent::CertificateRefused {
            why: format!("{endpoint} refused us in TLS, most likely for our certificate: alert {alert:?}")
                .into(),
        },
        error => no_connection(format!("no connection with {endpoint}: {error}")),
    }
}

fn no_connection(why: String) -> NotSent {
    NotSent::NoConnection { why: why.into() }
}
