//! Evidence made by hand, for the tests of those who look at evidence.

use std::time::Duration;

use mock_apns::Environment;

use super::{
    Connection,
    said::{Data, Field, Form, Headers, Said, Side, What},
};

/// Something said at this millisecond.
pub(crate) fn said(at: u64, side: Side, what: What) -> Said {
    Said { at: Duration::from_millis(at), side, what }
}

/// A connection on which this was said, a millisecond apart.
pub(crate) fn connection(said: impl IntoIterator<Item = (Side, What)>) -> Connection {
    let said = said.into_iter().zip(0..).map(|((side, what), at)| self::said(at, side, what)).collect();
    Connection {
        opened_at: Duration::ZERO,
        dial: None,
        environment: Environment::Sandbox,
        said,
        closed_at: None,
    }
}

/// The fields of a request, or of an answer.
pub(crate) fn headers(stream: u32, fields: &[(&str, &str)], end: bool) -> What {
    let field = |(name, value): &(&str, &str)| Field {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
        form: Form::WithoutIndexing,
    };
    let fields = fields.iter().map(field).collect();
    What::Headers(Headers { stream, fields, table_sizes: Vec::new(), end, with_priority: false })
}

/// So many bytes of a body.
pub(crate) fn data(stream: u32, bytes: usize, end: bool) -> What {
    What::Data(Data { stream, bytes: vec![b'x'; bytes], flow: bytes, end })
}
