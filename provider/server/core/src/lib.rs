//! What a provider server decides, without its sockets, its database and its clock.

pub mod api_key;
pub mod audience;
pub mod device;
pub mod ids;
pub mod json;
pub mod lanes;
pub mod limits;
pub mod message;
pub mod notification;
pub mod outcome;
pub mod plan;
pub mod problem;
pub mod schedule;
pub mod shard;
pub mod template;
pub mod worker;
