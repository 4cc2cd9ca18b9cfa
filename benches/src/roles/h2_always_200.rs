//! The baseline that servers are compared with: the h2 crate at its best, with nothing to do.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{Request, Response};
use tokio::{net::TcpStream, sync::oneshot};
use tokio_rustls::TlsAcceptor;

use super::{admission::always_200, listen, request::apns_id};
use crate::child::{Explain as _, Failure, Job};

pub(super) async fn serve(job: Job, listening: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    let acceptor = TlsAcceptor::from(always_200(&job.directory)?);
    let listener = listen(job.address).await?;
    let _ = listening.send(listener.local_addr().explain("listening")?);
    loop {
        let (tcp, _) = listener.accept().await.explain("accepting a connection")?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let Err(failure) = connection(tcp, acceptor).await {
                eprintln!("h2-always-200: {failure}");
            }
        });
    }
}

async fn connection(tcp: TcpStream, acceptor: TlsAcceptor) -> Result<(), Failure> {
    tcp.set_nodelay(true).explain("accepting a connection")?;
    let tls = acceptor.accept(tcp).await.explain("the TLS handshake")?;
    let mut h2 = h2::server::Builder::new()
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .handshake(tls)
        .await
        .explain("the HTTP/2 handshake")?;
    while let Some(accepted) = h2.accept().await {
        let Ok((request, respond)) = accepted else { break }; // the client has closed the connection
        // A task each, so that all requests that have come are handled before the connection writes.
        tokio::spawn(answer(request, respond));
    }
    Ok(())
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    static ANSWERED: AtomicU64 = AtomicU64::new(0);
    let mut body = request.into_body();
    while let Some(chunk) = body.data().await {
        body.flow_control().release_capacity(chunk?.len())?;
    }
    let mut response = Response::new(());
    let id = apns_id(ANSWERED.fetch_add(1, Ordering::Relaxed));
    if let Ok(id) = id.try_into() {
        response.headers_mut().insert("apns-id", id);
    }
    respond.send_response(response, true).map(drop)
}

/// Streams at once, as Apple allows.
pub(super) const STREAMS: u32 = 1000;
/// Bytes of the connection's window: with the RFC's 65535, 900 payloads in flight would wait for it.
pub(super) const CONNECTION_WINDOW: u32 = 1024 * 1024;
