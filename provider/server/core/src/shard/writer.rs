use apns_provider_core::{DeviceToken, UnixTime};
use thiserror::Error;

use super::{HEADER, Recipient, SHARD_RECIPIENTS, VERSION, column::Column};
use crate::device::Kind;

/// Collects recipients into a shard. One writer makes any number of them, and keeps its memory.
#[derive(Clone, Debug, Default)]
pub struct ShardWriter {
    device: Vec<u64>,
    number: Vec<u64>,
    registered_at: Vec<u64>,
    variant: Vec<u64>,
    token_ends: Vec<u64>,
    tokens: Vec<u8>,
}

/// Why a recipient does not go into a shard.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NotWritten {
    /// The shard has as many recipients as it may.
    #[error("the shard has {SHARD_RECIPIENTS} recipients already; finish it and begin another")]
    Full,
    /// The token has no possible length.
    #[error("a device token has 1 to 100 bytes, and not {len}")]
    Token {
        /// How many it has.
        len: usize,
    },
}

impl ShardWriter {
    /// Nothing in it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many recipients are in it.
    pub fn len(&self) -> usize {
        self.device.len()
    }

    /// Whether none is in it.
    pub fn is_empty(&self) -> bool {
        self.device.is_empty()
    }

    /// Puts a recipient at the next position.
    pub fn push(&mut self, recipient: Recipient<'_>) -> Result<(), NotWritten> {
        if self.len() == SHARD_RECIPIENTS {
            return Err(NotWritten::Full);
        }
        let len = recipient.token.len();
        if len == 0 || len > DeviceToken::BYTES_MAX {
            return Err(NotWritten::Token { len });
        }
        let row = |number: i64| u64::try_from(number).unwrap_or(0); // the store's begin at 1
        self.device.push(recipient.device.map_or(0, |device| row(device.get())));
        self.number.push(row(recipient.number.get()));
        self.registered_at.push(recipient.registered_at.map_or(0, UnixTime::as_millis));
        self.variant.push(recipient.variant.into());
        self.tokens.extend_from_slice(recipient.token);
        self.token_ends.push(self.tokens.len() as u64);
        Ok(())
    }

    /// The bytes of a shard of what is in it, if there is something; the writer is empty again.
    pub fn finish(&mut self, kind: Kind) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        let token_len = self.common_token_len();
        let mut bytes = Vec::with_capacity(HEADER + self.tokens.len() + self.len() * BYTES_BESIDE_TOKEN);
        let count = u16::try_from(self.len()).expect("push has refused more than a shard may have");
        bytes.extend_from_slice(&[VERSION, kind.number()]);
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.push(token_len.unwrap_or(0));
        for column in [&self.device, &self.number, &self.registered_at, &self.variant] {
            Column::write(&mut bytes, column);
        }
        if token_len.is_none() {
            Column::write(&mut bytes, &self.token_ends);
        }
        bytes.extend_from_slice(&self.tokens);
        self.clear();
        Some(bytes)
    }

    /// The length of all tokens, if all are alike.
    fn common_token_len(&self) -> Option<u8> {
        let len = *self.token_ends.first()?;
        let alike = self.token_ends.iter().zip(1_u64..).all(|(end, count)| *end == len * count);
        u8::try_from(len).ok().filter(|_| alike)
    }

    fn clear(&mut self) {
        for column in [
            &mut self.device,
            &mut self.number,
            &mut self.registered_at,
            &mut self.variant,
            &mut self.token_ends,
        ] {
            column.clear();
        }
        self.tokens.clear();
    }
}

/// Usually enough for the columns: three bytes for a row, four for its registration, five for when it was.
const BYTES_BESIDE_TOKEN: usize = 14;
