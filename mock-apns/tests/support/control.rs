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
        Self::at(mock.control())
    }

    pub(crate) fn at(address: SocketAddr) -> Self {
        Self(address)
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

    /// Any request. `host` is what the address says, unless `fields` has another.
    pub(crate) async fn ask(self, method: Method, path: &str, fields: &[(&str, &str)], body: &str) -> Reply {
        let (parts, body) = self.send(method, path, fields, body).await.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    pub(crate) async fn send(
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
