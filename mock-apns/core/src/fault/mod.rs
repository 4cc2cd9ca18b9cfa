//! Bad days on demand: named rules that say when something goes wrong, and what.
//!
//! ```text
//!   Fault: name, match, action, after, times, probability, ttl, seed
//!     │ add                                                     Occasion: a request, a connection, a handshake …
//!     ▼                                                            │
//!   Faults: the rules of a team, or of the whole service ── strike ┴──▶ Strike: the rule that fires, its draws
//!                                                                        │
//!   Firing: an entry of the journal ◀────────────────────────────────────┤
//!   Deed: what the shell does on the wire ◀──────────────────────────────┘
//! ```
//!
//! Nothing is random here but what the rule's seed makes so, and nothing is done: one seed and one order of requests give the
//! same firings, to the byte. For those who write rules it is documented in `docs/faults.md`.

mod action;
mod chance;
mod deed;
mod error;
mod faults;
mod firing;
mod firing_form;
mod matching;
mod moment;
mod name;
mod ordinals;
mod rule;
pub(crate) mod span;
mod strike;

pub(crate) use action::Course;
pub use action::{
    Accepting, Action, Alert, Answering, Body, BrokenFrame, ChangeSettings, Close, CloseHow, Cut, Delay,
    Ending, FrameStream, GoAway, H2Code, Handshake, IdleTimeout, IgnorePings, LastStream, MalformedFrame,
    NoAnswer, ResetStream, RetryAfter, SendPings, ServerCertificate, Stall, Then, WithheldWindow,
    WithholdWindow,
};
pub use chance::{Probability, ProbabilityError};
pub use deed::{Deed, Head, Reply, ReplyEnd, Wait};
pub use error::FaultError;
pub use faults::{FAULTS_MAX, KnownFault};
pub(crate) use faults::{Faults, FaultsForm};
pub use firing::{FaultyPush, FiredAt, Firing, Otherwise};
pub(crate) use firing_form::KeptFiring;
pub use matching::Matching;
pub use moment::Moment;
pub(crate) use moment::{Among, Occasion};
pub(crate) use name::REPLAY;
pub use name::{FaultName, FaultNameError};
pub use ordinals::Ordinals;
pub use rule::{Fault, FaultFormError};
pub(crate) use strike::Strike;
