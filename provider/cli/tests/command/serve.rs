//! `serve`: the file that says where the server is.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::desk::provider;

/// A server that has said that it is ready; killed when it is dropped.
struct Serving {
    child: Child,
    said: String,
}

impl Serving {
    fn start(folder: &Path) -> Self {
        let mut command = serve(folder, "ready.json");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: String = lines.by_ref().take_while(|line| !line.contains("pushes ")).collect();
        std::thread::spawn(move || lines.count()); // it may go on printing
        Self { child, said }
    }

    /// As whoever runs a server ends it; how it ended.
    fn stop(mut self) -> Option<i32> {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
    }
}

fn serve(folder: &Path, ready_file: &str) -> Command {
    let mut command = provider("serve --listen 127.0.0.1:0 --data-dir data --ready-file");
    command.arg(ready_file).current_dir(folder);
    command
}

fn ready(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("ready.json")).unwrap()).unwrap()
}

#[test]
fn the_ready_file_tells_the_address_and_the_first_key_to_its_owner_and_goes_with_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ready.json");
    let serving = Serving::start(folder.path());
    let first = ready(folder.path());
    let (url, key) = (first["url"].as_str().unwrap(), first["first-key"].as_str().unwrap());
    assert!(serving.said.contains(&format!("page         {url}/")), "{}", serving.said);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let address = url.strip_prefix("http://").unwrap();
    let mut tcp = TcpStream::connect(address).unwrap();
    write!(tcp, "GET /v1/tenants HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    assert_eq!(serving.stop(), Some(0));
    assert!(!file.exists());
    let again = Serving::start(folder.path());
    assert_eq!(ready(folder.path())["first-key"], Value::Null, "it was told before");
    assert_eq!(again.stop(), Some(0));
}

#[test]
fn a_ready_file_that_cannot_be_written_ends_it_and_the_first_key_is_told_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let output = serve(folder.path(), "nowhere/ready.json").output().unwrap();
    let (said, why) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(2), "{why}");
    assert!(why.contains("--ready-file nowhere/ready.json: "), "{why}");
    assert!(said.contains("first key    apns_"), "{said}");
}
