//! How fast the double and the provider are, beside what others would use in their place.
//!
//! Two kinds of measurement. `cargo bench -p apns-benches` times single operations with criterion: an HPACK block, a provider token, one
//! request through the service's core. `cargo run --release -p apns-benches -- load` pushes through whole processes over TLS:
//!
//! ```text
//!                         load (parent)
//!              starts, pins, measures, compares medians
//!            ┌──────────────────┴──────────────────┐
//!     server child, one core                client child, the other core
//!     double │ http2-always-200      TLS    engine │ floor │ h2-client
//!            │ h2-always-200      ◀───────▶        │ apple-apns │ apns-h2
//! ```
//!
//! What counts is CPU time for each request, taken by each process of itself around the measured part: it says what a machine can do
//! while two share it, and it can be compared. And ratios, from runs that take turns: they travel from machine to machine.
//!
//! `cargo run --release -p apns-benches -- devices` connects devices to the double's gateway and reads what they cost it in memory, and `soak` lets the
//! provider push for minutes to a double that has a bad day, and reads what that costs it. `server` hands in
//! notifications at a provider server: what a push costs from the request to the stored outcome.
//!
//! | module | what |
//! |---|---|
//! | `child` | a child's job, its conversation with the parent, how it measures itself; the peers' program includes it |
//! | `roles` | what a child can be |
//! | `load` | the parent: pairs and ratios, processes, the report |
//! | `provider_server` | another parent: single pushes, batches and a campaign through the provider server |
//!
//! What the children send is public, so that the micro-benchmarks measure the same:
//!
//! ```
//! use apns_benches::RequestTemplate;
//!
//! let devices = [apns_benches::device_token(0)];
//! let template = RequestTemplate::new(2197, "<provider token>", 200, &devices);
//! assert_eq!(template.body.len(), 200);
//! let fields = template.fields(0, "00000000-0000-4000-8000-000000000000");
//! assert_eq!(fields[0], (":method", "POST"));
//! ```

mod child;
mod load;
mod provider_server;
mod roles;

pub use child::{DEVICES, Failure, HOST_NAME, KEY_ID, TEAM_ID, TOPIC, Workload, device_token, payload};
pub use load::{
    DevicesReport, LoadError, LoadOptions, Report, Sample, SoakOptions, SoakReport, devices, load,
    run_in_namespace, soak,
};
pub use provider_server::{Cost, LoadRun, ServerOptions, ServerReport, ThreadsCost, provider_server};
pub use roles::{Fields, RequestTemplate, provider_token, run_role};
