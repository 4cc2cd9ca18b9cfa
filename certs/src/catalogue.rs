//! Everything this crate makes, under names: what `apns-certs list` shows and `apns-certs write` writes.

use std::fmt;

use rustls_pki_types::UnixTime;

use crate::provider::MDM_TOPIC_PREFIX;
use crate::{
    AuthKey, Authority, DeviceId, Error, Flaw, HostName, Identity, KeyId, Pkcs12Encryption,
    ProviderCertificateKind, ProviderCertificateRequest, Purpose, ServerFlaw, TeamId, Topic,
};

/// One thing that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The roots: what clients, the service and the device gateway trust.
    Ca,
    /// A good certificate for the service.
    Server,
    /// A bad one.
    FlawedServer(ServerFlaw),
    /// One under the root that is to come.
    ServerOfNewRoot,
    /// The same, with the old root vouching for the new one.
    ServerOfCrossSignedRoot,
    /// A good provider certificate.
    Provider(ProviderCertificateKind),
    /// A bad one: a universal certificate with a flaw.
    FlawedProvider(Flaw),
    /// A good certificate for a simulated device.
    Device,
    /// One that is over.
    ExpiredDevice,
    /// An authentication key, `.p8`.
    AuthKey,
}

/// For whom, when and under which authority things are made.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Who issues.
    pub authority: Authority,
    /// The present.
    pub now: UnixTime,
    /// The app's bundle identifier, which the pass type and the website are derived from.
    pub bundle_id: Topic,
    /// The developer team.
    pub team_id: TeamId,
    /// What the authentication key is called.
    pub key_id: KeyId,
    /// Host names that server certificates are good for, beside localhost and Apple's.
    pub host_names: Vec<HostName>,
    /// The simulated device.
    pub device_id: DeviceId,
    /// The password of PKCS#12 files.
    pub password: String,
}

/// A file to write. Its `Debug` shows no contents.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// Its bytes.
    pub contents: Vec<u8>,
    /// Whether only its owner may read it: it holds a private key.
    pub secret: bool,
}

impl Entry {
    /// Every entry, in the order of the list.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Ca, Self::Server];
        all.extend(ServerFlaw::all().map(Self::FlawedServer));
        all.extend([Self::ServerOfNewRoot, Self::ServerOfCrossSignedRoot]);
        all.extend(ProviderCertificateKind::all().map(Self::Provider));
        all.extend(Flaw::all().map(Self::FlawedProvider));
        all.extend([Self::Device, Self::ExpiredDevice, Self::AuthKey]);
        all
    }

    /// The entry of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|entry| entry.name() == name)
    }

    /// What it is called on the command line; also what its files are called, but for the key's, which has
    /// Apple's name, and the roots'.
    pub fn name(self) -> String {
        match self {
            Self::Ca => "ca".to_owned(),
            Self::Server => "server".to_owned(),
            Self::FlawedServer(flaw) => format!("server-{}", flaw.name()),
            Self::ServerOfNewRoot => "server-new-root".to_owned(),
            Self::ServerOfCrossSignedRoot => "server-new-root-cross-signed".to_owned(),
            Self::Provider(kind) => format!("provider-{}", kind.name()),
            Self::FlawedProvider(flaw) => format!("provider-{}", flaw.name()),
            Self::Device => "device".to_owned(),
            Self::ExpiredDevice => "device-expired".to_owned(),
            Self::AuthKey => "auth-key".to_owned(),
        }
    }

    /// One line on what it is.
    pub fn about(self) -> String {
        match self {
            Self::Ca => {
                "ca.pem: what clients trust; new-ca.pem: what they will have to after a change of the root; \
                 provider-ca.pem and device-ca.pem: what the service trusts"
                    .to_owned()
            }
            Self::Server => {
                "the service's certificate, for localhost, Apple's host names and yours".to_owned()
            }
            Self::FlawedServer(flaw) => format!("bad: {}; {}", flaw.problem(), flaw.answer()),
            Self::ServerOfNewRoot => {
                "the service's under the new root: who trusts ca.pem alone refuses it".to_owned()
            }
            Self::ServerOfCrossSignedRoot => {
                "the same, and the old root vouches for the new one: who trusts either takes it".to_owned()
            }
            Self::Provider(kind) => {
                let environments: Vec<_> =
                    kind.environments().iter().map(|environment| environment.as_str()).collect();
                let service = kind.common_name_prefix().trim_end_matches([':', ' ']);
                format!("\"{service}\", good for {}", environments.join(" and "))
            }
            Self::FlawedProvider(flaw) => format!("bad: {}; APNs: {}", flaw.problem(), flaw.answer()),
            Self::Device => "a simulated device's certificate".to_owned(),
            Self::ExpiredDevice => {
                "bad: a simulated device's certificate whose dates were over a day ago".to_owned()
            }
            Self::AuthKey => "AuthKey_<KEYID>.p8: signs provider tokens".to_owned(),
        }
    }

    /// Makes it, and says which files it becomes.
    pub fn files(self, recipe: &Recipe) -> Result<Vec<File>, Error> {
        let Recipe { authority, now, host_names, device_id, .. } = recipe;
        match self {
            Self::Ca => Ok(roots(authority)),
            Self::Server => Ok(server_files(&self.name(), &authority.server(host_names, *now)?)),
            Self::FlawedServer(flaw) => {
                Ok(server_files(&self.name(), &authority.flawed_server(host_names, flaw, *now)?))
            }
            Self::ServerOfNewRoot => {
                Ok(server_files(&self.name(), &authority.server_of_new_root(host_names, *now)?))
            }
            Self::ServerOfCrossSignedRoot => {
                Ok(server_files(&self.name(), &authority.server_of_cross_signed_root(host_names, *now)?))
            }
            Self::Provider(kind) => {
                client_files(&self.name(), &authority.provider(&recipe.request(kind), *now)?, recipe)
            }
            Self::FlawedProvider(flaw) => self.flawed_provider_files(flaw, recipe),
            Self::Device => client_files(&self.name(), &authority.device(device_id, *now)?, recipe),
            Self::ExpiredDevice => {
                client_files(&self.name(), &authority.expired_device(device_id, *now)?, recipe)
            }
            Self::AuthKey => {
                let key = AuthKey::generate(recipe.key_id.clone())?;
                Ok(vec![secret(key.file_name(), key.to_p8())])
            }
        }
    }

    fn flawed_provider_files(self, flaw: Flaw, recipe: &Recipe) -> Result<Vec<File>, Error> {
        let Recipe { authority, now, .. } = recipe;
        let request = recipe.request(ProviderCertificateKind::Universal);
        let identity = authority.flawed_provider(&request, flaw, *now)?;
        let mut files = client_files(&self.name(), &identity, recipe)?;
        if flaw == Flaw::Revoked {
            let list = authority.revocation_list(&[identity.serial_number()], *now)?;
            files.push(public("revoked.crl".to_owned(), list.der().to_vec()));
            files.push(public("revoked.crl.pem".to_owned(), list.to_pem()));
        }
        Ok(files)
    }
}

