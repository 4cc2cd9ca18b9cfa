//! The recipients of a part of a notification, frozen when it was planned, as one compact blob.
//!
//! ```text
//!   version  kind  count  token bytes │ device │ number │ registered-at │ variant │ (ends) │ tokens
//!      1       1     2    1, 0: mixed │         columns: base, width, values      │        │ one after the other
//! ```
//!
//! A shard of a thousand has about 45 kB, nearly all of it tokens. Reading one allocates nothing and copies nothing: a
//! [`Shard`] looks into the bytes as they came from the store, and finds any recipient at once.

mod column;
mod positions;
mod writer;

use apns_provider_core::{DeviceToken, UnixTime};
use bytes::Bytes;
use thiserror::Error;

use column::Column;
pub use positions::{DamagedPositions, Positions};
pub use writer::{NotWritten, ShardWriter};

use crate::{
    device::Kind,
    ids::{DeviceId, RegistrationNumber},
};

/// Recipients of one shard at most: what is claimed, leased and released as one. Of more, a process that dies would leave more to be
/// sent again; of fewer, a campaign of a million would have more rows than the store likes to count.
pub const SHARD_RECIPIENTS: usize = 1000;

/// One recipient of a shard, as it was when the shard was planned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Recipient<'a> {
    /// The device token, as bytes: 1 to [`DeviceToken::BYTES_MAX`].
    pub token: &'a [u8],
    /// Its row; `None` is a token that was never registered here.
    pub device: Option<DeviceId>,
    /// Which of its registrations it was.
    pub number: RegistrationNumber,
    /// When it was registered, if it was.
    pub registered_at: Option<UnixTime>,
    /// Which of the message's variants it gets: the one in its language.
    pub variant: u16,
}

impl Recipient<'_> {
    /// The token as pushes have it.
    pub fn device_token(&self) -> DeviceToken {
        DeviceToken::from_bytes(self.token)
            .expect("the length was checked when the shard was read or written")
    }
}

/// The recipients of a shard, read from its bytes.
///
/// ```
/// use apns_provider_server_core::{device::Kind, ids::RegistrationNumber, shard::{Recipient, Shard, ShardWriter}};
///
/// let mut writer = ShardWriter::new();
/// let recipient =
///     Recipient { token: &[7; 32], device: None, number: RegistrationNumber::new(0), registered_at: None, variant: 0 };
/// writer.push(recipient)?;
/// let bytes = writer.finish(Kind::Alert).expect("there is one in it");
/// let shard = Shard::read(bytes.into())?;
/// assert_eq!((shard.len(), shard.recipient(0)), (1, Some(recipient)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Shard {
    bytes: Bytes,
    kind: Kind,
    count: u16,
    device: Column,
    number: Column,
    registered_at: Column,
    variant: Column,
    tokens: Tokens,
}

/// Where the tokens stand.
#[derive(Clone, Copy, Debug)]
enum Tokens {
    /// All are of the same length.
    Alike { start: usize, len: usize },
    /// Each ends so many bytes behind the start.
    Mixed { start: usize, ends: Column },
}

/// Why bytes are no shard.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DamagedShard {
    /// It says that it has none, or more than any.
    #[error("the shard says that it has {count} recipients; it has 1 to {SHARD_RECIPIENTS}")]
    Count {
        /// What it says.
        count: u16,
    },
    /// It ends too early.
    #[error("the shard ends before it is complete")]
    Cut,
    /// It does not end where it should.
    #[error("the shard has {bytes} bytes too many")]
    Longer {
        /// How many.
        bytes: usize,
    },
    /// A number is larger than any.
    #[error("the shard has a number that is none of its column")]
    Number,
    /// A token is empty or longer than any.
    #[error("the shard has a device token at {position} that has no possible length")]
    Token {
        /// Whose.
        position: u16,
    },
    /// Its tokens are of no known kind.
    #[error(
        "the shard has tokens of kind {number}, which this version does not know; was a newer one here before?"
    )]
    UnknownKind {
        /// The number of the kind.
        number: u8,
    },
    /// It was written by a version that is not known.
    #[error(
        "the shard is of form {version}, and this version reads form {VERSION}; was a newer one here before?"
    )]
    Version {
        /// The form.
        version: u8,
    },
    /// A column has an impossible width.
    #[error("the shard has a column of {width} bytes; it has 0 to 8")]
    Width {
        /// The width.
        width: usize,
    },
}

