//! Our HTTP/2 as a client, with no engine around it: no choice of connection, no retries, no outcome but 200.

use std::time::Instant;

use apns_http2::{
    Config, Connection, Event, FieldVisitor, Section, StreamId,
    hpack::{Field, Index},
};
use apns_wire::{Received, TlsSocket};
use futures::future::try_join_all;
use tokio::net::TcpStream;

use super::{RequestTemplate, request::apns_id, tls};
use crate::child::{Client, Explain as _, Failure, Job, Latencies};

pub(super) struct Floor {
    connections: Vec<FloorConnection>,
}

struct FloorConnection {
    socket: TlsSocket,
    h2: Connection,
    begun: Instant,
    template: RequestTemplate,
    in_flight: usize,
}

impl Client for Floor {
    async fn connect(job: &Job) -> Result<Self, Failure> {
        let template = RequestTemplate::of_job(job)?;
        let tls = tls::client_config(job)?;
        let mut connections = Vec::new();
        for _ in 0..job.workload.connections {
            let tcp = TcpStream::connect(job.address).await.explain("connecting")?;
            let socket = TlsSocket::connect(tcp, tls.clone(), tls::server_name())
                .await
                .explain("the TLS handshake")?;
            connections.push(FloorConnection {
                socket,
                h2: Connection::client(Config::default()),
                begun: Instant::now(),
                template: template.clone(),
                in_flight: job.workload.in_flight.div_ceil(job.workload.connections),
            });
        }
        Ok(Self { connections })
    }

    async fn push(&mut self, count: u64) -> Result<Latencies, Failure> {
        let share = count.div_ceil(self.connections.len() as u64);
        let mut left = count;
        let mut runs = Vec::new();
        for connection in &mut self.connections {
            let pushes = share.min(left);
            left -= pushes;
            runs.push(connection.push(pushes));
        }
        let mut latencies = Latencies::with_capacity(count as usize);
        for part in try_join_all(runs).await? {
            latencies.append(part);
        }
        Ok(latencies)
    }
}

impl FloorConnection {
    async fn push(&mut self, count: u64) -> Result<Latencies, Failure> {
        let mut run = Run { latencies: Latencies::with_capacity(count as usize), ..Run::default() };
        while (run.latencies.len() as u64) < count {
            self.open(count, &mut run)?;
            while let Some(bytes) = self.h2.poll_transmit() {
                self.socket.write(bytes).explain("writing")?;
                let len = bytes.len();
                self.h2.transmitted(len);
            }
            self.socket.flush().explain("writing")?;
            self.socket.ready().await.explain("waiting for the server")?;

            let (h2, now) = (&mut self.h2, self.begun.elapsed());
            let received = self.socket.read(|bytes| h2.recv(now, bytes)).explain("reading")?;
            run.take_answers(&mut self.h2)?;
            if received == Received::End {
                return Err(Failure::new("pushing", "the server closed the connection"));
            }
        }
        Ok(run.latencies)
    }

    /// Opens as many streams as may be open.
    fn open(&mut self, count: u64, run: &mut Run) -> Result<(), Failure> {
        let now = Instant::now(); // one batch leaves together
        while (run.starts.len() as u64) < count
            && self.h2.open_streams() < self.in_flight
            && self.h2.has_peer_settings()
            && self.h2.openable_streams() > 0
        {
            let number = run.starts.len() as u64;
            let id = apns_id(number);
            let fields = self.template.fields(number, &id).map(|(name, value)| Field {
                name: name.as_bytes(),
                value: value.as_bytes(),
                index: index(name),
            });
            let stream = self.h2.open(&fields, false).explain("opening a stream")?;
            self.h2.send_data(stream, self.template.body.clone(), true).explain("sending a payload")?;
            run.first.get_or_insert(stream);
            run.starts.push(now);
        }
        Ok(())
    }
}

/// What Apple advises: what repeats is indexed, what identifies is not.
fn index(name: &str) -> Index {
    match name {
        ":path" | "apns-id" => Index::Literal,
        _ => Index::Incremental,
    }
}

/// Pushes under way.
#[derive(Debug, Default)]
struct Run {
    /// The stream of the first push; the others follow in order.
    first: Option<StreamId>,
    /// When each push was sent.
    starts: Vec<Instant>,
    latencies: Latencies,
    status: Status,
}

impl Run {
    fn take_answers(&mut self, h2: &mut Connection) -> Result<(), Failure> {
        let now = Instant::now(); // one batch came together
        while let Some(event) = h2.poll_event(&mut self.status).explain("HTTP/2")? {
            match event {
                Event::Headers { stream, section: Section::Response, .. } => {
                    if !self.status.is_ok {
                        return Err(Failure::new("pushing", "an answer is not 200"));
                    }
                    let first = self.first.map_or(0, StreamId::get);
                    let number = (stream.get() - first) as usize / 2;
                    self.latencies.record(now - self.starts[number]);
                }
                Event::Reset { code, .. } => return Err(Failure::new("pushing", format!("reset: {code:?}"))),
                Event::GoAway { debug, .. } => {
                    return Err(Failure::new(
                        "pushing",
                        format!("GOAWAY {}", String::from_utf8_lossy(debug)),
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// All that the floor wants to know of an answer.
#[derive(Debug, Default)]
struct Status {
    is_ok: bool,
}

impl FieldVisitor for Status {
    fn begin(&mut self, _: StreamId) {
        self.is_ok = false;
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        if name == b":status" {
            self.is_ok = value == b"200";
        }
    }
}
