//! What a device token stands for, and how it is minted and read.

use aes::{
    Aes128,
    cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};

use serde::{Deserialize, Serialize};

use super::{DEVICE_TOKEN_BYTES_MAX, DeviceToken};
use crate::{Environment, TokenKind, app::AppIndex, device::DeviceIndex};

/// What a device token stands for. Apple's tokens are the same: made of what they stand for, encrypted under a key that
/// only the service has, so that a push is routed without a directory of tokens.
/// Source: Apple, archived "APNs Overview".
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TokenIdentity {
    pub(crate) device: DeviceIndex,
    pub(crate) app: AppIndex,
    pub(crate) environment: Environment,
    pub(crate) kind: TokenKind,
    /// Grows with everything that makes a device forget its tokens.
    pub(crate) generation: u32,
    /// Which Live Activity of the app, from 1. 0: none, as for every other kind, and for the token that starts one.
    #[serde(default, skip_serializing_if = "crate::bytes::is_default")]
    pub(crate) activity: u32,
}

/// How long the tokens of a team are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TokenLength {
    /// 32 bytes, but 80 for a Live Activity: what was seen of Apple's.
    Usual,
    /// 32 to 100 bytes, each token another length.
    Varied,
}

/// A team's key for device tokens.
#[derive(Clone)]
pub(crate) struct TokenKey(Aes128);

impl TokenKey {
    pub(crate) fn new(key: [u8; BLOCK]) -> Self {
        Self(Aes128::new(&key.into()))
    }

    /// The token of `identity`: its encrypted block, and behind it a tag that no one without the key can make, as long
    /// as the token is to be. That of a Live Activity begins with 0x80, as seen of Apple's.
    pub(crate) fn mint(&self, identity: TokenIdentity, length: TokenLength) -> DeviceToken {
        let block = self.encrypt(identity.to_block());
        let mut bytes = Vec::with_capacity(DEVICE_TOKEN_BYTES_MAX);
        if identity.is_of_an_activity() {
            bytes.push(ACTIVITY_MARK);
        }
        let length = match length {
            _ if identity.is_of_an_activity() => ACTIVITY_BYTES,
            TokenLength::Usual => USUAL_BYTES,
            TokenLength::Varied => {
                USUAL_BYTES + usize::from(block[0]) % (DEVICE_TOKEN_BYTES_MAX - USUAL_BYTES + 1)
            }
        };
        bytes.extend_from_slice(&block);
        for number in 1.. {
            bytes.extend_from_slice(&self.tag(block, number));
            if bytes.len() >= length {
                break;
            }
        }
        bytes.truncate(length);
        DeviceToken(bytes.into())
    }

    /// What a token stands for, if it was minted under this key.
    pub(crate) fn read(&self, token: &[u8]) -> Option<TokenIdentity> {
        let is_of_an_activity = token.len() == ACTIVITY_BYTES && token[0] == ACTIVITY_MARK;
        let token = if is_of_an_activity { &token[1..] } else { token };
        let (block, tag) = token.split_first_chunk::<BLOCK>().filter(|(_, tag)| tag.len() >= BLOCK)?;
        let is_tagged =
            tag.chunks(BLOCK).zip(1..).all(|(part, number)| part == &self.tag(*block, number)[..part.len()]);
        let identity = if is_tagged { TokenIdentity::from_block(self.decrypt(*block)) } else { None };
        identity.filter(|identity| identity.is_of_an_activity() == is_of_an_activity)
    }

    fn tag(&self, block: [u8; BLOCK], number: u8) -> [u8; BLOCK] {
        let mut tag = block;
        tag[0] ^= number;
        self.encrypt(tag)
    }

    pub(crate) fn encrypt(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        block.into()
    }

    fn decrypt(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        self.0.decrypt_block(&mut block);
        block.into()
    }
}

impl std::fmt::Debug for TokenKey {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey")
    }
}

impl TokenIdentity {
    fn is_of_an_activity(self) -> bool {
        self.kind == TokenKind::LiveActivity
    }

