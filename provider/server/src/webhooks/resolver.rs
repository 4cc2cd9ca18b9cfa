//! Names lead to addresses that may be called, and to no others (C-78).

use std::{io, net::SocketAddr};

use apns_provider_server_core::ssrf::{Forbidden, Policy};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

/// Resolves as the system does, and passes on only what the policy allows: the connection is made to one of these, whatever the name leads
/// to a moment later.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    policy: Policy,
}

/// Every address of a name is forbidden. This is the first one.
#[derive(Clone, Copy, Debug, Error)]
#[error(transparent)]
pub(super) struct ForbiddenName(Forbidden);

impl Resolver {
    pub(super) fn new(policy: Policy) -> Self {
        Self { policy }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        Box::pin(async move {
            // The port is the URL's: that of an address here is not used if it is 0.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = allowed(&policy, found.collect())?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn allowed(
    policy: &Policy,
    found: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
    let mut forbidden = None;
    let mut allowed = Vec::with_capacity(found.len());
    for address in found {
        match policy.check(address.ip()) {
            Ok(()) => allowed.push(address),
            Err(why) => drop(forbidden.get_or_insert(why)),
        }
    }
    match forbidden {
        Some(why) if allowed.is_empty() => Err(Box::new(ForbiddenName(why))),
        _ if allowed.is_empty() => Err(Box::new(io::Error::from(io::ErrorKind::NotFound))),
        _ => Ok(allowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn c78_of_the_addresses_of_a_name_only_public_ones_are_left() {
        let policy = Policy::public_only();
        let mixed = addresses(&["127.0.0.1:0", "1.1.1.1:0", "[::ffff:10.0.0.1]:0", "[2606:4700::1111]:0"]);
        assert_eq!(allowed(&policy, mixed).unwrap(), addresses(&["1.1.1.1:0", "[2606:4700::1111]:0"]));
        let error = allowed(&policy, addresses(&["10.0.0.1:0", "[::1]:0"])).unwrap_err();
        assert!(error.downcast_ref::<ForbiddenName>().is_some(), "{error}");
        assert!(allowed(&policy, Vec::new()).unwrap_err().downcast_ref::<ForbiddenName>().is_none());
    }
}
