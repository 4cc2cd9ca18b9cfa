use apns_http2::{FieldVisitor, StreamId};
use apns_provider_core::Answer;

/// Reads the fields of an answer as they are decompressed.
#[derive(Debug, Default)]
pub(super) struct AnswerFields(Option<Answer>);

impl AnswerFields {
    /// The answer whose fields came last.
    pub(super) fn take(&mut self) -> Option<Answer> {
        self.0.take()
    }
}

impl FieldVisitor for AnswerFields {
    fn begin(&mut self, _: StreamId) {
        self.0 = None;
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        match (name, &mut self.0) {
            // HTTP/2 lets three digits through, and first.
            (b":status", answer) => {
                *answer = str::from_utf8(value).ok().and_then(|s| s.parse().ok()).map(Answer::new);
            }
            (_, Some(answer)) => answer.read_header(name, value),
            (_, None) => {}
        }
    }
}
