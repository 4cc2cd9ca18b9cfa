//! One side of a measurement, in a process of its own: what it is told, how it measures itself, what it reports.
//!
//! The parent (`load`) starts a child with a [`Job`] as its last argument, writes a [`Command`] a line to its standard input and reads
//! a [`Line`] a line from its standard output. A child ends when its input does, so that none outlives the parent.
//!
//! ```text
//!   load ──Job, begin, end──▶ server child ◀──TLS──▶ client child ◀──Job, begin── load
//!        ◀──ready, served───                                       ──ready, sent─▶
//! ```
//!
//! The program in `benches/peers`, which has a lock file of its own, includes this module by its path: both sides of the
//! conversation are this one text.

mod client;
mod failure;
mod in_flight;
mod job;
mod latency;
mod line;
mod usage;

pub(crate) use client::{Client, run_client};
pub(crate) use failure::Explain;
pub use failure::Failure;
pub(crate) use in_flight::keep_in_flight;
pub(crate) use job::{API_KEY_FILE, AUTH_KEY_FILE, AUTHORITY_FILE, CA_FILE, DEVICE_TOKENS_FILE};
pub use job::{DEVICES, HOST_NAME, KEY_ID, TEAM_ID, TOPIC};
pub(crate) use job::{Job, device_tokens};
pub use job::{Workload, device_token, payload};
pub(crate) use latency::Latencies;
pub(crate) use line::{Command, Line, Sent, Served};
pub(crate) use usage::{CpuTime, pin_to_core, raise_open_files};
