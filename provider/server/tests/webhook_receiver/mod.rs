//! A small receiver of webhooks on loopback.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use apns_provider_server_core::webhook::SignedHeaders;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::mpsc, task::AbortHandle, time::timeout};

/// Longer than anything takes that does happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A receiver that answers 204, unless it is told otherwise. It stops when it is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    calls: mpsc::UnboundedReceiver<Call>,
    task: AbortHandle,
}

/// A request that came.
#[derive(Debug)]
pub(crate) struct Call {
    /// Its method and path.
    pub(crate) line: String,
    pub(crate) content_type: String,
    pub(crate) signed: SignedHeaders,
    pub(crate) body: Bytes,
}

/// What a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Never,
    With(u16, Vec<(&'static str, String)>),
}

struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    connections: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    arrived: mpsc::UnboundedSender<Call>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (arrived, calls) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            replies: Mutex::default(),
            connections: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            arrived,
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared))).abort_handle();
        Self { address, shared, calls, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next requests are answered so.
    pub(crate) fn answer(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.replies.lock().unwrap().extend(replies);
    }

    /// The next request.
    pub(crate) async fn call(&mut self) -> Call {
        timeout(PATIENCE, self.calls.recv()).await.expect("nobody calls").unwrap()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many requests were there at once, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.most_at_once.load(Ordering::Relaxed)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::With(status, Vec::new())
    }

    pub(crate) fn never() -> Self {
        Self::Never
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::With(_, headers) = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(tcp), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let at_once = shared.at_once.fetch_add(1, Ordering::Relaxed) + 1;
    shared.most_at_once.fetch_max(at_once, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let call = Call {
        line: format!("{} {}", parts.method, parts.uri),
        content_type: header("content-type"),
        signed: SignedHeaders {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
        },
        body: body.collect().await.unwrap().to_bytes(),
    };
    let reply = shared.replies.lock().unwrap().pop_front().unwrap_or_else(|| Reply::status(204));
    let _ = shared.arrived.send(call);
    let Reply::With(status, headers) = reply else { std::future::pending().await };
    shared.at_once.fetch_sub(1, Ordering::Relaxed);
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Empty::new()).unwrap())
}
