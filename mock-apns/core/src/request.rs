//! One request's fields, kept in one buffer that is used again and again.

use std::ops::Range;

use crate::fields;

/// Declares [`FieldName`]: the fields that the rules read.
macro_rules! field_names {
    ($($variant:ident $name:literal;)*) => {
        /// A field that the rules read. APNs ignores all others.
        /// Source: Apple, "Sending notification requests to APNs".
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum FieldName {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl FieldName {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Reads a name in the lower case of HTTP/2 (RFC 9113, 8.2.1).
            fn of(name: &[u8]) -> Option<Self> {
                $(if name == $name.as_bytes() { return Some(Self::$variant); })*
                None
            }

            /// The field's name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

field_names! {
    Method ":method";
    Path ":path";
    Scheme ":scheme";
    Authority ":authority";
    Host "host";
    ContentLength "content-length";
    Authorization "authorization";
    ApnsTopic "apns-topic";
    ApnsPushType "apns-push-type";
    ApnsId "apns-id";
    ApnsExpiration "apns-expiration";
    ApnsPriority "apns-priority";
    ApnsCollapseId "apns-collapse-id";
}

impl FieldName {
    /// Whether APNs refuses a request that repeats this field: `authorization` and its own headers. What HTTP says
    /// of the others is judged by the HTTP/2 layer.
    const fn must_be_single(self) -> bool {
        self as usize >= Self::Authorization as usize
    }
}

/// The fields of one request, in the order of their arrival.
///
/// Fill it with [`field`](Self::field), hand it to the service, [`clear`](Self::clear) it and fill it again: once it
/// has grown to the size of the usual request it allocates nothing. It sets no limit of its own; the HTTP/2 layer
/// limits a field section (Apple announces 8000 bytes).
///
/// ```
/// use mock_apns_core::{FieldName, Request};
///
/// let mut request = Request::new();
/// request.field(b":path", b"/3/device/00ff");
/// request.field(b"apns-priority", b"5");
/// assert_eq!(request.path(), Some(&b"/3/device/00ff"[..]));
/// assert_eq!(request.get(FieldName::ApnsPriority), Some(&b"5"[..]));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// As [`fields`] writes them.
    written: Vec<u8>,
    /// By `FieldName as usize`: the value of the first such field.
    known: [Option<ValueAt>; FieldName::ALL.len()],
    repeated: Option<FieldName>,
}

impl Request {
    /// A request without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all fields and keeps the buffers.
    pub fn clear(&mut self) {
        self.written.clear();
        self.known = [None; FieldName::ALL.len()];
        self.repeated = None;
    }

    /// Memory that its fields take, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.written.capacity()
    }

    /// Gives memory back above so many bytes, as far as the fields do not need it.
    pub fn shrink_to(&mut self, bytes: usize) {
        self.written.shrink_to(bytes);
    }

    /// Adds one field. `name` is in lower case, as HTTP/2 demands.
    pub fn field(&mut self, name: &[u8], value: &[u8]) {
        let Range { start, end } = fields::write(&mut self.written, name, value);
        if let Some(known) = FieldName::of(name) {
            self.file(known, ValueAt { start, end });
        }
    }

    /// The value of `name`: of its first field, when it is repeated.
    pub fn get(&self, name: FieldName) -> Option<&[u8]> {
        self.known[name as usize].map(|value| &self.written[value.range()])
    }

    /// The `:path`.
    pub fn path(&self) -> Option<&[u8]> {
        self.get(FieldName::Path)
    }

    /// The `:authority`, or `host` from a client that sends none (RFC 9113, 8.3.1).
    pub fn authority(&self) -> Option<&[u8]> {
        self.get(FieldName::Authority).or_else(|| self.get(FieldName::Host))
    }

    /// The first of APNs' own fields, or `authorization`, that came twice.
    pub fn repeated(&self) -> Option<FieldName> {
        self.repeated
    }

    /// Every field as name and value, in the order of arrival.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        fields::iter(&self.written)
    }

    /// The request of these fields, as [`fields`] writes them.
    pub(crate) fn from_written(written: &[u8]) -> Self {
        let mut request = Self::new();
        fields::iter(written).for_each(|(name, value)| request.field(name, value));
        request
    }

    /// All fields, as [`fields`] writes them.
    pub(crate) fn written(&self) -> &[u8] {
        &self.written
    }

    fn file(&mut self, name: FieldName, value: ValueAt) {
        let slot = &mut self.known[name as usize];
        if slot.is_none() {
            *slot = Some(value);
        } else if name.must_be_single() && self.repeated.is_none() {
            self.repeated = Some(name);
        }
    }
}

/// Where a value lies in the buffer.
#[derive(Clone, Copy, Debug)]
struct ValueAt {
    start: usize,
    end: usize,
}

impl ValueAt {
    const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_field_is_found_by_its_name() {
        let mut request = Request::new();
        for (value, name) in (0u8..).zip(FieldName::ALL) {
            request.field(name.as_str().as_bytes(), &[value]);
        }
        for (value, name) in (0u8..).zip(FieldName::ALL) {
            assert_eq!(request.get(*name), Some(&[value][..]), "{name:?}");
        }
    }

    #[test]
    fn fields_keep_their_order_and_unknown_ones_are_kept_too() {
        let mut request = Request::new();
        let sent: [(&[u8], &[u8]); 3] =
            [(b"apns-topic", b"a.b"), (b"user-agent", b""), (b":method", b"POST")];
        for (name, value) in sent {
            request.field(name, value);
        }
        assert!(request.fields().eq(sent));
    }

    #[test]
    fn the_first_of_a_repeated_field_counts_and_the_repetition_is_noticed() {
        let mut request = Request::new();
        request.field(b"apns-priority", b"5");
        assert_eq!(request.repeated(), None);
        request.field(b"apns-priority", b"10");
        request.field(b"apns-id", b"x");
        request.field(b"apns-id", b"x");
        assert_eq!(request.get(FieldName::ApnsPriority), Some(&b"5"[..]));
        assert_eq!(request.repeated(), Some(FieldName::ApnsPriority));
    }

    #[test]
    fn authorization_must_be_single_and_fields_of_others_need_not() {
        let mut request = Request::new();
        for name in [&b"cookie"[..], b"host", b"apns-unheard-of"] {
            request.field(name, b"1");
            request.field(name, b"2");
        }
        assert_eq!(request.repeated(), None);
        request.field(b"authorization", b"1");
        request.field(b"authorization", b"1");
        assert_eq!(request.repeated(), Some(FieldName::Authorization));
    }

    #[test]
    fn authority_comes_before_host() {
        let mut request = Request::new();
        request.field(b"host", b"b");
        assert_eq!(request.authority(), Some(&b"b"[..]));
        request.field(b":authority", b"a");
        assert_eq!(request.authority(), Some(&b"a"[..]));
    }

    #[test]
    fn a_cleared_request_is_as_new_and_keeps_its_buffer() {
        let mut request = Request::new();
        request.field(b"apns-id", b"1");
        request.field(b"apns-id", b"1");
        let capacity = request.written.capacity();
        request.clear();
        assert_eq!((request.get(FieldName::ApnsId), request.repeated()), (None, None));
        assert_eq!(request.fields().count(), 0);
        assert_eq!(request.written.capacity(), capacity);
    }
}
