//! Device certificates: what a simulated device presents to the device gateway.

use rcgen::{DnType, ExtendedKeyUsagePurpose};
use rustls_pki_types::UnixTime;

use crate::authority::ORGANIZATION;
use crate::hierarchy::Leaf;
use crate::validity::{LEAF_LIFETIME, Validity};
use crate::{Authority, DeviceId, Error, Identity, Purpose};

impl Authority {
    /// Issues a certificate for a simulated device, in force for 13 months around `now`; its common name is
    /// the device's identifier. A real device gets one when it is activated (Apple "APNs Overview").
    ///
    /// Fails with [`Error::DateOutOfRange`] or [`Error::Crypto`].
    pub fn device(&self, device_id: &DeviceId, now: UnixTime) -> Result<Identity, Error> {
        self.hierarchy(Purpose::Device).issue(leaf(device_id), Validity::current(now, LEAF_LIFETIME)?)
    }

    /// Issues one whose dates were over a day before `now`.
    ///
    /// Fails with [`Error::DateOutOfRange`] or [`Error::Crypto`].
    pub fn expired_device(&self, device_id: &DeviceId, now: UnixTime) -> Result<Identity, Error> {
        self.hierarchy(Purpose::Device).issue(leaf(device_id), Validity::expired(now)?)
    }
}

fn leaf(device_id: &DeviceId) -> Leaf {
    let subject = vec![
        (DnType::CommonName, device_id.as_str().into()),
        (DnType::OrganizationName, ORGANIZATION.into()),
    ];
    Leaf {
        common_name: device_id.as_str().to_owned(),
        subject,
        usage: ExtendedKeyUsagePurpose::ClientAuth,
        subject_alt_names: Vec::new(),
        extensions: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{NOW, parse, subject};
    use x509_parser::time::ASN1Time;

    #[test]
    fn a_device_is_named_in_its_subject_and_issued_by_the_device_authority_alone() {
        let authority = Authority::generate(NOW).unwrap();
        let identity = authority.device(&DeviceId::new("iphone-1").unwrap(), NOW).unwrap();
        assert_eq!(subject(&parse(identity.certificate())), ["CN=iphone-1", "O=mock-apns"]);
        let intermediate = parse(&identity.chain()[1]);
        let issued_under = |purpose| {
            let root = parse(authority.root(purpose));
            intermediate.verify_signature(Some(root.public_key())).is_ok()
        };
        assert!(issued_under(Purpose::Device));
        assert!(!issued_under(Purpose::Provider) && !issued_under(Purpose::Server));
    }

    #[test]
    fn an_expired_device_is_past_its_dates() {
        let authority = Authority::generate(NOW).unwrap();
        let id = DeviceId::new("iphone-1").unwrap();
        let now = ASN1Time::from_timestamp(NOW.as_secs().try_into().unwrap()).unwrap();
        let not_after = |identity: &Identity| parse(identity.certificate()).validity().not_after;
        assert!(not_after(&authority.device(&id, NOW).unwrap()) > now);
        assert!(not_after(&authority.expired_device(&id, NOW).unwrap()) < now);
    }
}