impl Shard {
    /// Reads the bytes of a shard, and checks all of them: nothing is wrong with a recipient later.
    pub fn read(bytes: Bytes) -> Result<Self, DamagedShard> {
        let [version, kind, low, high, token_len] = *bytes.first_chunk().ok_or(DamagedShard::Cut)?;
        if version != VERSION {
            return Err(DamagedShard::Version { version });
        }
        let kind = Kind::from_number(kind).ok_or(DamagedShard::UnknownKind { number: kind })?;
        let count = u16::from_le_bytes([low, high]);
        if !(1..=SHARD_RECIPIENTS).contains(&usize::from(count)) {
            return Err(DamagedShard::Count { count });
        }
        let mut at = HEADER;
        let mut column = || {
            let (column, end) = Column::read(&bytes, at, count.into())?;
            at = end;
            Ok(column)
        };
        let (device, number, registered_at, variant) = (column()?, column()?, column()?, column()?);
        let tokens = match token_len {
            0 => {
                let ends = column()?;
                Tokens::Mixed { start: at, ends }
            }
            len => Tokens::Alike { start: at, len: len.into() },
        };
        let shard = Self { bytes, kind, count, device, number, registered_at, variant, tokens };
        shard.check_numbers()?;
        shard.check_tokens()?;
        Ok(shard)
    }

    /// What its tokens were issued for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How many recipients it has: their positions are `0..len()`.
    pub fn len(&self) -> u16 {
        self.count
    }

    /// Never: a shard has a recipient.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The recipient at this position.
    pub fn recipient(&self, position: u16) -> Option<Recipient<'_>> {
        (position < self.count).then(|| self.get(position))
    }

    /// Each recipient, in the order of their positions.
    pub fn recipients(&self) -> impl ExactSizeIterator<Item = Recipient<'_>> {
        (0..self.count).map(|position| self.get(position))
    }

    /// The bytes, as they are stored.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    fn get(&self, position: u16) -> Recipient<'_> {
        let at = usize::from(position);
        let number = |column: &Column| i64::try_from(column.get(&self.bytes, at)).unwrap_or(0);
        let registered_at = self.registered_at.get(&self.bytes, at);
        Recipient {
            token: self.token(at).unwrap_or_default(),
            device: Some(number(&self.device)).filter(|row| *row > 0).map(DeviceId::new),
            number: RegistrationNumber::new(number(&self.number)),
            registered_at: (registered_at > 0).then(|| UnixTime::from_millis(registered_at)),
            variant: self.variant.get(&self.bytes, at) as u16,
        }
    }

    fn token(&self, at: usize) -> Option<&[u8]> {
        let (begin, end) = match self.tokens {
            Tokens::Alike { start, len } => (start + at * len, start + (at + 1) * len),
            Tokens::Mixed { start, ends } => {
                let end = |at: usize| usize::try_from(ends.get(&self.bytes, at)).ok()?.checked_add(start);
                (if at == 0 { start } else { end(at - 1)? }, end(at)?)
            }
        };
        self.bytes.get(begin..end)
    }

    fn check_numbers(&self) -> Result<(), DamagedShard> {
        let is_row = |number: u64| i64::try_from(number).is_ok();
        let fits = |at: usize| {
            is_row(self.device.get(&self.bytes, at))
                && is_row(self.number.get(&self.bytes, at))
                && u16::try_from(self.variant.get(&self.bytes, at)).is_ok()
        };
        if (0..usize::from(self.count)).all(fits) { Ok(()) } else { Err(DamagedShard::Number) }
    }

    fn check_tokens(&self) -> Result<(), DamagedShard> {
        let mut end = match self.tokens {
            Tokens::Alike { start, .. } | Tokens::Mixed { start, .. } => start,
        };
        for position in 0..self.count {
            let token = self.token(position.into()).ok_or(DamagedShard::Cut)?;
            if token.is_empty() || token.len() > DeviceToken::BYTES_MAX {
                return Err(DamagedShard::Token { position });
            }
            end += token.len();
        }
        match self.bytes.len().checked_sub(end) {
            Some(0) => Ok(()),
            Some(bytes) => Err(DamagedShard::Longer { bytes }),
            None => Err(DamagedShard::Cut),
        }
    }
}

/// The form that is written. A program reads all that were ever written, and refuses those of the future.
const VERSION: u8 = 1;
/// Bytes before the first column.
const HEADER: usize = 5;

#[cfg(test)]
mod tests;
