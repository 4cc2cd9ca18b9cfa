use std::fs;

/// Connections that are open to this port on IPv4 in this network namespace, seen from the server's end; `None` where the system does
/// not tell.
pub(super) fn open_connections(port: u16) -> Option<usize> {
    Some(count(&fs::read_to_string(TABLE).ok()?, port))
}

/// Linux's table of TCP sockets (proc(5)).
const TABLE: &str = "/proc/self/net/tcp";
/// The state of an open connection in it.
const ESTABLISHED: &str = "01";

fn count(table: &str, port: u16) -> usize {
    let local = format!(":{port:04X}");
    let is_open = |line: &&str| {
        let mut columns = line.split_ascii_whitespace();
        let (address, state) = (columns.nth(1), columns.nth(1));
        address.is_some_and(|address| address.ends_with(&local)) && state == Some(ESTABLISHED)
    };
    table.lines().filter(is_open).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_connections_are_counted_at_the_servers_end() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when
   0: 0100007F:0895 00000000:0000 0A 00000000:00000000 00:00000000
   1: 0100007F:0895 0100007F:D431 01 00000000:00000000 00:00000000
   2: 0100007F:D431 0100007F:0895 01 00000000:00000000 00:00000000
   3: 0100007F:0895 0100007F:D433 06 00000000:00000000 03:00000000
   4: 0100007F:0895 0100007F:D435 01 00000000:00000000 00:00000000";
        assert_eq!(count(table, 2197), 2);
        assert_eq!(count(table, 443), 0);
    }
}
