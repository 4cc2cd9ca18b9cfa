//! Durations in rules: `250ms`, `5s`, `20m`, `8h`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest that a rule may speak of: ten years of 365 days. Beyond, sums with points in time would end at their limits.
const SPAN_MAX: Duration = Duration::from_hours(10 * 365 * 24);

/// A duration as a rule writes it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Span(pub(crate) Duration);

impl Span {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let span = humantime::parse_duration(text).map_err(|error| {
            format!("{text:?} is not a duration ({error}): write it like 250ms, 5s or 20m")
        })?;
        if span > SPAN_MAX {
            return Err(format!("{text:?} is longer than ten years"));
        }
        Ok(Self(span))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

pub(crate) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
    Span(*span).serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    Span::deserialize(from).map(|span| span.0)
}

/// Where there may be none.
pub(crate) mod option {
    use super::{Deserialize as _, Deserializer, Duration, Serialize as _, Serializer, Span};

    #[expect(clippy::ref_option, reason = "serde asks so")]
    pub(crate) fn serialize<S: Serializer>(span: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        span.map(Span).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Span>::deserialize(from)?.map(|span| span.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_back_as_written_and_a_wrong_one_says_how() {
        for text in ["250ms", "5s", "20m", "8h", "1h 30m"] {
            let span = Span::parse(text).unwrap();
            let json = serde_json::to_string(&span).unwrap();
            assert_eq!(serde_json::from_str::<Span>(&json).unwrap(), span);
        }
        assert!(Span::parse("5").unwrap_err().contains("like 250ms, 5s or 20m"));
        assert!(Span::parse("11years").unwrap_err().contains("longer than ten years"));
    }
}