impl Recipe {
    /// A certificate of `kind` under the identifier that Apple would have it ordered for.
    fn request(&self, kind: ProviderCertificateKind) -> ProviderCertificateRequest {
        let bundle_id = match kind {
            ProviderCertificateKind::WebsitePush => self.bundle_id.with_prefix("web."),
            ProviderCertificateKind::PassType => self.bundle_id.with_prefix("pass."),
            ProviderCertificateKind::Mdm => {
                let topic = format!("{MDM_TOPIC_PREFIX}{MDM_UUID}");
                Topic::new(&topic).expect("letters, digits, hyphens and periods")
            }
            _ => self.bundle_id.clone(),
        };
        ProviderCertificateRequest::new(kind, bundle_id, self.team_id.clone())
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("name", &self.name).field("secret", &self.secret).finish_non_exhaustive()
    }
}

fn roots(authority: &Authority) -> Vec<File> {
    [
        ("ca.pem", authority.root_pem(Purpose::Server)),
        ("new-ca.pem", authority.new_root_pem()),
        ("provider-ca.pem", authority.root_pem(Purpose::Provider)),
        ("device-ca.pem", authority.root_pem(Purpose::Device)),
    ]
    .map(|(name, pem)| public(name.to_owned(), pem))
    .to_vec()
}

/// Servers take certificate and key apart.
fn server_files(name: &str, identity: &Identity) -> Vec<File> {
    vec![
        public(format!("{name}.pem"), identity.chain_pem()),
        secret(format!("{name}.key"), identity.private_key().to_pem()),
    ]
}

/// Providers take both in one text, apart, or as PKCS#12.
fn client_files(name: &str, identity: &Identity, recipe: &Recipe) -> Result<Vec<File>, Error> {
    let pkcs12 = |encryption| identity.to_pkcs12(&recipe.password, encryption);
    Ok(vec![
        secret(format!("{name}.pem"), identity.to_pem()),
        secret(format!("{name}.key"), identity.private_key().to_pem()),
        secret(format!("{name}.p12"), pkcs12(Pkcs12Encryption::Modern)?),
        secret(format!("{name}.legacy.p12"), pkcs12(Pkcs12Encryption::Legacy)?),
    ])
}

fn public(name: String, contents: impl Into<Vec<u8>>) -> File {
    File { name, contents: contents.into(), secret: false }
}

fn secret(name: String, contents: impl Into<Vec<u8>>) -> File {
    File { name, contents: contents.into(), secret: true }
}

/// An MDM topic ends in a UUID that Apple draws; this one is drawn once and for all.
const MDM_UUID: &str = "5f0c3d0e-7a3b-4d5e-9b1a-6c2d8e4f0a17";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::NOW;
    use std::path::Path;

    fn recipe() -> Recipe {
        Recipe {
            authority: Authority::generate(NOW).unwrap(),
            now: NOW,
            bundle_id: Topic::new("com.example.app").unwrap(),
            team_id: TeamId::new("DEF123GHIJ").unwrap(),
            key_id: KeyId::new("ABC123DEFG").unwrap(),
            host_names: Vec::new(),
            device_id: DeviceId::new("iphone-1").unwrap(),
            password: "secret".to_owned(),
        }
    }

    #[test]
    fn every_entry_is_found_by_its_name_and_says_what_it_is() {
        for entry in Entry::all() {
            assert_eq!(Entry::from_name(&entry.name()), Some(entry));
            assert!(!entry.about().is_empty() && !entry.about().contains('\n'));
        }
        assert_eq!(Entry::from_name("provider"), None);
    }

    #[test]
    fn no_two_files_have_one_name_and_those_with_keys_are_secret() {
        let recipe = recipe();
        let mut names = Vec::new();
        for entry in Entry::all() {
            for file in entry.files(&recipe).unwrap() {
                let text = String::from_utf8_lossy(&file.contents);
                let is_pkcs12 = Path::new(&file.name).extension().is_some_and(|extension| extension == "p12");
                assert_eq!(file.secret, is_pkcs12 || text.contains("PRIVATE KEY"), "{}", file.name);
                assert!(!names.contains(&file.name), "{}", file.name);
                names.push(file.name);
            }
        }
        for name in
            ["ca.pem", "new-ca.pem", "server.key", "AuthKey_ABC123DEFG.p8", "revoked.crl", "provider-mdm.p12"]
        {
            assert!(names.iter().any(|written| written == name), "{name}");
        }
    }
}
