//! The control API, asked as any program would ask it: HTTP/1.1 and JSON.

use std::net::SocketAddr;

use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use mock_apns::MockApns;

/// A control API.
#[derive(Clone, Copy)]
pub(crate) struct Control(SocketAddr);

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Control {
    pub(crate) fn of(mock: &MockApns) -> Self {
        Self(mock.control())
    }

    pub(crate) async fn get(self, path: &str) -> Reply {
        self.ask(Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(self, path: &str, body: &str) -> Reply {
        self.ask(Method::POST, path, &[], body).await
    }

    pub(crate) async fn put(self, path: &str, body: &str) -> Reply {
        self.ask(Method::PUT, path, &[], body).await
    }

    pub(crate) async fn patch(self, path: &str, body: &str) -> Reply {
        self.ask(Method::PATCH, path, &[], body).await
    }

    pub(crate) async fn delete(self, path: &str) -> Reply {
        self.ask(Method::DELETE, path, &[], "").await
    }

    /// A stream of events.
    pub(crate) async fn stream(self, path: &str, fields: &[(&str, &str)]) -> Events {
        let response = self.send(Method::GET, path, fields, "").await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { body: response.into_body(), text: String::new() }
    }

    /// Any request. `host` is what the address says, unless `fields` has another.
    pub(crate) async fn ask(self, method: Method, path: &str, fields: &[(&str, &str)], body: &str) -> Reply {
        let (parts, body) = self.send(method, path, fields, body).await.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    async fn send(
        self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> http::Response<hyper::body::Incoming> {
        let tcp = TcpStream::connect(self.0).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::new(Full::new(bytes::Bytes::copy_from_slice(body.as_bytes())));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        request.headers_mut().insert(header::HOST, self.0.to_string().parse().unwrap());
        for (name, value) in fields {
            request
                .headers_mut()
                .insert(header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        sender.send_request(request).await.unwrap()
    }
}

/// A stream of server-sent events.
pub(crate) struct Events {
    body: hyper::body::Incoming,
    text: String,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Events {
    pub(crate) async fn next_event(&mut self) -> Event {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.unwrap_or_default().to_owned()
                };
                let (kind, id, data) = (field("event"), field("id"), field("data"));
                self.text = rest.to_owned();
                if !data.is_empty() {
                    return Event { kind, id, data: serde_json::from_str(&data).unwrap() };
                }
                continue; // to keep the connection alive
            }
            let frame = self.body.frame().await.expect("the stream goes on").unwrap();
            self.text += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
        }
    }
}

impl Reply {
    /// The body of an answer that was to be this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { serde_json::from_str(&self.text).unwrap() }
    }

    /// The code and the message of an error with this status.
    #[track_caller]
    pub(crate) fn error(self, status: u16) -> (String, String) {
        let body = self.expect(status);
        let error = body["error"].as_object().unwrap();
        assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "hint", "message"]);
        let text = |key: &str| error[key].as_str().unwrap().to_owned();
        assert!(!text("hint").is_empty());
        (text("code"), text("message"))
    }
}
