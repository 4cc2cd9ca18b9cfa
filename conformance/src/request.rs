//! A request as it is written in a case: with placeholders for what each target has of its own.

use std::collections::BTreeSet;

/// A request. Its texts may have placeholders, which a target fills: `{token}`, `{token:voip}`, `{topic}`, `{topic:other}`, `{authorization}`, `{jwt}`,
/// `{authority}`; in capitals, `{TOKEN}` is in upper case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Its fields, pseudo-fields among them, in the order of the wire.
    pub fields: Vec<(String, String)>,
    /// The provider token, as a field behind the others; `None` for none, or for one that stands among `fields`.
    pub jwt: Option<Jwt>,
    /// Its body.
    pub body: Body,
    /// Fields behind the body.
    pub trailers: Vec<(String, String)>,
    /// How it is written in frames.
    pub framing: Framing,
}

/// How a request is written in frames: what must make no difference.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Framing {
    /// Whether its fields enter the target's dynamic table.
    pub indexed: bool,
    /// Whether strings are in Huffman's code.
    pub huffman: bool,
    /// What stands before the field block.
    pub block_prefix: Vec<u8>,
    /// The longest piece of the field block in a frame, in bytes; 0 for no pieces.
    pub block_bytes: usize,
    /// Bytes of padding of HEADERS and DATA.
    pub padding: Option<u8>,
    /// Whether HEADERS have a priority.
    pub priority: bool,
}

/// A body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    /// None: the stream ends with the fields.
    Absent,
    /// These bytes; when there are none, an empty DATA frame ends the stream.
    Bytes(Vec<u8>),
    /// These bytes, a DATA frame for each so many.
    Pieces(Vec<u8>, usize),
}

/// A provider token, good but for what is said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Jwt {
    /// The name of the key that signs, and whose identifiers it has.
    pub key: &'static str,
    /// `alg`, as JSON; `None` leaves it out.
    pub alg: Option<&'static str>,
    /// `kid`, when it is not the key's; an empty one leaves it out.
    pub kid: Option<&'static str>,
    /// `iss`, when it is not the team's; an empty one leaves it out.
    pub iss: Option<&'static str>,
    /// When it was issued.
    pub iat: Iat,
    /// More members of the header, as JSON behind a comma.
    pub more_header: &'static str,
    /// More claims, as JSON behind a comma.
    pub more_claims: &'static str,
    /// How it is signed.
    pub signature: Signature,
    /// Whether its parts are padded.
    pub padded: bool,
}

/// When a provider token was issued.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Iat {
    /// So many seconds before now; after it when negative.
    Ago(i64),
    /// The same as a string.
    StringAgo(i64),
    /// The same in milliseconds.
    Milliseconds,
    /// This JSON.
    Json(&'static str),
    /// Not said.
    Absent,
}

/// How a provider token is signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signature {
    /// As RFC 7518 has it: 64 bytes.
    Raw,
    /// In the DER of X9.62.
    Der,
    /// By a key that nobody knows.
    Stranger,
    /// Without its last four characters.
    Cut,
    /// With one bit changed.
    Flipped,
    /// Not at all.
    Empty,
}

impl Default for Jwt {
    fn default() -> Self {
        Self {
            key: MAIN,
            alg: Some("\"ES256\""),
            kid: None,
            iss: None,
            iat: Iat::Ago(0),
            more_header: "",
            more_claims: "",
            signature: Signature::Raw,
            padded: false,
        }
    }
}

/// The key that is good for everything.
pub const MAIN: &str = "main";

/// The payload of a good push.
pub(crate) const HELLO: &str = r#"{"aps":{"alert":"Hello"}}"#;

