use std::time::Duration;

use crate::http_date;
use crate::unix_time::UnixTime;

/// When the service wants to hear from us again (RFC 9110 section 10.2.3). Apple does not document it for
/// APNs; a proxy or a later APNs may send it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RetryAfter {
    /// Not before this moment.
    At(UnixTime),
    /// Not before this much time has passed.
    Delay(Duration),
}

impl RetryAfter {
    /// Reads the header's value: seconds or a date. Anything else is nothing.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text = str::from_utf8(value).ok()?.trim_ascii();
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(|secs| Self::Delay(Duration::from_secs(secs)));
        }
        http_date::parse(text).map(Self::At)
    }

    /// How long to wait from `now`, when the answer came; zero when the moment has passed.
    pub fn delay(self, now: UnixTime) -> Duration {
        match self {
            Self::At(moment) => moment.saturating_since(now),
            Self::Delay(delay) => delay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let now = UnixTime::from_secs(784_111_700);
        assert_eq!(RetryAfter::parse(b"120").unwrap().delay(now), Duration::from_mins(2));
        assert_eq!(RetryAfter::parse(b"0").unwrap().delay(now), Duration::ZERO);
        let date = RetryAfter::parse(b"Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.delay(now), Duration::from_secs(77));
        assert_eq!(date.delay(UnixTime::from_secs(784_111_778)), Duration::ZERO);
    }

    #[test]
    fn garbage_is_nothing() {
        for value in [b"".as_slice(), b"-1", b"1.5", b"soon", b"\xff", b"99999999999999999999999", b"1 2"] {
            assert_eq!(RetryAfter::parse(value), None, "{value:?}");
        }
    }
}
