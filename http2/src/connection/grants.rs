//! The windows that we grant, and what else a caller can withhold.

use super::{Connection, Grants, Withheld};
use crate::{error::CommandError, frame, settings::MAX_WINDOW, stream_id::StreamId};

/// Windows that we grant.
impl Connection {
    /// Says who grants window from now on.
    pub fn set_grants(&mut self, grants: Grants) {
        self.state.grants = grants;
    }

    /// Gives back `bytes` of DATA that were taken from `stream`, for it and for the connection; only needed with [`Grants::Manual`].
    /// Updates go out once half of a stream's window is owed, or a thirty-second of the connection's. Bytes of a stream that has ended or
    /// was reset are still to be released: they are missing in the connection's window. More than was taken is not given back.
    pub fn release(&mut self, stream: StreamId, bytes: usize) {
        if self.failed.is_none() {
            self.state.release_connection(bytes);
            self.state.grant_connection();
            self.state.release_stream(stream, bytes);
        }
    }

    /// Widens the window of `stream`, or of the connection for [`StreamId::CONNECTION`], beyond what was received.
    pub fn widen_window(&mut self, stream: StreamId, increment: u32) -> Result<(), CommandError> {
        self.alive()?;
        let out_of_range = CommandError::OutOfRange { what: "the window" };
        if increment == 0 || increment > MAX_WINDOW {
            return Err(out_of_range);
        }
        let state = &mut self.state;
        let window = if stream == StreamId::CONNECTION {
            &mut state.receive_window
        } else {
            &mut state.streams.get_mut(stream).ok_or(CommandError::StreamNotOpen)?.receive_window
        };
        window.widen(increment).map_err(|_| out_of_range)?;
        frame::put_window_update(state.out.buffer(), stream, increment);
        Ok(())
    }

    /// Gives nothing back any more of the connection's window, of the streams', or of both: a stall on purpose. What was
    /// withheld is not made up for when it ends.
    pub fn withhold_windows(&mut self, of_connection: bool, of_streams: bool) {
        self.state.withheld = Withheld { connection: of_connection, streams: of_streams };
    }

    /// Whether PINGs are answered; they are, unless a fault wants silence.
    pub fn set_answer_pings(&mut self, answer: bool) {
        self.state.answer_pings = answer;
    }
}
