use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::{AppId, DeviceId, Locale, NotificationId, RegistrationNumber, Sequence, Tag, TenantId, UserId},
    webhook::EventId,
};

/// A value of a parameter. Nothing has a type as well: PostgreSQL wants to know it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) enum Value {
    Blob(Option<Vec<u8>>),
    Int(Option<i64>),
    Text(Option<String>),
}

/// Declares what becomes a value, and `Option`s of it.
macro_rules! become_values {
    ($($from:ty => $variant:ident, $value:ident => $into:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$variant(Some($into))
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                value.map_or(Self::$variant(None), Self::from)
            }
        }
    )*};
}

become_values! {
    bool => Int, it => it.into();
    i64 => Int, it => it;
    u8 => Int, it => it.into();
    u16 => Int, it => it.into();
    u32 => Int, it => it.into();
    // Nothing here comes near the end of an i64 but times that mean "never".
    u64 => Int, it => i64::try_from(it).unwrap_or(i64::MAX);
    usize => Int, it => i64::try_from(it).unwrap_or(i64::MAX);
    UnixTime => Int, it => i64::try_from(it.as_millis()).unwrap_or(i64::MAX);
    AppId => Int, it => it.get();
    DeviceId => Int, it => it.get();
    RegistrationNumber => Int, it => it.get();
    Sequence => Int, it => it.get();
    TenantId => Int, it => it.get();
    &str => Text, it => it.to_owned();
    String => Text, it => it;
    &Locale => Text, it => it.as_str().to_owned();
    &Tag => Text, it => it.as_str().to_owned();
    &UserId => Text, it => it.as_str().to_owned();
    &[u8] => Blob, it => it.to_vec();
    Vec<u8> => Blob, it => it;
    NotificationId => Blob, it => it.as_bytes().to_vec();
    EventId => Blob, it => it.as_bytes().to_vec();
}
