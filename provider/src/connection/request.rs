use apns_http2::{
    CommandError, Connection as Http2, StreamId,
    hpack::{Field, Index},
};
use apns_provider_core::{Indexing, ProviderToken, Push};

/// Fields of a request at most; `Push::request_fields` gives eight to eleven.
const FIELDS_MAX: usize = 12;

/// Sends the request of one push.
pub(super) fn send(
    http2: &mut Http2,
    push: &Push,
    authority: &str,
    token: Option<&ProviderToken>,
) -> Result<StreamId, CommandError> {
    let mut fields = [Field::literal(b"", b""); FIELDS_MAX];
    let mut count = 0;
    for (slot, field) in fields.iter_mut().zip(push.request_fields(authority, token)) {
        let index = match field.indexing {
            Indexing::Incremental => Index::Incremental,
            Indexing::Literal => Index::Literal,
            Indexing::Never => Index::Never,
        };
        *slot = Field { name: field.name.as_bytes(), value: field.value, index };
        count += 1;
    }
    let stream = http2.open(&fields[..count], false)?;
    http2.send_data(stream, push.notification().payload().clone(), true)?;
    Ok(stream)
}
