//! When a notification is sent.

mod time_zone;

pub use time_zone::{TimeZoneName, UnknownTimeZone};
