//! Several adapters in one play: a fleet of processes of one provider.

use super::Stage;
use crate::provider::{
    adapter::{Adapter, Trouble},
    item::Stop,
};

impl Stage {
    /// Starts the adapter that is spoken to, in place of one that there may be.
    ///
    /// # Errors
    /// It does not start, or cannot be told the time.
    pub(crate) async fn start_adapter(&mut self) -> Result<(), Stop> {
        self.adapter = None;
        let adapter = Adapter::start(&self.command, &self.surroundings, &self.recorder).await?;
        self.recorder.introduced(&adapter.ready().can);
        self.adapter = Some(adapter);
        if self.adapter_ahead == 0 { Ok(()) } else { self.tell_time().await }
    }

    /// Starts one more adapter, which is spoken to from now on.
    ///
    /// # Errors
    /// It does not start, or cannot be told the time.
    pub(crate) async fn start_another_adapter(&mut self) -> Result<(), Stop> {
        self.others.extend(self.adapter.take());
        self.start_adapter().await
    }

    /// How many adapters there are.
    pub(crate) fn adapters(&self) -> usize {
        self.others.len() + usize::from(self.adapter.is_some())
    }

    /// Another adapter is spoken to from now on: as often as there are some, each has had its turn.
    pub(crate) fn turn_to_next(&mut self) {
        self.others.extend(self.adapter.take());
        if !self.others.is_empty() {
            self.adapter = Some(self.others.remove(0));
        }
    }

    /// What is wrong with an adapter, if anything is with any.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        match &self.adapter {
            None => Some(Trouble::Ended),
            Some(adapter) => adapter.trouble().or_else(|| self.others.iter().find_map(Adapter::trouble)),
        }
    }
}
