//! PKCS#12 (RFC 7292): certificate, chain and key in one file under a password, as Keychain Access exports
//! them.

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKeyChain,
};

use crate::{Error, Identity};

/// How a PKCS#12 file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkcs12Encryption {
    /// PBES2 with AES-256 and HMAC-SHA-256, as OpenSSL 3 writes it: for every reader of today.
    Modern,
    /// 40-bit RC2 and HMAC-SHA-1, as old exports have it: OpenSSL 3, and so Node 17 and later, refuse it
    /// unless told otherwise. To test providers on old files only.
    Legacy,
}

impl Identity {
    /// The chain and the private key as a PKCS#12 file under `password`, which may be empty.
    ///
    /// Fails with [`Error::Pkcs12`] if the password has a character outside the Basic Multilingual Plane,
    /// which the format cannot express.
    pub fn to_pkcs12(&self, password: &str, encryption: Pkcs12Encryption) -> Result<Vec<u8>, Error> {
        let mut store = KeyStore::new();
        let entry = KeyStoreEntry::PrivateKeyChain(self.key_chain()?);
        store.add_entry(self.common_name(), entry);
        let (encryption, mac) = match encryption {
            Pkcs12Encryption::Modern => {
                (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256)
            }
            // The crate writes RC4 where it means RC2: the identifier on the wire is that of RC2.
            Pkcs12Encryption::Legacy => {
                (EncryptionAlgorithm::PbeWithShaAnd40BitRc4Cbc, MacAlgorithm::HmacSha1)
            }
        };
        store
            .writer(password)
            .encryption_algorithm(encryption)
            .encryption_iterations(ITERATIONS)
            .mac_algorithm(mac)
            .mac_iterations(ITERATIONS)
            .write()
            .map_err(pkcs12_error)
    }

    fn key_chain(&self) -> Result<PrivateKeyChain, Error> {
        let key = self.private_key().to_der();
        let key = p12_keystore::PrivateKey::from_der(key.secret_der()).map_err(pkcs12_error)?;
        let certificates = self.chain().iter().map(|der| Certificate::from_der(der).map_err(pkcs12_error));
        let certificates = certificates.collect::<Result<Vec<_>, Error>>()?;
        Ok(PrivateKeyChain::new(self.serial_number().as_bytes(), key, certificates))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "has the form that map_err takes")]
fn pkcs12_error(error: p12_keystore::error::Error) -> Error {
    Error::Pkcs12(error.to_string())
}

/// How often the password is hashed: what OpenSSL does by default. These keys guard nothing.
const ITERATIONS: u32 = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::NOW;
    use crate::{Authority, DeviceId};
    use p12_keystore::Pkcs12ImportPolicy;

    fn identity() -> Identity {
        let authority = Authority::generate(NOW).unwrap();
        authority.device(&DeviceId::new("iphone-1").unwrap(), NOW).unwrap()
    }

    #[test]
    fn chain_and_key_are_read_back_under_the_password() {
        let identity = identity();
        for encryption in [Pkcs12Encryption::Modern, Pkcs12Encryption::Legacy] {
            for password in ["", "secret", "pässwörd"] {
                let file = identity.to_pkcs12(password, encryption).unwrap();
                let store = KeyStore::from_pkcs12(&file, password, Pkcs12ImportPolicy::Strict).unwrap();
                let (alias, chain) = store.private_key_chain().unwrap();
                assert_eq!(alias, "iphone-1");
                assert_eq!(chain.key().as_der(), identity.private_key().to_der().secret_der());
                let certificates: Vec<_> = chain.certs().iter().map(Certificate::as_der).collect();
                assert_eq!(certificates, identity.chain().iter().map(AsRef::as_ref).collect::<Vec<&[u8]>>());
                assert!(KeyStore::from_pkcs12(&file, "wrong", Pkcs12ImportPolicy::Strict).is_err());
            }
        }
    }

    #[test]
    fn a_password_that_the_format_cannot_express_is_an_error() {
        let written = identity().to_pkcs12("🔑", Pkcs12Encryption::Modern);
        assert!(matches!(written, Err(Error::Pkcs12(_))), "{written:?}");
    }
}
