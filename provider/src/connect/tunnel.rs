//! HTTP CONNECT (RFC 9110 section 9.3.6): the proxy becomes a pipe to the server.

use std::io;

use thiserror::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use zeroize::Zeroizing;

use super::proxy::Proxy;

/// Bytes of an answer's head at most: what common servers take.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Fields of an answer's head at most; proxies send about ten.
const HEAD_FIELDS_MAX: usize = 64;

/// Why a proxy opened no way to the server.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum TunnelError {
    #[error(
        "the proxy {proxy} wants to know who we are (407): give user and password as in http://user:password@host:port"
    )]
    WantsAuthorization { proxy: Proxy },
    #[error("the proxy {proxy} does not know our user or password (407)")]
    Unauthorized { proxy: Proxy },
    #[error("the proxy {proxy} does not open a way to {target}: {status} {words}")]
    Refused { proxy: Proxy, target: String, status: u16, words: String },
    #[error("the proxy {proxy} does not speak HTTP: {why}")]
    NotHttp { proxy: Proxy, why: String },
    #[error("the answer of the proxy {proxy} has more than {HEAD_BYTES_MAX} bytes before its end")]
    HeadTooLarge { proxy: Proxy },
    #[error(
        "the proxy {proxy} sent {count} bytes behind its answer, before the server can have said anything"
    )]
    BytesBehindHead { proxy: Proxy, count: usize },
    #[error("the proxy {proxy} closed the connection and gave no answer")]
    Closed { proxy: Proxy },
    #[error("the connection with the proxy {proxy} broke: {why}")]
    Broken { proxy: Proxy, why: String },
}

/// Asks the proxy at the other end of `tcp` for a way to `target`, a host with its port. After this, what is
/// written goes there.
pub(crate) async fn open(tcp: &mut TcpStream, proxy: &Proxy, target: &str) -> Result<(), TunnelError> {
    let broken = |error: io::Error| TunnelError::Broken { proxy: proxy.clone(), why: error.to_string() };
    tcp.write_all(request(proxy, target).as_bytes()).await.map_err(broken)?;
    let mut head = Vec::new();
    loop {
        match Head::parse(&head) {
            Ok(Some(answer)) if answer.is_interim() => drop(head.drain(..answer.len)),
            Ok(Some(answer)) => return answer.judge(proxy, target, head.len()),
            Err(why) => return Err(TunnelError::NotHttp { proxy: proxy.clone(), why }),
            Ok(None) if head.len() >= HEAD_BYTES_MAX => {
                return Err(TunnelError::HeadTooLarge { proxy: proxy.clone() });
            }
            Ok(None) => {
                let room = (HEAD_BYTES_MAX - head.len()) as u64;
                if (&mut *tcp).take(room).read_buf(&mut head).await.map_err(broken)? == 0 {
                    return Err(TunnelError::Closed { proxy: proxy.clone() });
                }
            }
        }
    }
}

fn request(proxy: &Proxy, target: &str) -> Zeroizing<String> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = proxy.authorization() {
        request.push_str("Proxy-Authorization: ");
        request.push_str(authorization);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    Zeroizing::new(request)
}

/// The head of an answer.
#[derive(Debug, Eq, PartialEq)]
struct Head {
    status: u16,
    words: String,
    len: usize,
}