impl Request {
    /// A push that is accepted: an alert with a provider token.
    pub(crate) fn good() -> Self {
        let fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":path", "/3/device/{token}"),
            (":authority", "{authority}"),
            ("apns-topic", "{topic}"),
            ("apns-push-type", "alert"),
        ];
        Self {
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            jwt: Some(Jwt::default()),
            body: Body::Bytes(HELLO.into()),
            trailers: Vec::new(),
            framing: Framing::default(),
        }
    }

    /// The same with this field's value, in its place; behind all others if it was not there.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        if name == "authorization" {
            self.jwt = None;
        }
        match self.fields.iter_mut().find(|field| field.0 == name) {
            Some(field) => value.clone_into(&mut field.1),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// The same with one more such field.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        if name == "authorization" {
            self.jwt = None;
        }
        self.fields.retain(|field| field.0 != name);
        self
    }

    pub(crate) fn signed(mut self, jwt: Jwt) -> Self {
        self.jwt = Some(jwt);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Bytes(body.into());
        self
    }

    pub(crate) fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Takes another device token, by its name in the target.
    pub(crate) fn to(self, token: &str) -> Self {
        self.with(":path", &format!("/3/device/{{token:{token}}}"))
    }

    /// The provider token that is signed for it, unless it is the usual one.
    pub(crate) fn jwt(&self) -> Option<&Jwt> {
        self.jwt.as_ref()
    }

    /// The value of a field, with its placeholders.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    /// What a target must have for it, as the keys of a target file.
    pub(crate) fn needs(&self) -> BTreeSet<String> {
        let values = self.fields.iter().chain(&self.trailers).map(|field| field.1.as_str());
        let mut needs: BTreeSet<String> = values.flat_map(placeholders).filter_map(need).collect();
        needs.extend(self.jwt.iter().map(|jwt| format!("keys.{}", jwt.key)));
        needs
    }
}

/// A JSON dictionary of exactly so many bytes.
pub(crate) fn payload_of(bytes: usize) -> Vec<u8> {
    let frame = r#"{"aps":{"alert":""}}"#.len();
    format!(r#"{{"aps":{{"alert":"{}"}}}}"#, "x".repeat(bytes.saturating_sub(frame))).into_bytes()
}

/// What stands in braces.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// The key of a target file that fills a placeholder; `None` for what every target has, and for what is none.
fn need(placeholder: &str) -> Option<String> {
    match placeholder.split_once(':') {
        None if placeholder.eq_ignore_ascii_case("token") => Some("tokens.alert".to_owned()),
        None if matches!(placeholder, "authorization" | "jwt") => Some(format!("keys.{MAIN}")),
        Some(("token", name)) => Some(format!("tokens.{name}")),
        Some(("topic", name)) => Some(format!("topics.{name}")),
        Some(("authority", name)) => Some(format!("authorities.{name}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_needs_follows_from_what_it_says() {
        let request = Request::good().to("voip").with("apns-topic", "{topic:other}.voip");
        let needs: Vec<String> = request.needs().into_iter().collect();
        assert_eq!(needs, ["keys.main", "tokens.voip", "topics.other"]);
        let plain = Request::good().without("authorization").with(":path", "/3/device/{TOKEN}");
        assert_eq!(plain.needs().into_iter().collect::<Vec<_>>(), ["tokens.alert"]);
        let text = Request::good().with("authorization", "Bearer {jwt}").with("x", "{not a placeholder");
        assert!(text.jwt().is_none() && text.needs().contains("keys.main"));
    }

    #[test]
    fn a_payload_has_the_length_that_was_asked_for() {
        for bytes in [20, 4096, 5121] {
            assert_eq!(payload_of(bytes).len(), bytes);
        }
    }

    #[test]
    fn a_field_is_replaced_added_and_left_out() {
        let request = Request::good().with("apns-topic", "a").and("apns-topic", "b");
        assert_eq!(request.fields.iter().filter(|field| field.0 == "apns-topic").count(), 2);
        assert_eq!(request.value("apns-topic"), Some("a"));
        assert_eq!(request.without("apns-topic").value("apns-topic"), None);
    }
}
