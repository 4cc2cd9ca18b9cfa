//! What a registration does to what is there.

use std::cmp::Reverse;

use apns_provider_core::UnixTime;

use super::{Device, DeviceRecord, Registration};
use crate::ids::{DeviceId, RegistrationNumber, UserId};

/// Devices that one user may have of one kind in one environment, unless the app says otherwise: more than anybody carries, few enough
/// that a loop in an app does not fill the table.
pub const DEVICES_PER_USER: u16 = 20;

/// What a registration does: changes to make in one transaction, with what was read for it.
///
/// | there is | it does |
/// |---|---|
/// | nothing | adds a device |
/// | the token | refreshes it; it may have become another user's |
/// | the previous token | gives its device the new one: what was planned for it finds it |
/// | both | refreshes the one and removes the other |
/// | the token in the other environment | removes that: it was registered wrongly, since a token works in one |
/// | more of the user's devices than allowed | removes those that registered longest ago |
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registering {
    /// What it was.
    pub registered: Registered,
    /// What to change. Removals are for the registration named with them, and for no later one.
    pub changes: Vec<Change>,
}

/// What a registration was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Registered {
    /// A device nobody knew.
    Added,
    /// A known device under its known token.
    Refreshed,
    /// A known device under a new token.
    TokenReplaced,
    /// A known device that is somebody else's now, or nobody's.
    UserChanged {
        /// Whose it was.
        from: Option<UserId>,
    },
}

/// One change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// A new row.
    Add(DeviceRecord),
    /// This row's device is this now.
    Update {
        /// Which row.
        device: DeviceId,
        /// What is known of it now.
        record: DeviceRecord,
    },
    /// This row goes, if its registration is still this one.
    Remove {
        /// Which row.
        device: DeviceId,
        /// Which registration of it.
        number: RegistrationNumber,
        /// Why.
        why: WhyRemoved,
    },
}

/// Why a registration removes a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WhyRemoved {
    /// Its user has more than may be, and it registered longest ago.
    Evicted,
    /// The same token works in the other environment.
    OtherEnvironment,
    /// Its token was replaced by one that was known already.
    Replaced,
}

impl Registering {
    /// Decides. `known` are the app's devices that have the registration's token or its previous one, in any environment, and those of
    /// its user; `number` is the store's next, and greater than any it has given out.
    pub fn decide(
        now: UnixTime,
        registration: &Registration,
        number: RegistrationNumber,
        known: &[Device],
        devices_per_user: u16,
    ) -> Self {
        let in_environment = |device: &&Device| device.record.environment == registration.environment;
        let here =
            known.iter().filter(in_environment).find(|device| device.record.token == registration.token);
        let before = registration.previous_token.as_ref().and_then(|token| {
            known.iter().filter(in_environment).find(|device| device.record.token == *token)
        });
        let kept = here.or(before);
        let record = record(now, registration, number, kept);

        let mut changes = Vec::with_capacity(1);
        let registered = registered(kept, here.is_some(), &record);
        changes.push(match kept {
            None => Change::Add(record),
            Some(device) => Change::Update { device: device.id, record },
        });
        if let (Some(_), Some(before)) = (here, before) {
            changes.push(remove(before, WhyRemoved::Replaced));
        }
        let elsewhere = |device: &&Device| {
            device.record.environment != registration.environment && device.record.token == registration.token
        };
        changes.extend(
            known.iter().filter(elsewhere).map(|device| remove(device, WhyRemoved::OtherEnvironment)),
        );
        let stays = |device: &&Device| {
            [here, before].into_iter().flatten().all(|gone_or_kept| gone_or_kept.id != device.id)
        };
        evict(registration, known.iter().filter(stays), devices_per_user, &mut changes);
        Self { registered, changes }
    }
}

