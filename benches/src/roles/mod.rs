//! What a child of this program can be: the servers and clients that are measured.
//!
//! | role | | what |
//! |---|---|---|
//! | `double` | server | mock-apns with all its checks |
//! | `bad-day` | server | mock-apns with faults of every kind, seeded |
//! | `device-gateway` | server | mock-apns for devices |
//! | `many-devices` | server | mock-apns with as many devices as there are to be pushes |
//! | `provider-server-set-up` | | makes the database of the next one, with these devices |
//! | `provider-server` | server | the provider server, whose pushes go to that |
//! | `h2-always-200` | server | the h2 crate and tokio-rustls, answering 200 to everything |
//! | `http2-always-200` | server | our HTTP/2, answering 200 to everything: what validation costs is the double less this |
//! | `engine` | client | the provider's engine |
//! | `h2-client` | client | the h2 crate and tokio-rustls, one task for each push in flight |
//! | `h2load` | client | nghttp2's load generator, which sends one request again and again |
//! | `floor` | client | our HTTP/2 with nothing around it: loads a server while costing little |

mod admission;
mod device_gateway;
mod double;
mod engine;
mod floor;
mod h2_always_200;
mod h2_client;
mod h2load;
mod http2_always_200;
mod provider_server;
mod provider_token;
mod request;
mod server;
mod tls;

use std::net::SocketAddr;

use tokio::net::TcpListener;

pub use provider_token::provider_token;
pub use request::{Fields, RequestTemplate};

use crate::{
    child::{Explain as _, Failure, Job, run_client},
    load::LoadError,
};
use server::run_server;

/// A role by its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    Double,
    BadDay,
    DeviceGateway,
    ManyDevices,
    ProviderServerSetUp,
    ProviderServer,
    H2Always200,
    Http2Always200,
    Engine,
    H2Client,
    H2load,
    Floor,
}

impl Role {
    const ALL: [Self; 12] = [
        Self::Double,
        Self::BadDay,
        Self::DeviceGateway,
        Self::ManyDevices,
        Self::ProviderServerSetUp,
        Self::ProviderServer,
        Self::H2Always200,
        Self::Http2Always200,
        Self::Engine,
        Self::H2Client,
        Self::H2load,
        Self::Floor,
    ];

    /// The name on the command line and in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::BadDay => "bad-day",
            Self::DeviceGateway => "device-gateway",
            Self::ManyDevices => "many-devices",
            Self::ProviderServerSetUp => "provider-server-set-up",
            Self::ProviderServer => "provider-server",
            Self::H2Always200 => "h2-always-200",
            Self::Http2Always200 => "http2-always-200",
            Self::Engine => "engine",
            Self::H2Client => "h2-client",
            Self::H2load => "h2load",
            Self::Floor => "floor",
        }
    }

    /// The role of a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Is what the name says until standard input ends.
    pub(crate) fn run(self, job: Job) {
        match self {
            Self::Double => run_server(job, double::serve),
            Self::BadDay => run_server(job, double::serve_badly),
            Self::DeviceGateway => run_server(job, device_gateway::serve),
            Self::ManyDevices => run_server(job, double::serve_many),
            Self::ProviderServerSetUp => run_server(job, provider_server::set_up),
            Self::ProviderServer => run_server(job, provider_server::serve),
            Self::H2Always200 => run_server(job, h2_always_200::serve),
            Self::Http2Always200 => run_server(job, http2_always_200::serve),
            Self::Engine => run_client::<engine::EngineClient>(job),
            Self::H2Client => run_client::<h2_client::H2Client>(job),
            Self::H2load => run_client::<h2load::H2load>(job),
            Self::Floor => run_client::<floor::Floor>(job),
        }
    }
}

/// Is what `job` says, which is JSON that `load` wrote, until standard input ends.
pub fn run_role(job: &str) -> Result<(), LoadError> {
    let job: Job = serde_json::from_str(job).map_err(|error| LoadError::BadJob { why: error.to_string() })?;
    let Some(role) = Role::parse(&job.role) else {
        return Err(LoadError::BadJob { why: format!("no role is called {}", job.role) });
    };
    role.run(job);
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.explain("listening")
}