    fn to_block(self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[0..4].copy_from_slice(&self.device.0.to_be_bytes());
        block[4..6].copy_from_slice(&self.app.0.to_be_bytes());
        block[6] = (self.kind as u8) << 1 | u8::from(self.environment == Environment::Production);
        block[7..11].copy_from_slice(&self.generation.to_be_bytes());
        block[11..15].copy_from_slice(&self.activity.to_be_bytes());
        block
    }

    fn from_block(block: [u8; BLOCK]) -> Option<Self> {
        let [d0, d1, d2, d3, a0, a1, kind, g0, g1, g2, g3, l0, l1, l2, l3, 0] = block else { return None };
        Some(Self {
            device: DeviceIndex(u32::from_be_bytes([d0, d1, d2, d3])),
            app: AppIndex(u16::from_be_bytes([a0, a1])),
            environment: if kind & 1 == 1 { Environment::Production } else { Environment::Sandbox },
            kind: *TokenKind::ALL.get(usize::from(kind >> 1))?,
            generation: u32::from_be_bytes([g0, g1, g2, g3]),
            activity: u32::from_be_bytes([l0, l1, l2, l3]),
        })
    }
}

/// Bytes of a block of AES.
pub(crate) const BLOCK: usize = 16;
/// Bytes of a usual token.
const USUAL_BYTES: usize = 32;
/// Bytes of a Live Activity's token, and the first of them: seen in two samples.
const ACTIVITY_BYTES: usize = 80;
const ACTIVITY_MARK: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> TokenKey {
        TokenKey::new([byte; BLOCK])
    }

    fn identity(device: u32, kind: TokenKind) -> TokenIdentity {
        TokenIdentity {
            device: DeviceIndex(device),
            app: AppIndex(3),
            environment: Environment::Production,
            kind,
            generation: 7,
            activity: u32::from(kind == TokenKind::LiveActivity),
        }
    }

    #[test]
    fn a_token_is_read_as_what_it_was_minted_for() {
        for length in [TokenLength::Usual, TokenLength::Varied] {
            for device in [0, 1, 255, u32::MAX] {
                for &kind in TokenKind::ALL {
                    let token = key(1).mint(identity(device, kind), length);
                    assert_eq!(key(1).read(token.as_bytes()), Some(identity(device, kind)));
                }
            }
        }
    }

    #[test]
    fn tokens_are_as_long_as_apples_or_of_every_length() {
        let len = |device, kind, length| key(1).mint(identity(device, kind), length).as_bytes().len();
        assert_eq!(len(1, TokenKind::App, TokenLength::Usual), 32);
        let activity = key(1).mint(identity(1, TokenKind::LiveActivity), TokenLength::Varied);
        assert_eq!((activity.as_bytes().len(), activity.as_bytes()[0]), (80, 0x80));
        let varied: std::collections::BTreeSet<usize> =
            (0..2_000).map(|device| len(device, TokenKind::App, TokenLength::Varied)).collect();
        assert_eq!((varied.first(), varied.last(), varied.len()), (Some(&32), Some(&100), 69));
    }

    #[test]
    fn a_token_of_another_team_or_with_a_bit_changed_is_none() {
        for kind in [TokenKind::App, TokenKind::LiveActivity] {
            let token = key(1).mint(identity(5, kind), TokenLength::Usual);
            assert_eq!(key(2).read(token.as_bytes()), None);
            for at in 0..token.as_bytes().len() {
                let mut bytes = token.as_bytes().to_vec();
                bytes[at] ^= 0x10;
                assert_eq!(key(1).read(&bytes), None, "{kind:?} byte {at}");
            }
            let shorter = &token.as_bytes()[..31];
            assert_eq!(key(1).read(shorter), None);
        }
        assert_eq!(key(1).read(&[]), None);
    }

    #[test]
    fn neighbours_have_nothing_in_common() {
        let [one, two] =
            [1, 2].map(|device| key(1).mint(identity(device, TokenKind::App), TokenLength::Usual));
        let equal = one.as_bytes().iter().zip(two.as_bytes()).filter(|(a, b)| a == b).count();
        assert!(equal < 4, "{one} {two}");
    }
}
