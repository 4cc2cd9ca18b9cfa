//! Streams that end otherwise than with an answer.

use serde::{Deserialize, Serialize};

use super::H2Code;
use crate::bytes::is_default;

/// No answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct NoAnswer {
    /// Whether the service does what it would have done with the push: it is delivered, and its provider does not know.
    pub takes_effect: bool,
}

impl Default for NoAnswer {
    /// As a request that was carried out, and whose answer was lost.
    fn default() -> Self {
        Self { takes_effect: true }
    }
}

impl NoAnswer {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "a row of the table of actions")]
    pub(super) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A stream that is reset.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ResetStream {
    /// The error code: a name of RFC 9113, 7, or a number. Left out, INTERNAL_ERROR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<H2Code>,
    /// How much of the answer comes before it.
    #[serde(skip_serializing_if = "is_default")]
    pub at: Cut,
    /// Whether the service does what it would have done with the push. Left out: not with REFUSED_STREAM, which says that nothing
    /// was done (RFC 9113, 8.7); with any other code, yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes_effect: Option<bool>,
}

/// How much of an answer comes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Nothing.
    #[default]
    BeforeHeaders,
    /// Its fields.
    AfterHeaders,
    /// Its fields and half of its body. Of an answer without a body, its fields.
    MidBody,
}

impl ResetStream {
    pub(super) fn takes_effect(&self) -> bool {
        self.takes_effect.unwrap_or_else(|| self.code() != H2Code::REFUSED_STREAM)
    }

    /// The error code that goes out.
    pub fn code(&self) -> H2Code {
        self.code.unwrap_or(H2Code::INTERNAL_ERROR)
    }

    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "a row of the table of actions")]
    pub(super) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
