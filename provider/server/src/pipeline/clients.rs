//! A client for each app and environment, made when there is something to send.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use apns_provider::{Client, core::RetryPolicy};
use apns_provider_core::{NotSent, Push};
use apns_provider_server_core::{
    device::Environment,
    ids::NotificationId,
    notification::Delivery,
    tuning,
    worker::{Source, Ticket},
};
use tokio::time::Instant;

use super::{queue::Queue, secrets::Secrets, settings::PipelineSettings};
use crate::store::Credential as Stored;

/// The clients that there are.
#[derive(Debug)]
pub(super) struct Clients {
    settings: PipelineSettings,
    by_source: BTreeMap<Source, Entry>,
    /// Whether there are others than the last time that somebody asked.
    are_others: bool,
}

/// A push on its way to a client.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) ticket: Ticket,
    pub(super) delivery: Delivery,
    pub(super) notification: NotificationId,
    pub(super) attempt: u8,
    pub(super) push: Push,
}

/// What becomes of it.
#[derive(Debug)]
pub(super) enum Handed {
    /// It goes to this one.
    To(Client, Outgoing),
    /// It waits until the credential is looked up; `true`: which somebody has to do now.
    Waits(bool),
    /// There is nothing to send it with.
    Refused(Ticket, NotSent),
}

/// What was found for a source.
#[derive(Debug)]
pub(super) enum Loaded {
    /// This, and what was in the store for it.
    Found(Box<(apns_provider::Credential, Stored)>),
    /// The store cannot say.
    Unknown(Box<str>),
    /// There is none, or it cannot be opened.
    Unusable,
}

#[derive(Debug)]
struct Entry {
    state: State,
    is_loading: bool,
    /// Bounded by what the worker has in the engine at once.
    waiting: Vec<Outgoing>,
    used_at: Instant,
    /// The topic of the first push, which has the bundle ID in it: for the log.
    topic: Box<str>,
}

#[derive(Debug)]
enum State {
    /// Nobody has looked.
    New,
    Ready(Box<Ready>),
    /// There was nothing to send with, as of then.
    Refused {
        at: Instant,
    },
}

#[derive(Debug)]
struct Ready {
    credential: apns_provider::Credential,
    stored: Stored,
    /// One sends again what was not answered.
    at_least_once: Option<Client>,
    /// And one does not.
    at_most_once: Option<Client>,
}

impl Clients {
    pub(super) fn new(settings: PipelineSettings) -> Self {
        Self { settings, by_source: BTreeMap::new(), are_others: false }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_source.len()
    }

    /// From now on each client has so many connections at most. One that has another number is let go: it finishes what it has.
    pub(super) fn tune(&mut self, connections_max: usize) {
        let dispatch = self.settings.dispatch.clone();
        match dispatch.with_connections(1..=connections_max) {
            Ok(dispatch) if dispatch != self.settings.dispatch => self.settings.dispatch = dispatch,
            _ => return,
        }
        self.are_others = true;
        for entry in self.by_source.values_mut() {
            if let State::Ready(ready) = &mut entry.state {
                (ready.at_least_once, ready.at_most_once) = (None, None);
            }
        }
    }

    /// Finds the client for a push.
    pub(super) fn hand(&mut self, now: Instant, source: Source, outgoing: Outgoing) -> Handed {
        let entry = self.by_source.entry(source).or_insert_with(|| Entry::new(now, &outgoing.push));
        entry.used_at = now;
        match &mut entry.state {
            State::Ready(ready) => match ready.client(&self.settings, source, outgoing.delivery) {
                Ok((client, is_new)) => {
                    self.are_others |= is_new;
                    Handed::To(client, outgoing)
                }
                Err(refused) => Handed::Refused(outgoing.ticket, refused),
            },
            State::Refused { at } if now.duration_since(*at) < LOOK_AGAIN_AFTER => {
                Handed::Refused(outgoing.ticket, REFUSED)
            }
            State::New | State::Refused { .. } => {
                entry.waiting.push(outgoing);
                Handed::Waits(!std::mem::replace(&mut entry.is_loading, true))
            }
        }
    }

    /// Whether a credential that has changed is to be looked up: if there is a client.
    pub(super) fn has_changed(&mut self, source: Source) -> bool {
        self.by_source.get_mut(&source).is_some_and(|entry| !std::mem::replace(&mut entry.is_loading, true))
    }

    /// What a source is called in the log.
    pub(super) fn topic(&self, source: Source) -> &str {
        self.by_source.get(&source).map_or("", |entry| &entry.topic)
    }

    /// Those there are.
    pub(super) fn sources(&self) -> Vec<Source> {
        self.by_source.keys().copied().collect()
    }

    /// What was looked up. Returns what has waited for it, and, if nothing can be sent, why.
    pub(super) fn loaded(
        &mut self,
        now: Instant,
        source: Source,
        loaded: Loaded,
    ) -> (Vec<Outgoing>, Option<NotSent>) {
        let Some(entry) = self.by_source.get_mut(&source) else { return (Vec::new(), None) };
        entry.is_loading = false;
        let waiting = std::mem::take(&mut entry.waiting);
        let refused = match loaded {
            Loaded::Found(found) => {
                entry.take(source, *found);
                None
            }
            Loaded::Unusable => {
                entry.state = State::Refused { at: now };
                self.are_others = true;
                Some(REFUSED)
            }
            // A client that is there goes on.
            Loaded::Unknown(why) => Some(NotSent::NoConnection { why }),
        };
        (waiting, refused)
    }

