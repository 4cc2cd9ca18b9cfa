//! A stream of server-sent events, read one by one.

use http::Method;
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::control::Control;

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
    /// Begins to read the stream at `path`.
    pub(crate) async fn of(control: Control, path: &str, fields: &[(&str, &str)]) -> Self {
        let response = control.send(Method::GET, path, fields, "").await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event; what only keeps the connection alive is skipped.
    pub(crate) async fn next_event(&mut self) -> Event {
        loop {
            if let Some((event, _)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.unwrap_or_default().to_owned()
                };
                let (kind, id, data) = (field("event"), field("id"), field("data"));
                let end = event.len() + 2;
                self.text.drain(..end);
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
