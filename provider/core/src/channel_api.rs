//! Channel management: requests as data, answers as types.
//!
//! | what | request | answer |
//! |---|---|---|
//! | create | `POST /1/apps/<bundle ID>/channels` | 201 and `apns-channel-id` |
//! | read | `GET /1/apps/<bundle ID>/channels` | 200 and the policy |
//! | delete | `DELETE /1/apps/<bundle ID>/channels` | 204 |
//! | list | `GET /1/apps/<bundle ID>/all-channels` | 200 and the IDs |
//!
//! Source: Apple, "Sending channel management requests to APNs".

mod accepted;
mod answer;
mod error;
mod request;

pub use accepted::AcceptedChannelAnswer;
pub use answer::ChannelAnswer;
pub use error::{ChannelError, ChannelRejection};
pub use request::ChannelRequest;
