//! What the provider's crates say to `tracing` on this thread, as text.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tracing::{Level, subscriber::DefaultGuard};
use tracing_subscriber::{
    filter::Targets,
    fmt,
    fmt::{MakeWriter, format::FmtSpan},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Keeps what is said until it is dropped. A `tokio::test` runs all its tasks on its own thread.
pub(crate) struct Logs {
    said: Said,
    _guard: DefaultGuard,
}

impl Logs {
    /// Of this level and above.
    pub(crate) fn at(level: Level) -> Self {
        Self::of(level, FmtSpan::NONE)
    }

    /// Of this level and above, and a line for each span that is over.
    pub(crate) fn of_spans_at(level: Level) -> Self {
        Self::of(level, FmtSpan::CLOSE)
    }

    fn of(level: Level, spans: FmtSpan) -> Self {
        let said = Said::default();
        let targets = Targets::new()
            .with_target("apns_provider", level)
            .with_target("apns_http2", level)
            .with_target("apns_wire", level);
        let layer = fmt::layer().with_ansi(false).with_span_events(spans).with_writer(said.clone());
        let guard = tracing_subscriber::registry().with(layer).with(targets).set_default();
        Self { said, _guard: guard }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.said.0.lock().unwrap().clone()).unwrap()
    }
}

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
