//! The folder with the CA, the keys and the certificates of a double, so that any client can be pointed at
//! it.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use apns_certs::{Flaw, Identity, Pkcs12Encryption, ProviderCertificateKind, Purpose};

use crate::{MockApns, certificates::PKCS12_PASSWORD};

/// A folder that only its owner can enter.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Whether nobody asked for this folder by name, so that it goes when the double stops.
    temporary: bool,
}

impl Folder {
    /// What clients trust.
    pub(super) const CA: &'static str = "ca.pem";
    /// What they trust after a change of the root.
    const NEW_CA: &'static str = "new-ca.pem";
    /// What issues certificates, devices' among them.
    pub(super) const AUTHORITY: &'static str = "authority.pem";
    /// A certificate for a device, with its key.
    pub(super) const DEVICE: &'static str = "device.pem";
    const EXPIRED_DEVICE: &'static str = "device-expired.pem";
    /// A provider token that is always good.
    pub(super) const PROVIDER_TOKEN: &'static str = "provider-token";
    /// What the double tells others.
    pub(super) const READY_FILE: &'static str = "ready.json";

    /// The folder `asked_for`, or else the default one of the double on `port`.
    pub(super) fn create(asked_for: Option<PathBuf>, port: u16) -> Result<Self, String> {
        let temporary = asked_for.is_none();
        let path = asked_for.unwrap_or_else(|| default_folder(port));
        let error = |error| format!("cannot use the folder {} (--out): {error}", path.display());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(error)?;
        }
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(exists) if exists.kind() == std::io::ErrorKind::AlreadyExists => {}
            created => created.map_err(error)?,
        }
        let folder = Self { path, temporary };
        folder.check_owner()?;
        Ok(folder)
    }

    /// In a folder for everyone, somebody else may have made one of this name, to read our keys or to give us
    /// theirs.
    fn check_owner(&self) -> Result<(), String> {
        let error = |error| format!("cannot use the folder {} (--out): {error}", self.path.display());
        let probe = self.path.join(format!(".mock-apns-{}", std::process::id()));
        let mine =
            fs::OpenOptions::new().write(true).create_new(true).open(&probe).and_then(|file| file.metadata());
        let _ = fs::remove_file(&probe);
        let folder = fs::symlink_metadata(&self.path).map_err(error)?;
        if self.temporary && (!folder.is_dir() || folder.uid() != mine.map_err(error)?.uid()) {
            return Err(format!(
                "the folder {} belongs to someone else; name another with --out",
                self.path.display()
            ));
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn ready_file(&self) -> PathBuf {
        self.path.join(Self::READY_FILE)
    }

    /// Writes a file as a whole: who reads it sees the old one or the new one.
    pub(super) fn write(&self, name: &str, contents: &[u8], secret: bool) -> Result<(), String> {
        write_whole(&self.path.join(name), contents, if secret { 0o600 } else { 0o644 })
    }

    /// The CA with and without its keys, the provider's keys, and certificates of providers and devices, good
    /// ones and bad ones.
    pub(super) fn write_credentials(&self, mock: &MockApns) -> Result<(), String> {
        let certificates = mock.certificates();
        self.write(Self::CA, certificates.authority().root_pem(Purpose::Server).as_bytes(), false)?;
        self.write(Self::NEW_CA, certificates.authority().new_root_pem().as_bytes(), false)?;
        self.write(Self::AUTHORITY, certificates.authority().to_pem().as_bytes(), true)?;
        for key in &mock.ready_made().keys {
            self.write(&key.key.file_name(), key.key.to_p8().as_bytes(), true)?;
        }
        for kind in ProviderCertificateKind::all() {
            let identity = certificates.provider(kind).map_err(|error| error.to_string())?;
            self.write(&certificate_file(kind.name()), identity.to_pem().as_bytes(), true)?;
            if kind == ProviderCertificateKind::Universal {
                self.write_pkcs12(kind.name(), &identity)?;
            }
        }
        for (name, device) in
            [(Self::DEVICE, certificates.device()), (Self::EXPIRED_DEVICE, certificates.expired_device())]
        {
            let identity = device.map_err(|error| error.to_string())?;
            self.write(name, identity.to_pem().as_bytes(), true)?;
        }
        for flaw in Flaw::all() {
            let identity = certificates.flawed_provider(flaw).map_err(|error| error.to_string())?;
            self.write(&certificate_file(flaw.name()), identity.to_pem().as_bytes(), true)?;
        }
        Ok(())
    }

    fn write_pkcs12(&self, name: &str, identity: &Identity) -> Result<(), String> {
        let pkcs12 = identity
            .to_pkcs12(PKCS12_PASSWORD, Pkcs12Encryption::Modern)
            .map_err(|error| error.to_string())?;
        self.write(&format!("provider-{name}.p12"), &pkcs12, true)
    }

    /// Removes the folder at the end, unless it was asked for by name.
    pub(super) fn remove_if_temporary(&self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.path); // a folder that stays does no harm
        }
    }
}

/// Name of a provider certificate's file; the same as `apns-certs write` gives it.
pub(super) fn certificate_file(name: &str) -> String {
    format!("provider-{name}.pem")
}

/// Where a double on `port` keeps its files if nobody says otherwise: two doubles on one machine have two
/// ports.
pub(super) fn default_folder(port: u16) -> PathBuf {
    std::env::temp_dir().join(format!("mock-apns-{port}"))
}

/// The ready file of the double on `port` in its default folder.
pub(super) fn default_ready_file(port: u16) -> PathBuf {
    default_folder(port).join(Folder::READY_FILE)
}

/// Writes beside the file and renames, so that no reader sees half of it.
pub(super) fn write_whole(path: &Path, contents: &[u8], mode: u32) -> Result<(), String> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    let _ = fs::remove_file(&beside); // left by a process that was killed
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| file.write_all(contents))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
