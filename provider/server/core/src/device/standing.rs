//! Whether a push that was planned for a device still is for it.

use apns_provider_core::DeviceToken;

use crate::ids::RegistrationNumber;

/// What a push was planned for: what its shard says of the recipient.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    /// The device token, as bytes.
    pub token: &'a [u8],
    /// The device's registration when it was planned.
    pub number: RegistrationNumber,
    /// Whether it is meant for the device's user, and not for whoever has the device.
    pub is_for_user: bool,
}

/// What the store knows of the device now.
#[derive(Clone, Copy, Debug)]
pub struct Current<'a> {
    /// Its token now, as bytes.
    pub token: &'a [u8],
    /// The registration with which its user became its user.
    pub user_since: RegistrationNumber,
}

/// Whether the push is still to be sent, and where to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// As planned.
    AsPlanned,
    /// The device is not there any more.
    Gone,
    /// To the token that the device has now.
    Moved(DeviceToken),
    /// The device is somebody else's now: a code to sign in with is not for them.
    OtherUser,
}

impl Standing {
    /// Decides when a shard is claimed: minutes or days may lie between the plan and this.
    pub fn of(planned: Planned<'_>, current: Option<Current<'_>>) -> Self {
        let Some(current) = current else { return Self::Gone };
        if planned.is_for_user && current.user_since > planned.number {
            return Self::OtherUser;
        }
        if planned.token == current.token {
            return Self::AsPlanned;
        }
        // What the store has is a token; if it is none, the device cannot be reached.
        DeviceToken::from_bytes(current.token).map_or(Self::Gone, Self::Moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: RegistrationNumber = RegistrationNumber::new(5);
    const LATER: RegistrationNumber = RegistrationNumber::new(6);
    const PLANNED: Planned<'static> = Planned { token: &[1; 32], number: THEN, is_for_user: true };

    #[test]
    fn a_device_that_only_registered_again_gets_its_push() {
        let current = Current { token: &[1; 32], user_since: THEN };
        assert_eq!(Standing::of(PLANNED, Some(current)), Standing::AsPlanned);
    }

    #[test]
    fn a_device_with_a_new_token_gets_it_there() {
        let current = Current { token: &[2; 32], user_since: THEN };
        let moved = Standing::Moved(DeviceToken::from_bytes(&[2; 32]).unwrap());
        assert_eq!(Standing::of(PLANNED, Some(current)), moved);
    }

    #[test]
    fn what_is_for_a_user_does_not_go_to_the_next_one() {
        let current = Current { token: &[1; 32], user_since: LATER };
        assert_eq!(Standing::of(PLANNED, Some(current)), Standing::OtherUser);
        let to_all = Planned { is_for_user: false, ..PLANNED };
        assert_eq!(Standing::of(to_all, Some(current)), Standing::AsPlanned);
    }

    #[test]
    fn a_device_that_is_gone_gets_nothing() {
        assert_eq!(Standing::of(PLANNED, None), Standing::Gone);
    }
}