    /// Closes those that were not used for long. What they still have is finished.
    pub(super) fn close_idle(&mut self, now: Instant) {
        let before = self.by_source.len();
        self.by_source.retain(|_, entry| entry.is_loading || now.duration_since(entry.used_at) < IDLE);
        self.are_others |= self.by_source.len() != before;
    }

    /// All, which are to be drained.
    pub(super) fn all(&self) -> Vec<Client> {
        self.with_environments().map(|(_, client)| client.clone()).collect()
    }

    /// All, if they are others than the last time.
    pub(super) fn others(&mut self) -> Option<Vec<(Environment, Client)>> {
        let clone = |(environment, client): (Environment, &Client)| (environment, client.clone());
        std::mem::take(&mut self.are_others).then(|| self.with_environments().map(clone).collect())
    }

    fn with_environments(&self) -> impl Iterator<Item = (Environment, &Client)> {
        self.by_source.iter().flat_map(|(source, entry)| {
            let clients = match &entry.state {
                State::Ready(ready) => [&ready.at_least_once, &ready.at_most_once],
                _ => [&None, &None],
            };
            clients.into_iter().flatten().map(|client| (source.environment, client))
        })
    }
}

impl Entry {
    fn new(now: Instant, push: &Push) -> Self {
        let topic = push.notification().topic().to_string().into();
        Self { state: State::New, is_loading: false, waiting: Vec::new(), used_at: now, topic }
    }

    fn take(&mut self, source: Source, (credential, stored): (apns_provider::Credential, Stored)) {
        match &mut self.state {
            State::Ready(ready) if ready.stored == stored => {}
            State::Ready(ready) => {
                for client in [&ready.at_least_once, &ready.at_most_once].into_iter().flatten() {
                    if let Err(error) = client.rotate(&credential) {
                        tracing::error!(?source, %error, "a client goes on with the old credential");
                        return;
                    }
                }
                ready.credential = credential;
                ready.stored = stored;
            }
            state => {
                let ready = Ready { credential, stored, at_least_once: None, at_most_once: None };
                *state = State::Ready(Box::new(ready));
            }
        }
    }
}

impl Ready {
    /// Its client for such pushes, and whether it was made now.
    fn client(
        &mut self,
        settings: &PipelineSettings,
        source: Source,
        delivery: Delivery,
    ) -> Result<(Client, bool), NotSent> {
        let client = match delivery {
            Delivery::AtLeastOnce => &mut self.at_least_once,
            Delivery::AtMostOnce => &mut self.at_most_once,
        };
        if let Some(client) = client {
            return Ok((client.clone(), false));
        }
        let retry = RetryPolicy::default().with_ambiguous_pushes(delivery.ambiguous_pushes());
        let mut builder = Client::builder(settings.services.endpoint(source.environment).clone())
            .credential(self.credential.clone())
            .timeout(settings.worker.engine_timeout)
            .in_hand_max(IN_HAND_MAX)
            .retry(retry)
            .dispatch(settings.dispatch.clone())
            .keep_alive(settings.keep_alive);
        if let Some(pem) = &settings.services.ca_pem {
            builder = builder.ca_pem(pem);
        }
        let built = builder.build().map_err(|error| {
            tracing::error!(?source, %error, "no client can be made");
            REFUSED
        })?;
        Ok((client.insert(built).clone(), true))
    }
}

/// Looks up what a source authenticates with.
pub(super) async fn load<Q: Queue>(queue: Q, secrets: Arc<dyn Secrets>, source: Source) -> Loaded {
    match tokio::time::timeout(LOAD_PATIENCE, queue.credential(source)).await {
        Ok(Ok(Some(stored))) => match secrets.open(source, &stored.secret) {
            Ok(credential) => Loaded::Found(Box::new((credential, stored))),
            Err(error) => {
                tracing::error!(?source, %error, "nothing can be sent");
                Loaded::Unusable
            }
        },
        Ok(Ok(None)) => Loaded::Unusable,
        Ok(Err(error)) => Loaded::Unknown(error.to_string().into()),
        Err(_) => Loaded::Unknown("the store does not say what the app authenticates with".into()),
    }
}

/// The worker bounds what is in the engine; this is what it may be tuned to.
const IN_HAND_MAX: usize = tuning::IN_ENGINE_MAX as usize;
const REFUSED: NotSent = NotSent::CredentialRefused { reason: None };
/// Somebody else may have put a credential there, and nobody was told.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Less than the least time that the engine has for a push.
const LOAD_PATIENCE: Duration = Duration::from_secs(5);
/// An app that sends once an hour connects each time; Apple wants connections to stay open, of those who send.
const IDLE: Duration = Duration::from_mins(30);
