//! Device certificates: which device the holder of one is.

use thiserror::Error;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::DeviceId;

impl DeviceId {
    /// The device that a leaf certificate names: its subject's common name. That the certificate chains to the
    /// right authority is for TLS to see.
    pub fn from_certificate(der: &[u8]) -> Result<Self, DeviceCertificateError> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| DeviceCertificateError::NotX509)?;
        let mut names = certificate.subject().iter_common_name();
        let name = names.next().ok_or(DeviceCertificateError::NoName)?;
        let name = name.as_str().map_err(|_| DeviceCertificateError::NoName)?;
        Self::parse(name).map_err(|_| DeviceCertificateError::NotADevice(name.to_owned()))
    }
}

/// A certificate names no device.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum DeviceCertificateError {
    /// The bytes are not a certificate.
    #[error("the device's certificate is not X.509")]
    NotX509,
    /// The subject has no common name, or one that is not text.
    #[error("the device's certificate has no common name: issue one whose common name is the device's ID")]
    NoName,
    /// The common name cannot be a device's ID.
    #[error("the common name {0:?} of the device's certificate is not a device ID")]
    NotADevice(String),
}

#[cfg(test)]
mod tests {
    use apns_certs::{Authority, DeviceId as Name};
    use rustls_pki_types::UnixTime;

    use super::*;

    #[test]
    fn the_common_name_is_the_device() {
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_700_000_000));
        let authority = Authority::generate(now).unwrap();
        let identity = authority.device(&Name::new("Alice's phone").unwrap(), now).unwrap();
        let id = DeviceId::from_certificate(identity.certificate()).unwrap();
        assert_eq!(id.as_str(), "Alice's phone");
    }

    #[test]
    fn what_is_no_certificate_names_nobody() {
        assert_eq!(DeviceId::from_certificate(b"nonsense"), Err(DeviceCertificateError::NotX509));
    }
}
