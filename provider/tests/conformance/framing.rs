//! Checklist B: windows and frames, where the server is the test.

use apns_provider::core::{Outcome, Reason};
use futures::future::join_all;
use tokio::join;

use crate::{
    frames::{Frame, block, continuation, data, headers, kind, setting, settings, unknown, window_update},
    raw_server::{RawPeer, RawServer},
    world::{alert, hello, some_token},
};

#[tokio::test]
async fn c16_a_body_is_split_as_windows_allow_and_a_window_below_zero_is_waited_out() {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let small = [(setting::INITIAL_WINDOW_SIZE, 100), (setting::MAX_FRAME_SIZE, 16_384)];
    let (outcome, ()) = join!(client.send(alert(&"x".repeat(2000)), some_token()), async {
        let mut peer = server.greeted(&small).await;
        let sent = async |peer: &mut RawPeer| {
            let open = peer.settled().await;
            assert_eq!(open.len(), 1, "{open:?}");
            (open[0].stream, open[0].body.len())
        };
        let (stream, first) = sent(&mut peer).await;
        assert_eq!(first, 100, "no more than the window");
        // The window is -100 now, then 0, then 50.
        peer.write([settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]).await;
        peer.write([window_update(stream, 100)]).await;
        assert_eq!(sent(&mut peer).await.1, 100, "the window is below what was sent");
        peer.write([window_update(stream, 50)]).await;
        assert_eq!(sent(&mut peer).await.1, 150);
        // A higher one opens the stream that waits.
        peer.write([settings(&[(setting::INITIAL_WINDOW_SIZE, 65_535)])]).await;
        let request = peer.request().await;
        assert!(request.body.len() > 2000, "{}", request.body.len());
        assert!(request.pieces.iter().all(|piece| *piece <= 16_384), "{:?}", request.pieces);
        peer.accepts(stream).await;
    });
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

/// The frames of a 400 whose head comes in this form.
fn bad_topic(head: impl IntoIterator<Item = Frame>, stream: u32) -> Vec<Frame> {
    let body = data(stream, br#"{"reason":"BadTopic"}"#).end_stream();
    head.into_iter().chain([body]).collect()
}

/// A head in several frames: the first has one byte, the others ten.
fn in_continuations(stream: u32, fields: &[(&str, &str)]) -> Vec<Frame> {
    let block = block(fields);
    let (first, rest) = block.split_at(1);
    let mut frames = vec![Frame { payload: first.to_vec(), ..headers(stream, &[]) }.unfinished()];
    frames.extend(rest.chunks(10).map(|part| continuation(stream, part).unfinished()));
    frames.push(continuation(stream, b""));
    frames
}

/// The same answer in every form that RFC 9113 lets through.
fn legal_forms(stream: u32) -> [(&'static str, Vec<Frame>); 7] {
    let fields = [(":status", "400"), ("apns-id", "00000000-0000-4000-8000-000000000000")];
    let (head, body) = (headers(stream, &fields), data(stream, br#"{"reason":"BadTopic"}"#));
    let early_hints = headers(stream, &[(":status", "103"), ("link", "x")]);
    let trailers = headers(stream, &[("x-checksum", "1")]).end_stream();
    let bytes = br#"{"reason":"BadTopic"}"#.iter().map(|byte| data(stream, &[*byte]));
    let around = [unknown(0), head.clone(), unknown(stream), unknown(stream + 100)];
    [
        ("CONTINUATION", bad_topic(in_continuations(stream, &fields), stream)),
        (
            "padding",
            vec![head.clone().padded(7), data(stream, b"").padded(0), body.clone().end_stream().padded(255)],
        ),
        ("a priority", bad_topic([head.clone().with_priority()], stream)),
        ("unknown frames", bad_topic(around, stream)),
        ("trailers", vec![head.clone(), body, trailers]),
        ("an interim answer", bad_topic([early_hints, head.clone()], stream)),
        ("single bytes", [head].into_iter().chain(bytes).chain([data(stream, b"").end_stream()]).collect()),
    ]
}

#[tokio::test]
async fn c19_answers_in_every_legal_form_are_taken() {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let serve = async {
        let mut peer = server.greeted(&[]).await;
        for form in 0..legal_forms(1).len() {
            let stream = peer.request().await.stream;
            let (_, frames) = legal_forms(stream)[form].clone();
            peer.write(frames).await;
        }
        peer.settled().await;
        peer
    };
    let push = async {
        for (form, _) in legal_forms(1) {
            let outcome = client.send(hello(), some_token()).await;
            let Outcome::Rejected(rejection) = outcome else { panic!("{form}: {outcome:?}") };
            assert_eq!((rejection.status, rejection.reason), (400, Some(Reason::BadTopic)), "{form}");
        }
    };
    let (peer, ()) = join!(serve, push);
    assert_eq!(client.stats().connections_opened, 1);
    assert!(!peer.others.iter().any(|frame| frame.kind == kind::GOAWAY), "{:?}", peer.others);
}

#[tokio::test]
async fn c19_bodies_whose_bytes_take_turns_are_told_apart() {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let reasons = ["BadTopic", "BadPriority", "TopicDisallowed"];
    let sends = async {
        assert!(matches!(client.send(hello(), some_token()).await, Outcome::Accepted(_)), "now it is known");
        join_all(reasons.map(|_| client.send(hello(), some_token()))).await
    };
    let (outcomes, ()) = join!(sends, async {
        let mut peer = server.greeted(&[]).await;
        let first = peer.request().await.stream;
        peer.accepts(first).await;
        let mut answers = Vec::new();
        for reason in reasons {
            let stream = peer.request().await.stream;
            peer.write([headers(stream, &[(":status", "400")])]).await;
            answers.push((stream, format!(r#"{{"reason":"{reason}"}}"#).into_bytes()));
        }
        let longest = answers.iter().map(|(_, body)| body.len()).max().unwrap();
        for position in 0..=longest {
            for (stream, body) in &answers {
                match body.get(position) {
                    Some(byte) => peer.write([data(*stream, &[*byte])]).await,
                    None if position == body.len() => peer.write([data(*stream, b"").end_stream()]).await,
                    None => {}
                }
            }
        }
    });
    let mut told: Vec<String> = outcomes.into_iter().map(reason).collect();
    told.sort_unstable();
    assert_eq!(told, ["BadPriority", "BadTopic", "TopicDisallowed"]);
}

fn reason(outcome: Outcome) -> String {
    match outcome {
        Outcome::Rejected(rejection) => rejection.reason.unwrap().to_string(),
        other => panic!("{other:?}"),
    }
}
