//! PEM (RFC 7468), read tolerantly: keys come through web forms, environment variables and editors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The first block of a PEM text.
pub(super) struct Pem<'a> {
    /// What it says it is, such as `PRIVATE KEY`.
    pub(super) label: &'a str,
    /// Between the two lines, undecoded.
    body: &'a str,
}

impl<'a> Pem<'a> {
    /// Finds the first block; there may be text before and after it.
    pub(super) fn find(text: &'a str) -> Option<Self> {
        let (_, rest) = text.split_once("-----BEGIN ")?;
        let (label, rest) = rest.split_once("-----")?;
        let (body, _) = rest.split_once("-----END ")?;
        Some(Self { label, body })
    }

    /// Whether it is encrypted the old way (RFC 1421 section 4.6.1.1).
    pub(super) fn is_encrypted(&self) -> bool {
        self.body.contains("Proc-Type:")
    }

    /// The bytes of the block, wiped when dropped. Lines may be of any length, and a line end may have become
    /// the two characters `\n`, as it does in environment variables.
    pub(super) fn decode(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut base64 = Zeroizing::new(String::with_capacity(self.body.len()));
        for word in self.body.split("\\n").flat_map(str::split_whitespace) {
            base64.push_str(word);
        }
        let mut bytes = Zeroizing::new(vec![0; base64.len()]);
        let len = STANDARD.decode_slice(base64.as_bytes(), &mut bytes).ok()?;
        bytes.truncate(len);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_line_ends_will_do() {
        let lines = ["-----BEGIN THING-----", "AQID", "BAU=", "-----END THING-----"];
        for end in ["\n", "\r\n", "\\n", " "] {
            let text = format!("Bag attributes{end}{}{end}", lines.join(end));
            let pem = Pem::find(&text).unwrap();
            assert_eq!(pem.label, "THING");
            assert_eq!(pem.decode().unwrap().as_slice(), [1, 2, 3, 4, 5], "{end:?}");
        }
    }

    #[test]
    fn what_is_cut_or_garbled_is_not_read() {
        assert!(Pem::find("AQID").is_none());
        assert!(Pem::find("-----BEGIN THING-----\nAQID").is_none());
        assert!(Pem::find("-----BEGIN THING-----\nA!ID\n-----END THING-----").unwrap().decode().is_none());
    }
}
