//! The double survives what it can inflict. While each attack runs, an honest provider goes on pushing, on its old connection and on
//! new ones, in time; the double's memory stays bounded; and a metric tells what happened. docs/limits.md has the table.
//!
//! | module | attack |
//! |---|---|
//! | `floods` | rapid reset, CONTINUATION, HPACK bombs, SETTINGS, PING, empty DATA, WINDOW_UPDATE, PRIORITY, unknown frames |
//! | `holders` | zero windows, unread answers, requests that never end |
//! | `half_open` | connections that say nothing, or half of something |
//! | `waiting` | how long each of these may last |

#![cfg(target_os = "linux")] // memory is read from /proc
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "../support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
mod floods;
#[path = "../../../http2/tests/connection/support/frames.rs"]
#[expect(dead_code, reason = "what the tests of HTTP/2 send")]
mod frames;
mod half_open;
mod holders;
mod honest;
#[path = "../support/process.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod process;
mod raw;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "the provider of the wire tests")]
mod support;
mod target;
mod waiting;

/// The head of a push that attackers send; it is refused for its device token, with a body.
const REQUEST: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", "/3/device/00ff")];
