use crate::channel_id::ChannelId;

/// A broadcast channel: those who follow one thing with a Live Activity, as many as they are, are sent one broadcast.
///
/// It belongs to one app in one environment (Apple, "Sending channel management requests to APNs").
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Channel {
    /// Its name, which APNs drew.
    pub id: ChannelId,
    /// What APNs keeps of its broadcasts.
    pub storage: MessageStoragePolicy,
}

/// What APNs keeps for devices that cannot be reached, `message-storage-policy`. It is chosen when a channel is created, and stays.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum MessageStoragePolicy {
    /// 0: nothing. More broadcasts may be sent than to a channel that stores, and each has to expire
    /// [at once](crate::Expiration::ONCE).
    NoMessageStored,
    /// 1: the latest one, until it expires and for 8 hours at most.
    MostRecentMessageStored,
}

impl MessageStoragePolicy {
    /// The number on the wire.
    pub const fn as_number(self) -> u8 {
        match self {
            Self::NoMessageStored => 0,
            Self::MostRecentMessageStored => 1,
        }
    }

    /// The policy with this number, if there is one.
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::NoMessageStored),
            1 => Some(Self::MostRecentMessageStored),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two_policies_and_no_others() {
        let numbers: Vec<u64> =
            (0..1000).filter(|number| MessageStoragePolicy::from_number(*number).is_some()).collect();
        assert_eq!(numbers, [0, 1]);
        for number in numbers {
            let policy = MessageStoragePolicy::from_number(number).unwrap();
            assert_eq!(u64::from(policy.as_number()), number);
        }
    }
}
