//! Everything that the gateway can find wrong: one table.

/// Declares [`GatewayErrorCode`] and what is known of each code.
macro_rules! error_codes {
    ($($variant:ident $code:literal $meaning:literal;)*) => {
        /// The `code` of an error message: what was wrong, for programs. The `message` beside it says it for people,
        /// with the names and values of the case.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum GatewayErrorCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl GatewayErrorCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What it means and what to do about it, in one or two sentences.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

error_codes! {
    NotJson          "not-json"          "The line is not one JSON object in UTF-8. The connection goes on with the next line.";
    UnknownType      "unknown-type"      "No message of a device has this type.";
    MissingField     "missing-field"     "The message lacks a field that it needs.";
    UnknownField     "unknown-field"     "The message has a field that it cannot have; it may be misspelt.";
    WrongValue       "wrong-value"       "A field's value is of the wrong kind, or none of those that it can have.";
    LineTooLong      "line-too-long"     "The line is longer than 65,536 bytes. The connection is closed: where the next message begins cannot be told.";
    ConnectTimeout   "connect-timeout"   "No connect came within 10 seconds of the TLS handshake. The connection is closed.";
    ConnectFirst     "connect-first"     "The first message has to be connect.";
    ConnectedAlready "connected-already" "A connection has one connect, its first message.";
    UnknownTeam      "unknown-team"      "The service has no team with this ID.";
    UnknownApp       "unknown-app"       "The team has no app with this bundle ID.";
    KindNotReceived  "kind-not-received" "The app gets no tokens of this kind: none of its push types needs one.";
    NotInstalled     "not-installed"     "The device has not installed the app for this environment: install or register it first.";
    NotRegistered    "not-registered"    "The app has no token of this kind: register it first.";
    UnknownActivity  "unknown-activity"  "The app has no Live Activity of this number, or it has ended.";
    UnknownDelivery  "unknown-delivery"  "No notification of this number waits for its ack on this connection.";
    NoRoom           "no-room"           "The team has as many devices as it can have.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_codes_are_spelled_alike() {
        let mut codes: Vec<_> = GatewayErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), GatewayErrorCode::ALL.len());
    }
}
