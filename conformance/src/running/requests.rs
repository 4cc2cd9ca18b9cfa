//! A request in frames.

use apns_http2::hpack::{Encoder, Field, Huffman};

use super::{link::Link, provider_token::Signer};
use crate::{
    Body, Framing, Request, Target,
    wire::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, FRAME_BYTES_MAX, HEADERS, PADDED, WITH_PRIORITY, frame,
    },
};

impl Link {
    /// Sends a request on the next stream, and returns that.
    pub(super) async fn request(&mut self, target: &Target, signer: &Signer, request: &Request) -> u32 {
        let stream = self.next_stream();
        let fields = fields(target, signer, request);
        let ends = request.body == Body::Absent && request.trailers.is_empty();
        let mut bytes = block(self.encoder(), stream, &fields, &request.framing, ends);
        let (body, piece) = match &request.body {
            Body::Absent => (None, FRAME_BYTES_MAX),
            Body::Bytes(body) => (Some(body), FRAME_BYTES_MAX - PADDING_BYTES_MAX),
            Body::Pieces(body, bytes) => (Some(body), *bytes),
        };
        if let Some(body) = body {
            let len = body.len() + PADDING_BYTES_MAX * body.len().div_ceil(piece);
            bytes.extend(data(stream, body, piece, &request.framing, request.trailers.is_empty()));
            self.await_window(if request.framing.padding.is_some() { len } else { body.len() }).await;
        }
        if !request.trailers.is_empty() {
            bytes.extend(block(self.encoder(), stream, &request.trailers, &Framing::default(), true));
        }
        self.send(&bytes).await;
        stream
    }
}

/// The fields with their placeholders filled. The provider token goes behind the authority: where most clients have it.
fn fields(target: &Target, signer: &Signer, request: &Request) -> Vec<(String, String)> {
    let jwt =
        request.jwt.as_ref().map(|jwt| ("authorization".to_owned(), format!("bearer {}", signer.sign(jwt))));
    let fill = |(name, value): &(String, String)| (name.clone(), target.fill(value, signer.usual()));
    let (pseudo, others): (Vec<_>, Vec<_>) =
        request.fields.iter().map(fill).enumerate().partition(|(at, field)| {
            field.0.starts_with(':') && request.fields[..*at].iter().all(|before| before.0.starts_with(':'))
        });
    pseudo
        .into_iter()
        .map(|(_, field)| field)
        .chain(jwt)
        .chain(others.into_iter().map(|(_, field)| field))
        .collect()
}

/// HEADERS, and CONTINUATION as often as the framing says.
fn block(
    encoder: &mut Encoder,
    stream: u32,
    fields: &[(String, String)],
    framing: &Framing,
    ends: bool,
) -> Vec<u8> {
    let mut block = Vec::new();
    encoder.set_huffman(if framing.huffman { Huffman::Shorter } else { Huffman::Never });
    encoder.begin_block(&mut block);
    block.extend(&framing.block_prefix);
    for (name, value) in fields {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        let field =
            if framing.indexed { Field::incremental(name, value) } else { Field::literal(name, value) };
        encoder.field(field, &mut block);
    }
    let piece =
        if framing.block_bytes == 0 { FRAME_BYTES_MAX - HEADERS_EXTRA_BYTES } else { framing.block_bytes };
    let pieces: Vec<&[u8]> = block.chunks(piece).collect();
    let mut frames = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let end_headers = if at + 1 == pieces.len() { END_HEADERS } else { 0 };
        if at > 0 {
            frames.extend(frame(CONTINUATION, end_headers, stream, piece));
            continue;
        }
        let priority: &[u8] = if framing.priority { &[0, 0, 0, 0, 15] } else { &[] };
        let flags = end_headers
            | if ends { END_STREAM } else { 0 }
            | if framing.priority { WITH_PRIORITY } else { 0 };
        frames.extend(padded(HEADERS, flags, stream, &[priority, piece].concat(), framing.padding));
    }
    frames
}

/// DATA, in pieces of at most so many bytes; one of no bytes when the body is empty.
fn data(stream: u32, body: &[u8], piece: usize, framing: &Framing, ends: bool) -> Vec<u8> {
    let mut frames = Vec::new();
    let mut pieces: Vec<&[u8]> = body.chunks(piece.max(1)).collect();
    if pieces.is_empty() {
        pieces.push(&[]);
    }
    for (at, piece) in pieces.iter().enumerate() {
        let flags = if ends && at + 1 == pieces.len() { END_STREAM } else { 0 };
        frames.extend(padded(DATA, flags, stream, piece, framing.padding));
    }
    frames
}

fn padded(kind: u8, flags: u8, stream: u32, payload: &[u8], padding: Option<u8>) -> Vec<u8> {
    let Some(padding) = padding else { return frame(kind, flags, stream, payload) };
    let payload = [&[padding], payload, &vec![0; usize::from(padding)]].concat();
    frame(kind, flags | PADDED, stream, &payload)
}

/// The length of padding, and its bytes.
const PADDING_BYTES_MAX: usize = 256;
/// What may stand before and behind a field block in HEADERS: padding and a priority.
const HEADERS_EXTRA_BYTES: usize = PADDING_BYTES_MAX + 5;
