use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many open connections a client has to each address.
#[derive(Debug, Default)]
pub(super) struct AddressesInUse(Mutex<BTreeMap<IpAddr, usize>>);

/// A connection's address, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct AddressInUse {
    all: Arc<AddressesInUse>,
    address: IpAddr,
}

impl AddressesInUse {
    pub(super) fn count(&self, address: IpAddr) -> usize {
        self.counts().get(&address).copied().unwrap_or(0)
    }

    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> AddressInUse {
        *self.counts().entry(address).or_default() += 1;
        AddressInUse { all: Arc::clone(self), address }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        // Nothing that holds the lock can leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressInUse {
    fn drop(&mut self) {
        let mut counts = self.all.counts();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_as_long_as_it_is_held() {
        let (all, address) = (Arc::new(AddressesInUse::default()), IpAddr::from([192, 0, 2, 1]));
        let (first, second) = (all.take(address), all.take(address));
        assert_eq!((all.count(address), all.count(IpAddr::from([192, 0, 2, 2]))), (2, 0));
        drop(first);
        assert_eq!(all.count(address), 1);
        drop(second);
        assert!(all.counts().is_empty());
    }
}
