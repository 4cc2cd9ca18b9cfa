//! From the bytes of one side of a connection to what was said. By its own numbers, but for HPACK's tables: what judges a provider
//! must not read it by the provider's own code.

use std::time::Duration;

use apns_http2::hpack::Decoder;

use super::said::{Data, Field, Form, Headers, Said, Side, What};
use crate::wire::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEAD_BYTES, HEADERS, PADDED, PING, PREFACE,
    PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, WITH_PRIORITY, number,
};

/// Reads what one side says.
#[derive(Debug)]
pub(crate) struct Reader {
    side: Side,
    bytes: Vec<u8>,
    awaits_preface: bool,
    decoder: Decoder,
    /// The head of a field section whose block is not whole.
    open: Option<Open>,
    /// Nothing can be read any more.
    is_lost: bool,
}

/// A frame as it stands in the bytes.
struct Frame<'a> {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &'a [u8],
}

#[derive(Debug)]
struct Open {
    stream: u32,
    end: bool,
    with_priority: bool,
    block: Vec<u8>,
}

impl Reader {
    pub(crate) fn of(side: Side) -> Self {
        Self {
            side,
            bytes: Vec::new(),
            awaits_preface: side == Side::Provider,
            // Whatever a side may have been allowed, it may use.
            decoder: Decoder::new(TABLE_BYTES_MAX),
            open: None,
            is_lost: false,
        }
    }

    /// Reads on.
    pub(crate) fn read(&mut self, at: Duration, bytes: &[u8], mut see: impl FnMut(Said)) {
        if self.is_lost {
            return;
        }
        let mut all = std::mem::take(&mut self.bytes);
        all.extend_from_slice(bytes);
        let mut rest = all.as_slice();
        let side = self.side;
        let mut said = |what| see(Said { at, side, what });
        if self.awaits_preface {
            match preface(rest) {
                Some(true) => {
                    rest = &rest[PREFACE.len()..];
                    self.awaits_preface = false;
                    said(What::Preface);
                }
                None => {
                    self.bytes = all;
                    return;
                }
                Some(false) => {
                    self.is_lost = true;
                    let begin = String::from_utf8_lossy(&rest[..rest.len().min(PREFACE.len())]).into_owned();
                    return said(What::Rubbish(format!("it begins with {begin:?}")));
                }
            }
        }
        while let Some((frame, behind)) = take_frame(rest) {
            rest = behind;
            if let Some(what) = self.what(&frame) {
                self.is_lost = matches!(what, What::Rubbish(_));
                said(what);
            }
            if self.is_lost {
                return;
            }
        }
        self.bytes = rest.to_vec();
    }

    /// What a frame says; nothing while a field block is not whole.
    fn what(&mut self, frame: &Frame<'_>) -> Option<What> {
        let Frame { kind, flags, stream, payload } = *frame;
        if let Some(open) = &mut self.open {
            if kind != CONTINUATION || stream != open.stream {
                return Some(What::Rubbish(format!("a frame of type {kind} within a field block")));
            }
            open.block.extend_from_slice(payload);
            return self.whole(flags);
        }
        Some(match kind {
            DATA => {
                let body = unpadded(flags, payload);
                let bytes = body[..body.len().min(KEPT_BYTES_MAX)].to_vec();
                What::Data(Data { stream, bytes, flow: payload.len(), end: flags & END_STREAM != 0 })
            }
            HEADERS => {
                let mut block = unpadded(flags, payload);
                let with_priority = flags & WITH_PRIORITY != 0;
                if with_priority {
                    block = block.get(PRIORITY_BYTES..).unwrap_or_default();
                }
                let end = flags & END_STREAM != 0;
                self.open = Some(Open { stream, end, with_priority, block: block.to_vec() });
                return self.whole(flags);
            }
            PRIORITY => What::Priority { stream },
            RST_STREAM => What::Reset { stream, code: number(payload) },
            SETTINGS if flags & ACK != 0 => What::SettingsAck,
            SETTINGS => What::Settings(settings(payload)),
            PING => What::Ping { ack: flags & ACK != 0 },
            GOAWAY => What::GoAway {
                last: number(payload) & 0x7fff_ffff,
                code: number(payload.get(4..).unwrap_or_default()),
                debug: String::from_utf8_lossy(payload.get(8..).unwrap_or_default()).into_owned(),
            },
            WINDOW_UPDATE => What::Window { stream, increment: number(payload) & 0x7fff_ffff },
            CONTINUATION => What::Rubbish("CONTINUATION that continues nothing".to_owned()),
            kind => What::Other { kind },
        })
    }

