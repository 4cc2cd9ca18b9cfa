//! The suite that any APNs endpoint can be held to.
//!
//! Cases are made of the tables of `apns-spec`, and by hand where no table can say it. Each is a value: what is sent on a connection
//! of its own, and what is expected to come. The double is the usual target; any address and credentials are one.
//!
//! ```text
//!   apns-spec ──▶ cases ──▶ selection ──▶ running ──▶ judging ──▶ report
//!                              ▲             │  ▲        ▲
//!                        command line        ▼  │   differences that
//!                                            target  are known
//! ```
//!
//! Everything but `running` and the in-process double is pure: what a case says, which are selected, whether what came is what was
//! expected, and what a report says follow from arguments alone.
//!
//! | module | what |
//! |---|---|
//! | `case`, `request` | [`Case`]: what is sent; [`Request`], with placeholders for what each target has of its own |
//! | `cases` | [`server_cases`]: all of them |
//! | `expected`, `transcript` | [`Expected`]: what has to be true of a [`Transcript`], which is all that came |
//! | `coverage` | [`NOT_RESTED_ON`]: the rows that no case rests on, and why |
//! | `selection` | [`Selection`]: by id, tag and row; shards; the order |
//! | `differences` | [`Differences`]: what is known of a target and meant |
//! | `target` | [`Target`]: an address and what is good for it, of a file or of a double |
//! | `running` | [`run`]: cases against a target, several at once, in bounded time |
//! | `outcome` | [`Outcome`]: what became of a case |
//! | `provider` | the suite for providers: items, adapters, evidence |
//! | `report` | terminal, JUnit, JSON, Markdown |
//! | [`cli`] | the command |
//! | `wire` | frames as bytes |
//!
//! ```
//! use apns_conformance::{Differences, Seen, Selection, Transcript, Verdict, server_cases};
//!
//! let spec = apns_spec::Spec::load()?;
//! let selection = Selection { ids: vec!["reason-bad-path".to_owned()], ..Selection::default() };
//! let [case] = &selection.of(server_cases(&spec))[..] else { panic!("an id names one case") };
//!
//! // A target that answers 400 where the table has 404:
//! let fields = vec![(":status".to_owned(), "400".to_owned())];
//! let body = r#"{"reason":"BadPath"}"#.to_owned();
//! let came = [Seen::Fields { stream: 1, fields, end: false }, Seen::Data { stream: 1, text: body, end: true }];
//! let verdict = Verdict::of(case, &Transcript(came.to_vec()), &Differences::default());
//! assert!(matches!(verdict, Verdict::Failed(failure) if failure.expected == "answer 0: 404 BadPath"));
//! # Ok::<(), apns_spec::SpecError>(())
//! ```

mod case;
mod cases;
pub mod cli;
mod coverage;
mod differences;
mod expected;
mod outcome;
mod provider;
mod report;
mod request;
mod running;
mod selection;
mod target;
mod transcript;
mod wire;

pub use case::{Arrangement, Case, Greeting, Opening, Step};
pub use cases::server_cases;
pub use coverage::NOT_RESTED_ON;
pub use differences::{Differences, DifferencesError};
pub use expected::{Expected, Value};
pub use outcome::{About, Failure, Outcome, Verdict};
pub use request::{Body, Framing, Iat, Jwt, MAIN, Request, Signature};
pub use running::{Run, run};
pub use selection::{Selectable, Selection, Shard, ShardError};
pub use target::{ClientCertificate, Double, DoubleError, Key, Target, TargetError};
pub use transcript::{Answer, Seen, Transcript};

/// An HTTP/2 error code by the name of RFC 9113, 7.
fn code_name(code: u32) -> String {
    apns_http2::ErrorCode(code).to_string()
}
