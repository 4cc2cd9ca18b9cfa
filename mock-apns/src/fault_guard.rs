//! A fault for as long as a test wants it.

use mock_apns_core::fault::{Fault, FaultError, FaultName};

use crate::{MockApns, MockTeam, clock, shared::Shared};

/// A fault that is there until this is dropped.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mock = mock_apns::MockApns::start().await?;
/// let team = mock.create_team("com.example.app")?;
/// let busy = team.fault(r#"{"name": "busy", "times": 3, "action": {"answer": {"status": 503}}}"#.parse()?)?;
/// // The first three pushes are answered 503 ServiceUnavailable …
/// assert_eq!(busy.fired(), 0);
/// drop(busy); // … and no more from here on.
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[must_use = "the fault is gone as soon as this is dropped"]
#[derive(Debug)]
pub struct FaultGuard {
    shared: Shared,
    /// `None`: everyone's.
    team: Option<mock_apns_core::TeamId>,
    name: FaultName,
    is_kept: bool,
}

impl MockTeam {
    /// Lets something go wrong for this team, until what is returned is dropped. `docs/faults.md` has every match and every action,
    /// as JSON, from which a [`Fault`] is parsed; it can be put together here too.
    pub fn fault(&self, fault: Fault) -> Result<FaultGuard, FaultError> {
        let name = fault.name.clone();
        self.at_work(|team| team.add_fault(fault))?;
        Ok(FaultGuard { shared: self.shared.clone(), team: Some(self.id), name, is_kept: false })
    }
}

impl MockApns {
    /// Lets something go wrong for everyone, until what is returned is dropped: also where no team is known yet, while a connection
    /// is accepted and in its TLS handshake.
    pub fn fault(&self, fault: Fault) -> Result<FaultGuard, FaultError> {
        let name = fault.name.clone();
        self.shared.batch().service().add_fault(clock::now(), fault)?;
        Ok(FaultGuard { shared: self.shared.clone(), team: None, name, is_kept: false })
    }
}

impl FaultGuard {
    /// How often it has fired. 0 also when its time was over, or something else has removed it.
    pub fn fired(&self) -> u64 {
        let mut batch = self.shared.batch();
        let (service, now) = (batch.service(), clock::now());
        let is_it = |known: &mock_apns_core::fault::KnownFault<'_>| known.fault.name == self.name;
        match self.team {
            Some(id) => {
                service.team_at(now, id).and_then(|team| team.faults().find(is_it).map(|it| it.fired))
            }
            None => service.faults(now).find(is_it).map(|it| it.fired),
        }
        .unwrap_or_default()
    }

    /// Leaves the fault where it is, for as long as the double runs.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        let mut batch = self.shared.batch();
        match self.team {
            Some(id) => {
                if let Some(mut team) = batch.service().team_at(clock::now(), id) {
                    team.remove_fault(&self.name);
                }
            }
            None => _ = batch.service().remove_fault(&self.name),
        }
    }
}
