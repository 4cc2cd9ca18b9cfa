//! Places for the shards that are worked on, found without a search.

use super::{active::Active, io::ClaimId};

/// The shards that are worked on. A place is used again, and what was called by it before is not found any more.
#[derive(Debug, Default)]
pub(super) struct Slots {
    places: Vec<Slot>,
    free: Vec<u32>,
    len: usize,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    active: Option<Active>,
}

impl Slots {
    pub(super) fn insert(&mut self, active: Active) -> ClaimId {
        self.len += 1;
        if let Some(slot) = self.free.pop() {
            let place = &mut self.places[slot as usize];
            place.active = Some(active);
            return ClaimId { slot, generation: place.generation };
        }
        let slot = u32::try_from(self.places.len()).expect("shards that are worked on are bounded");
        self.places.push(Slot { generation: 0, active: Some(active) });
        ClaimId { slot, generation: 0 }
    }

    pub(super) fn get(&mut self, id: ClaimId) -> Option<&mut Active> {
        let slot = self.places.get_mut(id.slot as usize)?;
        slot.active.as_mut().filter(|_| slot.generation == id.generation)
    }

    pub(super) fn remove(&mut self, id: ClaimId) -> Option<Active> {
        let slot = self.places.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)?;
        let active = slot.active.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.slot);
        self.len -= 1;
        Some(active)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Those for which this holds.
    pub(super) fn ids(&self, mut holds: impl FnMut(&Active) -> bool) -> Vec<ClaimId> {
        let places = (0_u32..).zip(&self.places);
        places
            .filter(|(_, slot)| slot.active.as_ref().is_some_and(&mut holds))
            .map(|(at, slot)| ClaimId { slot: at, generation: slot.generation })
            .collect()
    }
}
