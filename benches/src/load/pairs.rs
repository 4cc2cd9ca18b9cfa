//! Which pairs run, and which ratios are drawn from them.

/// A server and a client that are measured together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Pair {
    /// The server's role.
    pub(super) server: &'static str,
    /// The client's role.
    pub(super) client: &'static str,
    /// Which program has the client's role; servers are all this one's.
    pub(super) program: Program,
    /// Whether the client only ever connects to Apple's names, so that the pair runs where those mean this machine.
    pub(super) needs_apples_names: bool,
}

/// Where a role is to be found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Program {
    /// This program.
    Own,
    /// The one in `benches/peers`.
    Peers,
}

/// All pairs, in the order in which they take turns: what is compared runs close together.
pub(super) const PAIRS: &[Pair] = &[
    own("h2-always-200", "floor"),
    own("double", "floor"),
    own("http2-always-200", "floor"),
    own("h2-always-200", "h2-client"),
    own("double", "h2-client"),
    own("double", "engine"),
    own("double", "h2load"),
    peer("double", "apple-apns"),
    // Not against the double, which once refused this client's padded tokens: the figures stay comparable.
    own("http2-always-200", "engine"),
    Pair { needs_apples_names: true, ..peer("http2-always-200", "apns-h2") },
];

const fn own(server: &'static str, client: &'static str) -> Pair {
    Pair { server, client, program: Program::Own, needs_apples_names: false }
}

const fn peer(server: &'static str, client: &'static str) -> Pair {
    Pair { program: Program::Peers, ..own(server, client) }
}

impl Pair {
    /// What it is called in reports and by `--only`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.server, self.client)
    }

    /// The pair of a name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        PAIRS.iter().find(|pair| pair.name() == name)
    }
}

/// One side's CPU time a push in one pair, by the same in another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ratio {
    /// Whose time it is.
    pub(super) side: Side,
    /// Server and client whose time is divided.
    pub(super) of: (&'static str, &'static str),
    /// Server and client by whose time it is divided.
    pub(super) by: (&'static str, &'static str),
    /// The ratio should be no more than this.
    pub(super) goal: Option<f64>,
}

/// Whose CPU time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    /// The server's.
    Server,
    /// The client's.
    Client,
}

/// All ratios, in the order of the report. Clients are compared before the same server: the double where it can be, since it accepts only
/// what is right.
pub(super) const RATIOS: &[Ratio] = &[
    ratio(Side::Server, ("double", "floor"), ("h2-always-200", "floor"), Some(SERVER_GOAL)),
    ratio(Side::Server, ("double", "h2-client"), ("h2-always-200", "h2-client"), Some(SERVER_GOAL)),
    ratio(Side::Server, ("double", "floor"), ("http2-always-200", "floor"), None),
    ratio(Side::Client, ("double", "engine"), ("double", "h2-client"), Some(CLIENT_GOAL)),
    ratio(Side::Client, ("double", "engine"), ("double", "h2load"), Some(H2LOAD_GOAL)),
    ratio(Side::Client, ("double", "engine"), ("double", "apple-apns"), Some(PEER_GOAL)),
    ratio(Side::Client, ("http2-always-200", "engine"), ("http2-always-200", "apns-h2"), Some(PEER_GOAL)),
    ratio(Side::Client, ("double", "engine"), ("double", "floor"), None),
];

/// The double, checking everything, by a server of the h2 crate that checks nothing.
const SERVER_GOAL: f64 = 0.5;
/// The engine by a bare client of the h2 crate.
const CLIENT_GOAL: f64 = 0.4;
/// The engine by nghttp2's load generator, which only sends the same again.
const H2LOAD_GOAL: f64 = 0.5;
/// The engine by other people's providers.
const PEER_GOAL: f64 = 0.12;

const fn ratio(
    side: Side,
    of: (&'static str, &'static str),
    by: (&'static str, &'static str),
    goal: Option<f64>,
) -> Ratio {
    Ratio { side, of, by, goal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::Role;

    #[test]
    fn every_ratio_is_of_pairs_that_run() {
        for ratio in RATIOS {
            for (server, client) in [ratio.of, ratio.by] {
                assert!(Pair::find(&format!("{server}/{client}")).is_some(), "{server}/{client}");
            }
        }
    }

    #[test]
    fn every_role_of_this_program_exists() {
        for pair in PAIRS {
            assert!(Role::parse(pair.server).is_some(), "{}", pair.server);
            assert_eq!(Role::parse(pair.client).is_some(), pair.program == Program::Own, "{}", pair.client);
        }
    }
}
