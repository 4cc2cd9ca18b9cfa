//! One connection of a device: bytes → lines → the service, under its lock for one batch; and what the service
//! has to say to the device, from whoever's batch it came.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use apns_wire::{Received, TlsSocket, WireError};
use mock_apns_core::{
    CloseReason, DeviceCertificateError, DeviceConnectionId, DeviceId, DeviceMessage, GatewayErrorCode,
    Named as _, ToDevice,
};
use rustls::ServerConfig;
use tokio::{
    sync::mpsc::error::TryRecvError,
    time::{Instant, sleep_until},
};
use tracing::{debug, info};

use super::lines::{LINE_BYTES_MAX, LineTooLong, Lines};
use crate::{
    clock,
    closing::close,
    connections::{About, Because, End, Id, Listening, Name, Tls, Traffic, Until},
    listener::{Accepted, Stop},
    shared::{Batch, DeviceReceiver, Era, Shared},
};

/// Devices connected at once. A device costs a file descriptor and a few kilobytes: the
/// system's limit on the first is met long before.
pub(crate) const DEVICES_MAX: usize = 100_000;
/// Time from the TLS handshake to a good `connect`. Who knows the protocol sends it at once.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// One connection of a device from its handshake to its end.
pub(crate) async fn serve(accepted: Accepted, tls: Arc<ServerConfig>, shared: Shared, stop: Stop) {
    let peer = accepted.peer();
    let Some((socket, _place)) = accepted.handshake(|_hello| tls).await else { return };
    match Connection::open(socket, peer, shared, stop) {
        Ok((connection, until)) => connection.serve(until).await,
        Err(error) => info!(%peer, %error, "connection of a device refused"),
    }
}

/// A device's connection after its handshake. In a box, because what an async function is given by value is
/// kept in each future that it passes through, and there may be ten thousand.
struct Connection {
    id: DeviceConnectionId,
    socket: TlsSocket,
    receiver: DeviceReceiver,
    lines: Lines,
    shared: Shared,
    era: Era,
    traffic: Traffic,
    /// Why it ends, once something other than its peer has ended it.
    end: Option<End>,
    /// When `connect` has to have come; `None` once it has.
    connect_until: Option<Instant>,
}

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Continue,
    /// It ends once what was said is sent.
    Close,
}

impl Connection {
    /// Tells the service which device it is that has connected.
    fn open(
        socket: TlsSocket,
        peer: SocketAddr,
        shared: Shared,
        stop: Stop,
    ) -> Result<(Box<Self>, Until), DeviceCertificateError> {
        let leaf = socket.tls().peer_certificates().and_then(|chain| chain.first());
        let device = DeviceId::from_certificate(leaf.map_or(&[], |leaf| leaf))?;
        debug!(%device, "a device has connected");
        let (tls, opened_at) = (Tls::of(socket.tls()), clock::now());
        let about =
            About { peer, listening: Listening::Devices, tls, opened_at, device: Some(device.clone()) };
        let mut batch = shared.batch();
        let (id, receiver) = batch.device_connected(device);
        let until = batch.connections().0.open(Id::Device(id), about, stop);
        let era = batch.era();
        drop(batch);
        let connection = Self {
            id,
            socket,
            receiver,
            lines: Lines::new(LINE_BYTES_MAX),
            shared,
            era,
            traffic: Traffic::default(),
            end: None,
            connect_until: Some(Instant::now() + CONNECT_MAX),
        };
        Ok((Box::new(connection), until))
    }

    /// Serves until the device or the service ends the connection, or `until` says so.
    async fn serve(mut self: Box<Self>, mut until: Until) {
        let ended = self.run(&mut until).await;
        // Before the socket is closed: a device that sees the end is offline.
        self.disconnected(ended.as_ref().err());
        match ended {
            Ok(()) => close(&mut self.socket).await,
            Err(error) => debug!(connection = %self.name(), %error, "connection of a device lost"),
        }
    }

    /// Tells the service, and whoever asks later, that the connection is closed.
    fn disconnected(&mut self, error: Option<&WireError>) {
        let lost = error.map(|error| Because::Lost.with(error));
        let end = self.end.take().or(lost).unwrap_or_else(|| Because::Peer.into());
        let Some(mut batch) = self.shared.batch_in(self.era) else { return };
        let id = Id::Device(self.id);
        let (connections, service) = batch.connections();
        connections.note(id, self.traffic);
        connections.close(id, clock::now(), end, service);
        batch.device_disconnected(self.id);
    }

    fn name(&self) -> Name {
        Id::Device(self.id).name()
    }

