//! Devices that are as most devices are, in a byte each.

use super::{DeviceData, DeviceIndex, DeviceState};
use crate::{Environment, device_token::TokenIdentity};

/// What a push needs to know of devices that are online and not connected to the gateway, and have one app, which may
/// show notifications, and for which nothing waits.
///
/// It says nothing that the devices' data does not say. But most devices are alike: a byte for each says which of a few
/// sorts it is. The bytes of a million devices are a megabyte, which processors keep at hand, and their data is not: so
/// a push to one of a million costs hardly more than to one of a thousand.
#[derive(Debug)]
pub(super) struct Usual {
    /// By the place of the device: its sort.
    sorts: Vec<u8>,
    /// The sorts: [`sort`] of the devices that are of it. The first is [`OTHER`].
    words: Vec<u64>,
}

impl Usual {
    /// Of a new device, which has no app.
    pub(super) fn add(&mut self) {
        self.sorts.push(0);
    }

    /// Says it anew of a device that has changed.
    pub(super) fn update(&mut self, index: DeviceIndex, device: &DeviceData) {
        let word = sort(device);
        let known = self.words.iter().position(|known| *known == word);
        self.sorts[index.0 as usize] = match known {
            Some(at) => at as u8,
            None if self.words.len() < SORTS_MAX => {
                self.words.push(word);
                (self.words.len() - 1) as u8
            }
            None => 0,
        };
    }

    /// Whether the device is as most are.
    pub(super) fn is_usual(&self, index: DeviceIndex) -> bool {
        self.word(index) != OTHER
    }

    /// Whether a push to this token is for the app that is registered there, and can be delivered at once.
    pub(super) fn takes(&self, token: &TokenIdentity) -> bool {
        let Ok(generation) = u16::try_from(token.generation) else { return false };
        let (word, kind) = (self.word(token.device), 1 << token.kind as u16);
        token.activity == 0
            && word & kind != 0
            && word & !KINDS == place(token.app.0, token.environment, generation)
    }

    fn word(&self, index: DeviceIndex) -> u64 {
        self.sorts.get(index.0 as usize).map_or(OTHER, |sort| self.words[usize::from(*sort)])
    }
}

impl Default for Usual {
    fn default() -> Self {
        Self { sorts: Vec::new(), words: vec![OTHER] }
    }
}

/// All that a push needs to know of a device, if it is as most are: its app's place, and the kinds that it is registered
/// for.
fn sort(device: &DeviceData) -> u64 {
    let [app] = &device.installations[..] else { return OTHER };
    let reachable = device.state == DeviceState::Online && device.connection.is_none();
    let shows = app.installed && app.permission && !app.known_disabled && app.slot.is_none();
    match u16::try_from(app.generation) {
        Ok(generation) if reachable && shows => {
            place(app.app.0, app.environment, generation) | u64::from(app.registered_kinds())
        }
        _ => OTHER,
    }
}

/// From the lowest bit: the kinds, the app, the generation, the environment, and a bit that is always set.
fn place(app: u16, environment: Environment, generation: u16) -> u64 {
    let production = u64::from(environment == Environment::Production);
    u64::from(app) << 16 | u64::from(generation) << 32 | production << 48 | 1 << 63
}

/// The bits of the kinds that the app is registered for.
const KINDS: u64 = 0xffff;
/// The sort of a device that has to be looked at itself.
const OTHER: u64 = 0;
/// Sorts that a byte can name. Devices beyond them are looked at themselves.
const SORTS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        TokenKind,
        app::AppIndex,
        device::{DeviceIndex, Installation},
    };

    fn token() -> TokenIdentity {
        TokenIdentity {
            device: DeviceIndex(0),
            app: AppIndex(0),
            environment: Environment::Sandbox,
            kind: TokenKind::App,
            generation: 1,
            activity: 0,
        }
    }

    fn device() -> DeviceData {
        let mut device = DeviceData::new();
        let mut app = Installation::new(AppIndex(0), Environment::Sandbox);
        app.set_registered(TokenKind::App, true);
        device.installations.push(app);
        device
    }

    fn usual(device: &DeviceData) -> Usual {
        let mut usual = Usual::default();
        usual.add();
        usual.update(DeviceIndex(0), device);
        usual
    }

    #[test]
    fn the_usual_device_takes_the_token_of_its_app_and_no_other() {
        let usual = usual(&device());
        assert!(usual.takes(&token()));
        for other in [
            TokenIdentity { device: DeviceIndex(1), ..token() },
            TokenIdentity { app: AppIndex(1), ..token() },
            TokenIdentity { environment: Environment::Production, ..token() },
            TokenIdentity { kind: TokenKind::Voip, ..token() },
            TokenIdentity { generation: 2, ..token() },
            TokenIdentity { generation: 65_537, ..token() },
            TokenIdentity { activity: 1, ..token() },
        ] {
            assert!(!usual.takes(&other), "{other:?}");
        }
    }

    #[test]
    fn a_device_that_is_otherwise_is_looked_at_itself() {
        let changes: [fn(&mut DeviceData); 7] = [
            |device| device.state = DeviceState::Offline,
            |device| device.state = DeviceState::PowerSaving,
            |device| device.installations[0].installed = false,
            |device| device.installations[0].permission = false,
            |device| device.installations[0].known_disabled = true,
            |device| device.installations[0].generation = 65_536,
            |device| device.installations.push(Installation::new(AppIndex(1), Environment::Sandbox)),
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut device = device();
            change(&mut device);
            assert!(!usual(&device).is_usual(DeviceIndex(0)), "{at}");
        }
    }

    #[test]
    fn a_sort_too_many_is_looked_at_itself() {
        let mut usual = Usual::default();
        for number in 0..1_000 {
            let mut device = device();
            device.installations[0].generation = number + 1;
            usual.add();
            usual.update(DeviceIndex(number), &device);
            let token = TokenIdentity { device: DeviceIndex(number), generation: number + 1, ..token() };
            assert_eq!(usual.takes(&token), number < 255, "{number}");
        }
    }
}
