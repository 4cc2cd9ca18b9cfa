//! The answers of a run, read from its journal, to be given again to whoever asks the same.
//!
//! ```text
//!   lines of a journal ── parse ──▶ Transcript: a Line for each answer, and for each thing done to a connection
//!                                       │ Service::set_transcript
//!   a request ───────▶ Replaying: the first answer that was not given yet to the same request
//!   a connection ────▶            what was done to the one of the same number, behind as many requests
//! ```
//!
//! Nothing else is needed of the run: neither its teams nor its keys. So a failure that was seen in one place can be handed
//! to someone else as a file. For its users it is documented in `docs/replay.md`.

mod key;
mod line;
mod replaying;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use line::Replayed;
pub use replaying::TranscriptProgress;
pub(crate) use replaying::{Replaying, ReplayingForm};

use crate::MessageId;
use line::Line;

/// Lines of a transcript: each is kept until the transcript is taken away, answered or not.
pub const TRANSCRIPT_LINES_MAX: usize = 1_000_000;

/// The answers of a run, and what was done to its connections, as its journal tells of them.
///
/// ```
/// use mock_apns_core::Transcript;
///
/// let journal = concat!(
///     r#"{"event":"device","device":"phone","change":"connected"}"#, "\n",
///     r#"{"event":"refused","reason":"Unregistered","timestamp":1700000000000,":path":"/3/device/00ff","payload":"{}"}"#, "\n",
/// );
/// assert_eq!(Transcript::parse(journal)?.len(), 1, "what a device did is no answer");
///
/// let error = Transcript::parse("{\"event\":\"refused\"}").unwrap_err();
/// assert_eq!(error.to_string(), "line 1: a refusal has a reason, and this one has none");
/// # Ok::<(), mock_apns_core::TranscriptError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    lines: Vec<Line>,
    /// Entries that were gone before they were written down.
    missing: u64,
}

impl Transcript {
    /// Reads the lines of a journal: JSON, one object in each, as the journal's entries are written. Entries that are neither
    /// answers nor done to a connection are passed over, and so are keys that an answer does not need, and a last line without its
    /// end.
    pub fn parse(text: &str) -> Result<Self, TranscriptError> {
        let mut lines: Vec<Option<Line>> = Vec::new();
        let (is_cut, last) = (!text.ends_with('\n'), text.lines().count().saturating_sub(1));
        let mut missing = 0_u64;
        let mut own: FxHashMap<MessageId, usize> = FxHashMap::default();
        for (at, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let wrong = |what: String| TranscriptError { line: at + 1, what };
            let line: Line = match serde_json::from_str(text) {
                Ok(line) => line,
                // Whoever wrote it was cut off: the end of a run that was killed is the end of its file.
                Err(error) if error.is_eof() && is_cut && at == last => break,
                Err(error) => return Err(wrong(error.to_string())),
            };
            missing += line.missing();
            if !line.is_to_be_replayed() {
                continue;
            }
            line.check().map_err(wrong)?;
            if lines.len() >= TRANSCRIPT_LINES_MAX {
                return Err(wrong(format!(
                    "more than {TRANSCRIPT_LINES_MAX} answers, which is as many as may be"
                )));
            }
            // Of a push at which a fault has fired, what became of it stands before.
            if let Some(id) = line.apns_id {
                if line.is_own() {
                    own.insert(id, lines.len());
                } else if line.took_effect
                    && let Some(place) = own.remove(&id)
                {
                    lines[place] = None;
                }
            }
            lines.push(Some(line));
        }
        Ok(Self { lines: lines.into_iter().flatten().collect(), missing })
    }

    /// How many answers it has, and things done to connections.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// How many entries of the journal were gone before they were written down. There may have been answers among them.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Whether there is nothing in it to be given again.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// A text is not what a journal's lines are.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("line {line}: {what}")]
pub struct TranscriptError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}
