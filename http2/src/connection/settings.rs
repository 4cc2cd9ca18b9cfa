//! SETTINGS in both directions (RFC 9113 section 6.5.3): the peer's bind us as soon as they come, ours bind the peer from its
//! acknowledgement on.

use super::{Handled, Role, State};
use crate::{
    error::Violation,
    event::Event,
    frame::{self, Head, flag, kind},
    settings::Settings,
    stream::Direction,
    stream_id::StreamId,
    window::stream_share,
};

impl State {
    pub(super) fn on_settings<'p>(&mut self, head: Head, payload: &[u8]) -> Handled<'p> {
        if head.stream != StreamId::CONNECTION {
            return Err(Violation::FrameOnWrongStream);
        }
        if head.has(flag::ACK) {
            return self.on_settings_ack(payload);
        }
        self.meters.count(Violation::TooManySettings, self.now)?;
        let changes = Settings::parse(payload)?;
        if self.role == Role::Client && changes.enable_push == Some(1) {
            return Err(Violation::SettingOutOfRange); // RFC 9113 section 6.5.2: a server must not enable push
        }
        self.apply_peers(&changes)?;
        self.peer_settings_seen = true;
        frame::put(self.out.buffer(), kind::SETTINGS, flag::ACK, StreamId::CONNECTION, &[]);
        self.send_queued();
        Ok(Some(Event::Settings { changes }))
    }

    fn on_settings_ack<'p>(&mut self, payload: &[u8]) -> Handled<'p> {
        if !payload.is_empty() {
            return Err(Violation::FrameLength);
        }
        let changes = self.pending.pop_front().ok_or(Violation::UnexpectedSettingsAck)?;
        self.apply_ours(&changes)?;
        Ok(Some(Event::SettingsAcknowledged))
    }

    fn apply_peers(&mut self, changes: &Settings) -> Result<(), Violation> {
        if let Some(size) = changes.initial_window_size {
            let difference = i64::from(size) - i64::from(self.peers.initial_window_size);
            self.shift_streams(difference)?;
        }
        if let Some(size) = changes.header_table_size {
            self.out.encoder.set_table_size_max(size as usize);
        }
        self.peers.apply(changes);
        Ok(())
    }

    fn apply_ours(&mut self, changes: &Settings) -> Result<(), Violation> {
        if let Some(size) = changes.initial_window_size {
            let difference = i64::from(size) - i64::from(self.ours.initial_window_size);
            self.shift_receive_windows(difference, size)?;
        }
        if let Some(size) = changes.header_table_size {
            self.decoder.set_table_size_max(size as usize);
        }
        self.ours.apply(changes);
        Ok(())
    }

    /// Moves the windows that we have granted. What is owed may now be half of the smaller size: no DATA may come any more that would
    /// lead to looking at it again.
    fn shift_receive_windows(&mut self, difference: i64, size: u32) -> Result<(), Violation> {
        self.streams.try_for_each(|stream| stream.receive_window.shift(difference))?;
        for (id, stream) in self.streams.in_order() {
            if stream.receiving == Direction::Ended {
                continue; // nothing more comes
            }
            if let Some(increment) = stream.receive_window.release(0, stream_share(size)) {
                frame::put_window_update(self.out.buffer(), id, increment);
            }
        }
        Ok(())
    }
}
