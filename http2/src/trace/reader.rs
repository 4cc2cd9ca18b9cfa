//! Bytes of one direction to frames, however they are cut.

use super::{
    Binding, SETTINGS_UNACKNOWLEDGED_MAX,
    blocks::Blocks,
    payload::{self, Cut},
    seen::{Excerpt, Frame, Payload, Seen, Unreadable},
};
use crate::{
    error::Violation,
    frame::{HEAD_LEN, Head, PREFACE, kind},
    hpack::Decoder,
    settings::Settings,
};

/// Reads one direction.
#[derive(Debug)]
pub(crate) struct Reader {
    place: Place,
    /// What came of what stands at this place, as far as it is of use.
    kept: Vec<u8>,
    blocks: Blocks,
    binding: Binding,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// So many bytes that nobody wants to see.
    Skipped(usize),
    Preface,
    Head,
    /// The payload of a frame, of which so many bytes beyond those worth keeping are still to come.
    Payload(Head, usize),
    /// Whatever a client sends that did not begin with the preface.
    NotHttp2,
}

impl Reader {
    /// What a client sends, from its first byte on.
    pub(super) fn of_client() -> Self {
        Self { place: Place::Preface, ..Self::of_server() }
    }

    /// What a server sends, from its first byte on.
    pub(super) fn of_server() -> Self {
        let binding = Binding::default();
        let decoder = Decoder::new(binding.in_force.header_table_size as usize);
        Self { place: Place::Head, kept: Vec::new(), blocks: Blocks::new(decoder, None), binding }
    }

    /// One direction from the middle of it, where a frame begins, or the preface does, once so many bytes
    /// have passed.
    pub(crate) fn from_here(preface_due: bool, skipped: usize, blocks: Blocks, binding: Binding) -> Self {
        let place = if preface_due { Place::Preface } else { Place::Skipped(skipped) };
        Self { place, kept: Vec::new(), blocks, binding }
    }

    /// The other side has sent these settings; they count once they are acknowledged.
    pub(super) fn is_told(&mut self, settings: Settings) {
        self.binding.unacknowledged.push_back(settings);
        if self.binding.unacknowledged.len() > SETTINGS_UNACKNOWLEDGED_MAX {
            self.acknowledge();
        }
    }

    /// Takes bytes up to the end of what is complete next. `None`: all are taken.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Option<Seen> {
        loop {
            match self.place {
                Place::Skipped(count) => {
                    let left = skip(bytes, count);
                    self.place = if left == 0 { Place::Head } else { Place::Skipped(left) };
                    if left > 0 {
                        return None;
                    }
                }
                Place::Preface => {
                    self.keep(bytes, PREFACE.len())?;
                    let first = std::mem::take(&mut self.kept);
                    let is_preface = first == PREFACE;
                    self.place = if is_preface { Place::Head } else { Place::NotHttp2 };
                    return Some(if is_preface { Seen::Preface } else { Seen::NotPreface(first) });
                }
                Place::Head => {
                    self.keep(bytes, HEAD_LEN)?;
                    let head = Head::parse(&self.kept)?; // there are as many bytes as it takes
                    self.kept.clear();
                    self.place = Place::Payload(head, head.len - payload::bytes_kept(head));
                }
                Place::Payload(head, rest) => {
                    self.keep(bytes, payload::bytes_kept(head))?;
                    let left = skip(bytes, rest);
                    if left > 0 {
                        self.place = Place::Payload(head, left);
                        return None;
                    }
                    self.place = Place::Head;
                    return Some(Seen::Frame(self.frame(head)));
                }
                Place::NotHttp2 => {
                    *bytes = &[];
                    return None;
                }
            }
        }
    }

    /// What is not complete, now that nothing more comes.
    pub(super) fn end(&mut self) -> Option<Seen> {
        let kept = std::mem::take(&mut self.kept).len();
        let (head, bytes) = match self.place {
            Place::Payload(head, rest) => {
                let missing_of_kept = payload::bytes_kept(head) - kept;
                (Some(head), head.len - missing_of_kept - rest)
            }
            Place::Preface | Place::Head if kept > 0 => (None, kept),
            _ => return None,
        };
        self.place = Place::NotHttp2;
        Some(Seen::CutOff { head, bytes })
    }

    /// Moves bytes to those that are kept, until there are `count`. `None`: there are not as many yet.
    fn keep(&mut self, bytes: &mut &[u8], count: usize) -> Option<()> {
        let (taken, rest) = bytes.split_at((count - self.kept.len()).min(bytes.len()));
        self.kept.extend_from_slice(taken);
        *bytes = rest;
        (self.kept.len() == count).then_some(())
    }

    fn frame(&mut self, head: Head) -> Frame {
        let kept = std::mem::take(&mut self.kept);
        let payload = Cut { first: &kept, len: head.len };
        let is_continuation = head.kind == kind::CONTINUATION;
        let interrupts = self.blocks.is_open() && !is_continuation;
        let parsed = payload::parse(head, payload, &mut self.blocks);
        let (payload, wrong) = match parsed {
            Ok(payload) => {
                let wrong = payload::violation(head, &payload).or_else(|| violation_of_block(&payload));
                (payload, wrong)
            }
            Err(violation) if has_block(head) => {
                self.blocks.lose(head);
                (Payload::Malformed(Excerpt { first: Vec::new(), len: head.len }), Some(violation))
            }
            Err(violation) => (Payload::Malformed(payload.excerpt()), Some(violation)),
        };
        let is_too_large = head.len > self.binding.in_force.max_frame_size as usize;
        let wrong = (interrupts.then_some(Violation::HeaderBlockInterrupted))
            .or(wrong)
            .or_else(|| is_too_large.then_some(Violation::FrameTooLarge));
        if wrong.is_none() && head.is_settings_ack() {
            self.acknowledge();
        }
        Frame { head, payload, wrong }
    }

    /// The oldest settings of the other side count from here on.
    fn acknowledge(&mut self) {
        let Some(settings) = self.binding.unacknowledged.pop_front() else { return };
        self.binding.in_force.apply(&settings);
        if let Some(size) = settings.header_table_size {
            self.blocks.set_table_size_max(size);
        }
    }
}

/// Drops up to `count` bytes, and tells how many of `count` are still to come.
fn skip(bytes: &mut &[u8], count: usize) -> usize {
    let here = count.min(bytes.len());
    *bytes = &bytes[here..];
    count - here
}

fn has_block(head: Head) -> bool {
    matches!(head.kind, kind::HEADERS | kind::PUSH_PROMISE)
}

fn violation_of_block(payload: &Payload) -> Option<Violation> {
    Some(match payload.unreadable()? {
        Unreadable::Hpack(_) => Violation::Compression,
        Unreadable::TooLarge => Violation::HeaderBlockTooLarge,
        Unreadable::NotBegun => Violation::HeaderBlockInterrupted,
        Unreadable::TableLost => return None,
    })
}
