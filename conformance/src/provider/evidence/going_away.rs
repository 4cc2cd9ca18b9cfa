//! Connections that were told to go.

use std::time::Duration;

use super::{Connection, Evidence, Side, What};

/// A connection on which the double has said GOAWAY.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct GoingAway {
    /// The connection, as its place in [`Evidence::connections`].
    pub(crate) connection: usize,
    /// When it was said first.
    pub(crate) at: Duration,
    /// The last stream that is answered: the lowest that was named.
    pub(crate) last: u32,
}

impl Evidence {
    /// Every connection on which the double has said GOAWAY.
    pub(crate) fn going_away(&self) -> Vec<GoingAway> {
        let each = self.connections.iter().enumerate();
        each.filter_map(|(connection, it)| {
            let (at, last) = goaways(it).next()?;
            let last = goaways(it).map(|(_, last)| last).fold(last, u32::min);
            Some(GoingAway { connection, at, last })
        })
        .collect()
    }
}

fn goaways(connection: &Connection) -> impl Iterator<Item = (Duration, u32)> {
    connection.said.iter().filter(|said| said.side == Side::Double).filter_map(|said| match said.what {
        What::GoAway { last, .. } => Some((said.at, last)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use mock_apns::Environment;

    use super::*;
    use crate::provider::evidence::Said;

    #[test]
    fn of_several_goaways_the_lowest_number_counts_from_the_first_on() {
        let goaway = |secs, last| Said {
            at: Duration::from_secs(secs),
            side: Side::Double,
            what: What::GoAway { last, code: 0, debug: String::new() },
        };
        let connection = |said| Connection {
            opened_at: Duration::ZERO,
            dial: None,
            environment: Environment::Sandbox,
            said,
            closed_at: None,
        };
        let told = connection(vec![goaway(1, 0x7fff_ffff), goaway(2, 7), goaway(3, 0x7fff_ffff)]);
        let evidence = Evidence { connections: vec![connection(vec![]), told], ..Evidence::default() };
        let going = GoingAway { connection: 1, at: Duration::from_secs(1), last: 7 };
        assert_eq!(evidence.going_away(), [going]);
    }
}