/// The devices of the registration's user that are too many beside the one that registers.
fn evict<'a>(
    registration: &Registration,
    others: impl Iterator<Item = &'a Device>,
    devices_per_user: u16,
    changes: &mut Vec<Change>,
) {
    let Some(user) = &registration.user else { return };
    let is_alike = |device: &&Device| {
        let record = &device.record;
        record.user.as_ref() == Some(user)
            && record.environment == registration.environment
            && record.kind == registration.kind
    };
    let mut alike: Vec<&Device> = others.filter(is_alike).collect();
    alike.sort_by_key(|device| Reverse((device.record.registered_at, device.record.number)));
    let others_max = usize::from(devices_per_user.max(1) - 1);
    changes.extend(alike.into_iter().skip(others_max).map(|device| remove(device, WhyRemoved::Evicted)));
}

fn record(
    now: UnixTime,
    registration: &Registration,
    number: RegistrationNumber,
    kept: Option<&Device>,
) -> DeviceRecord {
    let same_user = kept.filter(|device| device.record.user == registration.user);
    DeviceRecord {
        token: registration.token.clone(),
        environment: registration.environment,
        kind: registration.kind,
        user: registration.user.clone(),
        locale: registration.locale.clone(),
        time_zone: registration.time_zone.clone(),
        tags: registration.tags.clone(),
        app_version: registration.app_version.clone(),
        // If the clock was set back, this registration is still later than the one before.
        registered_at: kept.map_or(now, |device| device.record.registered_at.max(now)),
        number,
        user_since: same_user.map_or(number, |device| device.record.user_since),
    }
}

fn registered(kept: Option<&Device>, has_token: bool, record: &DeviceRecord) -> Registered {
    match kept {
        None => Registered::Added,
        Some(device) if device.record.user != record.user => {
            Registered::UserChanged { from: device.record.user.clone() }
        }
        Some(_) if has_token => Registered::Refreshed,
        Some(_) => Registered::TokenReplaced,
    }
}

