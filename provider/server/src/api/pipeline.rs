//! What the API wants of whatever sends.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use apns_provider_server_core::{problem::Problem, tuning::Tuning};

use crate::pipeline::PipelineStatus;

/// What sends, as the API sees it.
pub trait Pipeline: fmt::Debug + Send + Sync + 'static {
    /// How it is tuned.
    fn tuning(&self) -> Tuning;

    /// Tunes it, from now on and until it ends; or says which value cannot be. Its bounds were checked.
    fn tune(&self, tuning: Tuning) -> Result<(), Problem>;

    /// Why it does not send as it should, if it does not: for `/readyz`, a sentence each.
    fn troubles(&self) -> Vec<String>;

    /// What is not as it should be, and does not keep it from taking more: for `/readyz`, a sentence each. Anybody may read it.
    fn notes(&self) -> Vec<String>;

    /// How it is doing, for `/metrics`.
    fn status(&self) -> PipelineStatus;
}

/// Sends nothing, and remembers how it is tuned: for a process that only answers.
#[derive(Debug, Default)]
pub struct NoPipeline(Mutex<Tuning>);

impl Pipeline for NoPipeline {
    fn tuning(&self) -> Tuning {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) // numbers, which are never half written
    }

    fn tune(&self, tuning: Tuning) -> Result<(), Problem> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = tuning;
        Ok(())
    }

    fn troubles(&self) -> Vec<String> {
        Vec::new()
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    fn status(&self) -> PipelineStatus {
        PipelineStatus::default()
    }
}
