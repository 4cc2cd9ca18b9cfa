//! Whether there are credentials at all, and which.

use super::{Checking, Group, Rule, Subject, Verdict};
use crate::{Reason, provider_token::bearer_token};

/// A certificate was held against its connection's environment when the connection was opened. A push that names the
/// other environment's host, as a shared name server entry allows, is judged by itself.
pub(super) const CERTIFICATE_FITS_ENVIRONMENT: Rule = Rule {
    id: "certificate-fits-environment",
    group: Group::Credentials,
    title: "The certificate is for the environment that the push goes to.",
    reason: Reason::BadCertificateEnvironment,
    source: "Apple, \"Handling notification responses from APNs\"",
    usual_mistake: "A development certificate is used with api.push.apple.com, or the other way round.",
    builds_on: &[],
    looks_at: Subject::CertificateEnvironments,
    check: |checking| match checking.certificate() {
        Some(certificate) => Verdict::require(certificate.environments.contains(&checking.environment)),
        None => Verdict::Pass,
    },
};

/// A scheme other than `bearer`, or nothing behind it, is no provider token. With a certificate none is looked for:
/// `authorization` is ignored then.
pub(super) const PROVIDER_TOKEN_IS_PRESENT: Rule = Rule {
    id: "provider-token-is-present",
    group: Group::Credentials,
    title: "There is a client certificate, or authorization has a bearer token.",
    reason: Reason::MissingProviderToken,
    source: "Apple, \"Handling notification responses from APNs\"; a transcript of about 2026 in uniqush-push",
    usual_mistake: "The authorization header is missing, or lacks the word bearer before the token.",
    builds_on: &[],
    looks_at: Subject::Authorization,
    check: provider_token_is_present,
};

fn provider_token_is_present(checking: &mut Checking<'_>) -> Verdict {
    if checking.certificate().is_some() {
        return Verdict::Pass;
    }
    checking.bearer = bearer_token(checking.input.request);
    Verdict::require(checking.bearer.is_some())
}

#[cfg(test)]
mod tests {
    use crate::{
        Environment, Reason,
        bench::{Bench, certificate},
    };

    #[test]
    fn certificate_fits_environment() {
        let mut bench = Bench::new();
        bench.connect_with(&certificate("development"));
        let push = bench.push().without("authorization");
        assert_eq!(bench.reason(&push), None);
        let other = push.clone().with(":authority", "api.push.apple.com");
        assert_eq!(bench.reason(&other), Some(Reason::BadCertificateEnvironment));
        bench.connect_with(&certificate("universal"));
        bench.register(Environment::Production);
        let other = other.with("apns-topic", "com.example.app");
        assert_eq!(bench.reason(&other), None);
    }

    #[test]
    fn provider_token_is_present() {
        let mut bench = Bench::new();
        let push = bench.push().without("authorization");
        assert_eq!(bench.reason(&push), Some(Reason::MissingProviderToken));
        for value in ["", "bearer", "bearer ", "Basic dXNlcjpwYXNz", "eyJhbGciOiJFUzI1NiJ9"] {
            let push = bench.push().with("authorization", value);
            assert_eq!(bench.reason(&push), Some(Reason::MissingProviderToken), "{value}");
        }
    }

    #[test]
    fn the_scheme_may_be_written_in_any_case() {
        let mut bench = Bench::new();
        let capital = bench.push().value("authorization").replace("bearer ", "Bearer ");
        let push = bench.push().with("authorization", &capital);
        assert_eq!(bench.reason(&push), None);
    }

    #[test]
    fn with_a_certificate_authorization_is_ignored() {
        let mut bench = Bench::new();
        bench.connect_with(&certificate("development"));
        let push = bench.push().with("authorization", "bearer nonsense");
        assert_eq!(bench.reason(&push), None);
    }
}
