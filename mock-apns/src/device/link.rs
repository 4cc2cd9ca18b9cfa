//! Lines over TLS, for the device's side.

use std::collections::VecDeque;

use apns_wire::{Received, TlsSocket, WireError};
use mock_apns_core::{FromDevice, ToDevice};

use super::DeviceError;
use crate::device_gateway::Lines;

/// Longest line of the gateway that is read, in bytes. A notification has a payload of 5 KiB at most, as it
/// was sent and as it is shown; this leaves room for everything.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A connection to the gateway.
#[derive(Debug)]
pub(super) struct Link {
    socket: TlsSocket,
    lines: Lines,
    /// Messages that were read and not taken yet.
    received: VecDeque<ToDevice>,
    ended: bool,
    on_line: Option<fn(&[u8])>,
}

impl Link {
    pub(super) fn new(socket: TlsSocket, on_line: Option<fn(&[u8])>) -> Self {
        let lines = Lines::new(LINE_BYTES_MAX);
        Self { socket, lines, received: VecDeque::new(), ended: false, on_line }
    }

    /// Encrypts a message for the next [`flush`](Self::flush).
    pub(super) fn write(&mut self, message: &FromDevice) -> Result<(), DeviceError> {
        self.socket.write(message.to_line().as_bytes()).map_err(|error| DeviceError::lost(&error))
    }

    /// Sends what was written. If this is dropped, the rest goes with the next flush or read.
    pub(super) async fn flush(&mut self) -> Result<(), DeviceError> {
        while !self.socket.flush().map_err(|error| DeviceError::lost(&error))? {
            self.socket.writable().await.map_err(|error| DeviceError::lost(&error.into()))?;
        }
        Ok(())
    }

    /// Sends of what was written as much as goes at once; the rest goes with the next flush or read.
    pub(super) fn flush_now(&mut self) -> Result<(), DeviceError> {
        self.socket.flush().map(drop).map_err(|error| DeviceError::lost(&error))
    }

    /// The next message; `None` once the gateway has closed. If this is dropped, nothing is lost.
    pub(super) async fn receive(&mut self) -> Result<Option<ToDevice>, LinkError> {
        loop {
            if let Some(message) = self.received.pop_front() {
                return Ok(Some(message));
            }
            if self.ended {
                return Ok(None);
            }
            let flushed = self.socket.flush();
            if flushed.is_ok() {
                self.socket.ready().await.map_err(WireError::from)?;
            }
            // A gateway that takes no more may have said why before it closed.
            self.read()?;
            if self.received.is_empty() {
                flushed?;
            }
        }
    }

    /// Closes, and returns when the gateway has closed too: it knows by then that the device is offline.
    pub(super) async fn close(mut self) -> Result<(), WireError> {
        self.socket.close().await?;
        while !self.ended {
            self.socket.ready().await?;
            if self.socket.read(|_| {})? == Received::End {
                return Ok(());
            }
        }
        Ok(())
    }

    fn read(&mut self) -> Result<(), LinkError> {
        let Self { socket, lines, received, on_line, .. } = self;
        let mut wrong = None;
        let end = socket.read(|bytes| {
            let fed = lines.feed(bytes, |line| {
                if let Some(on_line) = on_line {
                    on_line(line);
                }
                match ToDevice::parse(line) {
                    Ok(message) => received.push_back(message),
                    Err(error) => wrong = Some(error.into()),
                }
            });
            if let Err(error) = fed {
                wrong = Some(DeviceError::Protocol { why: error.to_string() });
            }
        })?;
        self.ended = end == Received::End;
        wrong.map_or(Ok(()), |error| Err(LinkError::Device(error)))
    }
}

/// Why nothing can be received: what it means depends on how far the connection was.
#[derive(Debug)]
pub(super) enum LinkError {
    Wire(WireError),
    Device(DeviceError),
}

impl From<WireError> for LinkError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<LinkError> for DeviceError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Wire(error) => Self::lost(&error),
            LinkError::Device(error) => error,
        }
    }
}