fn remove(device: &Device, why: WhyRemoved) -> Change {
    Change::Remove { device: device.id, number: device.record.number, why }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use apns_provider_core::DeviceToken;

    use super::*;
    use crate::device::{Environment, Kind};

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
    const NEXT: RegistrationNumber = RegistrationNumber::new(100);

    fn token(at: u8) -> DeviceToken {
        DeviceToken::from_bytes(&[at; 32]).unwrap()
    }

    fn user(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    fn registration(at: u8, name: &str) -> Registration {
        Registration {
            token: token(at),
            environment: Environment::Production,
            kind: Kind::Alert,
            user: Some(user(name)),
            locale: None,
            time_zone: None,
            tags: BTreeSet::new(),
            app_version: None,
            previous_token: None,
        }
    }

    /// Device `at`: its row, its token and its registration are numbered alike, and it registered that many seconds after an hour ago.
    fn device(at: u8, name: &str) -> Device {
        let registered_at = UnixTime::from_secs(NOW.as_secs() - 3600 + u64::from(at));
        let number = RegistrationNumber::new(i64::from(at));
        let record = record(registered_at, &registration(at, name), number, None);
        Device { id: DeviceId::new(i64::from(at)), record }
    }

    fn decide(registration: &Registration, known: &[Device]) -> Registering {
        Registering::decide(NOW, registration, NEXT, known, DEVICES_PER_USER)
    }

    fn removed(at: u8, why: WhyRemoved) -> Change {
        let (device, number) = (DeviceId::new(i64::from(at)), RegistrationNumber::new(i64::from(at)));
        Change::Remove { device, number, why }
    }

    fn updated(registering: &Registering) -> (DeviceId, &DeviceRecord) {
        match &registering.changes[0] {
            Change::Update { device, record } => (*device, record),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_device_nobody_knew_is_added() {
        let registering = decide(&registration(1, "ada"), &[]);
        assert_eq!(registering.registered, Registered::Added);
        let [Change::Add(record)] = registering.changes.as_slice() else { panic!("{registering:?}") };
        assert_eq!((record.registered_at, record.number, record.user_since), (NOW, NEXT, NEXT));
    }

    #[test]
    fn registering_again_refreshes_and_keeps_since_when_the_user_has_it() {
        let registering = decide(&registration(1, "ada"), &[device(1, "ada")]);
        assert_eq!(registering.registered, Registered::Refreshed);
        let (id, record) = updated(&registering);
        assert_eq!((id, record.number, record.registered_at), (DeviceId::new(1), NEXT, NOW));
        assert_eq!(record.user_since, RegistrationNumber::new(1));
        assert_eq!(registering.changes.len(), 1);
    }

    #[test]
    fn a_device_that_changes_hands_has_its_user_since_now() {
        let registering = decide(&registration(1, "bob"), &[device(1, "ada")]);
        assert_eq!(registering.registered, Registered::UserChanged { from: Some(user("ada")) });
        assert_eq!(updated(&registering).1.user_since, NEXT);
        let mut signed_out = registration(1, "ada");
        signed_out.user = None;
        let registering = decide(&signed_out, &[device(1, "ada")]);
        assert_eq!(updated(&registering).1.user, None);
        assert_eq!(updated(&registering).1.user_since, NEXT);
    }

    #[test]
    fn a_device_keeps_its_row_under_its_new_token() {
        let replacing = Registration { previous_token: Some(token(1)), ..registration(2, "ada") };
        let registering = decide(&replacing, &[device(1, "ada")]);
        assert_eq!(registering.registered, Registered::TokenReplaced);
        let (id, record) = updated(&registering);
        assert_eq!((id, &record.token), (DeviceId::new(1), &token(2)));
        assert_eq!(registering.changes.len(), 1, "the old token is not there any more");
    }

    #[test]
    fn of_two_rows_of_one_device_one_goes() {
        let replacing = Registration { previous_token: Some(token(1)), ..registration(2, "ada") };
        let registering = decide(&replacing, &[device(1, "ada"), device(2, "ada")]);
        assert_eq!(updated(&registering).0, DeviceId::new(2));
        assert_eq!(registering.changes[1..], [removed(1, WhyRemoved::Replaced)]);
    }

    #[test]
    fn a_token_works_in_the_environment_it_was_registered_for_last() {
        let mut wrong = device(1, "ada");
        wrong.record.environment = Environment::Sandbox;
        let registering = decide(&registration(1, "ada"), &[wrong]);
        assert_eq!(registering.registered, Registered::Added);
        assert_eq!(registering.changes[1..], [removed(1, WhyRemoved::OtherEnvironment)]);
    }

    #[test]
    fn a_users_devices_in_the_other_environment_are_let_alone() {
        let mut test_phone = device(1, "ada");
        test_phone.record.environment = Environment::Sandbox;
        let registering = Registering::decide(NOW, &registration(2, "ada"), NEXT, &[test_phone], 1);
        assert_eq!(registering.changes.len(), 1, "{registering:?}");
    }

    #[test]
    fn beyond_the_cap_those_that_registered_longest_ago_go() {
        let known = [device(3, "ada"), device(1, "ada"), device(2, "ada"), device(9, "bob")];
        let registering = Registering::decide(NOW, &registration(4, "ada"), NEXT, &known, 2);
        assert_eq!(
            registering.changes[1..],
            [removed(2, WhyRemoved::Evicted), removed(1, WhyRemoved::Evicted)]
        );
        let again = Registering::decide(NOW, &registration(1, "ada"), NEXT, &known[..2], 2);
        assert_eq!(again.changes.len(), 1, "the one that registers is not counted twice: {again:?}");
        let alone = Registering::decide(NOW, &registration(4, "ada"), NEXT, &known[..1], 0);
        assert!(matches!(alone.changes[0], Change::Add(_)), "a cap of none is one of one");
    }

    #[test]
    fn a_replaced_device_is_not_evicted_as_well() {
        let replacing = Registration { previous_token: Some(token(1)), ..registration(2, "ada") };
        let registering =
            Registering::decide(NOW, &replacing, NEXT, &[device(1, "ada"), device(2, "ada")], 1);
        assert_eq!(registering.changes[1..], [removed(1, WhyRemoved::Replaced)]);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_make_a_registration_older() {
        let long_ago = UnixTime::from_secs(1);
        let registering =
            Registering::decide(long_ago, &registration(1, "ada"), NEXT, &[device(1, "ada")], 20);
        assert_eq!(updated(&registering).1.registered_at, device(1, "ada").record.registered_at);
    }
}
