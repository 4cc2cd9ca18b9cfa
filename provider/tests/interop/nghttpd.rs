//! nghttp2's own server. It serves files: a push to a path that it has is answered 200, to any other 404.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use apns_http2::DEFAULT_WINDOW;
use tempfile::TempDir;

use crate::{
    pushes::{assert_all, device_token, on_one_connection, send_many},
    server_identity::ServerIdentity,
};

/// Longer than it takes to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process of nghttpd, until it is dropped.
struct Nghttpd {
    identity: ServerIdentity,
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl Nghttpd {
    /// It knows the device token that ends in 0000.
    fn start(options: &[&str]) -> Self {
        let identity = ServerIdentity::generate();
        let folder = TempDir::new().unwrap();
        let (key, chain) = (folder.path().join("key.pem"), folder.path().join("chain.pem"));
        fs::write(&key, identity.identity.private_key().to_pem()).unwrap();
        fs::write(&chain, identity.identity.chain_pem()).unwrap();
        let devices = folder.path().join("3/device");
        fs::create_dir_all(&devices).unwrap();
        fs::write(devices.join(device_token("0000").as_str()), "accepted").unwrap();
        // It takes no port 0: one that was free a moment ago has to do.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("nghttpd")
            .args(["--address=127.0.0.1", "--htdocs"])
            .arg(folder.path())
            .args(options)
            .arg(port.to_string())
            .args([key, chain])
            .stdout(Stdio::null())
            .spawn()
            .expect("nghttpd is there");
        let server = Self { identity, port, process, _folder: folder };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "nghttpd does not start");
            thread::yield_now();
        }
        server
    }
}

impl Drop for Nghttpd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
#[ignore = "needs nghttpd: interop/run runs it"]
async fn nghttpd_takes_hundreds_at_once() {
    let server = Nghttpd::start(&[]);
    let client = on_one_connection(server.identity.builder(server.port));
    assert_all(&send_many(&client, "0000", 500).await, "200");
    assert_all(&send_many(&client, "0404", 300).await, "404");
    assert_eq!(client.stats().connections_opened, 1);
}

#[tokio::test]
#[ignore = "needs nghttpd: interop/run runs it"]
async fn nghttpd_pads_frames_adds_trailers_and_keeps_small_tables_and_windows() {
    let server = Nghttpd::start(&[
        "--padding=200",
        "--trailer=x-checksum: 1",
        "--header-table-size=0",
        "--max-concurrent-streams=7",
        "--window-bits=8",
    ]);
    let client = on_one_connection(server.identity.builder(server.port));
    let outcomes = send_many(&client, "0000", 300).await;
    assert_all(&outcomes, "200");
    assert!(outcomes.len() * 500 > DEFAULT_WINDOW as usize, "more than a window");
    assert_eq!(client.stats().connections_opened, 1);
}
