//! Checklist D, C-40: how pushes end whose connection ends, by phase and by kind of end.

use std::time::Duration;

use apns_provider::core::{Ambiguity, NotSent, Outcome, RetryPolicy};
use tokio::{join, select, time::timeout};

use crate::{
    frames::{headers, setting},
    raw_server::{RawPeer, RawServer},
    world::{PATIENCE, alert, hello, some_token},
};

/// Whether a push may end so.
type Is = fn(&Outcome) -> bool;

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// In order: close_notify, then FIN.
    Fin,
    /// FIN without close_notify.
    Eof,
    /// RST.
    Rst,
}

const ENDS: [End; 3] = [End::Fin, End::Eof, End::Rst];

impl End {
    async fn of(self, mut peer: RawPeer) {
        match self {
            Self::Fin => {
                // Its other end may be gone first.
                let _ = timeout(PATIENCE, peer.socket.close()).await.expect("it is closed");
            }
            Self::Eof => drop(peer),
            Self::Rst => {
                peer.socket.tcp().set_zero_linger().unwrap();
                drop(peer);
            }
        }
    }
}

/// When a connection ends.
#[derive(Clone, Copy, Debug)]
enum Phase {
    BeforeSettings,
    AfterHeaders,
    MidData,
    BeforeTheAnswer,
    /// After the fields of an answer with this status, before its body.
    MidAnswer(&'static str),
}

impl Phase {
    /// A connection that has come so far.
    async fn of(self, server: &RawServer) -> RawPeer {
        let ours: &[(u16, u32)] = match self {
            Self::BeforeSettings => return server.accept().await,
            Self::AfterHeaders => &[(setting::INITIAL_WINDOW_SIZE, 0)],
            Self::MidData => &[(setting::INITIAL_WINDOW_SIZE, 100)],
            Self::BeforeTheAnswer | Self::MidAnswer(_) => &[],
        };
        let mut peer = server.greeted(ours).await;
        let request = loop {
            let all = peer.settled().await;
            match (self, all.into_iter().next()) {
                (Self::AfterHeaders | Self::MidData, Some(request)) => break request,
                (_, Some(_)) => break peer.request().await,
                (_, None) => {}
            }
        };
        let body = alert(&"x".repeat(500)).payload().len();
        match self {
            Self::AfterHeaders => assert_eq!(request.body.len(), 0),
            Self::MidData => assert_eq!(request.body.len(), 100),
            _ => assert_eq!(request.body.len(), body),
        }
        if let Self::MidAnswer(status) = self {
            peer.write([headers(request.stream, &[(":status", status)])]).await;
        }
        peer
    }
}

#[tokio::test]
async fn c40_in_every_phase_every_end_is_classified() {
    let lost = |outcome: &Outcome| *outcome == Outcome::Ambiguous(Ambiguity::ConnectionLost);
    let cases: [(Phase, Is); 6] = [
        (Phase::BeforeSettings, |outcome| matches!(outcome, Outcome::NotSent(_))),
        (Phase::AfterHeaders, lost),
        (Phase::MidData, lost),
        (Phase::BeforeTheAnswer, lost),
        (Phase::MidAnswer("200"), |outcome| matches!(outcome, Outcome::Accepted(_))),
        (
            Phase::MidAnswer("503"),
            |outcome| matches!(outcome, Outcome::Rejected(rejection) if rejection.status == 503 && rejection.reason.is_none()),
        ),
    ];
    for (phase, is_right) in cases {
        for end in ENDS {
            // An RST may overtake what was sent before it.
            if let (Phase::MidAnswer(_), End::Rst) = (phase, end) {
                continue;
            }
            let server = RawServer::start().await;
            let client = server.builder().build().unwrap();
            let answers = async { end.of(phase.of(&server).await).await };
            let long = alert(&"x".repeat(500));
            let (outcome, ()) = join!(client.send(long, some_token()), answers);
            assert!(is_right(&outcome), "{phase:?}, {end:?}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn c40_an_answer_right_before_an_error_of_tls_counts() {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let (outcome, _peer) = join!(client.send(hello(), some_token()), async {
        let mut peer = server.greeted(&[]).await;
        let request = peer.request().await;
        peer.accepts(request.stream).await;
        let no_record = [0xff; 32];
        assert_eq!(peer.socket.tcp().try_write(&no_record).unwrap(), no_record.len());
        peer
    });
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_drain_that_runs_out_of_time_ends_in_time_and_sends_nothing_again() {
    let server = RawServer::start().await;
    let client = server.builder().retry(RetryPolicy::default()).build().unwrap();
    let pushes = async { join!(client.send(hello(), some_token()), client.send(hello(), some_token())) };
    let drained = async {
        let mut peer = server.greeted(&[]).await;
        peer.request().await;
        let began = std::time::Instant::now();
        (client.drain(Duration::from_millis(200)).await, began.elapsed())
    };
    let (outcomes, (is_done, took)) = join!(pushes, drained);
    assert!(!is_done && took < Duration::from_secs(2), "{took:?}");
    // APNs does not know the client yet, so one was under way and one waited.
    let (lost, closed) = (Outcome::Ambiguous(Ambiguity::ConnectionLost), Outcome::NotSent(NotSent::Closed));
    assert!(outcomes == (lost.clone(), closed.clone()) || outcomes == (closed, lost), "{outcomes:?}");
    assert_eq!(client.stats().connections_opened, 1);
}

#[tokio::test]
async fn a_hook_that_panics_hurts_no_push() {
    let server = RawServer::start().await;
    let client = server.builder().on_invalid_token(|_, _| panic!("on purpose")).build().unwrap();
    let sends =
        async { (client.send(hello(), some_token()).await, client.send(hello(), some_token()).await) };
    let (outcomes, _peer) = join!(sends, async {
        let mut peer = server.greeted(&[]).await;
        let refused = peer.request().await.stream;
        peer.write([headers(refused, &[(":status", "410")]).end_stream()]).await;
        let next = peer.request().await.stream;
        peer.accepts(next).await;
        peer
    });
    assert!(matches!(outcomes, (Outcome::Rejected(_), Outcome::Accepted(_))), "{outcomes:?}");
}

/// A connection that lies idle is reset, and before the client knows it has a push for it: not one byte of it goes out.
#[tokio::test]
async fn c40_a_push_of_which_nothing_was_written_is_certainly_not_sent() {
    let mut unwritten = 0;
    for _ in 0..10 {
        let server = RawServer::start().await;
        let client = server.builder().build().unwrap();
        let (outcome, mut peer) = join!(client.send(hello(), some_token()), async {
            let mut peer = server.greeted(&[]).await;
            let request = peer.request().await;
            peer.accepts(request.stream).await;
            peer
        });
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        peer.settled().await;
        End::Rst.of(peer).await;
        let again = async {
            let mut peer = server.greeted(&[]).await;
            let request = peer.request().await;
            peer.accepts(request.stream).await;
            std::future::pending::<Outcome>().await
        };
        let outcome =
            select! { outcome = client.send(hello(), some_token()) => outcome, outcome = again => outcome };
        match outcome {
            Outcome::NotSent(NotSent::Unwritten) => unwritten += 1,
            // The client has seen the end first.
            Outcome::Accepted(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(unwritten > 0, "the case has not come up");
}

#[tokio::test]
async fn c42_a_push_that_is_never_answered_ends_in_time_and_its_stream_is_reset_once() {
    let server = RawServer::start().await;
    let client = server.builder().timeout(Duration::from_secs(1)).build().unwrap();
    let answers = async {
        let mut peer = server.greeted(&[]).await;
        let request = peer.request().await;
        let reset = peer.until(|frame| frame.kind == RST_STREAM).await;
        assert_eq!((reset.stream, &*reset.payload), (request.stream, &CANCEL[..]));
        peer.settled().await;
        assert!(!peer.others.iter().any(|frame| frame.kind == RST_STREAM), "once");
    };
    let began = std::time::Instant::now();
    let timed = async {
        let outcome = client.send(hello(), some_token()).await;
        (outcome, began.elapsed())
    };
    let ((outcome, took), ()) = join!(timed, answers);
    assert_eq!(outcome, Outcome::Ambiguous(Ambiguity::NoAnswer));
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(5), "{took:?}");
}

/// Frame type and error code (RFC 9113 sections 6.4 and 7).
const RST_STREAM: u8 = 3;
const CANCEL: [u8; 4] = 8_u32.to_be_bytes();
