use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// The addresses of one server, in the order in which a new connection tries them, and when it goes on to the next
/// one ("Happy Eyeballs", RFC 8305).
///
/// ```text
///   addresses ─▶ fewest open connections first ─▶ turned by the connection's number ─▶ families by turns, IPv6 first
/// ```
///
/// So the connections of a client spread over all addresses that the name has (Apple gives eight and more), and an
/// address that does not answer costs a quarter of a second, not a connection. The shell connects, in a loop:
///
/// ```
/// use std::net::IpAddr;
/// use std::time::Duration;
/// use apns_provider_core::Dialing;
///
/// let (one, two): (IpAddr, IpAddr) = ("192.0.2.1".parse()?, "192.0.2.2".parse()?);
/// let mut dialing = Dialing::new(&[one, two], 0, |_| 0);
/// assert_eq!(dialing.next(Duration::ZERO), Some(one));
/// assert_eq!(dialing.next(Duration::ZERO), None); // the first has until then to answer:
/// assert_eq!(dialing.due(), Some(Duration::from_millis(250)));
/// dialing.failed(); // it is refused: there is nothing to wait for
/// assert_eq!(dialing.next(Duration::from_millis(3)), Some(two));
/// assert_eq!(dialing.due(), None);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dialing {
    untried: VecDeque<IpAddr>,
    due: Duration,
}

impl Dialing {
    /// How long an attempt is waited for before the next one begins beside it: what RFC 8305 section 5 recommends.
    pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

    /// The order of the client's connection with this number. `open_connections` says how many connections the
    /// client has to an address: the more it has, the later the address comes.
    pub fn new(addresses: &[IpAddr], connection: u64, open_connections: impl Fn(IpAddr) -> usize) -> Self {
        let mut seen = BTreeSet::new();
        let (mut v6, mut v4): (Vec<IpAddr>, Vec<IpAddr>) =
            addresses.iter().copied().filter(|address| seen.insert(*address)).partition(IpAddr::is_ipv6);
        turn(&mut v6, connection);
        turn(&mut v4, connection);

        let loads: BTreeSet<usize> = seen.iter().map(|address| open_connections(*address)).collect();
        let mut untried = VecDeque::with_capacity(seen.len());
        for load in loads {
            let of_load = |family: &[IpAddr]| -> Vec<IpAddr> {
                family.iter().copied().filter(|address| open_connections(*address) == load).collect()
            };
            by_turns(&of_load(&v6), &of_load(&v4), &mut untried);
        }
        Self { untried, due: Duration::ZERO }
    }

    /// The address to try now, so long after the beginning; `None` while the latest attempt still has time, and when
    /// none is left.
    pub fn next(&mut self, elapsed: Duration) -> Option<IpAddr> {
        if elapsed < self.due {
            return None;
        }
        self.due = elapsed + Self::ATTEMPT_DELAY;
        self.untried.pop_front()
    }

    /// When to ask [`next`](Self::next) again, counted from the beginning; `None` if all have been tried.
    pub fn due(&self) -> Option<Duration> {
        (!self.untried.is_empty()).then_some(self.due)
    }

    /// An attempt has failed: the next one need not wait.
    pub fn failed(&mut self) {
        self.due = Duration::ZERO;
    }
}

fn turn(family: &mut [IpAddr], connection: u64) {
    if !family.is_empty() {
        family.rotate_left((connection % family.len() as u64) as usize);
    }
}

/// One of each family, IPv6 first (RFC 8305 section 4): a family that is dead as a whole costs one attempt.
fn by_turns(v6: &[IpAddr], v4: &[IpAddr], order: &mut VecDeque<IpAddr>) {
    for position in 0..v6.len().max(v4.len()) {
        order.extend(v6.get(position));
        order.extend(v4.get(position));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<IpAddr> {
        text.split(' ').map(|address| address.parse().unwrap()).collect()
    }

    /// All addresses as they would be tried, if none answered.
    fn order(given: &str, connection: u64, open_connections: impl Fn(IpAddr) -> usize) -> Vec<IpAddr> {
        let mut dialing = Dialing::new(&addresses(given), connection, open_connections);
        let mut order = Vec::new();
        while let Some(due) = dialing.due() {
            order.extend(dialing.next(due));
        }
        order
    }

    const EIGHT: &str = "17.0.0.1 17.0.0.2 17.0.0.3 17.0.0.4 17.0.0.5 17.0.0.6 17.0.0.7 17.0.0.8";

    #[test]
    fn families_take_turns_and_ipv6_is_first() {
        let expected = addresses("2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 192.0.2.3");
        assert_eq!(order("192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1 2001:db8::2", 0, |_| 0), expected);
    }

    #[test]
    fn eight_connections_begin_with_eight_addresses_and_the_ninth_with_the_first() {
        let first = |connection| order(EIGHT, connection, |_| 0)[0];
        let firsts: Vec<IpAddr> = (0..8).map(first).collect();
        assert_eq!(firsts, addresses(EIGHT));
        assert_eq!(first(8), firsts[0]);
        assert_eq!(first(u64::MAX), firsts[7]);
    }

    #[test]
    fn connections_that_stay_open_spread_over_both_families() {
        let given = "2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2";
        let mut open: Vec<IpAddr> = Vec::new();
        for connection in 0..8 {
            let load = |address| open.iter().filter(|it| **it == address).count();
            let first = order(given, connection, load)[0];
            open.push(first);
        }
        for address in addresses(given) {
            assert_eq!(open.iter().filter(|it| **it == address).count(), 2, "{address}: {open:?}");
        }
    }

    #[test]
    fn an_address_in_use_is_the_last_resort_and_not_left_out() {
        let used: IpAddr = "2001:db8::1".parse().unwrap();
        let order = order("2001:db8::1 192.0.2.1 192.0.2.2", 0, |address| usize::from(address == used));
        assert_eq!(order, addresses("192.0.2.1 192.0.2.2 2001:db8::1"));
    }

    #[test]
    fn an_address_that_is_given_twice_is_tried_once() {
        assert_eq!(order("192.0.2.1 192.0.2.1 192.0.2.2", 0, |_| 0), addresses("192.0.2.1 192.0.2.2"));
        let mut dialing = Dialing::new(&[], 7, |_| 0);
        assert_eq!((dialing.due(), dialing.next(Duration::ZERO)), (None, None));
    }

    #[test]
    fn silence_costs_a_quarter_of_a_second_and_a_refusal_nothing() {
        let (begin, delay) = (Duration::ZERO, Dialing::ATTEMPT_DELAY);
        assert!(delay <= Duration::from_millis(300), "what the checklist allows (C-04)");
        let mut dialing = Dialing::new(&addresses(EIGHT), 0, |_| 0);
        assert!(dialing.next(begin).is_some());
        assert_eq!(dialing.next(Duration::from_millis(249)), None);
        assert!(dialing.next(delay).is_some());
        assert_eq!(dialing.due(), Some(2 * delay));
        dialing.failed();
        assert!(dialing.next(delay).is_some());
        assert_eq!(dialing.next(delay), None, "and the one after it has its time again");
    }
}
