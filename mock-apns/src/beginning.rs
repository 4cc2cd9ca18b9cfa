//! What a double begins with: nothing but the ready-made team, or what its data folder has kept.

use std::path::Path;

use apns_certs::{AuthKey, Authority, HostName};
use mock_apns_core::{Service, Settings, Timestamp};

use crate::{
    Certificates, ReadyMade, StartError,
    credentials::Credentials,
    data_dir::{Begun, DataDirError, Entry, Found, Origin, Store, Writer},
    es256::verify_es256,
    scenarios,
    snapshot::DoubleSnapshot,
};

/// What a double begins with.
pub(crate) struct Beginning {
    pub(crate) certificates: Certificates,
    pub(crate) service: Service,
    pub(crate) ready_made: ReadyMade,
    pub(crate) credentials: Credentials,
    /// Who keeps what is done from now on.
    pub(crate) writer: Option<Writer>,
    /// Whether it is the first start: a folder that has kept something goes on where it was.
    pub(crate) is_new: bool,
}

/// What was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) seed: u64,
    pub(crate) settings: &'a Settings,
    pub(crate) host_names: &'a [HostName],
    pub(crate) fresh_ca: bool,
}

impl Beginning {
    /// Nothing but the ready-made team.
    pub(crate) fn anew(asked: Asked<'_>, now: Timestamp) -> Result<Self, StartError> {
        let certificates = if asked.fresh_ca || !asked.host_names.is_empty() {
            Certificates::generate(asked.host_names)?
        } else {
            Certificates::of_this_process()?
        };
        let mut service = Service::new(asked.settings.clone(), asked.seed, verify_es256);
        let ready_made = ReadyMade::add_to(&mut service, now, ReadyMade::new_keys()?);
        scenarios::unleash(&mut service, now);
        let credentials = ready_made.credentials();
        Ok(Self { certificates, service, ready_made, credentials, writer: None, is_new: true })
    }

    /// What the folder has kept, or the same as [`anew`](Self::anew) if it is empty.
    pub(crate) fn in_folder(path: &Path, asked: Asked<'_>, now: Timestamp) -> Result<Self, StartError> {
        let (mut store, found) = Store::open(path)?;
        let begun = Begun { seed: asked.seed, settings: asked.settings.clone() };
        let this = if let Some(found) = found {
            found.check(&begun, path)?;
            Self::again(found, path, asked, now)?
        } else {
            let this = Self::anew(Asked { fresh_ca: true, ..asked }, now)?;
            let origin = Origin {
                authority: this.certificates.authority().to_pem(),
                ready_made: std::array::from_fn(|at| this.ready_made.keys[at].key.to_p8()),
            };
            let (credentials, service) = (this.credentials.to_form(), this.service.checkpoint());
            store.begin(&begun, &origin, &DoubleSnapshot { credentials, service })?;
            this
        };
        Ok(Self { writer: Some(Writer::start(store)?), ..this })
    }

    fn again(found: Found, path: &Path, asked: Asked<'_>, now: Timestamp) -> Result<Self, StartError> {
        let Found { origin, checkpoint, log, .. } = found;
        let broken = |error: apns_certs::Error| DataDirError::new(path, error);
        let authority = Authority::from_pem(&origin.authority).map_err(broken)?;
        let keys = ReadyMade::keys_from_p8(&origin.ready_made).map_err(broken)?;
        let credentials = Credentials::from_form(&checkpoint.credentials).map_err(broken)?;
        let mut service = Service::resume(&checkpoint.service, verify_es256)
            .map_err(|error| DataDirError::new(path, error))?;
        for entry in log {
            match entry {
                Entry::Service(recorded) => service.redo(recorded),
                Entry::Credentials(change) => credentials.redo(change).map_err(broken)?,
            }
        }
        service.count_anew();
        let certificates = Certificates::issue(authority, asked.host_names)?;
        let ready_made = again(asked, now, keys);
        Ok(Self { certificates, service, ready_made, credentials, writer: None, is_new: false })
    }
}

/// The ready-made team as it was at first, whatever has become of it since: its device tokens follow from the seed.
fn again(asked: Asked<'_>, now: Timestamp, keys: Vec<AuthKey>) -> ReadyMade {
    ReadyMade::add_to(&mut Service::new(asked.settings.clone(), asked.seed, verify_es256), now, keys)
}
