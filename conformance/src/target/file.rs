//! A target of a file (docs/conformance.md).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use apns_certs::{AuthKey, KeyId};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use serde::Deserialize;
use thiserror::Error;

use super::{ClientCertificate, Key, Target};

/// Why a target cannot be used.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TargetError {
    /// A file cannot be read: the target's own, or one that it names.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// It is not TOML, or has a key that there is not, or lacks one.
    #[error("{0}")]
    Form(String),
    /// A key's value is of no use.
    #[error("`{key}` must be {expected}")]
    Value {
        /// Which key.
        key: String,
        /// What it should be.
        expected: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    address: String,
    name: Option<String>,
    server_name: Option<String>,
    ca: Option<PathBuf>,
    topic: String,
    control: Option<String>,
    #[serde(default)]
    tokens: BTreeMap<String, String>,
    #[serde(default)]
    topics: BTreeMap<String, String>,
    #[serde(default)]
    authorities: BTreeMap<String, String>,
    #[serde(default)]
    keys: BTreeMap<String, KeyRow>,
    #[serde(default)]
    certificates: BTreeMap<String, PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct KeyRow {
    team_id: String,
    key_id: String,
    p8: PathBuf,
}

impl Target {
    /// Reads a target file, and the files that it names, which are beside it. `is_needed` says whether a case needs something of this
    /// key: a name that none does is a mistake.
    ///
    /// # Errors
    /// [`TargetError`] names the file or the key.
    pub fn read(path: &Path, is_needed: impl Fn(&str) -> bool) -> Result<Self, TargetError> {
        let file: File =
            toml::from_str(&read(path)?).map_err(|error| TargetError::Form(error.message().to_owned()))?;
        let beside =
            |other: &Path| path.parent().map_or_else(|| other.to_owned(), |folder| folder.join(other));
        file.check_names(is_needed)?;
        let host = host(&file.address)?;
        let server_name = file.server_name.as_deref().unwrap_or(host).to_owned();
        let server_name =
            ServerName::try_from(server_name).map_err(|_| value("server-name", "a host name"))?;
        let mut keys = BTreeMap::new();
        for (name, row) in &file.keys {
            keys.insert(name.clone(), row.key(name, &beside(&row.p8))?);
        }
        let mut certificates = BTreeMap::new();
        for (name, path) in &file.certificates {
            certificates.insert(name.clone(), certificate(name, &beside(path))?);
        }
        let roots = match &file.ca {
            Some(ca) => roots(&beside(ca))?,
            None => system_roots()?,
        };
        Ok(Self {
            name: file.name.clone().unwrap_or_else(|| file.address.clone()),
            server_name,
            roots,
            keys,
            certificates,
            texts: file.texts(),
            address: file.address,
            topic: file.topic,
            control: file.control,
        })
    }
}

impl File {
    /// All keys that name something of the target's own.
    fn names(&self) -> impl Iterator<Item = String> {
        let of = |table: &'static str, name: &String| format!("{table}.{name}");
        let keys = self.keys.keys().map(move |name| of("keys", name));
        let certificates = self.certificates.keys().map(move |name| of("certificates", name));
        self.texts().into_keys().chain(keys).chain(certificates)
    }

    fn texts(&self) -> BTreeMap<String, String> {
        let tables = [("tokens", &self.tokens), ("topics", &self.topics), ("authorities", &self.authorities)];
        let rows = tables.into_iter().flat_map(|(table, rows)| {
            rows.iter().map(move |(name, text)| (format!("{table}.{name}"), text.clone()))
        });
        rows.collect()
    }

    fn check_names(&self, is_needed: impl Fn(&str) -> bool) -> Result<(), TargetError> {
        match self.names().find(|name| !is_needed(name)) {
            Some(key) => Err(TargetError::Value { key, expected: "a name that a case needs" }),
            None => Ok(()),
        }
    }
}

impl KeyRow {
    fn key(&self, name: &str, p8: &Path) -> Result<Key, TargetError> {
        let of = |what: &str| format!("keys.{name}.{what}");
        let key_id = KeyId::new(&self.key_id).map_err(|_| value(&of("key-id"), "ten letters and digits"))?;
        let key = AuthKey::from_p8(key_id, &read(p8)?);
        let key = key.map_err(|_| value(&of("p8"), "a file with a P-256 key, PKCS#8 in PEM"))?;
        Ok(Key { team_id: self.team_id.clone(), key })
    }
}

fn host(address: &str) -> Result<&str, TargetError> {
    let parts =
        address.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    let (host, _) = parts.ok_or_else(|| value("address", "host:port"))?;
    Ok(host.trim_start_matches('[').trim_end_matches(']'))
}

fn certificate(name: &str, path: &Path) -> Result<ClientCertificate, TargetError> {
    let pem = read(path)?;
    let key = format!("certificates.{name}");
    let useless = || value(&key, "a file with a certificate chain and its private key, as PEM");
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(useless)?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| useless())?;
    Ok(ClientCertificate { chain, key })
}

fn roots(path: &Path) -> Result<RootCertStore, TargetError> {
    let pem = read(path)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let added = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
        added.ok_or_else(|| value("ca", "a file with certificates, as PEM"))?;
    }
    if roots.is_empty() { Err(value("ca", "a file with certificates, as PEM")) } else { Ok(roots) }
}

/// Those that the system has and that can be used.
fn system_roots() -> Result<RootCertStore, TargetError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(value("ca", "given, since the system trusts nobody")) } else { Ok(roots) }
}

fn read(path: &Path) -> Result<String, TargetError> {
    fs::read_to_string(path)
        .map_err(|error| TargetError::Unreadable { path: path.to_owned(), why: error.to_string() })
}

fn value(key: &str, expected: &'static str) -> TargetError {
    TargetError::Value { key: key.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target.toml");
        fs::write(&path, text).unwrap();
        fs::write(folder.path().join("nothing.pem"), "nothing").unwrap();
        Target::read(&path, |key| key.starts_with("tokens.") || key.starts_with("keys."))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_mistake_is_named_by_its_key() {
        let least = "address = \"localhost:1\"\ntopic = \"a.b\"\n";
        for (more, says) in [
            ("cert = \"x\"", "unknown field `cert`"),
            ("topics.third = \"a.c\"", "`topics.third` must be a name that a case needs"),
            ("server-name = \"not a name\"", "`server-name` must be a host name"),
            ("ca = \"nothing.pem\"", "`ca` must be a file with certificates"),
            (
                "keys.main = { team-id = \"T\", key-id = \"short\", p8 = \"nothing.pem\" }",
                "`keys.main.key-id` must be",
            ),
            (
                "keys.main = { team-id = \"T\", key-id = \"ABC123DEFG\", p8 = \"nothing.pem\" }",
                "`keys.main.p8` must be",
            ),
            ("keys.main = { team-id = \"T\", key-id = \"ABC123DEFG\", p8 = \"none.p8\" }", "none.p8"),
        ] {
            let error = error(&format!("{least}{more}\n"));
            assert!(error.contains(says), "{more}: {error}");
        }
        assert!(error("address = \"localhost\"\ntopic = \"a.b\"\n").contains("`address` must be host:port"));
        assert!(error("topic = \"a.b\"\n").contains("address"));
    }
}
