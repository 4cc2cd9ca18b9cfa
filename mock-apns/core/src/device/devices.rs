//! All devices of a team.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::{DeviceData, DeviceError, DeviceId, DeviceIndex, usual::Usual};
use crate::{DeviceConnectionId, device_token::TokenIdentity};

/// Devices by place and by name. A table of places instead of a map from names: a name is kept once.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    places: Vec<DeviceData>,
    /// Kept by [`change`](Self::change).
    usual: Usual,
    names: Vec<DeviceId>,
    by_name: HashTable<DeviceIndex>,
}

impl Devices {
    pub(crate) fn add(&mut self, id: DeviceId) -> Result<DeviceIndex, DeviceError> {
        if self.index_of(&id).is_some() {
            return Err(DeviceError::DuplicateDevice(id));
        }
        let index = self.push(id).ok_or(DeviceError::TooManyDevices)?;
        self.enter(index);
        Ok(index)
    }

    /// A new place, whose device is not found by its name. `None`: there are as many as tokens can name.
    pub(super) fn push(&mut self, id: DeviceId) -> Option<DeviceIndex> {
        let place = u32::try_from(self.places.len()).ok()?;
        self.places.push(DeviceData::new());
        self.usual.add();
        self.names.push(id);
        Some(DeviceIndex(place))
    }

    /// Lets a device be found by its name. `false`: another is.
    pub(super) fn enter(&mut self, index: DeviceIndex) -> bool {
        let names = &self.names;
        let hash_of = |index: &DeviceIndex| hash(&names[index.0 as usize]);
        let same = |other: &DeviceIndex| names[other.0 as usize] == names[index.0 as usize];
        let hash = hash_of(&index);
        if self.by_name.find(hash, same).is_some() {
            return false;
        }
        self.by_name.insert_unique(hash, index, hash_of);
        true
    }

    /// Forgets its name: whoever uses it next is another device. Its tokens go on leading to its place, and to nothing.
    pub(crate) fn remove(&mut self, index: DeviceIndex) {
        let hash = hash(self.name(index));
        if let Ok(entry) = self.by_name.find_entry(hash, |other| *other == index) {
            entry.remove();
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.by_name.len()
    }

    pub(crate) fn index_of(&self, id: &DeviceId) -> Option<DeviceIndex> {
        self.by_name.find(hash(id), |index| self.name(*index) == id).copied()
    }

    pub(crate) fn get(&self, index: DeviceIndex) -> Option<&DeviceData> {
        self.places.get(index.0 as usize)
    }

    /// The device at a place that [`add`](Self::add) gave out.
    pub(crate) fn at(&self, index: DeviceIndex) -> &DeviceData {
        &self.places[index.0 as usize]
    }

    /// Changes the device at a place that [`add`](Self::add) gave out.
    pub(crate) fn change<R>(&mut self, index: DeviceIndex, change: impl FnOnce(&mut DeviceData) -> R) -> R {
        let device = &mut self.places[index.0 as usize];
        let result = change(device);
        self.usual.update(index, device);
        result
    }

    /// Whether a push to this token is delivered at once, whatever it is: as most are.
    pub(crate) fn takes_at_once(&self, token: &TokenIdentity) -> bool {
        self.usual.takes(token)
    }

    /// The connection of a device to the device gateway.
    pub(crate) fn connection(&self, index: DeviceIndex) -> Option<DeviceConnectionId> {
        if self.usual.is_usual(index) { None } else { self.at(index).connection }
    }

    /// All that ever were.
    pub(crate) fn all(&self) -> impl Iterator<Item = (DeviceIndex, &DeviceData)> {
        (0..).map(DeviceIndex).zip(&self.places)
    }

    /// How many there ever were.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Its name, also when it was removed.
    pub(crate) fn name(&self, index: DeviceIndex) -> &DeviceId {
        &self.names[index.0 as usize]
    }

    /// Whether there is such a device, and it was not removed.
    pub(crate) fn is_there(&self, index: DeviceIndex) -> bool {
        self.names.get(index.0 as usize).is_some_and(|name| self.index_of(name) == Some(index))
    }

    /// Those that were not removed, in the order in which they were added.
    pub(crate) fn indices(&self) -> impl Iterator<Item = DeviceIndex> {
        self.indices_from(0)
    }

    /// Those of them that were added after this one.
    pub(crate) fn indices_after(&self, index: DeviceIndex) -> impl Iterator<Item = DeviceIndex> {
        self.indices_from(index.0 + 1)
    }

    fn indices_from(&self, first: u32) -> impl Iterator<Item = DeviceIndex> {
        let all = self.names[first as usize..].iter().zip((first..).map(DeviceIndex));
        all.filter(|(name, index)| self.index_of(name) == Some(*index)).map(|(_, index)| index)
    }
}

fn hash(id: &DeviceId) -> u64 {
    FxBuildHasher.hash_one(id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_by_its_name_until_it_is_removed() {
        let id = |number: usize| DeviceId::parse(&format!("device-{number}")).unwrap();
        let mut devices = Devices::default();
        let places: Vec<DeviceIndex> = (0..1_000).map(|number| devices.add(id(number)).unwrap()).collect();
        assert_eq!(devices.add(id(7)), Err(DeviceError::DuplicateDevice(id(7))));
        for (number, place) in places.iter().enumerate() {
            assert_eq!(devices.index_of(&id(number)), Some(*place));
        }
        devices.remove(places[7]);
        assert_eq!(devices.index_of(&id(7)), None);
        assert_ne!(devices.add(id(7)), Ok(places[7]));
        assert_eq!((devices.indices().count(), devices.count()), (1_000, 1_000));
    }
}
