//! What a double with a data folder keeps on disk, so that a kill -9 loses nothing that anyone was told.
//!
//! ```text
//!   a connection ──▶ Service, under its lock ──▶ answers, held back ─────────────────────────▶ sent
//!                          │ what was done to it                                   ▲
//!                          ▼                                                       │ it is on disk
//!                     Log: a queue ──▶ the writer's thread: one commit for all that has come meanwhile
//! ```
//!
//! The service is deterministic: a checkpoint of it, and what was done to it since, is the service. So that is what is written,
//! and nobody is told what came of a call before the call is on disk. `docs/data-dir.md` has what is kept and what it costs.

mod entry;
mod error;
#[cfg(test)]
mod full_disk;
pub(crate) mod keeper;
mod log;
mod store;

pub(crate) use entry::{CredentialsChange, Entry};
pub use error::DataDirError;
pub(crate) use log::{Log, Writer};
pub(crate) use store::{Begun, Found, Origin, Store};
