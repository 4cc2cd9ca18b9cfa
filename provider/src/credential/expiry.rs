//! When a certificate is over. Provider certificates live for 13 months, and pushes stop with them.

use std::time::Duration;

use apns_provider_core::UnixTime;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::CredentialError;

const DAY: Duration = Duration::from_hours(24);
/// How long before its end a certificate is warned of: Apple's own mails come 30 days before.
const WARNED_BEFORE: Duration = Duration::from_hours(30 * 24);

/// The last second in which a certificate is good (RFC 5280 section 4.1.2.5).
pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<UnixTime, CredentialError> {
    let (_, certificate) = X509Certificate::from_der(certificate)
        .map_err(|error| CredentialError::Certificate(error.to_string()))?;
    // Before 1970 it is over as well.
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
    Ok(UnixTime::from_secs(seconds))
}

/// What to warn of, if there is reason to.
pub(super) fn warning(expires_at: UnixTime, now: UnixTime) -> Option<String> {
    let (left, since) = (expires_at.saturating_since(now), now.saturating_since(expires_at));
    if since > Duration::from_secs(1) {
        let days = since.as_secs() / DAY.as_secs();
        return Some(format!(
            "the provider certificate is over since {days} days by this machine's clock: get a new one from Apple's \
             developer account"
        ));
    }
    let days = left.as_secs() / DAY.as_secs();
    (left < WARNED_BEFORE).then(|| {
        format!(
            "the provider certificate is over in {days} days: get a new one from Apple's developer account before that"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_warned_of_from_thirty_days_before_its_end() {
        let end = UnixTime::from_secs(1_800_000_000);
        let at = |seconds: i64| {
            warning(end, UnixTime::from_secs(end.as_secs().checked_add_signed(seconds).unwrap()))
        };
        let day = 24 * 3600;
        assert_eq!(at(-30 * day), None);
        assert!(at(-30 * day + 1).unwrap().contains("over in 29 days"));
        assert!(at(0).unwrap().contains("over in 0 days"));
        assert!(at(3 * day).unwrap().contains("over since 3 days"));
    }
}