impl Head {
    /// `None` if there is more to come.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, String> {
        let mut fields = [httparse::EMPTY_HEADER; HEAD_FIELDS_MAX];
        let mut answer = httparse::Response::new(&mut fields);
        match answer.parse(bytes) {
            Ok(httparse::Status::Partial) => Ok(None),
            Ok(httparse::Status::Complete(len)) => {
                let words = answer.reason.unwrap_or_default().to_owned();
                Ok(Some(Self { status: answer.code.unwrap_or_default(), words, len }))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn is_interim(&self) -> bool {
        (100..200).contains(&self.status)
    }

    /// `came` bytes have come in all. An answer of 2xx has no body, whatever its fields say.
    fn judge(self, proxy: &Proxy, target: &str, came: usize) -> Result<(), TunnelError> {
        let proxy = proxy.clone();
        match self.status {
            200..300 if came == self.len => Ok(()),
            200..300 => Err(TunnelError::BytesBehindHead { proxy, count: came - self.len }),
            407 if proxy.authorization().is_none() => Err(TunnelError::WantsAuthorization { proxy }),
            407 => Err(TunnelError::Unauthorized { proxy }),
            status => {
                Err(TunnelError::Refused { proxy, target: target.to_owned(), status, words: self.words })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn proxy() -> Proxy {
        Proxy::parse("http://user:pass@proxy:3128").unwrap()
    }

    /// What becomes of a proxy that answers so, in pieces of `piece` bytes, and what it was asked.
    async fn opened(proxy: &Proxy, answer: &[u8], piece: usize) -> (Result<(), TunnelError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        far.set_nodelay(true).unwrap();
        let answered = async {
            let mut asked = vec![0; 1024];
            let count = far.read(&mut asked).await.unwrap();
            for piece in answer.chunks(piece) {
                // One that has heard enough may have closed.
                let _ = far.write_all(piece).await;
                tokio::task::yield_now().await;
            }
            drop(far);
            String::from_utf8_lossy(&asked[..count]).into_owned()
        };
        tokio::join!(open(&mut near, proxy, "api.push.apple.com:443"), answered)
    }

    #[tokio::test]
    async fn the_request_says_where_to_and_who_asks() {
        let (opened, asked) = opened(&proxy(), b"HTTP/1.1 200 OK\r\n\r\n", 100).await;
        assert_eq!(opened, Ok(()));
        assert_eq!(
            asked,
            "CONNECT api.push.apple.com:443 HTTP/1.1\r\nHost: api.push.apple.com:443\r\n\
             Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n"
        );
    }

    #[tokio::test]
    async fn answers_of_every_form_are_understood() {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 Connection established\r\nvia: x\r\n\r\n";
        for (answer, piece) in [(&interim[..], 1000), (interim, 1), (b"HTTP/1.1 204 \r\n\r\n", 3)] {
            assert_eq!(opened(&proxy(), answer, piece).await.0, Ok(()), "{}", answer.escape_ascii());
        }
    }

    #[tokio::test]
    async fn every_refusal_has_its_name() {
        let (known, unknown) = (proxy(), Proxy::parse("proxy:3128").unwrap());
        let error = async |proxy, answer: &[u8]| opened(proxy, answer, 10_000).await.0.unwrap_err();
        let who = b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n";
        assert_eq!(error(&unknown, who).await, TunnelError::WantsAuthorization { proxy: unknown.clone() });
        assert_eq!(error(&known, who).await, TunnelError::Unauthorized { proxy: known.clone() });
        let refused = error(&known, b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await;
        assert_eq!(
            refused.to_string(),
            "the proxy http://proxy:3128 does not open a way to api.push.apple.com:443: 403 Forbidden"
        );
        assert!(matches!(error(&known, b"SSH-2.0-OpenSSH_9.6\r\n").await, TunnelError::NotHttp { .. }));
        assert!(matches!(error(&known, b"HTTP/1.1 200 O").await, TunnelError::Closed { .. }));
        let early = error(&known, b"HTTP/1.1 200 OK\r\n\r\n\x15\x03").await;
        assert_eq!(early, TunnelError::BytesBehindHead { proxy: known.clone(), count: 2 });
        let endless = [b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &b"x".repeat(20_000)].concat();
        assert_eq!(error(&known, &endless).await, TunnelError::HeadTooLarge { proxy: known.clone() });
        let many = [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"x: y\r\n".repeat(100), b"\r\n"].concat();
        assert!(matches!(error(&known, &many).await, TunnelError::NotHttp { .. }));
    }
}
