//! An HTTP proxy of a play's own, which opens ways with CONNECT (RFC 9110, 9.3.6).

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use crate::provider::{evidence::Tunnel, recorder::Recorder};

/// A proxy. What it is asked for goes into the evidence; wherever a way is to lead, it leads to the double.
#[derive(Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Proxy {
    /// Begins to listen. `credentials`: what `proxy-authorization` has to be.
    pub(super) async fn open(
        to: SocketAddr,
        credentials: Option<&'static str>,
        recorder: Arc<Recorder>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            let mut ways = JoinSet::new(); // they end with the proxy
            while let Ok((near, _)) = listener.accept().await {
                while ways.try_join_next().is_some() {}
                if ways.len() < WAYS_MAX {
                    ways.spawn(serve(near, to, credentials, Arc::clone(&recorder)));
                }
            }
        });
        Ok(Self { address, accepting: accepting.abort_handle() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    mut near: TcpStream,
    to: SocketAddr,
    credentials: Option<&'static str>,
    recorder: Arc<Recorder>,
) {
    // A client may ask without credentials, and again with them when it is told that they are wanted.
    for _ in 0..QUESTIONS_MAX {
        let Ok(Some(head)) = timeout(HEAD_TIME_MAX, head(&mut near)).await else { return };
        let mut tunnel = read(&head);
        let is_asked = tunnel.asked.starts_with("CONNECT ");
        tunnel.opened = is_asked && credentials.is_none_or(|it| tunnel.credentials.as_deref() == Some(it));
        let opens = tunnel.opened;
        recorder.tunnelled(tunnel);
        if opens {
            return lead(near, to).await;
        }
        let answer = if is_asked { WHO_ARE_YOU } else { CONNECT_ONLY };
        if near.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Opens the way, and carries bytes until one side ends it. Whoever ends it how is seen on the road to the double.
async fn lead(mut near: TcpStream, to: SocketAddr) {
    let Ok(mut far) = TcpStream::connect(to).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true)); // it is slower without, and right all the same
    if near.write_all(HERE_YOU_ARE).await.is_ok() {
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}

/// The head of a request, if one comes.
async fn head(near: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_BYTES_MAX {
            return None;
        }
        head.push(near.read_u8().await.ok()?); // one by one: what is behind the head is not the proxy's
    }
    String::from_utf8(head).ok()
}

fn read(head: &str) -> Tunnel {
    let mut lines = head.lines();
    let asked = lines.next().unwrap_or_default().to_owned();
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    let credentials = fields.find(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
    Tunnel { asked, credentials: credentials.map(|(_, value)| value.trim().to_owned()), opened: false }
}

const HERE_YOU_ARE: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const WHO_ARE_YOU: &[u8] = b"HTTP/1.1 407 Proxy Authentication Required\r\n\
    Proxy-Authenticate: Basic realm=\"apns-conformance\"\r\nContent-Length: 0\r\n\r\n";
const CONNECT_ONLY: &[u8] = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\nContent-Length: 0\r\n\r\n";

/// Ways at once: more than any provider opens in a play.
const WAYS_MAX: usize = 64;
/// Questions on one connection.
const QUESTIONS_MAX: usize = 4;
/// The longest head of a request.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// How long a client may take to ask.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_in_any_case() {
        let head = "CONNECT apns.test:443 HTTP/1.1\r\nHost: apns.test:443\r\nPROXY-authorization:  Basic eA==\r\n\r\n";
        let asked = "CONNECT apns.test:443 HTTP/1.1".to_owned();
        assert_eq!(read(head), Tunnel { asked, credentials: Some("Basic eA==".to_owned()), opened: false });
        assert_eq!(read("CONNECT a:1 HTTP/1.1\r\n\r\n").credentials, None);
    }
}
