//! A device for tests, and for `mock-apns device`: connects to the gateway, registers apps, receives
//! notifications.
//!
//! | module | what |
//! |---|---|
//! | `options` | [`DeviceOptions`]: where and as whom to connect |
//! | `link` | lines over TLS |
//! | `error` | [`DeviceError`]: what can go wrong |

mod error;
mod link;
mod options;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use apns_wire::TlsSocket;
use mock_apns_core::{
    BundleId, ConnectedMessage, DeviceMessage, DeviceRequest, DeviceState, Environment, ErrorMessage,
    FromDevice, NewTokens, NotificationMessage, ToDevice, TokenKind, TokenMessage,
};
use tokio::time::timeout;

pub use error::DeviceError;
pub use options::{Acknowledge, DeviceOptions};

use link::{Link, LinkError};

/// Time for the gateway to answer a request.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Live Activities that are remembered until somebody asks; the oldest make room.
const STARTED_ACTIVITIES_MAX: usize = 100;
/// Time for the gateway to close once the device has.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// A connected device. It is online until it is dropped, [disconnected](Self::disconnect) or replaced by a
/// newer connection of the same name.
///
/// Nothing runs in the background: what the gateway sends waits in the socket until a method reads it. A
/// method that is dropped before it is done loses no notification.
#[derive(Debug)]
pub struct Device {
    link: Link,
    connected: ConnectedMessage,
    acknowledge: Acknowledge,
    /// Notifications that came and were not returned yet. As many as the service sends without an
    /// acknowledgement, at most: it is its window that bounds them.
    arrived: VecDeque<Box<NotificationMessage>>,
    /// The Live Activities that pushes have started, until somebody asks.
    started: VecDeque<TokenMessage>,
    last_id: u64,
}

impl Device {
    /// What the gateway said when the device connected: its team, its name, the time.
    pub fn connected(&self) -> &ConnectedMessage {
        &self.connected
    }

    /// Registers an app for a kind of push, installing it first if it is not installed; gives its token, and
    /// the topic that a push to it needs.
    pub async fn register(
        &mut self,
        app: &str,
        environment: Environment,
        kind: TokenKind,
    ) -> Result<TokenMessage, DeviceError> {
        self.token(DeviceRequest::Register { app: BundleId::parse(app)?, environment, kind }).await
    }

    /// An app wants no more pushes of a kind. The same token comes back at the next registration.
    pub async fn unregister(
        &mut self,
        app: &str,
        environment: Environment,
        kind: TokenKind,
    ) -> Result<(), DeviceError> {
        self.done(DeviceRequest::Unregister { app: BundleId::parse(app)?, environment, kind }).await
    }

    /// Installs an app.
    pub async fn install(&mut self, app: &str, environment: Environment) -> Result<(), DeviceError> {
        self.done(DeviceRequest::Install { app: BundleId::parse(app)?, environment }).await
    }

    /// Removes an app.
    pub async fn uninstall(&mut self, app: &str, environment: Environment) -> Result<(), DeviceError> {
        self.done(DeviceRequest::Uninstall { app: BundleId::parse(app)?, environment }).await
    }

    /// The user lets an app show notifications, or no longer.
    pub async fn set_permission(
        &mut self,
        app: &str,
        environment: Environment,
        allowed: bool,
    ) -> Result<(), DeviceError> {
        self.done(DeviceRequest::Permission { app: BundleId::parse(app)?, environment, allowed }).await
    }

    /// Begins or ends saving power. A device cannot be told to be offline: [disconnect](Self::disconnect) it.
    pub async fn set_state(&mut self, state: DeviceState) -> Result<(), DeviceError> {
        self.done(DeviceRequest::State { state }).await
    }

    /// Starts a Live Activity; gives its token, and its number in `activity`.
    pub async fn start_activity(
        &mut self,
        app: &str,
        environment: Environment,
    ) -> Result<TokenMessage, DeviceError> {
        self.token(DeviceRequest::StartActivity { app: BundleId::parse(app)?, environment }).await
    }

    /// Ends a Live Activity.
    pub async fn end_activity(
        &mut self,
        app: &str,
        environment: Environment,
        activity: u32,
    ) -> Result<(), DeviceError> {
        self.done(DeviceRequest::EndActivity { app: BundleId::parse(app)?, environment, activity }).await
    }

    /// Something happened after which every app gets another token when it registers next.
    pub async fn new_tokens(&mut self, cause: NewTokens) -> Result<(), DeviceError> {
        self.done(DeviceRequest::NewTokens { cause }).await
    }

    /// Waits for the next notification, in the order in which they came. It is acknowledged when it is
    /// returned, unless the device was told [otherwise](Acknowledge::WhenTold).
    pub async fn next(&mut self) -> Result<NotificationMessage, DeviceError> {
        while self.arrived.is_empty() {
            let message = self.receive().await?;
            self.keep(message.message)?;
        }
        let notification = self.arrived.pop_front().expect("there is one, by the loop above");
        if self.acknowledge == Acknowledge::WhenReturned {
            // Nothing waits from here on: dropped, this has either done all of it or nothing.
            let request = DeviceRequest::Acknowledge { delivery: notification.delivery };
            self.link.write(&FromDevice { id: None, request })?;
            self.link.flush_now()?;
        }
        Ok(*notification)
    }

