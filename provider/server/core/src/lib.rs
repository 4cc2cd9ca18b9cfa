//! What a provider server decides, without its sockets, its database and its clock.
//!
//! A provider server, Apple's word for what a company runs between its own systems and APNs, takes device tokens and ties them to users,
//! takes notifications and sends them, and acts on what APNs answers. This crate is the part of it that can be wrong in interesting ways:
//! functions of what is there, what is asked, and what time it is. What a push is and what an answer means is decided one level below, in
//! `apns_provider_core`.
//!
//! ```text
//!   NotificationRequest ─check─▶ Intake ─compose─▶ Composed ──▶ stored, in one transaction with the idempotency key
//!                                                     │
//!   devices, in steps ─────────────────────────▶ Plan::step ──▶ shards, stored with the progress
//!                                                                  │ claimed, with a lease
//!   Worker ◀── Claimed, Ended, Stored, time                        ▼
//!      └─────▶ Claim, Send, Store, Renew, Release ──▶ the store, the engine, the webhooks
//! ```
//!
//! It owns no clock, no randomness, no files, no sockets: moments and random bytes are arguments, what is to be done is returned, and a
//! test keeps every crate that could do otherwise out of the dependencies. What is asked for is read once, from types of `serde` in
//! kebab-case, into types that cannot be wrong; what is wrong is told with its field, all of it at once.
//!
//! | to learn about | read |
//! |---|---|
//! | what can be wrong with a request, and how it is said | [`problem`], [`json`] |
//! | names and numbers | [`ids`] |
//! | what a registration does; whether a planned push still is for its device | [`device`] |
//! | what a notification is | [`notification`], [`message`], [`template`], [`audience`], [`schedule`] |
//! | how an audience becomes shards, and what a shard is | [`plan`], [`shard`] |
//! | what goes first, how fast, how much | [`lanes`], [`limits`], [`tuning`] |
//! | what becomes of a recipient, and when it is tried again | [`outcome`] |
//! | how one process sends what is queued, and what holds whatever happens | [`worker`] |
//! | who may do what, and who did | [`api_key`], [`audit`] |
//! | telling others, and where to | [`webhook`], [`ssrf`] |
//! | what a server says of itself | [`readiness`] |
//! | the same request twice | [`idempotency`] |

pub mod api_key;
pub mod audience;
pub mod audit;
pub mod device;
pub mod idempotency;
pub mod ids;
pub mod json;
pub mod lanes;
pub mod limits;
pub mod message;
pub mod notification;
pub mod outcome;
pub mod plan;
pub mod problem;
pub mod readiness;
pub mod schedule;
pub mod shard;
pub mod ssrf;
pub mod template;
pub mod tuning;
pub mod webhook;
pub mod worker;
