//! What makes a message's fields well-formed (RFC 9113 sections 8.1 to 8.3), checked field by field as they are decoded.

use crate::{error::Violation, event::Section};

/// What RFC 9113 section 6.5.2 counts for each field on top of its name and value.
pub(crate) const FIELD_OVERHEAD: usize = 32;

/// The check of one field section.
#[derive(Debug)]
pub(crate) struct SectionCheck {
    expected: Expected,
    size_left: usize,
    seen: Pseudo,
    regular_seen: bool,
    status: u16,
    is_connect: bool,
    content_length: Option<u64>,
    violation: Option<Violation>,
}

/// What may come on the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expected {
    Request,
    Response,
    Trailers,
}

/// What a section turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Checked {
    pub(crate) section: Section,
    pub(crate) content_length: Option<u64>,
    /// Whether its status says that no content follows, whatever content-length says (RFC 9113 section 8.1.1).
    pub(crate) never_has_content: bool,
}

/// Which pseudo-fields were seen: one bit each.
#[derive(Clone, Copy, Debug, Default)]
struct Pseudo(u8);

impl Pseudo {
    const METHOD: u8 = 1;
    const SCHEME: u8 = 2;
    const AUTHORITY: u8 = 4;
    const PATH: u8 = 8;
    const STATUS: u8 = 16;
    const PROTOCOL: u8 = 32;

    fn of(name: &[u8]) -> Option<u8> {
        match name {
            b":method" => Some(Self::METHOD),
            b":scheme" => Some(Self::SCHEME),
            b":authority" => Some(Self::AUTHORITY),
            b":path" => Some(Self::PATH),
            b":status" => Some(Self::STATUS),
            b":protocol" => Some(Self::PROTOCOL),
            _ => None,
        }
    }

    const fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }
}

impl SectionCheck {
    /// `size_max` is our SETTINGS_MAX_HEADER_LIST_SIZE in force.
    pub(crate) fn new(expected: Expected, size_max: u32) -> Self {
        Self {
            expected,
            size_left: size_max as usize,
            seen: Pseudo::default(),
            regular_seen: false,
            status: 0,
            is_connect: false,
            content_length: None,
            violation: None,
        }
    }

