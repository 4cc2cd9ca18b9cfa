//! What becomes of a recipient: how it can end, why, and what follows from what the engine says of a push.
//!
//! ```text
//!   engine's Outcome ──▶ Attempt::judge ──▶ Final: stored once, counted, told to the webhook
//!   attempts, expiry          ▲             Wait:  stored, tried again later
//!                       RetryRules          Back:  as if never sent; its shard rests, and its app if it is the credential
//! ```
//!
//! What it means for the device token is said by [`apns_provider_core::TokenHygiene`].

mod ending;
mod final_outcome;
mod rules;
mod tally;
mod verdict;
mod why;

pub use ending::Ending;
pub use final_outcome::FinalOutcome;
pub use rules::{InvalidRetryRules, RetryRules};
pub use tally::Tally;
pub use verdict::{Attempt, Trouble, Verdict, Wait, Whose};
pub use why::{Cause, Why};
