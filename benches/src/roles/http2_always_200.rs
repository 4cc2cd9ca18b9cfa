//! Our HTTP/2 with nothing to do: the floor under the double.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use apns_http2::{Config, Connection, Event, Settings, hpack::Field};
use apns_wire::{Received, TlsSocket};
use rustls::ServerConfig;
use tokio::{net::TcpStream, sync::oneshot};

use super::{
    admission::always_200,
    h2_always_200::{CONNECTION_WINDOW, STREAMS},
    listen,
    request::apns_id,
};
use crate::child::{Explain as _, Failure, Job};

pub(super) async fn serve(job: Job, listening: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    let config = always_200(&job.directory)?;
    let listener = listen(job.address).await?;
    let _ = listening.send(listener.local_addr().explain("listening")?);
    loop {
        let (tcp, _) = listener.accept().await.explain("accepting a connection")?;
        let config = Arc::clone(&config);
        tokio::spawn(async move {
            if let Err(failure) = connection(tcp, config).await {
                eprintln!("http2-always-200: {failure}");
            }
        });
    }
}

async fn connection(tcp: TcpStream, config: Arc<ServerConfig>) -> Result<(), Failure> {
    let mut socket = TlsSocket::accept(tcp, |_| config).await.explain("the TLS handshake")?;
    let settings = Settings { max_concurrent_streams: Some(STREAMS), ..Settings::APPLE };
    let mut h2 =
        Connection::server(Config { settings, connection_window: CONNECTION_WINDOW, ..Config::default() });
    let (start, mut answered) = (Instant::now(), 0);
    loop {
        let now = start.elapsed();
        let received = socket.read(|bytes| h2.recv(now, bytes)).explain("reading")?;
        answer(&mut h2, &mut answered)?;
        while let Some(bytes) = h2.poll_transmit() {
            socket.write(bytes).explain("writing")?;
            let len = bytes.len();
            h2.transmitted(len);
        }
        socket.flush().explain("writing")?;
        if received == Received::End {
            return Ok(());
        }
        socket.ready().await.explain("waiting for the client")?;
    }
}

fn answer(h2: &mut Connection, answered: &mut u64) -> Result<(), Failure> {
    while let Some(event) = h2.poll_event(&mut ()).explain("HTTP/2")? {
        let (Event::Data { stream, end_stream: true, .. } | Event::Headers { stream, end_stream: true, .. }) =
            event
        else {
            continue;
        };
        let id = apns_id(*answered);
        *answered += 1;
        let fields = [Field::incremental(b":status", b"200"), Field::literal(b"apns-id", id.as_bytes())];
        h2.send_headers(stream, &fields, true).explain("answering")?;
    }
    Ok(())
}
