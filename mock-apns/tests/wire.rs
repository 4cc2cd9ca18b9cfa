//! What a provider sees on the wire, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod support;

use apns_certs::{Flaw, ProviderCertificateKind};
use mock_apns::{MockApns, Settings};
use support::{Peer, Seen, authorization};
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::TcpStream};

const ALERT: &str = r#"{"aps":{"alert":"Hello"}}"#;

fn good_token(mock: &MockApns) -> String {
    mock.ready_made().device_token("sandbox").unwrap().token.clone()
}

#[tokio::test]
async fn settings_go_from_1_to_1000_before_the_first_answer_to_a_valid_token() {
    let mock = MockApns::start().await.unwrap();
    let mut peer = Peer::sandbox(&mock).await;
    let bearer = authorization(&mock);
    let topic = ("apns-topic", "com.example.app");
    peer.push(&good_token(&mock), &[topic], ALERT).await;
    peer.answers(1).await;
    peer.push(&good_token(&mock), &[("authorization", &bearer), topic], ALERT).await;
    peer.answers(2).await;
    peer.push(&good_token(&mock), &[("authorization", &bearer), topic], ALERT).await;
    peer.answers(3).await;
    let expected = [
        Seen::MaxConcurrentStreams(1),
        Seen::Answer(1, 403, r#"{"reason":"MissingProviderToken"}"#.to_owned()),
        Seen::MaxConcurrentStreams(1000),
        Seen::Answer(3, 200, String::new()),
        Seen::Answer(5, 200, String::new()),
    ];
    assert_eq!(peer.seen, expected);
}

#[tokio::test]
async fn a_certificate_connection_has_its_streams_at_once() {
    let mock = MockApns::start().await.unwrap();
    let identity = mock.certificates().provider(ProviderCertificateKind::Development).unwrap();
    let mut peer = Peer::connect(&mock, mock.sandbox().port(), &[b"h2"], Some(&identity)).await.unwrap();
    peer.push(&good_token(&mock), &[], ALERT).await;
    peer.answers(1).await;
    assert_eq!(peer.seen, [Seen::MaxConcurrentStreams(1000), Seen::Answer(1, 200, String::new())]);
}

#[tokio::test]
async fn a_certificate_of_the_other_environment_is_sent_away_with_two_goaways() {
    let mock = MockApns::start().await.unwrap();
    let identity = mock.certificates().provider(ProviderCertificateKind::Production).unwrap();
    let mut peer = Peer::connect(&mock, mock.sandbox().port(), &[b"h2"], Some(&identity)).await.unwrap();
    peer.push(&good_token(&mock), &[], ALERT).await;
    peer.read_until(|_| false).await;
    let reason = r#"{"reason":"BadCertificateEnvironment"}"#.to_owned();
    assert_eq!(peer.seen[1..], [Seen::GoAway(0, 0, reason), Seen::GoAway(0, 0, String::new()), Seen::End]);
}

#[tokio::test]
async fn a_certificate_without_topics_is_sent_away_and_foreign_ones_are_refused_by_tls() {
    let mock = MockApns::start().await.unwrap();
    for flaw in [Flaw::Expired, Flaw::NotYetValid, Flaw::Revoked, Flaw::ForeignCa, Flaw::NoTopics] {
        let identity = mock.certificates().flawed_provider(flaw).unwrap();
        let peer = Peer::connect(&mock, mock.sandbox().port(), &[b"h2"], Some(&identity)).await;
        // In TLS 1.3 a client is done before the server has looked at its certificate: the alert comes later.
        let seen = match peer {
            Ok(mut peer) => peer.read_until(|_| false).await.to_vec(),
            Err(_) => vec![Seen::End],
        };
        let goaway = |seen: &&Seen| matches!(seen, Seen::GoAway(0, 0, debug) if debug == r#"{"reason":"BadCertificate"}"#);
        assert_eq!(
            seen.iter().filter(goaway).count(),
            usize::from(flaw == Flaw::NoTopics),
            "{flaw:?}: {seen:?}"
        );
        assert_eq!(seen.last(), Some(&Seen::End), "{flaw:?}");
    }
}

#[tokio::test]
async fn alpn_is_h2_where_offered_and_not_needed() {
    let mock = MockApns::start().await.unwrap();
    let bearer = authorization(&mock);
    for (offered, chosen) in [(&["h2", "http/1.1"][..], Some("h2")), (&[], None), (&["http/1.1"], None)] {
        let offered: Vec<&[u8]> = offered.iter().map(|protocol| protocol.as_bytes()).collect();
        let mut peer = Peer::connect(&mock, mock.sandbox().port(), &offered, None).await.unwrap();
        assert_eq!(peer.alpn(), chosen.map(str::as_bytes));
        let fields = [("authorization", &*bearer), ("apns-topic", "com.example.app")];
        assert_eq!(peer.answer(&good_token(&mock), &fields, ALERT).await.0, 200);
    }
}

#[tokio::test]
async fn an_error_has_its_body_and_apns_id_and_no_content_type() {
    let mock = MockApns::start().await.unwrap();
    let mut peer = Peer::sandbox(&mock).await;
    let id = "0A1b2C3d-0000-4000-8000-00000000000f";
    peer.push("aaaa", &[("apns-id", id)], ALERT).await;
    peer.answers(1).await;
    assert_eq!(
        peer.last_fields,
        [(":status".to_owned(), "403".to_owned()), ("apns-id".to_owned(), id.to_owned())]
    );
}

#[tokio::test]
async fn settings_of_the_service_reach_the_wire() {
    let mut settings = Settings::default();
    settings.set("error-content-type", "application/json").unwrap();
    settings.set("max-concurrent-streams-before-token", "7").unwrap();
    let mock = MockApns::builder().settings(settings).start().await.unwrap();
    let mut peer = Peer::sandbox(&mock).await;
    peer.push("aaaa", &[], ALERT).await;
    peer.answers(1).await;
    assert_eq!(peer.seen[0], Seen::MaxConcurrentStreams(7));
    assert_eq!(peer.last_fields[2], ("content-type".to_owned(), "application/json".to_owned()));
}

#[tokio::test]
async fn a_body_of_any_length_is_answered_413_and_takes_no_memory() {
    let mock = MockApns::start().await.unwrap();
    let mut peer = Peer::sandbox(&mock).await;
    let bearer = authorization(&mock);
    let fields = [("authorization", &*bearer), ("apns-topic", "com.example.app")];
    let megabyte = format!(r#"{{"x":"{}"}}"#, "x".repeat(1_000_000));
    let answer = peer.answer(&good_token(&mock), &fields, &megabyte).await;
    assert_eq!(answer, (413, r#"{"reason":"PayloadTooLarge"}"#.to_owned()));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_device_tokens_and_identifiers() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let mock = MockApns::builder().seed(42).start().await.unwrap();
        let mut peer = Peer::sandbox(&mock).await;
        peer.push("aaaa", &[], ALERT).await;
        peer.answers(1).await;
        runs.push((good_token(&mock), peer.last_fields.clone()));
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn rubbish_of_any_kind_ends_its_own_connection_and_no_other() {
    let mock = MockApns::start().await.unwrap();
    let mut good = Peer::sandbox(&mock).await;
    let bearer = authorization(&mock);
    let fields = [("authorization", &*bearer), ("apns-topic", "com.example.app")];

    // On the TLS port: not TLS at all.
    for rubbish in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 0xff, 0xff, 1], &[0; 4096], &[0xff; 100]] {
        let mut tcp = TcpStream::connect(mock.sandbox()).await.unwrap();
        tcp.write_all(rubbish).await.unwrap();
        tcp.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A reset is an end as good as any.
        let _ = tcp.read_to_end(&mut answer).await;
    }
    // In TLS: not HTTP/2, or HTTP/2 that breaks its rules. The code is the one of RFC 9113.
    let protocol_error = [
        (&b"POST /3/device/aa HTTP/1.1\r\nhost: localhost\r\n\r\n"[..], 1, "unexpected HTTP/1.x request"),
        (b"PRI * HTTP/2.0\r\n\r\nxx", 1, "preface"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x01\x05\0\0\0\x01", 1, "SETTINGS"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x04\0\0\0\0\0", 6, "MAX_FRAME_SIZE"),
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\xff",
            9,
            "decompress",
        ),
    ];
    for (bytes, code, words) in protocol_error {
        let mut bad = Peer::sandbox(&mock).await;
        bad.send_raw(bytes).await;
        bad.http2.transmitted(usize::MAX); // our own preface stays unsent
        bad.read_until(|_| false).await;
        let told = bad
            .seen
            .iter()
            .any(|seen| matches!(seen, Seen::GoAway(_, c, debug) if *c == code && debug.contains(words)));
        assert!(told, "{words}: {:?}", bad.seen);

        good.push(&good_token(&mock), &fields, ALERT).await;
        let answered = good.seen.iter().filter(|seen| matches!(seen, Seen::Answer(..))).count();
        assert_eq!(good.answers(answered + 1).await.last().unwrap().1, 200);
    }
}

#[tokio::test]
async fn stopping_says_goodbye_with_a_reason() {
    let mock = MockApns::start().await.unwrap();
    let mut peer = Peer::sandbox(&mock).await;
    peer.push("aaaa", &[], ALERT).await;
    peer.answers(1).await;
    let stop = tokio::spawn(mock.stop());
    peer.read_until(|_| false).await;
    let goaway = Seen::GoAway(1, 0, r#"{"reason":"Shutdown"}"#.to_owned());
    assert!(peer.seen.contains(&goaway), "{:?}", peer.seen);
    drop(peer);
    stop.await.unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let mock = MockApns::start().await.unwrap();
    let port = mock.sandbox().port();
    let error = MockApns::builder().ports(port, 0).start().await.unwrap_err();
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
}
