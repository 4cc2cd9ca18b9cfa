//! What things are named by: numbers of rows, IDs that are given out, and names that callers choose.

mod locale;
mod names;
mod notification_id;
mod rows;
mod uuid;

pub use locale::{InvalidLocale, Locale};
pub use names::{AppVersion, IdempotencyKey, InvalidName, Label, Tag, TemplateName, TenantName, UserId};
pub use notification_id::{InvalidNotificationId, NotificationId};
pub use rows::{AppId, DeviceId, RegistrationNumber, Sequence, TenantId};
