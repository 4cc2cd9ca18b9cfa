use std::{fmt, future::Future, io, net::IpAddr, pin::Pin};

/// What [`Resolve::resolve`] returns.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Finds the addresses of a host. A client asks for each of its connections and keeps no answer: how long one
/// is good is the resolver's knowledge. It is not asked for what is an address already.
///
/// ```
/// use std::net::{IpAddr, Ipv4Addr};
/// use apns_provider::{Resolve, Resolving};
///
/// /// A test's: every name is this machine.
/// #[derive(Debug)]
/// struct Here;
///
/// impl Resolve for Here {
///     fn resolve<'a>(&'a self, _host: &'a str) -> Resolving<'a> {
///         Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) })
///     }
/// }
/// ```
pub trait Resolve: fmt::Debug + Send + Sync {
    /// All addresses of `host`, of both families, in any order. The future may be dropped at any time.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// Asks the system, as every program does: its hosts file, its name servers, its cache if it has one.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            // The port is of no consequence here.
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_knows_this_machine() {
        let addresses = SystemResolver.resolve("localhost").await.unwrap();
        assert!(!addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    }
}
