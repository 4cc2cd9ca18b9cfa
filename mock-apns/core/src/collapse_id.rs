//! What several pushes that the user should see as one have in common.

/// A well-formed `apns-collapse-id`. Source: Apple, "Sending notification requests to APNs".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CollapseId<'a>(&'a [u8]);

impl<'a> CollapseId<'a> {
    /// Reads a header value of at most [`COLLAPSE_ID_BYTES_MAX`] bytes. An empty one is within the documented limit,
    /// so it is accepted.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        (value.len() <= COLLAPSE_ID_BYTES_MAX).then_some(Self(value))
    }

    /// The identifier's bytes.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Longest collapse identifier: bytes, not characters.
pub const COLLAPSE_ID_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_counts_bytes() {
        let sixty_four_bytes = "é".repeat(32);
        let value = CollapseId::parse(sixty_four_bytes.as_bytes()).unwrap();
        assert_eq!(value.as_bytes(), sixty_four_bytes.as_bytes());
        assert_eq!(CollapseId::parse("é".repeat(33).as_bytes()), None);
        assert_eq!(CollapseId::parse(&[b'a'; 65]), None);
    }

    #[test]
    fn an_empty_one_is_within_the_limit() {
        assert!(CollapseId::parse(b"").is_some());
    }
}
