//! The baseline that the engine is compared with: the h2 crate, with nothing around it.

use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderValue, Request, StatusCode, Uri};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{RequestTemplate, request::apns_id, tls};
use crate::child::{Client, Explain as _, Failure, Job, Latencies, TOPIC, keep_in_flight};

pub(super) struct H2Client {
    connections: Vec<SendRequest<Bytes>>,
    in_flight: usize,
    request: Arc<Prepared>,
}

/// All that need not be made for each push.
struct Prepared {
    uris: Vec<Uri>,
    authorization: HeaderValue,
    body: Bytes,
}

impl Client for H2Client {
    async fn connect(job: &Job) -> Result<Self, Failure> {
        let template = RequestTemplate::of_job(job)?;
        let tls = TlsConnector::from(tls::client_config(job)?);
        let mut connections = Vec::new();
        for _ in 0..job.workload.connections {
            connections.push(connect(job, &tls).await?);
        }
        let request = Arc::new(Prepared::new(&template)?);
        let mut client = Self { connections, in_flight: 1, request };
        // The double allows one stream until it has seen a valid token; one push on each connection shows it.
        client.push(job.workload.connections as u64).await?;
        client.in_flight = job.workload.in_flight;
        Ok(client)
    }

    async fn push(&mut self, count: u64) -> Result<Latencies, Failure> {
        let (connections, request) = (self.connections.clone(), Arc::clone(&self.request));
        keep_in_flight(count, self.in_flight, move |number| {
            let connection = connections[number as usize % connections.len()].clone();
            push(connection, Arc::clone(&request), number)
        })
        .await
    }
}

async fn connect(job: &Job, tls: &TlsConnector) -> Result<SendRequest<Bytes>, Failure> {
    let tcp = TcpStream::connect(job.address).await.explain("connecting")?;
    tcp.set_nodelay(true).explain("connecting")?;
    let tls = tls.connect(tls::server_name(), tcp).await.explain("the TLS handshake")?;
    let (send, connection) = h2::client::handshake(tls).await.explain("the HTTP/2 handshake")?;
    tokio::spawn(connection);
    Ok(send)
}

async fn push(connection: SendRequest<Bytes>, prepared: Arc<Prepared>, number: u64) -> Result<(), Failure> {
    let mut connection = connection.ready().await.explain("waiting for a stream")?;
    let (response, mut body) =
        connection.send_request(prepared.request(number)?, false).explain("sending a request")?;
    body.send_data(prepared.body.clone(), true).explain("sending a payload")?;
    match response.await.explain("waiting for an answer")?.status() {
        StatusCode::OK => Ok(()),
        status => Err(Failure::new("pushing with the h2 crate", status)),
    }
}

impl Prepared {
    fn new(template: &RequestTemplate) -> Result<Self, Failure> {
        let uri = |path| {
            Uri::builder().scheme("https").authority(&*template.authority).path_and_query(path).build()
        };
        let uris: Result<_, _> = template.paths.iter().map(|path| uri(path.as_str())).collect();
        Ok(Self {
            uris: uris.explain("building a URI")?,
            authorization: template.authorization.parse().explain("building the authorization field")?,
            body: template.body.clone(),
        })
    }

    fn request(&self, number: u64) -> Result<Request<()>, Failure> {
        Request::post(self.uris[number as usize % self.uris.len()].clone())
            .header("authorization", self.authorization.clone())
            .header("apns-topic", HeaderValue::from_static(TOPIC))
            .header("apns-push-type", HeaderValue::from_static("alert"))
            .header("apns-priority", HeaderValue::from_static("10"))
            .header("apns-id", apns_id(number))
            .body(())
            .explain("building a request")
    }
}
