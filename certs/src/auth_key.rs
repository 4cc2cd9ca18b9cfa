//! Authentication keys: what Apple hands out as `AuthKey_<KEYID>.p8`, to sign provider tokens with.

use crate::{Error, KeyId, PrivateKey};

/// A key that signs provider tokens (JWT, ES256), with the identifier that goes into their `kid`.
///
/// Apple "Establishing a token-based connection to APNs". Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct AuthKey {
    /// What the key is called in a token's header.
    pub key_id: KeyId,
    /// The key itself.
    pub private_key: PrivateKey,
}

impl AuthKey {
    /// Makes a new key under `key_id` from the operating system's randomness.
    pub fn generate(key_id: KeyId) -> Result<Self, Error> {
        Ok(Self { key_id, private_key: PrivateKey::generate()? })
    }

    /// Reads the text of a `.p8` file. The file does not say its own identifier: only its name does.
    ///
    /// Fails with [`Error::UnreadableKey`].
    pub fn from_p8(key_id: KeyId, p8: &str) -> Result<Self, Error> {
        Ok(Self { key_id, private_key: PrivateKey::from_pem(p8)? })
    }

    /// The text of the `.p8` file: PKCS#8 in PEM, no password. Secret.
    pub fn to_p8(&self) -> String {
        self.private_key.to_pem()
    }

    /// The file name that Apple gives to the download.
    pub fn file_name(&self) -> String {
        format!("AuthKey_{}.p8", self.key_id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_p8_file_has_apples_name_and_form_and_is_read_back() {
        let key = AuthKey::generate(KeyId::new("ABC123DEFG").unwrap()).unwrap();
        assert_eq!(key.file_name(), "AuthKey_ABC123DEFG.p8");
        let p8 = key.to_p8();
        assert!(
            p8.starts_with("-----BEGIN PRIVATE KEY-----\n") && p8.ends_with("-----END PRIVATE KEY-----\n")
        );
        let again = AuthKey::from_p8(key.key_id.clone(), &p8).unwrap();
        assert_eq!(again.private_key.public_key(), key.private_key.public_key());
    }
}
