//! What a provider server decides, without its sockets, its database and its clock.

pub mod ids;
pub mod json;
pub mod problem;
