//! The tables that the double and the provider are held to: what is known of APNs, what a correct provider does, and where it is
//! known from.
//!
//! The two halves share no protocol vocabulary. Each has its own table of reasons, push types and limits, written for its
//! own use, and a mistake in one must not hide in the other. So the facts stand here once more, as data with a source
//! for each row, and the tests of each half compare its table with this one, both ways.
//!
//! ```text
//!                        tables/*.toml
//!                             │ Spec::load(): read, checked row by row
//!                             ▼
//!   mock-apns-core         Spec          apns-provider-core
//!   tests/spec.rs ──▶ differences(…) ◀── tests/spec.rs
//!                             │
//!                      apns-conformance: cases
//! ```
//!
//! It depends on neither half, so that both can test against it, and the suite that is made of it can start the double.
//!
//! | module | what |
//! |---|---|
//! | `spec` | [`Spec`]: all tables, read from the files beside this crate's sources |
//! | `reasons`, `push_types`, `hosts`, `limits` | one row each: [`ReasonRow`], [`PushTypeRow`], [`HostRow`], [`LimitRow`] |
//! | `headers`, `checks`, `settings` | one row each: [`HeaderRow`], [`CheckRow`], [`SettingRow`] |
//! | `rules` | [`RuleRow`]: what only a sentence can say, of provider tokens, certificates, storage, answers and connections |
//! | `provider_items` | [`ProviderItemRow`]: what a correct provider does, C-01 to C-67 |
//! | `known` | [`Known`]: what all rows have in common |
//! | `certainty` | [`Certainty`]: how well a row is known |
//! | `table`, `error` | what every row must be, and [`SpecError`], which names the row that is not |
//! | `difference` | [`differences`]: what is missing from a table, too much in it, or otherwise |
//!
//! ```
//! use apns_spec::{Certainty, Difference, Spec, differences};
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
//! # Ok::<(), apns_spec::SpecError>(())
//! ```

mod certainty;
mod checks;
mod difference;
mod error;
mod headers;
mod hosts;
mod known;
mod limits;
mod provider_items;
mod push_types;
mod reasons;
mod rules;
mod settings;
mod spec;
mod table;

pub use certainty::Certainty;
pub use checks::CheckRow;
pub use difference::{Difference, LeftOut, differences};
pub use error::{Flaw, SpecError};
pub use headers::{HeaderNeed, HeaderRow};
pub use hosts::{Environment, HostRow};
pub use known::Known;
pub use limits::{LimitRow, Unit};
pub use provider_items::{ItemGroup, ItemLevel, ProviderItemRow};
pub use push_types::PushTypeRow;
pub use reasons::ReasonRow;
pub use rules::RuleRow;
pub use settings::{Sent, SettingRow};
pub use spec::Spec;
