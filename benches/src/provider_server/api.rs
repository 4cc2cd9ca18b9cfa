use std::net::SocketAddr;

use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::failed;
use crate::load::LoadError;

/// One connection to the API, which is asked one thing after the other.
pub(super) struct Api {
    sender: SendRequest<Full<Bytes>>,
    authorization: String,
    host: String,
}

impl Api {
    pub(super) async fn connect(address: SocketAddr, key: &str) -> Result<Self, LoadError> {
        let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        tokio::spawn(connection); // ends with the sender; what goes wrong is the answer's error
        Ok(Self { sender, authorization: format!("Bearer {key}"), host: address.to_string() })
    }

    /// Asks, and takes what is answered, which has to be good.
    pub(super) async fn ask(&mut self, method: Method, path: &str, body: &Value) -> Result<Value, LoadError> {
        let (status, bytes) = self.answer(method, path, body.to_string()).await?;
        if !status.is_success() {
            return Err(failed(&format!("{path}: {status}: {}", String::from_utf8_lossy(&bytes))));
        }
        if bytes.is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_slice(&bytes).map_err(|error| failed(&error))
        }
    }

    async fn answer(
        &mut self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, Bytes), LoadError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| failed(&error))?;
        self.sender.ready().await.map_err(|error| failed(&error))?;
        let answer = self.sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| failed(&error))?;
        Ok((status, body.to_bytes()))
    }
}