    /// Looks at one field; false once the section is known to be malformed.
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8]) -> bool {
        if self.violation.is_some() {
            return false;
        }
        self.violation = self.check(name, value).err();
        self.violation.is_none()
    }

    /// What the section was, when all its fields were looked at.
    pub(crate) fn finish(self, end_stream: bool) -> Result<Checked, Violation> {
        if let Some(violation) = self.violation {
            return Err(violation);
        }
        let section = match self.expected {
            Expected::Request => self.request()?,
            Expected::Response => self.response(end_stream)?,
            Expected::Trailers => Section::Trailers,
        };
        let never_has_content = matches!(self.status, 204 | 304);
        Ok(Checked { section, content_length: self.content_length, never_has_content })
    }

    fn check(&mut self, name: &[u8], value: &[u8]) -> Result<(), Violation> {
        let size = name.len() + value.len() + FIELD_OVERHEAD;
        self.size_left = self.size_left.checked_sub(size).ok_or(Violation::FieldSectionTooLarge)?;
        if !is_field_value(value) {
            return Err(Violation::MalformedMessage);
        }
        if name.first() == Some(&b':') {
            return self.pseudo(name, value);
        }
        self.regular_seen = true;
        if !name.iter().all(|&byte| IS_NAME_BYTE[usize::from(byte)]) || name.is_empty() {
            return Err(Violation::MalformedMessage);
        }
        match name {
            b"connection" | b"proxy-connection" | b"keep-alive" | b"transfer-encoding" | b"upgrade" => {
                Err(Violation::MalformedMessage)
            }
            b"te" if value != b"trailers" => Err(Violation::MalformedMessage),
            b"content-length" => self.set_content_length(value),
            _ => Ok(()),
        }
    }

    fn pseudo(&mut self, name: &[u8], value: &[u8]) -> Result<(), Violation> {
        let bit = Pseudo::of(name).ok_or(Violation::MalformedMessage)?;
        let allowed = match self.expected {
            Expected::Request => bit != Pseudo::STATUS,
            Expected::Response => bit == Pseudo::STATUS,
            Expected::Trailers => false,
        };
        if !allowed || self.regular_seen || self.seen.has(bit) {
            return Err(Violation::MalformedMessage);
        }
        self.seen.0 |= bit;
        match bit {
            Pseudo::STATUS => self.status = status(value).ok_or(Violation::MalformedMessage)?,
            Pseudo::METHOD => self.is_connect = value == b"CONNECT",
            Pseudo::PATH if value.is_empty() => return Err(Violation::MalformedMessage),
            _ => {}
        }
        Ok(())
    }

    fn set_content_length(&mut self, value: &[u8]) -> Result<(), Violation> {
        let length = decimal(value).ok_or(Violation::MalformedMessage)?;
        if self.content_length.is_some_and(|other| other != length) {
            return Err(Violation::MalformedMessage);
        }
        self.content_length = Some(length);
        Ok(())
    }

    fn request(&self) -> Result<Section, Violation> {
        let needed = if self.is_connect && !self.seen.has(Pseudo::PROTOCOL) {
            // RFC 9113 section 8.5: CONNECT names an authority and nothing else.
            if self.seen.has(Pseudo::SCHEME) || self.seen.has(Pseudo::PATH) {
                return Err(Violation::MalformedMessage);
            }
            Pseudo::METHOD | Pseudo::AUTHORITY
        } else {
            Pseudo::METHOD | Pseudo::SCHEME | Pseudo::PATH
        };
        if self.seen.has(needed) && !self.seen.has(Pseudo::PROTOCOL) {
            Ok(Section::Request)
        } else {
            Err(Violation::MalformedMessage)
        }
    }

    fn response(&self, end_stream: bool) -> Result<Section, Violation> {
        match self.status {
            // RFC 9113 section 8.1: an interim response never ends the stream; 101 has no meaning in HTTP/2.
            0 | 101 => Err(Violation::MalformedMessage),
            100..=199 if end_stream => Err(Violation::MalformedMessage),
            100..=199 => Ok(Section::Informational),
            _ => Ok(Section::Response),
        }
    }
}

/// Bytes that a lower-case field name may have (RFC 9110 section 5.6.2 tokens less the capitals, RFC 9113 section 8.2).
static IS_NAME_BYTE: [bool; 256] = {
    let mut allowed = [false; 256];
    let token = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
    let mut i = 0;
    while i < token.len() {
        allowed[token[i] as usize] = true;
        i += 1;
    }
    allowed
};

/// RFC 9113 section 8.2.1: no NUL, CR or LF, and no white space around it.
fn is_field_value(value: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let bad = has_control(value) && value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
    !bad && !blank(value.first()) && !blank(value.last())
}

/// Whether any byte is below 0x20, eight at a time: values hardly ever have one, and a JWT has two hundred to look at.
fn has_control(value: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let below_space = |word: [u8; 8]| {
        let word = u64::from_ne_bytes(word);
        word.wrapping_sub(ONES * 0x20) & !word & (ONES * 0x80)
    };
    let Some(&last) = value.last_chunk() else { return value.iter().any(|&byte| byte < 0x20) };
    // The last eight overlap those before them, so that no rest is left over.
    let (words, _) = value.as_chunks();
    words.iter().fold(below_space(last), |found, &word| found | below_space(word)) != 0
}

fn status(value: &[u8]) -> Option<u16> {
    match value {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
        }
        _ => None,
    }
}

