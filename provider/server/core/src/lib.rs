//! What a provider server decides, without its sockets, its database and its clock.

pub mod device;
pub mod ids;
pub mod json;
pub mod outcome;
pub mod problem;
pub mod schedule;
pub mod shard;
