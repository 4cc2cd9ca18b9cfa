//! How long a peer may keep the double waiting. A connection on which nothing is under way may be idle for ever.

use std::time::{Duration, Instant};

use mock_apns::MockApns;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    REQUEST,
    control::Control,
    frames::{Frame, data, headers, setting},
    raw::Raw,
    support::{Peer, client_config},
    target::metric,
};

/// Instead of a minute.
const SHORT: Duration = Duration::from_millis(400);

async fn raw(mock: &MockApns) -> Raw {
    let mut config = client_config(mock, None);
    config.alpn_protocols = vec![b"h2".to_vec()];
    Raw::dial(mock.sandbox().port(), config).await
}

#[track_caller]
fn says(all: &[u8], words: &str) {
    let text = String::from_utf8_lossy(all);
    assert!(text.contains(words), "{words:?} is not in {text:?}");
}

#[tokio::test]
async fn what_was_begun_and_does_not_go_on_is_cut_off_and_said() {
    let mock = MockApns::builder().patience(SHORT).start().await.unwrap();
    let mut idle = Peer::sandbox(&mock).await;
    idle.answer("00ff", &[], "{}").await;
    let begun = headers(1, &REQUEST);
    let half_a_frame = begun.bytes()[..20].to_vec();
    let no_window = [(setting::INITIAL_WINDOW_SIZE, 0)];
    let attacks: [(_, &[_], _, _); 4] = [
        ("request", &[], [begun.bytes(), data(1, b"{").bytes()].concat(), "a request was not whole"),
        ("frame", &[], half_a_frame, "the rest of a frame did not come"),
        ("frame", &[], begun.clone().unfinished().bytes(), "the rest of a frame did not come"),
        ("answer", &no_window, begun.end_stream().bytes(), "an answer was not read"),
    ];
    for (cause, settings, bytes, words) in attacks {
        let series = format!(r#"connections_cut_off_total{{cause="{cause}"}}"#);
        let control = Control::of(&mock);
        let before = metric(control, &series).await;
        let mut raw = raw(&mock).await;
        raw.greet(settings).await;
        raw.send_bytes(&bytes).await;
        says(&raw.read_to_end().await, words);
        assert_eq!(metric(control, &series).await, before + 1, "{series}");
        let closed = control.get("/v1/connections?state=closed").await.text;
        assert!(closed.contains("cut-off") && closed.contains(words), "{closed}");
    }
    idle.answer("00ff", &[], "{}").await; // longer than `SHORT` after it began
}

/// A request byte by byte makes progress, and does not end in time all the same.
#[tokio::test]
async fn a_body_that_drips_is_no_progress() {
    let mock = MockApns::builder().patience(SHORT).start().await.unwrap();
    let mut raw = raw(&mock).await;
    raw.greet(&[]).await;
    let mut frames: Vec<Frame> = vec![headers(1, &REQUEST)];
    let begun = Instant::now();
    while raw.send(frames).await && begun.elapsed() < 50 * SHORT {
        frames = vec![data(1, b" ")];
        tokio::time::sleep(SHORT / 20).await; // what drips takes time
    }
    assert!(begun.elapsed() < 50 * SHORT);
    assert_eq!(metric(Control::of(&mock), r#"connections_cut_off_total{cause="request"}"#).await, 1);
}

#[tokio::test]
async fn who_never_begins_has_ten_seconds() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let begun = Instant::now();
    let silent = async |address, words: &[u8]| {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        tcp.write_all(words).await.unwrap();
        let _ = tcp.read_to_end(&mut Vec::new()).await;
    };
    let no_preface = async {
        let mut raw = raw(&mock).await;
        says(&raw.read_to_end().await, "no HTTP/2 preface");
    };
    tokio::join!(
        silent(mock.sandbox(), b""),
        silent(mock.device_gateway(), b"\x16\x03\x01"),
        silent(mock.control(), b"GET /v1/info HTTP/1.1\r\n"),
        no_preface,
    );
    assert!((Duration::from_secs(9)..Duration::from_secs(20)).contains(&begun.elapsed()));
    for listener in ["sandbox", "devices", "control"] {
        let series = format!(r#"connections_refused_total{{listener="{listener}",cause="timeout"}}"#);
        assert_eq!(metric(control, &series).await, 1, "{series}");
    }
    assert_eq!(metric(control, r#"connections_cut_off_total{cause="greeting"}"#).await, 1);
}

#[tokio::test]
async fn a_control_connection_with_requests_goes_on() {
    let mock = MockApns::start().await.unwrap();
    let mut tcp = TcpStream::connect(mock.control()).await.unwrap();
    for _ in 0..3 {
        tcp.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        tcp.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        let mut rest = [0; 4096];
        let _ = tcp.read(&mut rest).await.unwrap();
    }
    assert_eq!(metric(Control::of(&mock), "connections_entering").await, 0);
}
