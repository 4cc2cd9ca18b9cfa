//! Telling a caller's own server what happened.
//!
//! Deliveries have the form of Standard Webhooks (standardwebhooks.com): three headers, a signature over all that matters, a JSON body
//! with a type, a time and data. Where they may go is decided in [`ssrf`](crate::ssrf).

mod delivery;
mod event;
mod news;
mod request;
mod signature;
mod url;

pub use delivery::{Answer, Delivered, RETRIES, TIMEOUT, after};
pub use event::{Event, EventId, EventKind};
pub use news::{DeviceNews, ITEMS_MAX, News, NotificationNews, RecipientNews};
pub use request::{Subscription, WebhookRequest};
pub use signature::{InvalidSigningSecret, SignedHeaders, SigningSecret, TOLERANCE};
pub use url::{InvalidUrl, Url};
