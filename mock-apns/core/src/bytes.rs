//! How bytes are written down: in hexadecimal, as text where they are text, or as they are.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::device_token::TokenBytes;

/// Bytes as text, as [`String::from_utf8_lossy`] reads them, and many times as fast where they are UTF-8, which nearly all are: it is
/// done to whole payloads, by each filter that looks for a text.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Whether a field can be left out: with `#[serde(default)]` it is read back as what it was.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Bytes of which there are always as many: in hexadecimal.
pub(crate) mod hex {
    use std::fmt;

    use super::{Deserialize as _, Deserializer, Serializer, TokenBytes, de};

    pub(crate) fn serialize<const N: usize, S: Serializer>(
        bytes: &[u8; N],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(&Digits(bytes))
    }

    struct Digits<'a>(&'a [u8]);

    impl fmt::Display for Digits<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        }
    }

    pub(crate) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        from: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(from)?;
        let bytes =
            TokenBytes::from_hex(text.as_bytes()).ok().and_then(|bytes| bytes.as_slice().try_into().ok());
        bytes.ok_or_else(|| de::Error::custom(format_args!("{text:?} is not {N} bytes in hexadecimal")))
    }
}

/// Bytes that are no text, in base64 (RFC 4648, 4).
pub(crate) mod standard_base64 {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::{Deserialize as _, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        BASE64_STANDARD.decode(String::deserialize(from)?).map_err(de::Error::custom)
    }
}

/// Bytes as they are, for formats that have such.
#[derive(Clone, PartialEq)]
pub(crate) struct Bytes(Vec<u8>);

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Bytes {
    /// How many: what they say may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut bytes: A) -> Result<Bytes, A::Error> {
                let mut all = Vec::new();
                while let Some(byte) = bytes.next_element()? {
                    all.push(byte);
                }
                Ok(Bytes(all))
            }
        }

        from.deserialize_byte_buf(Visitor)
    }
}

/// Bytes that people read, as most of them are text: a string where they are UTF-8, else `{"base64": "…"}`. For JSON alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Text(pub(crate) Vec<u8>);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => to.collect_map([("base64", BASE64_STANDARD.encode(&self.0))]),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "text, or {\"base64\": \"…\"}")]
        enum Form {
            Text(String),
            Bytes { base64: String },
        }
        match Form::deserialize(from)? {
            Form::Text(text) => Ok(Self(text.into_bytes())),
            Form::Bytes { base64 } => BASE64_STANDARD.decode(base64).map(Self).map_err(de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        for bytes in [&b""[..], "é".as_bytes(), b"a\xffb", &"é".as_bytes()[..1]] {
            assert_eq!(lossy(bytes), String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn bytes_are_read_as_they_were_written() {
        for (bytes, json) in [(&b"{}"[..], r#""{}""#), (b"", r#""""#), (b"\xff\x00", r#"{"base64":"/wA="}"#)]
        {
            let text = Text(bytes.to_vec());
            assert_eq!(serde_json::to_string(&text).unwrap(), json);
            assert_eq!(serde_json::from_str::<Text>(json).unwrap(), text);
        }
        for json in [r#"{"base64":"?"}"#, "[1]", r#"{"base":"/wA="}"#] {
            assert!(serde_json::from_str::<Text>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn hexadecimal_is_read_if_there_are_as_many_bytes() {
        let read = |json: &str| hex::deserialize::<2, _>(&mut serde_json::Deserializer::from_str(json));
        assert_eq!(read(r#""00fF""#).unwrap(), [0, 255]);
        for json in [r#""00""#, r#""000000""#, r#""00f""#, "0"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
