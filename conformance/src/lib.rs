//! The tables that the double and the provider are held to: what is known of APNs, and where it is known from.
//!
//! The two halves share no protocol vocabulary. Each has its own table of reasons, push types and limits, written for its
//! own use, and a mistake in one must not hide in the other. So the facts stand here once more, as data with a source
//! for each row, and the tests of each half compare its table with this one, both ways.
//!
//! ```text
//!                        spec/*.toml
//!                             │ Spec::load(): read, checked row by row
//!                             ▼
//!   mock-apns-core         Spec          apns-provider-core
//!   tests/spec.rs ──▶ differences(…) ◀── tests/spec.rs
//! ```
//!
//! | module | what |
//! |---|---|
//! | `spec` | [`Spec`]: all tables, read from the files beside this crate's sources |
//! | `reasons`, `push_types`, `hosts`, `limits` | one row each: [`ReasonRow`], [`PushTypeRow`], [`HostRow`], [`LimitRow`] |
//! | `certainty` | [`Certainty`]: how well a row is known |
//! | `table`, `error` | what every row must be, and [`SpecError`], which names the row that is not |
//! | `difference` | [`differences`]: what is missing from a table, too much in it, or otherwise |
//!
//! ```
//! use apns_conformance::{Certainty, Difference, Spec, differences};
//!
//! let spec = Spec::load()?;
//! let row = spec.reasons().iter().find(|row| row.reason == "Unregistered").unwrap();
//! assert_eq!((row.status, row.certainty), (410, Certainty::Documented));
//!
//! // A provider that has never heard of VoIP pushes' longer payload:
//! let documented = spec.push_types().iter().map(|row| (row.push_type.as_str(), row.body_bytes_max));
//! let own = spec.push_types().iter().map(|row| (row.push_type.as_str(), 4096));
//! let expected = Difference::Otherwise { name: "voip".into(), spec: "5120".into(), own: "4096".into() };
//! assert_eq!(differences(documented, own, &[]), [expected]);
//! # Ok::<(), apns_conformance::SpecError>(())
//! ```

mod certainty;
mod difference;
mod error;
mod hosts;
mod limits;
mod push_types;
mod reasons;
mod spec;
mod table;

pub use certainty::Certainty;
pub use difference::{Difference, LeftOut, differences};
pub use error::{Flaw, SpecError};
pub use hosts::{Environment, HostRow};
pub use limits::{LimitRow, Unit};
pub use push_types::PushTypeRow;
pub use reasons::ReasonRow;
pub use spec::Spec;
