//! Against the h2 crate, which was written by other people: our server under its client, our client against its server.

use std::{collections::BTreeMap, future::Future, num::NonZeroU16, time::Duration};

use apns_http2::{
    CommandError, Config, Connection, ErrorCode, Framing, Section, Settings, StreamId,
    hpack::{Field, Huffman},
};
use bytes::Bytes;
use h2::{Reason, RecvStream, client, server};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    task::JoinSet,
};

use crate::support::{OK, PUSH, Seen, seen_of};

/// Bytes that the pipe between both holds: less than a frame, so that both are always cut short.
const PIPE_BYTES: usize = 10_000;
/// Below all window sizes of the bodies in use.
const SMALL_WINDOW: u32 = 20_000;
const LARGE_BODY: usize = 300_000;

/// Our end of a connection and its pipe.
struct Ours {
    connection: Connection,
    read: ReadHalf<DuplexStream>,
    write: WriteHalf<DuplexStream>,
}

impl Ours {
    fn new(connection: Connection, pipe: DuplexStream) -> Self {
        let (read, write) = tokio::io::split(pipe);
        Self { connection, read, write }
    }

    /// Moves bytes until the peer tells something, or `None` when it has closed.
    async fn next(&mut self) -> Option<Vec<Seen>> {
        let mut buffer = [0; 4096];
        loop {
            let pending = self.connection.poll_transmit();
            tokio::select! {
                written = self.write.write(pending.unwrap_or_default()), if pending.is_some() => {
                    self.connection.transmitted(written.ok()?);
                }
                read = self.read.read(&mut buffer) => {
                    let len = read.ok().filter(|len| *len > 0)?;
                    self.connection.recv(Duration::ZERO, &buffer[..len]);
                    let (seen, end) = seen_of(&mut self.connection);
                    assert_eq!(end, Ok(()), "after {seen:?}");
                    return Some(seen);
                }
            }
        }
    }

    /// Calls `handle` with all that the peer tells, until it has closed.
    async fn run(mut self, mut handle: impl FnMut(&mut Connection, Seen)) {
        while let Some(all) = self.next().await {
            for seen in all {
                handle(&mut self.connection, seen);
            }
        }
    }
}

/// Answers each request with its own body, with trailers if it had some.
fn echo() -> impl FnMut(&mut Connection, Seen) {
    let mut bodies: BTreeMap<StreamId, Vec<u8>> = BTreeMap::new();
    move |connection, seen| {
        let (stream, ended, trailers) = match seen {
            Seen::Headers { stream, section: Section::Request, end_stream, .. } => {
                bodies.insert(stream, Vec::new());
                (stream, end_stream, vec![])
            }
            Seen::Headers { stream, fields, .. } => (stream, true, fields),
            Seen::Data { stream, data, end_stream } => {
                bodies.get_mut(&stream).unwrap().extend(data);
                (stream, end_stream, vec![])
            }
            _ => return,
        };
        if ended {
            let body = bodies.remove(&stream).unwrap();
            connection.send_headers(stream, &OK, false).unwrap();
            connection.send_data(stream, body.into(), trailers.is_empty()).unwrap();
            if !trailers.is_empty() {
                let fields =
                    trailers.iter().map(|(name, value)| Field::literal(name.as_bytes(), value.as_bytes()));
                connection.send_headers(stream, &fields.collect::<Vec<_>>(), true).unwrap();
            }
        }
    }
}

fn config(window: u32, streams: u32) -> Config {
    let settings = Settings {
        initial_window_size: Some(window),
        max_concurrent_streams: Some(streams),
        ..Settings::default()
    };
    Config { settings, huffman: Huffman::Shorter, ..Config::default() }
}

fn body(n: usize) -> Bytes {
    let len = if n.is_multiple_of(100) { LARGE_BODY } else { n * 7 };
    (0..len).map(|at| (at / 241 + at + n) as u8).collect()
}

fn push() -> Request<()> {
    Request::post("https://api.push.apple.com/3/device/00fc13adff78").body(()).unwrap()
}

/// All of a body, window given back as it is read, and the trailers after it.
async fn whole(mut body: RecvStream) -> (Vec<u8>, Option<HeaderMap>) {
    let mut bytes = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        body.flow_control().release_capacity(part.len()).unwrap();
        bytes.extend_from_slice(&part);
    }
    (bytes, body.trailers().await.unwrap())
}