    /// The Live Activities that pushes have started since this was asked last, each with its token, as far as the gateway
    /// has told by now: it tells once such a push is acknowledged.
    pub fn started_activities(&mut self) -> Vec<TokenMessage> {
        self.started.drain(..).collect()
    }

    /// How many notifications have come and were not returned yet. Whatever the service sent before it answered
    /// a request has come when the request is done: so a test sees that nothing else was sent.
    pub fn waiting(&self) -> usize {
        self.arrived.len()
    }

    /// Acknowledges a notification; for devices that are [told when](Acknowledge::WhenTold). There is no
    /// answer: if the service does not wait for it, [`next`](Self::next) says so.
    pub async fn acknowledge(&mut self, notification: &NotificationMessage) -> Result<(), DeviceError> {
        let request = DeviceRequest::Acknowledge { delivery: notification.delivery };
        self.link.write(&FromDevice { id: None, request })?;
        self.link.flush().await
    }

    /// Goes offline. When this returns, the service knows. Dropping a device is like cutting its power: the
    /// service learns of it a moment later.
    pub async fn disconnect(self) {
        // A gateway that is gone or does not answer has lost the device either way.
        let _ = timeout(CLOSE_MAX, self.link.close()).await;
    }

    pub(super) async fn open(socket: TlsSocket, options: DeviceOptions) -> Result<Self, DeviceError> {
        let mut link = Link::new(socket, options.on_line);
        let request = DeviceRequest::Connect { team: options.team, state: options.state };
        link.write(&FromDevice { id: Some(0), request })?;
        let first = async {
            link.receive().await.map_err(|error| match error {
                // In TLS 1.3 a client is done before the gateway has looked at its certificate.
                LinkError::Wire(error) => DeviceError::in_handshake(&error),
                LinkError::Device(error) => error,
            })
        };
        let first = timeout(ANSWER_MAX, first).await.map_err(|_| no_answer())??;
        let connected = match first.ok_or(DeviceError::Closed { reason: None })?.message {
            DeviceMessage::Connected(connected) => connected,
            other => return Err(unexpected(other, "connected")),
        };
        let (arrived, started) = (VecDeque::new(), VecDeque::new());
        Ok(Self { link, connected, acknowledge: options.acknowledge, arrived, started, last_id: 0 })
    }

    async fn token(&mut self, request: DeviceRequest) -> Result<TokenMessage, DeviceError> {
        match self.ask(request).await? {
            DeviceMessage::Token(token) => Ok(*token),
            other => Err(unexpected(other, "token")),
        }
    }

    async fn done(&mut self, request: DeviceRequest) -> Result<(), DeviceError> {
        match self.ask(request).await? {
            DeviceMessage::Ok => Ok(()),
            other => Err(unexpected(other, "ok")),
        }
    }

    /// Sends a request and waits for its answer. Notifications that come before it are kept; an answer to an
    /// earlier request, whose caller did not wait for it, is left aside.
    async fn ask(&mut self, request: DeviceRequest) -> Result<DeviceMessage, DeviceError> {
        self.last_id += 1;
        let id = self.last_id;
        self.link.write(&FromDevice { id: Some(id), request })?;
        let answer = async {
            loop {
                let message = self.receive().await?;
                match message.id {
                    Some(answered) if answered == id => return Ok(message.message),
                    Some(_) => {}
                    None => self.keep(message.message)?,
                }
            }
        };
        timeout(ANSWER_MAX, answer).await.map_err(|_| no_answer())?
    }

    async fn receive(&mut self) -> Result<ToDevice, DeviceError> {
        self.link.receive().await?.ok_or(DeviceError::Closed { reason: None })
    }

    /// Keeps a message that answers no request: a notification, or the token of a Live Activity that one has started.
    /// Any other says what is wrong.
    fn keep(&mut self, message: DeviceMessage) -> Result<(), DeviceError> {
        match message {
            DeviceMessage::Notification(notification) => {
                self.arrived.push_back(notification);
                Ok(())
            }
            DeviceMessage::Token(token) => {
                if self.started.len() == STARTED_ACTIVITIES_MAX {
                    self.started.pop_front();
                }
                self.started.push_back(*token);
                Ok(())
            }
            other => Err(unexpected(other, "notification")),
        }
    }
}

/// What it means that something else came than what was waited for.
fn unexpected(message: DeviceMessage, expected: &str) -> DeviceError {
    match message {
        DeviceMessage::Error(ErrorMessage { code, message }) => DeviceError::Rejected { code, message },
        DeviceMessage::Closed { reason } => DeviceError::Closed { reason: Some(reason) },
        other => DeviceError::Protocol { why: format!("{other:?} came instead of {expected}") },
    }
}

const fn no_answer() -> DeviceError {
    DeviceError::NoAnswer { seconds: ANSWER_MAX.as_secs() }
}