/// A decimal number with no sign and no space.
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |number, &byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: [(&str, &str); 3] = [(":method", "POST"), (":scheme", "https"), (":path", "/3/device/00")];

    fn check(expected: Expected, end_stream: bool, fields: &[(&str, &str)]) -> Result<Checked, Violation> {
        let mut check = SectionCheck::new(expected, 8000);
        for (name, value) in fields {
            check.field(name.as_bytes(), value.as_bytes());
        }
        check.finish(end_stream)
    }

    fn request_with(extra: (&str, &str)) -> Result<Checked, Violation> {
        let fields: Vec<_> = REQUEST.into_iter().chain([extra]).collect();
        check(Expected::Request, false, &fields)
    }

    #[test]
    fn a_request_needs_method_scheme_and_path() {
        assert_eq!(check(Expected::Request, false, &REQUEST).unwrap().section, Section::Request);
        for missing in 0..REQUEST.len() {
            let mut fields = REQUEST.to_vec();
            fields.remove(missing);
            assert_eq!(check(Expected::Request, false, &fields), Err(Violation::MalformedMessage));
        }
    }

    #[test]
    fn connect_has_an_authority_and_no_path() {
        let connect = [(":method", "CONNECT"), (":authority", "localhost:443")];
        assert!(check(Expected::Request, false, &connect).is_ok());
        let with_path = [(":method", "CONNECT"), (":authority", "localhost:443"), (":path", "/")];
        assert!(check(Expected::Request, false, &with_path).is_err());
    }

    #[test]
    fn malformed_fields_are_refused_each_for_itself() {
        let malformed = [
            ("Apns-Topic", "upper case name"),
            ("", "empty name"),
            ("apns topic", "space in name"),
            ("connection", "close"),
            ("transfer-encoding", "chunked"),
            ("te", "gzip"),
            (":method", "POST"),
            (":status", "200"),
            (":unknown", "x"),
            ("x", "line\nbreak"),
            ("x", "nul\0"),
            ("x", " leading"),
            ("x", "trailing\t"),
            ("content-length", "-1"),
            ("content-length", ""),
            ("content-length", "99999999999999999999"),
        ];
        for extra in malformed {
            assert_eq!(request_with(extra), Err(Violation::MalformedMessage), "{extra:?}");
        }
        for extra in [("te", "trailers"), ("content-length", "12"), ("x", ""), ("apns-id", "a b")] {
            assert!(request_with(extra).is_ok(), "{extra:?}");
        }
    }

    #[test]
    fn a_forbidden_byte_is_found_at_every_place_of_a_value() {
        for len in 1..40 {
            for place in 0..len {
                for (byte, allowed) in
                    [(0, false), (b'\n', false), (b'\r', false), (0x01, true), (0x1f, true), (0xff, true)]
                {
                    let mut value = vec![b'x'; len];
                    value[place] = byte;
                    assert_eq!(is_field_value(&value), allowed, "byte {byte} at {place} of {len}");
                }
            }
        }
        assert!(is_field_value(b"in\tside") && is_field_value(b""));
    }

    #[test]
    fn pseudo_fields_come_first() {
        let fields = [(":method", "POST"), (":scheme", "https"), ("x", "y"), (":path", "/")];
        assert_eq!(check(Expected::Request, false, &fields), Err(Violation::MalformedMessage));
    }

    #[test]
    fn a_response_is_interim_or_final_by_its_status() {
        let with = |status, end| check(Expected::Response, end, &[(":status", status)]).map(|c| c.section);
        assert_eq!(with("200", true), Ok(Section::Response));
        assert_eq!(with("103", false), Ok(Section::Informational));
        for (status, end) in [("103", true), ("101", false), ("99", true), ("2000", true), ("abc", true)] {
            assert_eq!(with(status, end), Err(Violation::MalformedMessage), "{status}");
        }
        assert!(check(Expected::Response, true, &[("x", "y")]).is_err(), "no status");
    }

    #[test]
    fn trailers_have_no_pseudo_fields() {
        assert!(check(Expected::Trailers, true, &[("x", "y")]).is_ok());
        assert!(check(Expected::Trailers, true, &[(":status", "200")]).is_err());
    }

    #[test]
    fn a_section_is_counted_as_the_rfc_counts() {
        let mut exact = SectionCheck::new(Expected::Trailers, 1 + 1 + 32);
        assert!(exact.field(b"x", b"y"));
        assert!(!exact.field(b"x", b""));
        assert_eq!(exact.finish(true), Err(Violation::FieldSectionTooLarge));
    }

    #[test]
    fn two_different_content_lengths_are_malformed() {
        let fields = [REQUEST[0], REQUEST[1], REQUEST[2], ("content-length", "1"), ("content-length", "2")];
        assert_eq!(check(Expected::Request, false, &fields), Err(Violation::MalformedMessage));
    }
}
