//! A TLS connection on which anything can be said, and nothing needs to be read.

use std::{sync::Arc, time::Duration};

use apns_wire::{Received, TlsSocket};
use rustls::ClientConfig;
use tokio::{net::TcpSocket, time::timeout};

use crate::frames::{Frame, PREFACE, settings, settings_ack};

/// Longer than anything here takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is not sent within this time waits for a double that has stopped to read.
const SENDING_MAX: Duration = Duration::from_secs(2);

/// Bytes that the kernel takes for who does not read: the less, the sooner the double has to keep them.
const RECEIVE_BUFFER: u32 = 4_096;

pub(crate) struct Raw(TlsSocket);

impl Raw {
    pub(crate) async fn dial(port: u16, config: ClientConfig) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
        let tcp = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
        Self(TlsSocket::connect(tcp, Arc::new(config), "localhost".try_into().unwrap()).await.unwrap())
    }

    /// Sends the preface and these settings, and acknowledges the double's unread.
    pub(crate) async fn greet(&mut self, parameters: &[(u16, u32)]) {
        self.send_bytes(PREFACE).await;
        self.send([settings(parameters), settings_ack()]).await;
    }

    /// The same for a client that never acknowledges.
    pub(crate) async fn greet_only(&mut self) {
        self.send_bytes(PREFACE).await;
        self.send([settings(&[])]).await;
    }

    /// Sends frames, as far as the double takes them. False: it does not take all.
    pub(crate) async fn send(&mut self, frames: impl IntoIterator<Item = Frame>) -> bool {
        let bytes: Vec<u8> = frames.into_iter().flat_map(|frame| frame.bytes()).collect();
        self.send_bytes(&bytes).await
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) -> bool {
        let sending = async {
            for part in bytes.chunks(64 * 1024) {
                self.0.write(part).ok()?;
                while !self.0.flush().ok()? {
                    self.0.writable().await.ok()?;
                }
            }
            Some(())
        };
        timeout(SENDING_MAX, sending).await.is_ok_and(|sent| sent.is_some())
    }

    /// Reads until the double has closed. What it said, as far as it came.
    pub(crate) async fn read_to_end(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let reading = async {
            loop {
                let ready = self.0.ready().await;
                let received = self.0.read(|bytes| all.extend_from_slice(bytes));
                if ready.is_err() || !matches!(received, Ok(Received::Open)) {
                    return;
                }
            }
        };
        timeout(PATIENCE, reading).await.expect("the double closes");
        all
    }
}
