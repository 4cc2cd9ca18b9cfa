//! An answer of the service as HTTP/2 sends it.

use apns_http2::{CommandError, Connection, StreamId, hpack::Field};
use bytes::Bytes;
use mock_apns_core::Answer;

/// Sends `answer`: a 200 is one HEADERS frame that ends the stream; an error's body goes in one DATA frame
/// that ends it. Clients were seen to break on an empty DATA frame after the body.
pub(super) fn send(
    http2: &mut Connection,
    stream: StreamId,
    answer: &Answer,
    body: &mut Vec<u8>,
) -> Result<(), CommandError> {
    let status = status_text(answer.status);
    let mut fields = [Field::incremental(b":status", &status); 5];
    let mut count = 1;
    let mut add = |field| {
        fields[count] = field;
        count += 1;
    };
    // Identifiers are new each time: a table entry for them would push useful ones out.
    add(Field::literal(b"apns-id", answer.apns_id.as_bytes()));
    if let Some(unique_id) = &answer.apns_unique_id {
        add(Field::literal(b"apns-unique-id", unique_id.as_bytes()));
    }
    if let Some(content_type) = answer.content_type {
        add(Field::incremental(b"content-type", content_type.as_bytes()));
    }
    if let Some(fault) = &answer.fault {
        add(Field::incremental(b"mock-apns-fault", fault.as_str().as_bytes()));
    }
    body.clear();
    answer.body(body);
    http2.send_headers(stream, &fields[..count], body.is_empty())?;
    if !body.is_empty() {
        http2.send_data(stream, Bytes::copy_from_slice(body), true)?;
    }
    Ok(())
}

/// Three digits. Statuses of the service are between 200 and 599.
fn status_text(status: u16) -> [u8; 3] {
    let digit = |number: u16| b'0' + (number % 10) as u8;
    [digit(status / 100), digit(status / 10), digit(status)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_three_digits() {
        assert_eq!([200, 410, 503].map(status_text), [*b"200", *b"410", *b"503"]);
    }
}