    /// The fields, if their block is whole now.
    fn whole(&mut self, flags: u8) -> Option<What> {
        let open = self.open.take_if(|_| flags & END_HEADERS != 0)?;
        let (forms, table_sizes) = forms(&open.block);
        let mut fields = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut room = FIELDS_BYTES_MAX;
        let decoded = self.decoder.decode(&open.block, |name, value| {
            let Some(left) = room.checked_sub(name.len() + value.len() + size_of::<Field>()) else { return };
            room = left;
            let form = forms.get(fields.len()).copied().unwrap_or(Form::WithoutIndexing);
            fields.push(Field { name: text(name), value: text(value), form });
        });
        let Open { stream, end, with_priority, .. } = open;
        Some(match decoded {
            Ok(()) => What::Headers(Headers { stream, fields, table_sizes, end, with_priority }),
            Err(error) => What::Rubbish(format!("the fields of stream {stream}: {error}")),
        })
    }
}

/// Whether these bytes begin with the preface of HTTP/2; `None`: they may yet.
fn preface(bytes: &[u8]) -> Option<bool> {
    if bytes.len() >= PREFACE.len() {
        Some(bytes.starts_with(PREFACE))
    } else {
        (!PREFACE.starts_with(bytes)).then_some(false)
    }
}

/// A whole frame at the beginning, and what is behind it.
fn take_frame(bytes: &[u8]) -> Option<(Frame<'_>, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let (payload, rest) = rest.split_at_checked(len)?;
    let stream = number(&head[5..]) & 0x7fff_ffff;
    Some((Frame { kind: head[3], flags: head[4], stream, payload }, rest))
}

/// What is between the length of the padding and the padding.
fn unpadded(flags: u8, payload: &[u8]) -> &[u8] {
    if flags & PADDED == 0 {
        return payload;
    }
    let Some((&padding, rest)) = payload.split_first() else { return payload };
    &rest[..rest.len().saturating_sub(padding.into())]
}

fn settings(payload: &[u8]) -> Vec<(u16, u32)> {
    let parameters = payload.chunks_exact(SETTING_BYTES);
    parameters.map(|it| (u16::from_be_bytes([it[0], it[1]]), number(&it[2..]))).collect()
}

/// How each field of a block is said, and the sizes of the table that it begins with. Of a block that cannot be read, what can be.
fn forms(mut block: &[u8]) -> (Vec<Form>, Vec<usize>) {
    let (mut forms, mut sizes) = (Vec::new(), Vec::new());
    while let Some(&first) = block.first() {
        let before = block.len();
        let form = match first {
            0x80.. => integer(&mut block, 7).map(|_| Form::Indexed(before - block.len())),
            0x40.. => literal(&mut block, 6).map(|()| Form::Incremental),
            0x20.. => {
                let Some(size) = integer(&mut block, 5) else { break };
                sizes.push(size);
                continue;
            }
            0x10.. => literal(&mut block, 4).map(|()| Form::NeverIndexed),
            _ => literal(&mut block, 4).map(|()| Form::WithoutIndexing),
        };
        match form {
            Some(form) => forms.push(form),
            None => break,
        }
    }
    (forms, sizes)
}

/// Passes over a name, unless it is a reference, and over a value.
fn literal(block: &mut &[u8], prefix_bits: u32) -> Option<()> {
    let strings = if integer(block, prefix_bits)? == 0 { 2 } else { 1 };
    for _ in 0..strings {
        let len = integer(block, 7)?;
        *block = block.get(len..)?;
    }
    Some(())
}

