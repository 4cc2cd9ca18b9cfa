//! Pushes that a filter finds, a page at a time.

use std::ops::Range;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{Event, Push, Record};
use crate::Filter;

/// A page of pushes. Asked again with [`next`](Self::next), it goes on where it ended, and shows each push once,
/// whatever happens in between: a push stands where the first entry about it stands that the filter finds, and there
/// it stays when more becomes of it. When that entry has made room for newer ones, the push is not listed any more.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Pushes<'a> {
    /// The pushes, in the order of their cursors.
    pub pushes: Vec<Push<'a>>,
    /// The cursor to ask with next: of the last push, or, where no more are found, of the newest entry. `None`: nothing
    /// has happened yet.
    pub next: Option<u64>,
    /// How many entries behind the cursor that was asked with are lost: they have made room before they were read.
    pub evicted: u64,
}

impl<'a> Pushes<'a> {
    /// Finds at most `limit` pushes behind the cursor `after`, in a journal that has entries of these cursors.
    pub(crate) fn find<I: Iterator<Item = Record<'a>>>(
        cursors: &Range<u64>,
        since: impl Fn(u64) -> I,
        filter: &Filter,
        after: Option<u64>,
        limit: usize,
    ) -> Self {
        let begin = first_behind(after);
        let mut found = since(begin).filter(|record| finds_push(filter, record)).filter_map(Push::of);
        let mut pushes: Vec<Push<'a>> = found.by_ref().take(limit).collect();
        let next = match found.next() {
            Some(_) => pushes.last().map(|push| push.cursor).or(after),
            None => cursors.end.checked_sub(1),
        };
        if let Some(first) = pushes.first() {
            let records = since(first.cursor);
            tell_ends(&mut pushes, records);
        }
        Self { pushes, next, evicted: cursors.start.saturating_sub(begin) }
    }
}

/// The first cursor behind the one that was read last.
pub(crate) fn first_behind(after: Option<u64>) -> u64 {
    after.map_or(0, |after| after.saturating_add(1))
}

/// Whether this is the entry for which the filter finds a push: it finds none before it about the same.
pub(crate) fn finds_push(filter: &Filter, record: &Record<'_>) -> bool {
    record.arrival_cursor().is_some()
        && filter.matches(record)
        && !record.life().take_while(|it| it.cursor < record.cursor).any(|it| filter.matches(&it))
}

/// Looks for what has become of the pushes last. All before it they know.
fn tell_ends<'a>(pushes: &mut [Push<'a>], records: impl Iterator<Item = Record<'a>>) {
    let places: FxHashMap<u64, usize> =
        pushes.iter().enumerate().map(|(place, push)| (push.arrival.cursor, place)).collect();
    for record in records {
        if let Event::Notification { notification, status, .. } = record.event
            && status.is_final()
            && let Some(&place) = places.get(&notification.cursor)
        {
            pushes[place].end(record);
        }
    }
}
