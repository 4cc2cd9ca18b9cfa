//! The whole state of a double: what the service has, and what only the shell knows of teams.

use mock_apns_core::Snapshot;
use serde::{Deserialize, Serialize};

use crate::credentials::CredentialsForm;

/// The whole state of a double. Secret: private keys are in it, and everything that was pushed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DoubleSnapshot {
    pub(crate) credentials: CredentialsForm,
    pub(crate) service: Snapshot,
}