    async fn run(&mut self, until: &mut Until) -> Result<(), WireError> {
        loop {
            let mut next = self.transmit()?;
            if next == Next::Continue {
                next = tokio::select! {
                    // While the device does not read what it is told, no more of what it says is read.
                    ready = self.socket.ready(), if !self.socket.is_congested() => {
                        ready?;
                        self.read().await?
                    }
                    writable = self.socket.writable(), if self.socket.is_congested() => {
                        writable?;
                        Next::Continue
                    }
                    message = self.receiver.recv(), if !self.socket.is_congested() => self.tell(message)?,
                    because = until.closing() => {
                        self.end = Some(because.into());
                        let asked = because == Because::Asked;
                        self.say(&closed(if asked { CloseReason::TakenOffline } else { CloseReason::Shutdown }))?;
                        Next::Close
                    }
                    () = sleep_until(self.connect_until.unwrap_or_else(Instant::now)), if self.connect_until.is_some() => {
                        let message = format!("no connect came within {CONNECT_MAX:?}: send it first, at once");
                        self.end = Some(Because::SentAway.with(&message));
                        self.say(&ToDevice::error(None, GatewayErrorCode::ConnectTimeout, message))?;
                        Next::Close
                    }
                };
            }
            if next == Next::Close {
                return Ok(());
            }
        }
    }

    async fn read(&mut self) -> Result<Next, WireError> {
        let mut too_long = Ok(());
        let received = self.read_lines(&mut too_long)?;
        // No more is read before the answers are in the queue, or a device could say more than is ever kept.
        if let Err(error) = self.shared.settled().await {
            self.end = Some(Because::Shutdown.with(&error));
            return Ok(Next::Close);
        }
        if let Err(error) = too_long {
            return self.give_up(error);
        }
        if received == Received::Open {
            return Ok(Next::Continue);
        }
        if self.lines.is_within_a_line() {
            debug!(connection = %self.name(), "a device closed in the middle of a line, which is dropped");
        }
        // Who asks and closes its side at once gets its answers all the same: they wait in the queue by now.
        self.transmit()?;
        Ok(Next::Close)
    }

    /// Reads what has come, and hands its lines to the service, with the lock taken once if there are any.
    fn read_lines(&mut self, too_long: &mut Result<(), LineTooLong>) -> Result<Received, WireError> {
        let Self { id, socket, lines, shared, era, traffic, .. } = self;
        let now = clock::now();
        let mut batch: Option<Option<Batch<'_>>> = None;
        let received = socket.read(|bytes| {
            traffic.bytes_in += bytes.len() as u64;
            *too_long = lines.feed(bytes, |line| {
                // In another era nobody listens: the queue's end closes the connection.
                if let Some(batch) = batch.get_or_insert_with(|| shared.batch_in(*era)) {
                    batch.service().device_line(now, *id, line);
                }
            });
        });
        if let Some(mut batch) = batch.flatten() {
            batch.connections().0.note(Id::Device(*id), *traffic);
        }
        received
    }

    /// Answers what came before a line that is too long, then the line.
    fn give_up(&mut self, error: LineTooLong) -> Result<Next, WireError> {
        info!(connection = %self.name(), %error, "connection of a device closed");
        self.end = Some(Because::ProtocolError.with(&error));
        self.transmit()?;
        let message = format!("{error}: there is no telling where the next message begins; connect anew");
        self.say(&ToDevice::error(None, GatewayErrorCode::LineTooLong, message))?;
        Ok(Next::Close)
    }

    /// Sends what waits for the device, as far as the socket takes it.
    fn transmit(&mut self) -> Result<Next, WireError> {
        loop {
            let mut next = Next::Continue;
            while !self.socket.is_congested() && next == Next::Continue {
                match self.receiver.try_recv() {
                    Ok(message) => next = self.tell(Some(message))?,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => next = self.tell(None)?,
                }
            }
            // What was held back for congestion goes once the socket has taken the rest.
            if !self.socket.flush()? || next == Next::Close || self.receiver.is_empty() {
                return Ok(next);
            }
        }
    }

    /// Encrypts a message of the service's; when there are no more, the service closes the connection.
    fn tell(&mut self, message: Option<Box<ToDevice>>) -> Result<Next, WireError> {
        let Some(message) = message else { return Ok(Next::Close) };
        match &message.message {
            DeviceMessage::Connected(_) => self.connect_until = None,
            DeviceMessage::Closed { reason } => self.end = Some(Because::SentAway.with(reason.name())),
            _ => {}
        }
        self.say(&message)?;
        Ok(Next::Continue)
    }

    fn say(&mut self, message: &ToDevice) -> Result<(), WireError> {
        let line = message.to_line();
        self.traffic.bytes_out += line.len() as u64;
        self.socket.write(line.as_bytes())
    }
}

fn closed(reason: CloseReason) -> ToDevice {
    ToDevice::unasked(DeviceMessage::Closed { reason })
}
