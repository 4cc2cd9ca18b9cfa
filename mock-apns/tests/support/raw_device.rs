//! A device that sends what it likes: lines over TLS, and nothing that decides anything.

use std::{sync::Arc, time::Duration};

use apns_certs::{DeviceId, Identity};
use apns_wire::{Received, TlsSocket, WireError};
use mock_apns::MockApns;
use rustls::{AlertDescription, pki_types::UnixTime};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};

use crate::support::client_config;

/// Longer than anything here takes; a test that hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct RawDevice {
    socket: TlsSocket,
    read: Vec<u8>,
    ended: bool,
    /// The TLS alert that ended the connection.
    pub(crate) alert: Option<AlertDescription>,
}

impl RawDevice {
    /// A TLS connection to the gateway with a good certificate of this name, and nothing said yet.
    pub(crate) async fn dial(mock: &MockApns, name: &str) -> Self {
        Self::dial_with(mock, Some(&identity(mock, name))).await.unwrap()
    }

    /// One that has said `connect` and read the answer.
    pub(crate) async fn connect(mock: &MockApns, name: &str) -> Self {
        let mut device = Self::dial(mock, name).await;
        device.send(b"{\"type\":\"connect\"}\n").await;
        assert_eq!(device.message().await["type"], "connected");
        device
    }

    /// A TLS connection with this certificate, or none.
    pub(crate) async fn dial_with(mock: &MockApns, identity: Option<&Identity>) -> Result<Self, WireError> {
        let config = client_config(mock, identity);
        let tcp = TcpStream::connect(mock.device_gateway()).await?;
        let socket = TlsSocket::connect(tcp, Arc::new(config), "localhost".try_into().unwrap()).await?;
        Ok(Self { socket, read: Vec::new(), ended: false, alert: None })
    }

    /// Sends bytes, as far as the gateway takes them before it closes.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(64 * 1024) {
            if self.socket.write(chunk).is_err() {
                return;
            }
            loop {
                match self.socket.flush() {
                    Ok(true) => break,
                    Ok(false) => self.socket.writable().await.unwrap(),
                    Err(_) => return,
                }
            }
        }
    }

    /// The next line as JSON; `null` at the end of the connection.
    pub(crate) async fn message(&mut self) -> Value {
        timeout(PATIENCE, self.next_line())
            .await
            .expect("the gateway answers in time")
            .map_or(Value::Null, |line| serde_json::from_slice(&line).unwrap())
    }

    /// Closes our side, and reads all that still comes.
    pub(crate) async fn close(mut self) -> Vec<Value> {
        self.socket.close().await.unwrap();
        let mut messages = Vec::new();
        loop {
            match self.message().await {
                Value::Null => return messages,
                message => messages.push(message),
            }
        }
    }

    async fn next_line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                return Some(self.read.drain(..=end).collect());
            }
            if self.ended || self.socket.ready().await.is_err() {
                return None;
            }
            let read = &mut self.read;
            let received = self.socket.read(|bytes| read.extend_from_slice(bytes));
            self.ended = !matches!(received, Ok(Received::Open));
            if let Err(WireError::Tls(rustls::Error::AlertReceived(alert))) = received {
                self.alert = Some(alert);
            }
        }
    }
}

/// A good certificate of a device of this name.
pub(crate) fn identity(mock: &MockApns, name: &str) -> Identity {
    mock.certificates().authority().device(&DeviceId::new(name).unwrap(), now()).unwrap()
}

pub(crate) fn now() -> UnixTime {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixTime::since_unix_epoch(now)
}
