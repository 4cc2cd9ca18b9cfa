//! The form of an answer's frames: how they are padded, and in how many a field block goes out.

use std::{collections::BTreeMap, num::NonZeroU16};

use super::{Answering, RetryAfter};

/// What the one byte can say that tells how long the padding is (RFC 9113, 6.1).
const PADDING_MAX: u32 = u8::MAX as u32;
/// The longest frame that every client takes (RFC 9113, 4.2); more would change nothing.
const FIELD_BLOCK_BYTES_MAX: u32 = 16_384;
/// CONTINUATION frames of one field block. With more it is not the form of an answer that is tried: this project's own provider, and
/// others with it, take a block that goes on and on for an attack (CVE-2024-27316).
const CONTINUATIONS_MAX: usize = 16;
/// Bytes of a field block that the service's own fields take when all are there and none is in a table: `:status`, `apns-id`,
/// `apns-unique-id`, `content-type`, and `mock-apns-fault` with the longest name.
const OWN_FIELDS_MAX: usize = 5 + 46 + 53 + 18 + 82;
/// Bytes at the beginning of a block that say how large the table is: what it was in between, and what it is now (RFC 7541, 4.2).
const TABLE_SIZES_MAX: usize = 3 + 3;
/// Digits of the longest `content-length`.
const U64_DIGITS_MAX: usize = 20;
/// Bytes that a field takes beside its name and its value: one that says how it is told, and the length of each.
const FIELD_OVERHEAD_MAX: usize = 1 + 3 + 3;

impl Answering {
    /// Bytes of padding in each frame that may have it.
    pub(in super::super) fn padding(&self) -> Option<u8> {
        self.padding.and_then(|padding| u8::try_from(padding).ok()) // none is larger: it was checked
    }

    /// Bytes of field block in each frame, at most.
    pub(in super::super) fn field_block_bytes(&self) -> Option<NonZeroU16> {
        let bytes = u16::try_from(self.field_block_bytes?).ok()?; // none is larger: it was checked
        NonZeroU16::new(bytes)
    }

    pub(super) fn check_framing(&self) -> Result<(), String> {
        if let Some(padding) = self.padding.filter(|padding| *padding > PADDING_MAX) {
            return Err(format!("padding is {padding}: it takes a number from 0 to {PADDING_MAX}"));
        }
        let least = self.block_bytes_max().div_ceil(1 + CONTINUATIONS_MAX);
        if let Some(bytes) = self.field_block_bytes
            && !(least..=FIELD_BLOCK_BYTES_MAX as usize).contains(&(bytes as usize))
        {
            return Err(format!(
                "field-block-bytes is {bytes}: it takes a number from {least}, with which these fields have at most \
                 {CONTINUATIONS_MAX} CONTINUATION frames, to {FIELD_BLOCK_BYTES_MAX}"
            ));
        }
        for (is_given, name) in
            [(self.padding.is_some(), "padding"), (self.field_block_bytes.is_some(), "field-block-bytes")]
        {
            if is_given && self.after_reset {
                return Err(format!("after a reset an answer has one form: leave out {name} or after-reset"));
            }
        }
        Ok(())
    }

    /// Bytes of its longest field block, at most.
    fn block_bytes_max(&self) -> usize {
        let sum = |fields: &BTreeMap<String, String>| -> usize {
            fields.iter().map(|(name, value)| field(name, value.len())).sum()
        };
        let retry_after = self.retry_after.as_ref().map_or(0, |value| {
            let len = match value {
                RetryAfter::Text(text) => text.len(),
                RetryAfter::Seconds(_) | RetryAfter::Date { .. } => "Thu, 01 Jan 1970 00:00:00 GMT".len(),
            };
            field("retry-after", len)
        });
        let content_length = self.content_length.map_or(0, |_| field("content-length", U64_DIGITS_MAX));
        let head = OWN_FIELDS_MAX + retry_after + content_length + sum(&self.headers);
        TABLE_SIZES_MAX + head.max(sum(&self.trailers))
    }
}

/// Bytes of block that a field takes at most.
fn field(name: &str, value_bytes: usize) -> usize {
    name.len() + value_bytes + FIELD_OVERHEAD_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<(), String> {
        serde_json::from_str::<Answering>(json).unwrap().check()
    }

    #[test]
    fn a_form_is_taken_within_its_bounds() {
        for json in [
            r#"{"padding": 0}"#,
            r#"{"padding": 255, "frame-bytes": 1, "interim": [103], "trailers": {"x-late": "1"}}"#,
            r#"{"field-block-bytes": 13, "status": 503}"#,
            r#"{"field-block-bytes": 16384, "headers": {"x-long": "…"}}"#,
        ] {
            assert_eq!(check(json), Ok(()), "{json}");
        }
    }

    #[test]
    fn a_form_out_of_bounds_is_refused_by_the_name_of_its_field() {
        for (json, why) in [
            (r#"{"padding": 256}"#, "padding is 256: it takes a number from 0 to 255"),
            (r#"{"field-block-bytes": 0}"#, "field-block-bytes is 0: it takes a number from 13,"),
            (r#"{"field-block-bytes": 12}"#, "field-block-bytes is 12: it takes a number from 13,"),
            (r#"{"field-block-bytes": 16385}"#, "field-block-bytes is 16385: it takes"),
            (r#"{"padding": 1, "after-reset": true}"#, "leave out padding or after-reset"),
            (
                r#"{"field-block-bytes": 99, "after-reset": true}"#,
                "leave out field-block-bytes or after-reset",
            ),
        ] {
            let error = check(json).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn the_more_fields_there_are_the_longer_the_frames_have_to_be() {
        for (more, least) in [
            (r#""retry-after": 5"#, 16),
            (r#""retry-after": {"date-in": "90s"}"#, 16),
            (r#""content-length": 5"#, 15),
            (r#""headers": {"x-a": "1", "x-b": "2"}"#, 14),
            (r#""trailers": {"x-a": "1", "x-b": "2"}"#, 13), // of a block of their own
            (&format!(r#""trailers": {{"x-a": "{}"}}"#, "1".repeat(300)), 19),
        ] {
            let with = |bytes: u32| check(&format!(r#"{{"field-block-bytes": {bytes}, {more}}}"#));
            assert_eq!(with(least), Ok(()), "{more}");
            let error = with(least - 1).unwrap_err();
            assert!(error.contains(&format!("from {least},")), "{more}: {error}");
        }
    }
}
