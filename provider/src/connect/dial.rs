use std::{future::pending, net::IpAddr, time::Duration};

use apns_provider_core::Dialing;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::error::ConnectError;

/// The first TCP connection that one of the addresses takes. Attempts that lose are given up.
pub(super) async fn dial(mut dialing: Dialing, port: u16) -> Result<(TcpStream, IpAddr), ConnectError> {
    let began = Instant::now();
    let mut attempts = JoinSet::new();
    let mut tried = Vec::new();
    loop {
        while let Some(address) = dialing.next(began.elapsed()) {
            attempts.spawn(async move { (address, TcpStream::connect((address, port)).await) });
        }
        let due = dialing.due();
        if due.is_none() && attempts.is_empty() {
            return Err(ConnectError::Unreachable { tried });
        }
        tokio::select! {
            Some(attempt) = attempts.join_next() => match attempt {
                Ok((address, Ok(tcp))) => return Ok((tcp, address)),
                Ok((address, Err(error))) => {
                    tried.push((address, error.to_string()));
                    dialing.failed();
                }
                Err(_) => dialing.failed(), // the runtime is ending
            },
            () = until(began, due) => {}
        }
    }
}

async fn until(began: Instant, due: Option<Duration>) {
    match due {
        Some(due) => sleep_until(began + due).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    fn local(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
    }

    #[tokio::test]
    async fn a_refusal_costs_nothing() {
        let alive = TcpListener::bind((local(1), 0)).await.unwrap();
        let port = alive.local_addr().unwrap().port();
        let refusing = [local(2), local(3), local(4), local(5), local(6), local(7), local(1)];
        let began = Instant::now();
        let (_, address) = dial(Dialing::new(&refusing, 0, |_| 0), port).await.unwrap();
        assert_eq!(address, local(1));
        assert!(began.elapsed() < 6 * Dialing::ATTEMPT_DELAY, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn when_all_refuse_each_is_told() {
        let unused = TcpListener::bind((local(1), 0)).await.unwrap().local_addr().unwrap().port();
        let error = dial(Dialing::new(&[local(2), local(3)], 0, |_| 0), unused).await.unwrap_err();
        let words = error.to_string();
        assert!(words.contains("127.0.0.2: ") && words.contains("127.0.0.3: "), "{words}");
    }
}
