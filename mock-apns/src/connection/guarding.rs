//! Cutting off a peer that keeps the double waiting, or makes it hold too much.

use std::time::Instant;

use apns_http2::ErrorCode;
use tracing::{debug, info};

use super::{
    Connection, Next,
    watch::{Look, Offence},
};
use crate::connections::Because;

impl Connection {
    /// Looks whether the peer keeps the double waiting.
    pub(super) fn look(&mut self) -> Next {
        let now = self.opened_at.elapsed();
        if self.misbehaving.as_ref().is_some_and(|it| it.holds_up()) {
            self.watch.excuse(now);
            self.look_at = Some(Instant::now() + self.watch.every());
            return Next::Continue;
        }
        let look = Look {
            now,
            is_greeted: self.http2.has_peer_settings(),
            request_since: self.requests.oldest(),
            is_within_frame: self.http2.is_within_a_frame(),
            frames: self.http2.frames_received(),
            is_unread: self.socket.unsent() > 0 || self.http2.is_sending(),
            sent: self.socket.sent(),
        };
        if let Some(offence) = self.watch.look(look) {
            return self.cut_off(offence);
        }
        self.look_at = (!look.is_idle()).then(|| Instant::now() + self.watch.every());
        self.http2.shrink_buffers();
        Next::Continue
    }

    /// Ends the connection for what its peer does, or does not do.
    pub(super) fn cut_off(&mut self, offence: Offence) -> Next {
        info!(connection = %self.id, cause = offence.as_str(), "connection cut off: {}", offence.words());
        self.end = Some(Because::CutOff.with(offence.words()));
        self.offence = Some(offence);
        let last_stream = self.http2.last_peer_stream();
        let said = self.http2.goaway(last_stream, ErrorCode::ENHANCE_YOUR_CALM, offence.words().as_bytes());
        if let Err(error) = said {
            debug!(connection = %self.id, %error, "GOAWAY not sent");
        }
        Next::Close
    }

    /// About how much memory is held for what is under way, in bytes.
    pub(super) fn held_bytes(&self) -> u64 {
        (self.http2.held_bytes() + self.socket.unsent() + self.requests.held_bytes()) as u64
    }
}