/// An integer (RFC 7541, 5.1).
fn integer(block: &mut &[u8], prefix_bits: u32) -> Option<usize> {
    let max = (1 << prefix_bits) - 1;
    let mut value = usize::from(*block.split_off_first()?) & max;
    if value == max {
        for shift in (0..32).step_by(7) {
            let byte = usize::from(*block.split_off_first()?);
            value = value.checked_add((byte & 0x7f) << shift)?;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    Some(value)
}

/// Bytes of a body that are kept of each frame: a push whole, and an answer of ten megabytes in part.
const KEPT_BYTES_MAX: usize = 8192;
/// What is kept of the fields of one section: the double takes 8,000 bytes, and a byte can refer to thousands.
const FIELDS_BYTES_MAX: usize = 1024 * 1024;
/// More than any side is allowed in a play.
const TABLE_BYTES_MAX: usize = 1 << 20;
/// Bytes of a priority in HEADERS (RFC 9113, 6.2).
const PRIORITY_BYTES: usize = 5;
/// Bytes of a parameter (RFC 9113, 6.5.1).
const SETTING_BYTES: usize = 6;

#[cfg(test)]
mod tests {
    use apns_http2::hpack::{Encoder, Field as Encoded};

    use super::*;
    use crate::wire;

    fn read(reader: &mut Reader, bytes: &[u8]) -> Vec<What> {
        let mut seen = Vec::new();
        reader.read(Duration::ZERO, bytes, |said| seen.push(said.what));
        seen
    }

    fn block() -> Vec<u8> {
        let (mut encoder, mut block) = (Encoder::new(), Vec::new());
        encoder.begin_block(&mut block);
        for field in [
            Encoded::incremental(b":method", b"POST"),
            Encoded::incremental(b"apns-topic", b"a.b"),
            Encoded::literal(b"apns-id", b"1"),
            Encoded::never(b":path", b"/3/device/00"),
        ] {
            encoder.field(field, &mut block);
        }
        block
    }

    #[test]
    fn a_request_is_read_in_whatever_pieces_it_comes() {
        let block = block();
        let mut bytes = PREFACE.to_vec();
        bytes.extend(wire::settings(&[(2, 0)]));
        bytes.extend(wire::frame(HEADERS, 0, 1, &block[..5]));
        bytes.extend(wire::frame(CONTINUATION, END_HEADERS, 1, &block[5..]));
        bytes.extend(wire::frame(DATA, END_STREAM | PADDED, 1, b"\x02{}\0\0"));
        let mut whole = Reader::of(Side::Provider);
        let seen = read(&mut whole, &bytes);
        let mut dripping = Reader::of(Side::Provider);
        let dripped: Vec<What> = bytes.iter().flat_map(|byte| read(&mut dripping, &[*byte])).collect();
        assert_eq!(seen, dripped);
        let [What::Preface, What::Settings(settings), What::Headers(headers), What::Data(data)] = &seen[..]
        else {
            panic!("{seen:?}")
        };
        assert_eq!(settings, &[(2, 0)]);
        let forms: Vec<Form> = headers.fields.iter().map(|field| field.form).collect();
        assert_eq!(forms, [Form::Indexed(1), Form::Incremental, Form::WithoutIndexing, Form::NeverIndexed]);
        assert_eq!(headers.field("apns-topic"), Some("a.b"));
        assert_eq!((data.bytes.as_slice(), data.flow, data.end), (&b"{}"[..], 5, true));
    }

    #[test]
    fn what_is_no_http2_is_told_once_and_nothing_behind_it_is_read() {
        let mut reader = Reader::of(Side::Provider);
        let seen = read(&mut reader, b"POST /3/device/00 HTTP/1.1\r\n");
        assert!(matches!(&seen[..], [What::Rubbish(why)] if why.contains("POST /3")), "{seen:?}");
        assert_eq!(read(&mut reader, PREFACE), []);
    }

    #[test]
    fn a_table_size_is_read_and_a_broken_block_is_no_panic() {
        assert_eq!(forms(&[0x20, 0x82]), (vec![Form::Indexed(1)], vec![0]));
        for end in 0..block().len() {
            forms(&block()[..end]); // any answer is fine
        }
        let mut reader = Reader::of(Side::Double);
        let seen = read(&mut reader, &wire::frame(HEADERS, END_HEADERS, 1, &[0xff, 0xff, 0xff]));
        assert!(matches!(&seen[..], [What::Rubbish(_)]), "{seen:?}");
    }

    #[test]
    fn a_line_shows_no_provider_token() {
        let (mut encoder, mut block) = (Encoder::new(), Vec::new());
        encoder.begin_block(&mut block);
        encoder.field(Encoded::never(b"authorization", b"bearer secret"), &mut block);
        let seen = read(&mut Reader::of(Side::Double), &wire::frame(HEADERS, END_HEADERS, 1, &block));
        assert_eq!(seen[0].to_string(), "HEADERS 1 [authorization: …]");
    }
}
