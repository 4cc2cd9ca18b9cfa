//! A server, and whoever asks it.

use std::{net::SocketAddr, path::Path, sync::Arc, time::SystemTime};

use apns_certs::AuthKey;
use apns_provider::Endpoint;
use apns_provider_core::UnixTime;
use apns_provider_server::{
    api::{self, Api, ApiParts, Limits, NoPipeline},
    channels::ChannelServices,
    config::Config,
    startup::{self, Started},
    store::Store,
};
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

pub(crate) const APP: &str = "com.example.tea";
pub(crate) const TOKEN: &str = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

/// A server that stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) api: Api,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) ended: JoinHandle<()>,
    operator: String,
}

/// Who asks with a key, or without one.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    address: SocketAddr,
    fields: Vec<(String, String)>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

pub(crate) fn config(folder: &Path, arguments: &[&str]) -> Config {
    let data_dir = folder.join("data");
    let fixed = ["serve", "--data-dir", data_dir.to_str().unwrap()];
    Config::read(fixed.iter().chain(arguments).map(Into::into), &[]).unwrap()
}

pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap())
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these arguments besides.
    pub(crate) async fn with(arguments: &[&str]) -> Self {
        // Nobody is there, and nobody is asked.
        let nowhere = Endpoint::custom("localhost", 1).unwrap();
        let channels = ChannelServices { production: nowhere.clone(), sandbox: nowhere, ca_pem: None };
        Self::of(arguments, channels).await
    }

    /// With this channel management.
    pub(crate) async fn with_channels(channels: ChannelServices) -> Self {
        Self::of(&[], channels).await
    }

    async fn of(arguments: &[&str], channels: ChannelServices) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), arguments);
        let Started { store, vault, first_key } = startup::start(&config, now()).await.unwrap();
        let api = Api::new(ApiParts {
            store: store.clone(),
            vault,
            pipeline: Arc::new(NoPipeline::default()),
            bounds: config.bounds,
            requests_max: config.requests_max,
            webhook_policy: config.webhook_policy,
            channels,
            metrics: None,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let limits = Limits { connections_max: 100, ..config.limits };
        let ended = tokio::spawn(api::serve(listener, api.router(), limits, stopped));
        let operator = first_key.unwrap().as_str().to_owned();
        Self { folder, address, store, api, stop, ended, operator }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Somebody without a key.
    pub(crate) fn nobody(&self) -> Asker {
        Asker { address: self.address, fields: Vec::new() }
    }

    pub(crate) fn with_key(&self, key: &str) -> Asker {
        self.nobody().field("authorization", &format!("Bearer {key}"))
    }

    /// The operator, who means the tenant `default` where none is named.
    pub(crate) fn operator(&self) -> Asker {
        self.with_key(&self.operator)
    }

    /// A key of this tenant with these roles.
    pub(crate) async fn key_of(&self, tenant: &str, roles: &[&str]) -> String {
        let operator = self.operator().field("apns-tenant", tenant);
        operator.put(&format!("/v1/tenants/{tenant}"), &json!({})).await;
        let made = operator.post("/v1/keys", &json!({ "label": "a key", "roles": roles })).await.expect(201);
        made["key"].as_str().unwrap().to_owned()
    }

    /// With an app that has a credential for the sandbox.
    pub(crate) async fn with_app() -> Self {
        let server = Self::start().await;
        server.add_app().await;
        server
    }

    pub(crate) async fn add_app(&self) {
        let operator = self.operator();
        operator.put(&format!("/v1/apps/{APP}"), &json!({})).await.expect(201);
        let path = format!("/v1/apps/{APP}/credentials/sandbox");
        operator.put(&path, &json!({ "p8": p8() })).await.expect(200);
    }
}

/// A key that nobody has used.
pub(crate) fn p8() -> Value {
    let key = AuthKey::generate(apns_certs::KeyId::new("KEY0000001").unwrap()).unwrap();
    json!({ "key": key.to_p8(), "key-id": "KEY0000001", "team-id": "TEAM000001" })
}

impl Asker {
    /// With this field besides, or instead.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(its, _)| its != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask(Method::POST, path, &body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.ask(Method::PUT, path, &body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.ask(Method::DELETE, path, "").await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: &str) -> Reply {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::new(Full::new(bytes::Bytes::copy_from_slice(body.as_bytes())));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        request.headers_mut().insert(header::HOST, self.address.to_string().parse().unwrap());
        for (name, value) in &self.fields {
            let name = header::HeaderName::try_from(name).unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: parts.status.as_u16(), headers: parts.headers, text }
    }
}

impl Reply {
    /// The body of an answer that was to be this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { serde_json::from_str(&self.text).unwrap() }
    }

    /// The error of an answer that was to be this status, and this code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        let error = body["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        assert!(
            !error["message"].as_str().unwrap().is_empty() && !error["hint"].as_str().unwrap().is_empty()
        );
        error
    }

    /// The fields that an answer says were wrong.
    #[track_caller]
    pub(crate) fn wrong_fields(self, code: &str) -> Vec<String> {
        let error = self.refused(400, code);
        let fields = error["fields"].as_array().unwrap_or_else(|| panic!("{error} names no field"));
        fields.iter().map(|it| it["field"].as_str().unwrap().to_owned()).collect()
    }
}
