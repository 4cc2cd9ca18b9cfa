//! One thing that was done, as the log has it.

use mock_apns_core::{KeyId, Recorded, RecordedError, TeamId};
use serde::{Deserialize, Serialize};

/// One thing that was done to a double.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    /// To its service.
    Service(Recorded),
    /// To what it knows of keys.
    Credentials(CredentialsChange),
}

/// A change of what only the shell knows of teams.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum CredentialsChange {
    /// The private half of a team's key has become known.
    Remember { team: TeamId, id: KeyId, p8: String },
    /// A team is gone, and its keys with it.
    Forget { team: TeamId },
    /// So many names were given out.
    Named { teams: u32, keys: u32 },
}

/// What an entry's bytes begin with.
const SERVICE: u8 = 0;
const CREDENTIALS: u8 = 1;

impl Entry {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Service(recorded) => {
                let mut bytes = recorded.to_bytes();
                bytes.push(SERVICE);
                bytes
            }
            Self::Credentials(change) => {
                let mut bytes =
                    postcard::to_allocvec(change).expect("a list grows, and every length is known");
                bytes.push(CREDENTIALS);
                bytes
            }
        }
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, RecordedError> {
        match bytes.split_last() {
            Some((&SERVICE, bytes)) => Recorded::from_bytes(bytes).map(Self::Service),
            Some((&CREDENTIALS, bytes)) => {
                postcard::from_bytes(bytes).map(Self::Credentials).map_err(|_| RecordedError::Broken)
            }
            _ => Err(RecordedError::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use mock_apns_core::{Service, Settings, Team, Timestamp};

    use super::*;

    #[test]
    fn entries_are_read_as_they_were_written() {
        let team = TeamId::parse("TEAM000001").unwrap();
        let mut service = Service::new(Settings::default(), 0, crate::verify_es256);
        service.start_recording();
        service.add_team(Team::new(team)).unwrap();
        service.reset(Timestamp::from_secs(1_700_000_000));
        let mut entries: Vec<_> =
            std::iter::from_fn(|| service.poll_recorded()).map(Entry::Service).collect();
        let id = KeyId::parse("KEY0000001").unwrap();
        entries.extend([
            Entry::Credentials(CredentialsChange::Remember { team, id, p8: "a key".to_owned() }),
            Entry::Credentials(CredentialsChange::Forget { team }),
            Entry::Credentials(CredentialsChange::Named { teams: 1, keys: 2 }),
        ]);
        assert_eq!(entries.len(), 5);
        for entry in entries {
            let bytes = entry.to_bytes();
            assert_eq!(Entry::from_bytes(&bytes).unwrap(), entry);
            assert!(Entry::from_bytes(&bytes[1..]).is_err(), "{entry:?}");
        }
        assert!(Entry::from_bytes(&[]).is_err() && Entry::from_bytes(&[2]).is_err());
    }
}
