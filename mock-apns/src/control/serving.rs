//! One connection to the control API: HTTP/1.1, with limits on what may be half done.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::Router;
use hyper::{body::Incoming, server::conn::http1, service::Service as _};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{sync::Notify, time::sleep};
use tracing::debug;

use crate::{
    entrance::{Pass, Refusal},
    listener::{Accepted, HANDSHAKE_MAX, Stop},
};

/// Connections to the control API at once: those that wait, of which there may be 10,000, and those that ask meanwhile.
pub(crate) const CONTROL_CONNECTIONS_MAX: usize = super::waiting::WAITS_MAX + 1_000;
/// For a request's head, and between requests. Longer than clients keep a connection that they do not use.
const HEAD_MAX: Duration = Duration::from_mins(2);

/// Serves one connection until it ends, or `stop` changes; then what is being answered is answered to its end.
pub(crate) async fn serve(accepted: Accepted, api: Router, mut stop: Stop) {
    let Some((tcp, mut entering, _place)) = accepted.without_tls() else { return };
    let first =
        Arc::new(First { pass: entering.pass(), has_come: AtomicBool::new(false), told: Notify::new() });
    let api = TowerToHyperService::new(api);
    let service = {
        let first = Arc::clone(&first);
        hyper::service::service_fn(move |request: http::Request<Incoming>| {
            first.came();
            api.call(request)
        })
    };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
    let mut connection = pin!(http.serve_connection(TokioIo::new(tcp), service));

    tokio::select! {
        biased; // a request that has come is answered
        ended = connection.as_mut() => {
            return if first.has_come() { log_end(ended) } else { entering.refused(Refusal::Closed) };
        }
        () = first.comes() => drop(entering),
        () = sleep(HANDSHAKE_MAX) => return entering.refused(Refusal::Timeout),
        () = entering.gives_way() => return entering.refused(Refusal::GaveWay),
        _ = stop.changed() => return,
    }
    tokio::select! {
        ended = connection.as_mut() => return log_end(ended),
        _ = stop.changed() => connection.as_mut().graceful_shutdown(),
    }
    log_end(connection.await);
}

fn log_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        debug!(%error, "a connection to the control API broke");
    }
}

/// Whether the first request has come.
#[derive(Debug)]
struct First {
    pass: Pass,
    has_come: AtomicBool,
    told: Notify,
}

impl First {
    fn came(&self) {
        if !self.has_come.swap(true, Relaxed) {
            self.pass.through();
            self.told.notify_one();
        }
    }

    fn has_come(&self) -> bool {
        self.has_come.load(Relaxed)
    }

    async fn comes(&self) {
        self.told.notified().await;
    }
}
