//! A stand-in for Apple's channel management, over HTTP/2 and TLS on the loopback address: it creates, shows, lists and deletes channels as
//! Apple documents it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use apns_certs::{Authority, Purpose};
use apns_provider::Endpoint;
use apns_provider_server::channels::ChannelServices;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::UnixTime},
};

use crate::server::APP;

/// A service that stops with its test's runtime.
pub(crate) struct ChannelService {
    address: SocketAddr,
    ca_pem: Arc<[u8]>,
    state: Arc<Mutex<State>>,
}

/// How it answers.
#[derive(Clone, Copy, Default)]
pub(crate) enum Answers {
    /// As Apple does.
    #[default]
    Well,
    /// It goes away in the middle.
    Nothing,
    /// With this status and reason.
    Refusal(u16, &'static str),
}

#[derive(Default)]
struct State {
    /// Their message storage policies, in the order in which they were created.
    channels: Vec<(String, u64)>,
    answers: Answers,
    asked: usize,
}

impl ChannelService {
    pub(crate) async fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let now = UnixTime::since_unix_epoch(since_epoch);
        let authority = Authority::generate(now).unwrap();
        let identity = authority.server(&[], now).unwrap();
        let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain().to_vec(), identity.private_key().to_der())
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(tls)), Arc::clone(&state)));
        let ca_pem = authority.root_pem(Purpose::Server).into_bytes().into();
        Self { address, ca_pem, state }
    }

    pub(crate) fn services(&self) -> ChannelServices {
        let endpoint = Endpoint::custom("localhost", self.address.port()).unwrap();
        let ca_pem = Some(Arc::clone(&self.ca_pem));
        ChannelServices { production: endpoint.clone(), sandbox: endpoint, ca_pem }
    }

    /// From now on.
    pub(crate) fn answer(&self, answers: Answers) {
        self.state.lock().unwrap().answers = answers;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, state: Arc<Mutex<State>>) {
    while let Ok((tcp, _)) = listener.accept().await {
        tokio::spawn(converse(tcp, tls.clone(), Arc::clone(&state)));
    }
}

async fn converse(tcp: TcpStream, tls: TlsAcceptor, state: Arc<Mutex<State>>) {
    let Ok(stream) = tls.accept(tcp).await else { return };
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        if matches!(state.lock().unwrap().answers, Answers::Nothing) {
            return;
        }
        tokio::spawn(answer(request, respond, Arc::clone(&state)));
    }
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>, state: Arc<Mutex<State>>) {
    let (head, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(Ok(part)) = stream.data().await {
        stream.flow_control().release_capacity(part.len()).unwrap();
        body.extend_from_slice(&part);
    }
    let field = |name: &str| head.headers.get(name).map(|it| it.to_str().unwrap().to_owned());
    assert!(field("authorization").unwrap().starts_with("bearer "));
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let channel = field("apns-channel-id");
    let (status, fields, body) =
        state.lock().unwrap().answer(&head.method, head.uri.path(), channel.as_deref(), &body);
    let mut response = Response::builder().status(status);
    response = response.header("apns-request-id", field("apns-request-id").unwrap());
    for (name, value) in fields {
        response = response.header(name, value);
    }
    let mut sending = respond.send_response(response.body(()).unwrap(), body.is_null()).unwrap();
    if !body.is_null() {
        sending.send_data(body.to_string().into(), true).unwrap();
    }
}

impl State {
    fn answer(
        &mut self,
        method: &Method,
        path: &str,
        channel: Option<&str>,
        body: &Value,
    ) -> (u16, BTreeMap<&'static str, String>, Value) {
        self.asked += 1;
        let refuse = |status, reason: &str| (status, BTreeMap::new(), json!({ "reason": reason }));
        if let Answers::Refusal(status, reason) = self.answers {
            return refuse(status, reason);
        }
        let at = self.channels.iter().position(|(id, _)| Some(id.as_str()) == channel);
        let what = path.strip_prefix(&format!("/1/apps/{APP}/")).unwrap_or_default();
        match (method.as_str(), what, at) {
            ("GET", "all-channels", _) => {
                let ids: Vec<&String> = self.channels.iter().map(|(id, _)| id).collect();
                (200, BTreeMap::new(), json!({ "channels": ids }))
            }
            ("POST", "channels", _) => {
                assert_eq!(body["push-type"], "LiveActivity");
                // With what a path cannot have.
                let id = BASE64_STANDARD.encode([0xfb, 0xff, self.channels.len() as u8, 7]);
                self.channels.push((id.clone(), body["message-storage-policy"].as_u64().unwrap()));
                (201, BTreeMap::from([("apns-channel-id", id)]), Value::Null)
            }
            ("GET", "channels", Some(at)) => {
                let policy = self.channels[at].1;
                let shown = json!({ "message-storage-policy": policy, "push-type": "LiveActivity" });
                (200, BTreeMap::new(), shown)
            }
            ("DELETE", "channels", Some(at)) => {
                self.channels.remove(at);
                (204, BTreeMap::new(), Value::Null)
            }
            ("GET" | "DELETE", "channels", None) => refuse(400, "ChannelNotRegistered"),
            _ => refuse(404, "BadPath"),
        }
    }
}
