//! Roads to the double: a name with changing addresses, addresses that lead there or nowhere.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

use apns_provider::{Resolve, Resolving};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    spawn,
};

use crate::connect_proxy::join_with;

/// The loopback address with this last byte.
pub(crate) fn local(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

/// Answers questions for names from a list, over and over.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    answers: Vec<Vec<IpAddr>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Names {
    pub(crate) fn answering(answers: Vec<Vec<IpAddr>>) -> Self {
        Self { answers, asked: Arc::default() }
    }

    /// Nobody may ask.
    pub(crate) fn unknown() -> Self {
        Self::answering(vec![])
    }

    /// What was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(host.to_owned());
        let answer = self.answers.get((asked.len() - 1) % self.answers.len().max(1)).cloned();
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("nobody knows it")) })
    }
}

/// Addresses of one server, from 127.0.0.2 on, all at one port.
pub(crate) struct Addresses {
    pub(crate) port: u16,
    connections: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Addresses {
    /// So many that lead to a port of 127.0.0.1.
    pub(crate) async fn leading_to(target: u16, count: u8) -> Self {
        let mut port = 0;
        let connections = Arc::new(Mutex::new(BTreeMap::new()));
        for address in (2..2 + count).map(local) {
            let listener = TcpListener::bind((address, port)).await.unwrap();
            port = listener.local_addr().unwrap().port();
            connections.lock().unwrap().insert(address, 0);
            let connections = Arc::clone(&connections);
            spawn(async move {
                while let Ok((near, _)) = listener.accept().await {
                    *connections.lock().unwrap().entry(address).or_default() += 1;
                    spawn(join_with(near, target));
                }
            });
        }
        Self { port, connections }
    }

    pub(crate) fn all(&self) -> Vec<IpAddr> {
        self.connections().into_keys().collect()
    }

    /// How many connections each of them has had.
    pub(crate) fn connections(&self) -> BTreeMap<IpAddr, usize> {
        self.connections.lock().unwrap().clone()
    }
}

/// An address that takes no connection and refuses none: its queue is full, so that the system passes over
/// every SYN, as a firewall would.
pub(crate) struct BlackHole {
    pub(crate) address: IpAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    pub(crate) async fn at(address: IpAddr, port: u16) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address, port).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let mut queued = Vec::new();
        for _ in 0..2 {
            // Linux queues one more than it was asked for.
            queued.push(TcpStream::connect((address, port)).await.unwrap());
        }
        Self { address, _listener: listener, _queued: queued }
    }
}
