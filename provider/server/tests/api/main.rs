//! The API, asked as any program would ask it: HTTP/1.1 and JSON, on SQLite in a folder of its own; who is a
//! stranger to what also on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "tests")]

mod channel_service;
mod channels;
#[path = "../databases/mod.rs"]
mod databases;
mod health;
mod keys;
mod limits;
mod notifications;
mod openapi;
mod page;
mod resources;
mod server;
mod strangers;
mod wrong_input;
