//! HTTP/2 error codes, by name or number.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An HTTP/2 error code (RFC 9113, 7): a name, or any number of 32 bits, since clients have to cope with unknown ones.
///
/// ```
/// use mock_apns_core::fault::H2Code;
///
/// assert_eq!(serde_json::from_str::<H2Code>(r#""REFUSED_STREAM""#)?, H2Code::REFUSED_STREAM);
/// assert_eq!(serde_json::from_str::<H2Code>("7")?.number(), 7);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct H2Code(u32);

macro_rules! codes {
    ($($name:ident = $number:literal;)*) => {
        impl H2Code {
            $(#[doc = concat!("`", stringify!($name), "`")] pub const $name: Self = Self($number);)*

            const NAMES: &'static [(&'static str, u32)] = &[$((stringify!($name), $number)),*];
        }
    };
}

codes! {
    NO_ERROR = 0x0;
    PROTOCOL_ERROR = 0x1;
    INTERNAL_ERROR = 0x2;
    FLOW_CONTROL_ERROR = 0x3;
    SETTINGS_TIMEOUT = 0x4;
    STREAM_CLOSED = 0x5;
    FRAME_SIZE_ERROR = 0x6;
    REFUSED_STREAM = 0x7;
    CANCEL = 0x8;
    COMPRESSION_ERROR = 0x9;
    CONNECT_ERROR = 0xa;
    ENHANCE_YOUR_CALM = 0xb;
    INADEQUATE_SECURITY = 0xc;
    HTTP_1_1_REQUIRED = 0xd;
}

impl H2Code {
    /// The code of this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl Serialize for H2Code {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match Self::NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => to.serialize_str(name),
            None => to.serialize_u32(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for H2Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "an error code is a name of RFC 9113, such as NO_ERROR, or a number of 32 bits"
        )]
        enum Form {
            Number(u32),
            Name(String),
        }
        match Form::deserialize(from)? {
            Form::Number(number) => Ok(Self(number)),
            Form::Name(name) => {
                let known = Self::NAMES.iter().find(|(known, _)| *known == name);
                known.map(|(_, number)| Self(*number)).ok_or_else(|| {
                    let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
                    de::Error::custom(format_args!("{name:?} is not one of {}", names.join(", ")))
                })
            }
        }
    }
}
