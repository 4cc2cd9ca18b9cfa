//! A provider server: an API, a durable queue, and workers on the engine of `apns_provider`. What it decides is decided in
//! `apns_provider_server_core`; this crate is its shell.
//!
//! | module | what |
//! |---|---|
//! | [`pipeline`] | what is queued becomes pushes, and their outcomes are stored |
//! | [`store`] | everything that has to survive: devices, notifications, outcomes; on SQLite or PostgreSQL |

pub mod pipeline;
pub mod store;
