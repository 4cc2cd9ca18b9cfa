//! Every limit of a connection, named, with its unit and its reason.

use std::time::Duration;

/// CONTINUATION frames in one field block. Legitimate blocks need one or two (CVE-2024-27316).
pub const CONTINUATIONS_MAX: u32 = 16;
/// Compressed bytes of one field block over all its frames: what fits SETTINGS_MAX_HEADER_LIST_SIZE is far below.
pub const HEADER_BLOCK_BYTES_MAX: usize = 65_536;
/// Uncompressed bytes of one field section, counted as SETTINGS_MAX_HEADER_LIST_SIZE counts them, whatever that setting says and before
/// it is acknowledged: a block of 64 KiB can refer 65,536 times to a field of 4 KiB.
pub const FIELD_SECTION_BYTES_MAX: u32 = 262_144;
/// Streams a peer may have open before it has acknowledged our SETTINGS_MAX_CONCURRENT_STREAMS, or if we set none: bounds the
/// memory that a peer can claim by never acknowledging. A higher setting is announced but not honoured.
pub const STREAMS_MAX: u32 = 10_000;
/// Identifiers kept of streams that we have reset, so that frames that were already under way for them are ignored
/// (RFC 9113 section 5.1, "closed").
pub const RESET_STREAMS_REMEMBERED: usize = 1_024;
/// SETTINGS of ours that may wait for their acknowledgement.
pub const SETTINGS_PENDING_MAX: usize = 64;
/// Bytes ready to be sent above which no more DATA is framed; it waits in its stream until the peer reads.
pub const OUTPUT_HIGH_WATER: usize = 256 * 1024;
/// Bytes ready to be sent above which a peer that goes on asking without reading is disconnected (CVE-2019-9511 and -9517).
pub const OUTPUT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes ready to be sent above which a client opens no more streams: half of what would end the connection, so that a burst of our
/// own requests is never taken for a peer that does not read.
pub const OUTPUT_BYTES_TO_OPEN_MAX: usize = OUTPUT_BYTES_MAX / 2;
/// Bytes of each buffer that outlive a batch: a read of 64 KiB behind the longest frame of the default size, and
/// less than what allocators map and unmap each time. Larger ones are rare, and idle connections are many.
pub const BUFFER_BYTES_KEPT: usize = 96 * 1024;

/// How often something may happen: `burst` times at once, and `per_second` times a second over time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// Events allowed at once.
    pub burst: u32,
    /// Events allowed a second over time.
    pub per_second: u32,
}

/// What a peer may do how often; more ends the connection with ENHANCE_YOUR_CALM.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// RST_STREAM received. A provider that times out a full connection resets 1000 streams at once, and that is legitimate;
    /// rapid reset needs tens of thousands (CVE-2023-44487).
    pub resets: Rate,
    /// Streams that we reset for a peer's error (CVE-2025-8671), refused ones included.
    pub stream_errors: Rate,
    /// SETTINGS received (CVE-2019-9515).
    pub settings: Rate,
    /// PING received (CVE-2019-9512).
    pub pings: Rate,
    /// WINDOW_UPDATE received beyond two for each DATA frame sent, one for its stream and one for the connection, and two more for its
    /// padding: each is work, and none of these lets anything go. Clients send some at the start, and as many as the DATA frames that
    /// they read.
    pub window_updates: Rate,
    /// DATA frames with no bytes that do not end their stream (CVE-2019-9518).
    pub empty_frames: Rate,
    /// PRIORITY frames and frames of unknown type (CVE-2019-9513). A client may send one PRIORITY for each request.
    pub ignored_frames: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            resets: Rate { burst: 2_000, per_second: 200 },
            stream_errors: Rate { burst: 10_000, per_second: 1_000 },
            settings: Rate { burst: 100, per_second: 10 },
            pings: Rate { burst: 100, per_second: 10 },
            window_updates: Rate { burst: 10_000, per_second: 1_000 },
            empty_frames: Rate { burst: 1_000, per_second: 100 },
            ignored_frames: Rate { burst: 20_000, per_second: 10_000 },
        }
    }
}

/// A token bucket over a time that is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateMeter {
    rate: Rate,
    /// Thousandths of an event still allowed: whole events would starve at rates below one a millisecond.
    allowance: u64,
    since: Duration,
}

impl RateMeter {
    pub(crate) const fn new(rate: Rate) -> Self {
        Self { rate, allowance: rate.burst as u64 * 1000, since: Duration::ZERO }
    }

    /// Counts one event at `now`; false if it is one too many. A `now` before the last one counts as the last one.
    pub(crate) fn allows(&mut self, now: Duration) -> bool {
        let elapsed_ms = now.saturating_sub(self.since).as_millis() as u64;
        if elapsed_ms > 0 {
            let earned = elapsed_ms.saturating_mul(u64::from(self.rate.per_second));
            self.allowance = self.allowance.saturating_add(earned).min(u64::from(self.rate.burst) * 1000);
            self.since += Duration::from_millis(elapsed_ms); // the rest of a millisecond counts next time
        }
        match self.allowance.checked_sub(1000) {
            Some(rest) => {
                self.allowance = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let mut meter = RateMeter::new(Rate { burst: 3, per_second: 2 });
        let at = Duration::from_millis;
        assert_eq!([(); 4].map(|()| meter.allows(at(0))), [true, true, true, false]);
        assert!(!meter.allows(at(499)), "half a second earns one event at two a second");
        assert!(meter.allows(at(500)));
        assert!(!meter.allows(at(500)));
        assert!(!meter.allows(at(100)), "time that steps back earns nothing");
    }
}
