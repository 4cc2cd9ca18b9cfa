//! What the provider's crates say to `tracing` on this thread, as text.

use std::{
    cell::RefCell,
    io::{self, Write},
    sync::Once,
};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::dynamic_filter_fn,
    fmt::{self, format::FmtSpan},
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

/// Keeps what is said on this thread until it is dropped. A `tokio::test` runs all its tasks on its own thread.
pub(crate) struct Logs;

/// What a thread keeps.
struct Kept {
    level: Level,
    with_spans: bool,
    said: Vec<u8>,
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

impl Logs {
    /// Of this level and above.
    pub(crate) fn at(level: Level) -> Self {
        Self::of(level, false)
    }

    /// Of this level and above, and a line for each span that is over.
    pub(crate) fn of_spans_at(level: Level) -> Self {
        Self::of(level, true)
    }

    fn of(level: Level, with_spans: bool) -> Self {
        install();
        KEPT.set(Some(Kept { level, with_spans, said: Vec::new() }));
        Self
    }

    #[expect(clippy::unused_self, reason = "only whoever keeps something can ask for it")]
    pub(crate) fn text(&self) -> String {
        KEPT.with_borrow(|kept| String::from_utf8(kept.as_ref().unwrap().said.clone()).unwrap())
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        KEPT.set(None);
    }
}

/// One subscriber for all threads. With one for each, what is said at a place for the first time by a thread without any may be
/// forgotten everywhere: whether a place is heard is remembered for the whole process.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let (plain, spans) = (layer(FmtSpan::NONE, false), layer(FmtSpan::CLOSE, true));
        tracing_subscriber::registry().with(plain).with(spans).init();
    });
}

fn layer<S>(spans: FmtSpan, with_spans: bool) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let is_heard = dynamic_filter_fn(move |of: &Metadata<'_>, _| is_kept(of, with_spans));
    fmt::layer().with_ansi(false).with_span_events(spans).with_writer(|| Here).with_filter(is_heard)
}

fn is_kept(of: &Metadata<'_>, with_spans: bool) -> bool {
    let is_ours =
        ["apns_provider", "apns_http2", "apns_wire"].iter().any(|ours| of.target().starts_with(ours));
    let is_asked = |kept: &Kept| kept.with_spans == with_spans && *of.level() <= kept.level;
    is_ours && KEPT.with_borrow(|kept| kept.as_ref().is_some_and(is_asked))
}

struct Here;

impl Write for Here {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.with_borrow_mut(|kept| {
            if let Some(kept) = kept {
                kept.said.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
