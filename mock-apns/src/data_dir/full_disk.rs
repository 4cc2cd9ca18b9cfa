//! A disk that is full, for tests.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::{StorageBackend, backends::InMemoryBackend};

/// Where a database can be, until [`fill`](Self::fill) is called.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<(InMemoryBackend, AtomicBool)>);

impl Disk {
    /// From now on nothing more can be written.
    pub(super) fn fill(&self) {
        self.0.1.store(true, Ordering::SeqCst);
    }

    fn room(&self) -> io::Result<&InMemoryBackend> {
        let is_full = self.0.1.load(Ordering::SeqCst);
        if is_full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(&self.0.0) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.0.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.room()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.room()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room()?.write(offset, data)
    }
}
