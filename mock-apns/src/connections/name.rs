//! What a connection is called: in the control API, in the journal, in the log.

use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
};

use mock_apns_core::{ConnectionId, DeviceConnectionId};
use thiserror::Error;

/// Names a connection for as long as the double runs; never used again. They are ordered: providers first, then devices,
/// each in the order in which they were opened.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Name {
    kind: Kind,
    ordinal: u64,
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    Provider,
    Device,
}

/// A text is no connection's name.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{0:?} is not a connection: a provider's is a number, such as 7, and a device's is such as device-7")]
pub(crate) struct NameError(String);

impl Name {
    pub(crate) fn provider(id: ConnectionId) -> Self {
        Self { kind: Kind::Provider, ordinal: id.ordinal() }
    }

    pub(crate) fn device(id: DeviceConnectionId) -> Self {
        Self { kind: Kind::Device, ordinal: id.ordinal() }
    }

    pub(crate) fn kind(self) -> Kind {
        self.kind
    }
}

impl Display for Name {
    /// `7` for a provider's, as the journal has it, and `device-7` for a device's.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Provider => Display::fmt(&self.ordinal, f),
            Kind::Device => write!(f, "{DEVICE_PREFIX}{}", self.ordinal),
        }
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (kind, digits) = match text.strip_prefix(DEVICE_PREFIX) {
            Some(digits) => (Kind::Device, digits),
            None => (Kind::Provider, text),
        };
        let ordinal = digits.parse().map_err(|_| NameError(text.to_owned()))?;
        Ok(Self { kind, ordinal })
    }
}

const DEVICE_PREFIX: &str = "device-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_anything_else_is_named() {
        for text in ["0", "7", "18446744073709551615", "device-1"] {
            assert_eq!(text.parse::<Name>().unwrap().to_string(), text);
        }
        for text in ["", "seven", "-1", "device-", "device-x", "18446744073709551616"] {
            let error = text.parse::<Name>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn providers_come_first_and_each_by_number() {
        let mut names = ["device-1", "10", "9"].map(|text| text.parse::<Name>().unwrap());
        names.sort();
        assert_eq!(names.map(|name| name.to_string()), ["9", "10", "device-1"]);
    }
}
