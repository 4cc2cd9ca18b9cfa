//! What all connections of one double share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mock_apns_core::Service;

/// The service; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    // A std mutex: it is held for one batch of frames and never across an await.
    service: Arc<Mutex<Service>>,
}

impl Shared {
    pub(crate) fn new(service: Service) -> Self {
        Self { service: Arc::new(Mutex::new(service)) }
    }

    /// The service, for one batch of work.
    pub(crate) fn service(&self) -> MutexGuard<'_, Service> {
        // A panic in another connection's batch is a bug, and not a reason to refuse everyone else.
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
