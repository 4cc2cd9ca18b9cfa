//! The device gateway: where devices connect, register and receive. What they are told is decided in the core;
//! `docs/device-gateway.md` has every message.

mod connection;
mod lines;

pub(crate) use connection::{DEVICES_MAX, serve};
pub(crate) use lines::Lines;
