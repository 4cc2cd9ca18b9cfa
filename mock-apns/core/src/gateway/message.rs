//! The messages of the device gateway: one JSON object a line, UTF-8, documented in `docs/device-gateway.md`.
//!
//! | module | what |
//! |---|---|
//! | `from_device` | [`FromDevice`]: what a device asks for; reading it, and writing it for a client |
//! | `to_device` | [`ToDevice`]: what a device is told; writing it, and reading it for a client |
//! | `error_code` | [`GatewayErrorCode`]: the table of what can be wrong |
//! | `error` | [`MessageError`]: a line that is no message |
//! | `fields` | reading a message's fields so that every mistake is named |
//! | `raw_json` | [`RawJson`]: JSON that is passed on as it is |

mod error;
mod error_code;
mod fields;
mod from_device;
mod raw_json;
mod to_device;

pub use error::{MessageError, MessageProblem};
pub use error_code::GatewayErrorCode;
pub use from_device::{DeviceRequest, FromDevice};
pub use raw_json::RawJson;
pub use to_device::{
    CloseReason, ConnectedMessage, DeviceMessage, ErrorMessage, NotificationMessage, ToDevice, TokenMessage,
};
