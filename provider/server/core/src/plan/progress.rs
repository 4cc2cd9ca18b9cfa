use serde::{Deserialize, Serialize};

use crate::ids::DeviceId;

/// How far a plan is: stored with each step's shards.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Progress {
    /// Where the next step begins.
    pub cursor: Cursor,
    /// The number of the next shard.
    pub next_shard: u32,
    /// Recipients in shards so far.
    pub planned: u64,
    /// Devices of the audience that get nothing: where the local time was over, and tokens of another kind.
    pub left_out: u64,
}

/// Where a step begins.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cursor {
    /// With the devices behind this row.
    After(DeviceId),
    /// Nowhere: the plan is complete.
    #[default]
    Done,
    /// With the one at this place of those that were named.
    Named(u32),
}

impl Progress {
    /// Whether the plan is complete.
    pub fn is_complete(&self) -> bool {
        self.cursor == Cursor::Done
    }

    pub(super) fn move_on(&mut self, named: usize) {
        if let Cursor::Named(from) = &mut self.cursor {
            *from = from.saturating_add(u32::try_from(named).unwrap_or(u32::MAX));
        }
    }
}
