//! Which of several, counted from 1.

use serde::{Deserialize, Serialize};

/// Which of several, counted from 1: one, or from one to another, both ends included.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "an ordinal is a number from 1, or {\"from\": 2, \"to\": 5}, where one end may be left out"
)]
pub enum Ordinals {
    /// This one.
    One(u64),
    /// From one to another.
    Range {
        /// The first; left out, 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<u64>,
        /// The last; left out, there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<u64>,
    },
}

impl Ordinals {
    fn bounds(self) -> (u64, u64) {
        match self {
            Self::One(ordinal) => (ordinal, ordinal),
            Self::Range { from, to } => (from.unwrap_or(1), to.unwrap_or(u64::MAX)),
        }
    }

    /// Whether it is one of them.
    pub(super) fn contain(self, ordinal: u64) -> bool {
        let (first, last) = self.bounds();
        (first..=last).contains(&ordinal)
    }

    /// Whether there is none of them.
    pub(super) fn are_none(self) -> bool {
        let (first, last) = self.bounds();
        first > last || last == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_a_range_is_read_and_anything_else_says_how() {
        let read = |json: &str| serde_json::from_str::<Ordinals>(json).map_err(|error| error.to_string());
        assert!(read("3").unwrap().contain(3) && !read("3").unwrap().contain(4));
        let range = read(r#"{"from": 2, "to": 5}"#).unwrap();
        assert_eq!([1, 2, 5, 6].map(|it| range.contain(it)), [false, true, true, false]);
        assert!(read(r#"{"from": 2}"#).unwrap().contain(u64::MAX));
        assert!(read(r#"{"to": 2}"#).unwrap().contain(1));
        for wrong in [r#""3""#, "-1", r#"{"first": 2}"#] {
            assert!(read(wrong).unwrap_err().contains("a number from 1"));
        }
        for none in ["0", r#"{"from": 3, "to": 2}"#, r#"{"to": 0}"#] {
            assert!(read(none).unwrap().are_none(), "{none}");
        }
    }
}
