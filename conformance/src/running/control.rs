//! The control API of a double: faults that a case asks for.

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use crate::Arrangement;

/// Where a double takes orders.
pub(super) struct Control<'a> {
    address: &'a str,
}

impl<'a> Control<'a> {
    pub(super) fn new(address: &'a str) -> Self {
        Self { address: address.trim_start_matches("http://").trim_end_matches('/') }
    }

    /// Asks for the faults, in place of those of the same names.
    pub(super) async fn arrange(&self, arranged: &[Arrangement], deadline: Instant) -> Result<(), String> {
        let arranging = async {
            self.forget(arranged).await?;
            for Arrangement { fault, .. } in arranged {
                let (status, body) = self.ask(Method::POST, "/v1/faults", fault.clone()).await?;
                if !status.is_success() {
                    return Err(format!("{status} {body}"));
                }
            }
            Ok(())
        };
        timeout_at(deadline, arranging).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    /// Asks for the faults to be forgotten; those that are not there are forgotten already.
    pub(super) async fn forget(&self, arranged: &[Arrangement]) -> Result<(), String> {
        for Arrangement { name, .. } in arranged {
            self.ask(Method::DELETE, &format!("/v1/faults/{name}"), String::new()).await?;
        }
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: String) -> Result<(StatusCode, String), String> {
        let tcp = TcpStream::connect(self.address).await.map_err(text)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await.map_err(text)?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address)
            .header("content-type", "application/json")
            .body(Full::new(bytes::Bytes::from(body)))
            .map_err(text)?;
        let answer = sender.send_request(request).await.map_err(text)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(text)?.to_bytes();
        connection.abort();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
