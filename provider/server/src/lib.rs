//! A provider server: an API, a durable queue, and workers on the engine of `apns_provider`. What it decides is decided in
//! `apns_provider_server_core`; this crate is its shell.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | one configuration, from flags, environment and a file |
//! | [`server`] | all of it, from start to stop |
//! | [`startup`] | what a first start makes |
//! | [`api`] | what is asked over HTTP |
//! | [`channels`] | the broadcast channels of apps, which APNs keeps |
//! | [`pipeline`] | what is queued becomes pushes, and their outcomes are stored |
//! | [`secrets`] | what is encrypted before it is stored |
//! | [`store`] | everything that has to survive: devices, notifications, outcomes; on SQLite or PostgreSQL |
//! | [`webhooks`] | telling those who want to know |

pub mod api;
pub mod channels;
mod clock;
pub mod config;
pub mod pipeline;
pub mod secrets;
pub mod server;
pub mod startup;
pub mod store;
pub mod telemetry;
pub mod webhooks;
