//! What the API wants of whatever sends.

use std::fmt;

use apns_provider_server_core::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What sends, as the API sees it.
pub trait Pipeline: fmt::Debug + Send + Sync + 'static {
    /// There is something new: it need not wait for its next look. May be called for nothing.
    fn wake(&self);

    /// How it is tuned.
    fn tuning(&self) -> Tuning;

    /// Tunes it, from now on and until it ends; or says which value cannot be. The bounds of [`Tuning`] were checked.
    fn tune(&self, tuning: Tuning) -> Result<(), Problem>;

    /// Why it does not send as it should, if it does not: for `/readyz`, a sentence each.
    fn troubles(&self) -> Vec<String>;
}

/// What can be turned while it runs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tuning {
    /// Connections to APNs for each app and environment at most: 1 to 100.
    pub connections: u16,
    /// Pushes that are handed to connections and have no answer yet, over all apps: 1 to 100000.
    pub in_engine: u32,
    /// Pushes a second of this process at most; null is as many as can be.
    pub pushes_per_second: Option<u32>,
}

impl Tuning {
    /// Connections for each app and environment: Apple asks for few that live long.
    pub const CONNECTIONS_MAX: u16 = 100;
    /// Pushes in the engine: beyond, they only wait in memory.
    pub const IN_ENGINE_MAX: u32 = 100_000;
}

impl Default for Tuning {
    fn default() -> Self {
        Self { connections: 4, in_engine: 4000, pushes_per_second: None }
    }
}

/// Sends nothing: for a process that only answers.
#[derive(Debug, Default)]
pub struct NoPipeline;

impl Pipeline for NoPipeline {
    fn wake(&self) {}

    fn tuning(&self) -> Tuning {
        Tuning::default()
    }

    fn tune(&self, _: Tuning) -> Result<(), Problem> {
        Ok(())
    }

    fn troubles(&self) -> Vec<String> {
        Vec::new()
    }
}
