//! SETTINGS (RFC 9113 section 6.5): the parameters, what a frame changes, and what is in force.

use crate::error::Violation;

/// The window that every stream and the connection begin with (RFC 9113 section 6.9.2).
pub const DEFAULT_WINDOW: u32 = 65_535;
/// The frame size that every peer must take, and the lowest that may be set (RFC 9113 section 4.2).
pub const MIN_MAX_FRAME_SIZE: u32 = 16_384;
/// The highest frame size there is (RFC 9113 section 4.2).
pub const MAX_MAX_FRAME_SIZE: u32 = 16_777_215;
/// The highest flow-control window (RFC 9113 section 6.9.1).
pub const MAX_WINDOW: u32 = 0x7fff_ffff;

macro_rules! settings {
    ($($(#[$doc:meta])* $id:literal $field:ident, default $default:literal;)*) => {
        /// The changes that one SETTINGS frame makes; what is `None` stays as it was.
        ///
        /// ```
        /// use apns_http2::Settings;
        /// // What Apple sends first on a connection that uses provider tokens.
        /// let first = Settings { max_concurrent_streams: Some(1), ..Settings::APPLE };
        /// assert_eq!(first.max_header_list_size, Some(8000));
        /// ```
        #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
        pub struct Settings {
            $($(#[$doc])* pub $field: Option<u32>,)*
        }

        /// The values in force on one side of a connection.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub struct SettingsInForce {
            $($(#[$doc])* pub $field: u32,)*
        }

        impl Default for SettingsInForce {
            /// What RFC 9113 section 6.5.2 says is in force before any SETTINGS arrive; `u32::MAX` stands for "no limit".
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl SettingsInForce {
            pub(crate) fn apply(&mut self, changes: &Settings) {
                $(if let Some(value) = changes.$field { self.$field = value; })*
            }
        }

        impl Settings {
            /// Appends the parameters in the order of their identifiers, as Apple sends them.
            pub(crate) fn encode(&self, out: &mut Vec<u8>) {
                $(if let Some(value) = self.$field {
                    out.extend_from_slice(&u16::to_be_bytes($id));
                    out.extend_from_slice(&value.to_be_bytes());
                })*
            }

            /// What RFC 9113 section 6.5.2 calls the parameter with this identifier.
            pub fn name(id: u16) -> Option<String> {
                let field = match id {
                    $($id => stringify!($field),)*
                    _ => return None,
                };
                Some(format!("SETTINGS_{}", field.to_ascii_uppercase()))
            }

            fn set(&mut self, id: u16, value: u32) {
                match id {
                    $($id => self.$field = Some(value),)*
                    _ => {} // RFC 9113 section 6.5.2: unknown parameters are ignored
                }
            }
        }
    };
}

settings! {
    /// SETTINGS_HEADER_TABLE_SIZE, bytes: how large the sender of the frame lets its peer's HPACK encoder make the table.
    0x1 header_table_size, default 4096;
    /// SETTINGS_ENABLE_PUSH: 0 or 1. A client of ours always sends 0.
    0x2 enable_push, default 1;
    /// SETTINGS_MAX_CONCURRENT_STREAMS: how many streams the peer may have open.
    0x3 max_concurrent_streams, default 0xffff_ffff;
    /// SETTINGS_INITIAL_WINDOW_SIZE, bytes: the window of each new stream; a change moves open streams too, below 0 if need be.
    0x4 initial_window_size, default 65_535;
    /// SETTINGS_MAX_FRAME_SIZE, bytes: the longest frame payload the sender of the frame takes.
    0x5 max_frame_size, default 16_384;
    /// SETTINGS_MAX_HEADER_LIST_SIZE, bytes uncompressed, 32 more for each field: advice, but we hold peers to ours.
    0x6 max_header_list_size, default 0xffff_ffff;
}

impl Settings {
    /// What Apple's servers were seen to send in 2021 (MAX_CONCURRENT_STREAMS 1000; with provider tokens it starts at 1).
    pub const APPLE: Self = Self {
        header_table_size: Some(4096),
        enable_push: None,
        max_concurrent_streams: Some(1000),
        initial_window_size: Some(DEFAULT_WINDOW),
        max_frame_size: Some(MIN_MAX_FRAME_SIZE),
        max_header_list_size: Some(8000),
    };

    /// Reads a SETTINGS payload. A parameter that is given twice counts as it was given last (RFC 9113 section 6.5.3).
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Violation> {
        let (parameters, rest) = payload.as_chunks::<6>();
        if !rest.is_empty() {
            return Err(Violation::FrameLength);
        }
        let mut settings = Self::default();
        for &[i, d, a, b, c, e] in parameters {
            settings.set(u16::from_be_bytes([i, d]), u32::from_be_bytes([a, b, c, e]));
        }
        settings.check()?;
        Ok(settings)
    }

    /// The changes that these parameters make, whatever their values.
    pub(crate) fn of(parameters: &[(u16, u32)]) -> Self {
        let mut settings = Self::default();
        for &(id, value) in parameters {
            settings.set(id, value);
        }
        settings
    }

    /// Whether each value is in its range (RFC 9113 section 6.5.2).
    pub(crate) fn check(&self) -> Result<(), Violation> {
        if self.initial_window_size.is_some_and(|size| size > MAX_WINDOW) {
            return Err(Violation::InitialWindowOutOfRange);
        }
        let frame_sizes = MIN_MAX_FRAME_SIZE..=MAX_MAX_FRAME_SIZE;
        if self.max_frame_size.is_some_and(|size| !frame_sizes.contains(&size))
            || self.enable_push.is_some_and(|push| push > 1)
        {
            return Err(Violation::SettingOutOfRange);
        }
        Ok(())
    }
}

impl Settings {
    /// The same with windows and frame sizes moved into their range.
    pub(crate) fn clamped(self) -> Self {
        Self {
            initial_window_size: self.initial_window_size.map(|size| size.min(MAX_WINDOW)),
            max_frame_size: self
                .max_frame_size
                .map(|size| size.clamp(MIN_MAX_FRAME_SIZE, MAX_MAX_FRAME_SIZE)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apples_first_settings_have_the_layout_that_was_seen() {
        let mut out = Vec::new();
        Settings::APPLE.encode(&mut out);
        let ids: Vec<u8> = out.chunks(6).map(|parameter| parameter[1]).collect();
        assert_eq!(ids, [1, 3, 4, 5, 6]);
        assert_eq!(Settings::parse(&out), Ok(Settings::APPLE));
    }

    #[test]
    fn values_out_of_range_are_refused_with_the_code_of_the_rfc() {
        let with = |id: u8, value: u32| {
            let mut payload = vec![0, id];
            payload.extend_from_slice(&value.to_be_bytes());
            Settings::parse(&payload)
        };
        assert_eq!(with(2, 2), Err(Violation::SettingOutOfRange));
        assert_eq!(with(4, 0x8000_0000), Err(Violation::InitialWindowOutOfRange));
        assert_eq!(with(5, 16_383), Err(Violation::SettingOutOfRange));
        assert_eq!(with(5, 16_777_216), Err(Violation::SettingOutOfRange));
        assert_eq!(with(99, 7), Ok(Settings::default()), "unknown parameters are ignored");
        assert_eq!(Settings::parse(&[0; 5]), Err(Violation::FrameLength));
    }

    #[test]
    fn the_last_of_two_values_counts() {
        let payload = [0, 3, 0, 0, 0, 1, 0, 3, 0, 0, 3, 0xe8];
        assert_eq!(Settings::parse(&payload).unwrap().max_concurrent_streams, Some(1000));
    }
}
