//! An APNs public key infrastructure in memory: the authorities, certificates and keys that Apple would have
//! issued, good ones, and bad ones by name.
//!
//! Nothing here is Apple's or worth stealing: it lets a provider and a double of the service meet over real
//! TLS with real certificate and token authentication, and lets a test present a certificate that is wrong in
//! one known way.
//!
//! ```text
//!                               Authority::generate(now)
//!            ┌────────────────────────────┼─────────────────────────────┐
//!       server root                 provider root                  device root
//!            │                            │                             │
//!   server intermediate         provider intermediate          device intermediate
//!            │                      │           │                       │
//!        server()              provider()  revocation_list()        device()
//!     flawed_server()      flawed_provider()                     expired_device()
//!
//!       new root ◀── cross-signed by ── server root
//!            │
//!    new intermediate ── server_of_new_root(), server_of_cross_signed_root()
//!
//!                          AuthKey::generate(key_id)      (no authority: Apple lists it)
//! ```
//!
//! | module | what |
//! |---|---|
//! | `authority`, `hierarchy` | the three lines of trust; how a leaf is issued; storing and restoring |
//! | `server`, `names` | the service's certificate and the hosts it speaks for |
//! | `new_root` | a change of the service's root |
//! | `provider`, `provider_kind`, [`apple_extension`] | provider certificates: kinds, subjects, Apple's extensions |
//! | `flaw`, `revocation` | certificates that are wrong in one way each; the revocation list |
//! | `device` | certificates of simulated devices |
//! | `auth_key`, `private_key` | `.p8` keys; EC P-256 |
//! | `identity`, `pkcs12`, `pem` | a certificate with its key, and the files it becomes |
//! | `identifiers`, `validity`, `error` | checked names, dates, what can go wrong |
//! | [`catalogue`] | everything above under names, for the command line |
//!
//! The present is an argument everywhere (from Unix seconds: `UnixTime::since_unix_epoch`); only the program
//! `apns-certs` reads a clock. Keys come from the operating system's randomness, so two authorities are never
//! alike: keep one with [`Authority::to_pem`]. An authority with a server certificate costs well under a
//! millisecond, so a test can have its own.
//!
//! ```
//! use apns_certs::{Authority, ProviderCertificateKind, ProviderCertificateRequest, Purpose, TeamId, Topic};
//! use rustls_pki_types::UnixTime;
//!
//! let now = UnixTime::now();
//! let authority = Authority::generate(now)?;
//! let server = authority.server(&[], now)?;
//! let request = ProviderCertificateRequest::new(
//!     ProviderCertificateKind::Universal,
//!     Topic::new("com.example.app")?,
//!     TeamId::new("DEF123GHIJ")?,
//! );
//! let provider = authority.provider(&request, now)?;
//!
//! // What the service needs: its own chain and key, and the root of those it lets in.
//! let _ = (server.chain(), server.private_key().to_der(), authority.root(Purpose::Provider));
//! // What the provider needs: the root of the service, and its own chain and key.
//! let _ = (authority.root_pem(Purpose::Server), provider.to_pem());
//! # Ok::<(), apns_certs::Error>(())
//! ```

mod auth_key;
mod authority;
mod device;
mod error;
mod flaw;
mod hierarchy;
mod identifiers;
mod identity;
mod names;
mod new_root;
mod pem;
mod pkcs12;
mod private_key;
mod provider;
mod provider_kind;
mod revocation;
mod server;
#[cfg(test)]
mod test_support;
mod validity;

pub mod apple_extension;
pub mod catalogue;

pub use auth_key::AuthKey;
pub use authority::{Authority, Purpose};
pub use error::Error;
pub use flaw::{Flaw, ServerFlaw};
pub use identifiers::{DeviceId, KeyId, TeamId, Topic};
pub use identity::{Identity, SerialNumber};
pub use names::{APPLE_HOST_NAMES, AppleHostName, HostName};
pub use pkcs12::Pkcs12Encryption;
pub use private_key::PrivateKey;
pub use provider::{CertificateTopic, Environment, ProviderCertificateRequest, TopicKind};
pub use provider_kind::ProviderCertificateKind;
pub use revocation::RevocationList;
