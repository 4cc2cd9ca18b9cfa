use apns_http2::{
    CommandError, Connection as Http2, StreamId,
    hpack::{Field, Index},
};
use apns_provider_core::{Field as RequestField, Indexing, Outgoing, ProviderToken};
use bytes::Bytes;

/// Fields of a request at most; a push has eight to eleven, a broadcast nine or ten.
const FIELDS_MAX: usize = 12;

/// Sends the request of one push or broadcast.
pub(super) fn send(
    http2: &mut Http2,
    outgoing: &Outgoing,
    authority: &str,
    token: Option<&ProviderToken>,
) -> Result<StreamId, CommandError> {
    match outgoing {
        Outgoing::Broadcast { broadcast, request_id } => {
            open(http2, broadcast.request_fields(request_id, authority, token), broadcast.payload())
        }
        Outgoing::Push(push) => {
            open(http2, push.request_fields(authority, token), push.notification().payload())
        }
    }
}

/// Sends a request with these fields and this body; without a body the fields end it.
pub(crate) fn open<'a>(
    http2: &mut Http2,
    request: impl Iterator<Item = RequestField<'a>>,
    body: &Bytes,
) -> Result<StreamId, CommandError> {
    let mut fields = [Field::literal(b"", b""); FIELDS_MAX];
    let mut count = 0;
    for (slot, field) in fields.iter_mut().zip(request) {
        let index = match field.indexing {
            Indexing::Incremental => Index::Incremental,
            Indexing::Literal => Index::Literal,
            Indexing::Never => Index::Never,
        };
        *slot = Field { name: field.name.as_bytes(), value: field.value, index };
        count += 1;
    }
    let stream = http2.open(&fields[..count], body.is_empty())?;
    if !body.is_empty() {
        http2.send_data(stream, body.clone(), true)?;
    }
    Ok(stream)
}
