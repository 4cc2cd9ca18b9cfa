//! Options that several commands share: one struct each, flattened into theirs.

mod address;
mod alert;
mod credential;
mod delivery;
pub(super) mod input;
mod live_activity;
mod message;
mod retry;

pub(super) use address::AddressArgs;
#[cfg(feature = "server")]
pub(super) use credential::key_id_of_name;
pub(super) use credential::{CredentialArgs, KeyArgs};
pub(super) use input::read;
pub(super) use message::{Composed, MessageArgs};
pub(super) use retry::again;
