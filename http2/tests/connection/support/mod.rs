//! What the tests stand on.
//!
//! | module | what |
//! |---|---|
//! | `frames` | frames written by hand, and read back from the wire |
//! | `seen` | events that can be kept |
//! | `raw_peer` | one connection under test, its peer is the test |
//! | `pair` | two connections and no socket between them |

mod frames;
mod pair;
mod raw_peer;
mod seen;

pub(crate) use frames::{
    Frame, block, codes, continuation, data, goaway, headers, ping, ping_ack, priority, push_promise,
};
pub(crate) use frames::{PREFACE, reset, setting, settings, settings_ack, window_update};
pub(crate) use pair::Pair;
pub(crate) use raw_peer::RawPeer;
pub(crate) use seen::{Seen, body_of, seen_of};

use apns_http2::hpack::Field;

/// The head of a push, as pairs for raw frames.
pub(crate) const REQUEST: [(&str, &str); 3] =
    [(":method", "POST"), (":scheme", "https"), (":path", "/3/device/00fc13adff78")];

/// The head of a push, as fields for a connection.
pub(crate) const PUSH: [Field<'static>; 4] = [
    Field::incremental(b":method", b"POST"),
    Field::incremental(b":scheme", b"https"),
    Field::never(b":path", b"/3/device/00fc13adff78"),
    Field::incremental(b"apns-topic", b"com.example.app"),
];

/// The head of an answer.
pub(crate) const OK: [Field<'static>; 1] = [Field::incremental(b":status", b"200")];
