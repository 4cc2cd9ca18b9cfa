//! Writing down what is done to a service, and doing it again.

use super::Service;
use crate::Recorded;

impl Service {
    /// From now on every call that changes something is written down, to be taken with
    /// [`poll_recorded`](Self::poll_recorded).
    pub fn start_recording(&mut self) {
        self.recorder.get_or_insert_default();
    }

    /// The next call that was written down, or `None`: to be called until it returns `None`, after each call or each batch
    /// of them, and before what they have brought about is let out.
    pub fn poll_recorded(&mut self) -> Option<Recorded> {
        self.recorder.as_mut()?.poll()
    }

    /// Does again what was done to another service, or to this one before it was restored. If both were equal before, they
    /// are afterwards. What it brings about on connections is dropped, and it is not recorded.
    pub fn redo(&mut self, recorded: Recorded) {
        let pending = self.effects.len();
        let own = self.recorder.take();
        recorded.apply(self);
        self.recorder = own;
        self.effects.truncate(pending);
    }

    /// Writes down what is done, if that was asked for. It is called where a call comes in from outside, and nowhere else.
    pub(crate) fn record(&mut self, recorded: impl FnOnce() -> Recorded) {
        if let Some(recorder) = &mut self.recorder {
            recorder.record(recorded());
        }
    }
}