/// h2's client against `ours`, both until `test` is done.
async fn under_h2<F>(
    config: Config,
    handle: impl FnMut(&mut Connection, Seen),
    test: impl FnOnce(client::SendRequest<Bytes>) -> F,
) where
    F: Future<Output = ()>,
{
    let (theirs, ours) = tokio::io::duplex(PIPE_BYTES);
    let h2 = async {
        let (requests, connection) =
            client::Builder::new().initial_window_size(SMALL_WINDOW).handshake(theirs).await.unwrap();
        tokio::spawn(connection);
        test(requests).await;
    };
    tokio::join!(h2, Ours::new(Connection::server(config), ours).run(handle));
}

#[tokio::test]
async fn our_server_answers_a_thousand_requests_at_once() {
    under_h2(config(SMALL_WINDOW, 1000), echo(), async |requests| {
        let mut all = JoinSet::new();
        for n in 0..1000 {
            let requests = requests.clone();
            all.spawn(async move {
                let (answer, mut sending) =
                    requests.ready().await.unwrap().send_request(push(), false).unwrap();
                sending.send_data(body(n), true).unwrap();
                let answer = answer.await.unwrap();
                assert_eq!(answer.status(), 200);
                assert!(whole(answer.into_body()).await == (body(n).to_vec(), None), "body {n}");
            });
        }
        drop(requests);
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn our_server_takes_and_gives_trailers() {
    under_h2(config(SMALL_WINDOW, 10), echo(), async |requests| {
        let (answer, mut sending) = requests.ready().await.unwrap().send_request(push(), false).unwrap();
        sending.send_data(body(100), false).unwrap();
        let trailers =
            HeaderMap::from_iter([("x-checksum".parse().unwrap(), HeaderValue::from_static("12"))]);
        sending.send_trailers(trailers.clone()).unwrap();
        assert_eq!(whole(answer.await.unwrap().into_body()).await, (body(100).to_vec(), Some(trailers)));
    })
    .await;
}

/// Requests of many sizes, whose answers come with padding and with fields in many frames, one byte of block in some.
#[tokio::test]
async fn h2_reads_padding_and_continuations() {
    let mut echo = echo();
    let handle = |connection: &mut Connection, seen: Seen| {
        if let Seen::Headers { stream, section: Section::Request, .. } = seen {
            let forms = [(Some(0), 1), (Some(255), 2), (Some(17), 3), (None, 1)];
            let (padding, block_bytes) = forms[stream.get() as usize / 2 % forms.len()];
            let framing = Framing { padding, block_bytes: NonZeroU16::new(block_bytes) };
            connection.set_framing(stream, framing).unwrap();
        }
        echo(connection, seen);
    };
    under_h2(config(SMALL_WINDOW, 1000), handle, async |requests| {
        let mut all = JoinSet::new();
        for n in 0..400 {
            let requests = requests.clone();
            all.spawn(async move {
                let (answer, mut sending) =
                    requests.ready().await.unwrap().send_request(push(), false).unwrap();
                sending.send_data(body(n), false).unwrap();
                let trailers = HeaderMap::from_iter([("x-checksum".parse().unwrap(), HeaderValue::from(n))]);
                sending.send_trailers(trailers.clone()).unwrap();
                let answer = answer.await.unwrap();
                assert!(whole(answer.into_body()).await == (body(n).to_vec(), Some(trailers)), "body {n}");
            });
        }
        drop(requests);
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
    })
    .await;
}

/// Settings of ours that h2 must live through while requests are under way.
#[tokio::test]
async fn h2_follows_our_settings_as_they_change() {
    let changes = [
        Settings { max_concurrent_streams: Some(1000), header_table_size: Some(0), ..Settings::default() },
        Settings { initial_window_size: Some(10), max_frame_size: Some(20_000), ..Settings::default() },
        Settings { initial_window_size: Some(100_000), header_table_size: Some(4096), ..Settings::default() },
        Settings { max_concurrent_streams: Some(2), initial_window_size: Some(50), ..Settings::default() },
        Settings { max_concurrent_streams: Some(100), ..Settings::default() },
    ];
    let mut echo = echo();
    let mut changes = changes.into_iter();
    let mut acknowledged = 0;
    let handle = |connection: &mut Connection, seen: Seen| {
        acknowledged += usize::from(seen == Seen::SettingsAcknowledged);
        let is_request = matches!(seen, Seen::Headers { .. });
        assert!(!matches!(seen, Seen::Reset { .. }), "{seen:?}");
        echo(connection, seen);
        if is_request && let Some(next) = changes.next() {
            connection.settings(next).unwrap();
        }
    };
    under_h2(config(SMALL_WINDOW, 1), handle, async |requests| {
        let mut all = JoinSet::new();
        for n in 95..125 {
            let requests = requests.clone();
            all.spawn(async move {
                let (answer, mut sending) =
                    requests.ready().await.unwrap().send_request(push(), false).unwrap();
                sending.send_data(body(n), true).unwrap();
                assert!(whole(answer.await.unwrap().into_body()).await.0 == body(n), "body {n}");
            });
        }
        drop(requests);
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
    })
    .await;
    assert_eq!(acknowledged, 1 + 5);
}

#[tokio::test]
async fn h2_reads_our_goaway_and_finishes_what_is_below_it() {
    let mut echo = echo();
    let handle = |connection: &mut Connection, seen: Seen| {
        if let Seen::Headers { stream, .. } = seen
            && stream.get() == 3
        {
            let first = StreamId::FIRST;
            connection.goaway(StreamId::MAX, ErrorCode::NO_ERROR, b"").unwrap();
            connection.goaway(first, ErrorCode::ENHANCE_YOUR_CALM, br#"{"reason":"Shutdown"}"#).unwrap();
        } else {
            echo(connection, seen);
        }
    };
    under_h2(config(SMALL_WINDOW, 10), handle, async |requests| {
        let mut requests = requests.ready().await.unwrap();
        let (first, mut sending) = requests.send_request(push(), false).unwrap();
        let mut requests = requests.ready().await.unwrap();
        let (second, _) = requests.send_request(push(), true).unwrap();
        let refused = second.await.unwrap_err();
        assert!(refused.is_go_away() && refused.is_remote(), "{refused:?}");
        assert_eq!(refused.reason(), Some(Reason::ENHANCE_YOUR_CALM));
        assert!(format!("{refused:?}").contains("Shutdown"), "{refused:?}");
        sending.send_data(body(3), true).unwrap();
        assert_eq!(whole(first.await.unwrap().into_body()).await.0, body(3));
    })
    .await;
}

#[tokio::test]
async fn resets_cross_between_us_and_h2() {
    let mut told = Vec::new();
    let handle = |connection: &mut Connection, seen: Seen| match seen {
        Seen::Headers { stream, .. } if stream == StreamId::FIRST => {
            connection.reset(stream, ErrorCode::REFUSED_STREAM).unwrap();
        }
        Seen::Headers { stream, .. } => connection.send_headers(stream, &OK, false).unwrap(),
        Seen::Reset { stream, code, violation } => told.push((stream.get(), code, violation)),
        _ => {}
    };
    under_h2(config(SMALL_WINDOW, 10), handle, async |requests| {
        let mut requests = requests.ready().await.unwrap();
        let (refused, _sending) = requests.send_request(push(), false).unwrap();
        let error = refused.await.unwrap_err();
        assert!(error.is_reset() && error.is_remote());
        assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM));

        let mut requests = requests.ready().await.unwrap();
        let (answer, mut sending) = requests.send_request(push(), false).unwrap();
        let answer = answer.await.unwrap();
        sending.send_reset(Reason::CANCEL);
        let cut_off = answer.into_body().data().await.unwrap().unwrap_err();
        assert_eq!(cut_off.reason(), Some(Reason::CANCEL));
    })
    .await;
    assert_eq!(told, [(3, ErrorCode::CANCEL, None)]);
}

/// An h2 server that echoes, with trailers if asked, and moves its windows after each request.
async fn h2_echo(pipe: DuplexStream) {
    let mut builder = server::Builder::new();
    builder.initial_window_size(SMALL_WINDOW).max_concurrent_streams(1000).max_header_list_size(8000);
    let mut connection = builder.handshake::<_, Bytes>(pipe).await.unwrap();
    let mut count = 0;
    while let Some(accepted) = connection.accept().await {
        let Ok((request, mut respond)) = accepted else { return };
        count += 1;
        if count % 100 == 0 {
            // Upward only: lowered, h2 0.4 never grants what it owes by then and the stream stalls, as nghttp2 did before its #1680.
            let _ = connection.set_initial_window_size(SMALL_WINDOW + count); // one SETTINGS is under way at most
            connection.set_target_window_size(100_000 + count);
        }
        tokio::spawn(async move {
            let (body, trailers) = whole(request.into_body()).await;
            let mut sending = respond.send_response(Response::new(()), false).unwrap();
            sending.send_data(body.into(), trailers.is_none()).unwrap();
            if let Some(trailers) = trailers {
                sending.send_trailers(trailers).unwrap();
            }
        });
    }
}

#[tokio::test]
async fn our_client_sends_a_thousand_requests_at_once_to_h2() {
    let (theirs, ours) = tokio::io::duplex(PIPE_BYTES);
    let mut ours = Ours::new(Connection::client(config(SMALL_WINDOW, 0)), ours);
    let mut came: BTreeMap<StreamId, (Vec<u8>, usize)> = BTreeMap::new();
    let client = async move {
        while !ours.connection.has_peer_settings() {
            ours.next().await.unwrap();
        }
        let (mut bodies, mut settings) = (BTreeMap::new(), 0);
        for n in 0..1000 {
            let stream = ours.connection.open(&PUSH, false).unwrap();
            ours.connection.send_data(stream, body(n), n % 3 != 0).unwrap();
            if n % 3 == 0 {
                ours.connection.send_headers(stream, &[Field::incremental(b"x-n", b"end")], true).unwrap();
            }
            bodies.insert(stream, (n, body(n)));
        }
        assert_eq!(ours.connection.open(&PUSH, false), Err(CommandError::TooManyStreams { limit: 1000 }));
        while ours.connection.open_streams() > 0 {
            for seen in ours.next().await.unwrap() {
                match seen {
                    Seen::Headers { stream, section, fields, .. } => {
                        let (_, trailers) = came.entry(stream).or_default();
                        if section == Section::Trailers {
                            *trailers += fields.len();
                        }
                    }
                    Seen::Data { stream, data, .. } => came.get_mut(&stream).unwrap().0.extend(data),
                    Seen::Settings(_) => settings += 1,
                    Seen::Reset { .. } | Seen::GoAway { .. } => panic!("{seen:?}"),
                    _ => {}
                }
            }
        }
        assert!(settings > 0, "windows moved while bodies were under way");
        for (stream, (n, body)) in bodies {
            let (content, trailers) = &came[&stream];
            assert!(*content == body, "body {n}");
            assert_eq!(*trailers, usize::from(n % 3 == 0));
        }
    };
    tokio::join!(h2_echo(theirs), client);
}

#[tokio::test]
async fn our_client_reads_how_h2_shuts_down() {
    let (theirs, ours) = tokio::io::duplex(PIPE_BYTES);
    let server = async {
        let mut connection = server::handshake(theirs).await.unwrap();
        let (_, mut respond) = connection.accept().await.unwrap().unwrap();
        let mut pings = connection.ping_pong().unwrap();
        tokio::select! {
            pong = pings.ping(h2::Ping::opaque()) => drop(pong.unwrap()),
            _ = connection.accept() => panic!("nothing more was asked"),
        }
        connection.graceful_shutdown();
        respond.send_response(Response::new(()), true).unwrap();
        assert!(connection.accept().await.is_none());
    };
    let client = async {
        let mut told = Vec::new();
        let mut ours = Ours::new(Connection::client(Config::default()), ours);
        ours.connection.open(&PUSH, true).unwrap();
        ours.connection.ping(*b"our ping").unwrap();
        while let Some(seen) = ours.next().await {
            told.extend(seen);
        }
        let lasts: Vec<_> = told
            .iter()
            .filter_map(|seen| match seen {
                Seen::GoAway { last_stream, code: ErrorCode::NO_ERROR, .. } => Some(*last_stream),
                _ => None,
            })
            .collect();
        assert_eq!(lasts, [StreamId::MAX, StreamId::FIRST], "announced, then refined");
        assert!(told.contains(&Seen::PingAcknowledged(*b"our ping")));
        assert!(told.iter().any(|seen| matches!(seen, Seen::Headers { end_stream: true, .. })));
        assert_eq!(ours.connection.openable_streams(), 0);
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn our_client_is_told_when_h2_resets_and_breaks_off() {
    let (theirs, ours) = tokio::io::duplex(PIPE_BYTES);
    let server = async {
        let mut connection = server::handshake::<_>(theirs).await.unwrap();
        let (_, mut respond) = connection.accept().await.unwrap().unwrap();
        respond.send_reset(Reason::INTERNAL_ERROR);
        let _ = connection.accept().await.unwrap().unwrap();
        connection.abrupt_shutdown(Reason::INADEQUATE_SECURITY);
        let _ = connection.accept().await;
    };
    let client = async {
        let mut ours = Ours::new(Connection::client(Config::default()), ours);
        let first = ours.connection.open(&PUSH, true).unwrap();
        let mut told = Vec::new();
        while let Some(all) = ours.next().await {
            for seen in all {
                if let Seen::Reset { stream, .. } = seen {
                    assert_eq!(stream, first);
                    ours.connection.open(&PUSH, true).unwrap();
                }
                told.push(seen);
            }
        }
        assert!(told.contains(&Seen::reset(1, ErrorCode::INTERNAL_ERROR)));
        let last = told.last();
        assert!(matches!(last, Some(Seen::GoAway { code: ErrorCode::INADEQUATE_SECURITY, .. })), "{last:?}");
    };
    tokio::join!(server, client);
}
