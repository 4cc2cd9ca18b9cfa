//! Where a name leads: C-03 and C-04.
//!
//! A hosts file is asked anew for each question, as a name server under a TTL of 0 is. What goes over port 53 is not seen here, so a
//! connection is judged by where it goes: an address that the name has no longer comes from a list.

use std::{
    collections::BTreeSet,
    net::{Ipv6Addr, SocketAddr},
    time::Duration,
};

use super::opening::{WANTED, demand};
use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Item, Play, Roads, Stop, ensure},
    items::{changes::end_connections, outcomes::all_accepted},
    protocol::Options,
    road::BlackHole,
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let eight = Roads::Named(WANTED as u8);
    vec![
        Item::new(
            "C-03",
            vec![Play::new("a-name-that-moves", the_name_moves, goes_where_it_leads).by(Roads::Named(4))],
        ),
        Item::new(
            "C-04",
            vec![
                Play::new("a-dead-address", one_is_dead, not_held_up).by(Roads::Named(2)),
                Play::new("ipv6-leads-nowhere", ipv6_is_dead, not_held_up).by(Roads::Named(1)),
                Play::new("eight-addresses", eight_connections, spread_over_addresses).by(eight),
            ],
        ),
    ]
}

/// C-03: whenever a connection has been made, the name leads elsewhere, and the connection ends.
fn the_name_moves(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        for (address, place) in stage.addresses().into_iter().zip(PLACES) {
            stage.lead_to(&[address])?;
            stage.mark(place);
            if stage.look(|evidence| evidence.sent.is_empty()) {
                stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
            } else {
                end_connections(stage).await?;
            }
            stage.send_and_wait(PATIENCE, stage.push()).await?;
        }
        Ok(())
    })
}

fn goes_where_it_leads(evidence: &Evidence) -> Result<(), Finding> {
    let places: Vec<Duration> = PLACES.iter().filter_map(|place| evidence.mark(place)).collect();
    for (number, dial) in evidence.dials.iter().enumerate() {
        let led_to = places.partition_point(|since| *since <= dial.at).saturating_sub(1);
        ensure(dial.road == led_to, "each connection to the address that the name led to", || {
            format!("connection {number} to address {}, when it led to address {led_to}", dial.road)
        })?;
    }
    let reached: BTreeSet<usize> = evidence.dials.iter().map(|dial| dial.road).collect();
    ensure(reached.len() == PLACES.len(), format!("connections to {} addresses", PLACES.len()), || {
        format!("to {}", reached.len())
    })
}

/// C-04: as many connections as there are addresses, at the same time if the provider has as many, or else one after the other.
fn eight_connections(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        demand(stage).await?;
        let there = stage.look(|evidence| evidence.connections.len());
        for _ in there..WANTED {
            end_connections(stage).await?;
            stage.send_and_wait(PATIENCE, stage.push()).await?;
        }
        Ok(())
    })
}

fn spread_over_addresses(evidence: &Evidence) -> Result<(), Finding> {
    // Some addresses may have been tried and left at the same time: what counts is where TLS was spoken.
    let dials = evidence.connections.iter().filter_map(|connection| connection.dial).take(WANTED);
    let roads: Vec<usize> = dials.map(|dial| evidence.dials[dial].road).collect();
    ensure(roads.len() == WANTED, format!("{WANTED} connections"), || roads.len().to_string())?;
    let addresses = roads.iter().collect::<BTreeSet<_>>().len();
    ensure(addresses >= ADDRESSES_MIN, format!("at least {ADDRESSES_MIN} of {WANTED} addresses"), || {
        format!("{addresses}: {roads:?}")
    })
}

/// C-04: one of two addresses neither takes connections nor refuses them.
fn one_is_dead(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.roads[0].ignore().await?;
        some_connections(stage).await
    })
}

/// C-04: the name has an address of IPv6, too, and nobody is there.
fn ipv6_is_dead(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let nowhere = Ipv6Addr::LOCALHOST;
        let at = SocketAddr::from((nowhere, stage.roads[0].port()));
        let _hole = BlackHole::at(at).await; // on a machine without IPv6 it leads nowhere by itself
        let mut addresses = vec![nowhere.into()];
        addresses.extend(stage.addresses());
        stage.lead_to(&addresses)?;
        some_connections(stage).await
    })
}

/// Each push on a connection of its own: whoever takes turns comes to every address.
async fn some_connections(stage: &mut Stage) -> Result<(), Stop> {
    stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
    for _ in 0..CONNECTIONS_IN_TURN {
        if !stage.send_and_wait(PATIENCE, stage.push()).await? {
            break; // the judge sees it
        }
        end_connections(stage).await?;
    }
    Ok(())
}

fn not_held_up(evidence: &Evidence) -> Result<(), Finding> {
    let most = HELD_UP_MAX + CONNECTING_MAX;
    let requests = evidence.requests();
    let mut came = requests.iter().map(|request: &Request| request.at);
    for (id, sent) in &evidence.sent {
        let after = came.next().map(|at| at.saturating_sub(sent.at));
        ensure(
            after.is_some_and(|after| after <= most),
            format!("a request within {HELD_UP_MAX:?} and the {CONNECTING_MAX:?} that connecting may take"),
            || match after {
                None => format!("none of push {id}"),
                Some(after) => format!("push {id} after {after:?}"),
            },
        )?;
    }
    all_accepted(evidence)
}

/// Where the name leads, one after the other.
const PLACES: [&str; 4] = ["leads to address 0", "to address 1", "to address 2", "to address 3"];
/// Addresses that eight connections have to use.
const ADDRESSES_MIN: usize = 6;
/// Connections one after the other.
const CONNECTIONS_IN_TURN: usize = 4;
/// How long an address that is dead may hold a connection up.
const HELD_UP_MAX: Duration = Duration::from_millis(300);
/// What TCP, TLS and SETTINGS may take on a machine that is busy.
const CONNECTING_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::Dial;

    fn dial((at, road): (u64, usize)) -> Dial {
        Dial { at: Duration::from_millis(at), road, hello: None, first_bytes: Vec::new(), ended_at: None }
    }

    #[test]
    fn a_connection_to_where_the_name_led_before_is_found() {
        let marks: Vec<_> = (0..).step_by(100).map(Duration::from_millis).zip(PLACES).collect();
        let judged = |dials: [(u64, usize); 5]| {
            let dials = dials.map(dial).to_vec();
            goes_where_it_leads(&Evidence { dials, marks: marks.clone(), ..Evidence::default() })
        };
        assert_eq!(judged([(10, 0), (110, 1), (210, 2), (310, 3), (320, 3)]), Ok(()));
        let Err(Finding::Wrong { got, .. }) = judged([(10, 0), (110, 1), (210, 1), (310, 3), (320, 3)])
        else {
            panic!("the third went to where the name led before")
        };
        assert_eq!(got, "connection 2 to address 1, when it led to address 2");
        assert!(judged([(10, 0), (20, 0), (30, 0), (40, 0), (110, 1)]).is_err(), "it never went elsewhere");
    }
}
