//! An HTTP proxy that opens ways with CONNECT, or does not.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    spawn,
};

/// What a proxy does when it is asked for a way.
#[derive(Clone, Copy)]
pub(crate) enum Manners {
    /// Leads to a port of 127.0.0.1, whatever the name, those who give these credentials.
    LeadsTo(u16, Option<&'static str>),
    /// Answers so.
    Answers(&'static str),
    /// Says nothing.
    Silent,
}

/// An HTTP proxy.
pub(crate) struct ConnectProxy {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    pub(crate) async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                spawn(serve(near, manners, Arc::clone(&log)));
            }
        });
        Self { port, asked }
    }

    /// The first lines of the requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut near: TcpStream, manners: Manners, asked: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    asked.lock().unwrap().push(head.lines().next().unwrap().to_owned());
    match manners {
        Manners::LeadsTo(port, credentials) => {
            let is_known =
                credentials.is_none_or(|it| head.contains(&format!("Proxy-Authorization: {it}\r\n")));
            if is_known {
                near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                join_with(near, port).await;
            } else {
                near.write_all(b"HTTP/1.1 407 Who are you\r\n\r\n").await.unwrap();
            }
        }
        Manners::Answers(answer) => near.write_all(answer.as_bytes()).await.unwrap(),
        // Until the client gives up.
        Manners::Silent => drop(near.read_u8().await),
    }
}

/// Carries bytes both ways until one side ends.
pub(crate) async fn join_with(mut near: TcpStream, port: u16) {
    let mut far = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    // Either side may end the connection in any way: the tests look at what the client makes of it.
    let _ = copy_bidirectional(&mut near, &mut far).await;
}
