//! The journals as lines of JSON, and a file in which they are written down as they grow.

#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt as _;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    ops::Range,
    path::Path,
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
};

use mock_apns_core::{Record, Service, TeamId};
use rustc_hash::FxHashMap;
use serde::Serialize;
use tracing::error;

use crate::json;

/// Pieces of the file that wait for the disk, each of what one batch of work has brought. If there are more, the double
/// waits too: it is slower then, and nothing is lost.
const PIECES_MAX: usize = 1024;

/// Every journal from its beginning, as far as it is still there: a line of JSON for each entry, with its team.
pub(crate) fn lines(service: &Service) -> String {
    let mut text = String::new();
    for id in service.team_ids() {
        let Some(team) = service.team(id) else { continue };
        text +=
            &lines_since(Some(id), 0, team.oldest_cursor()..team.next_cursor(), |from| team.journal(from));
    }
    text += &lines_since(None, 0, service.unclaimed_cursors(), |from| service.unclaimed(from));
    text
}

/// A file that gets a line for each entry of any journal.
#[derive(Debug)]
pub(crate) struct JournalFile {
    /// The first cursor of each journal that was not written down yet.
    next: FxHashMap<Option<TeamId>, u64>,
    writer: SyncSender<Piece>,
}

#[derive(Debug)]
enum Piece {
    Lines(String),
    /// Somebody waits for all before.
    Flush(SyncSender<()>),
}

impl JournalFile {
    /// Makes the file, or empties it.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // Payloads and device tokens are nobody else's business.
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(path)?;
        let (writer, pieces) = mpsc::sync_channel(PIECES_MAX);
        let path = path.to_owned();
        thread::Builder::new().name("mock-apns-record".to_owned()).spawn(move || {
            write(file, &path, &pieces);
        })?;
        Ok(Self { next: FxHashMap::default(), writer })
    }

    /// Writes down what was added to the team's journal.
    pub(crate) fn team_changed(&mut self, service: &Service, id: TeamId) {
        let Some(team) = service.team(id) else { return };
        let next = self.next.entry(Some(id)).or_default();
        let cursors = team.oldest_cursor()..team.next_cursor();
        // One that was removed and made again begins anew.
        let since = std::mem::replace(next, cursors.end).min(cursors.end);
        self.put(lines_since(Some(id), since, cursors, |from| team.journal(from)));
    }

    /// Writes down what was added to what concerns no team.
    pub(crate) fn unclaimed_changed(&mut self, service: &Service) {
        let cursors = service.unclaimed_cursors();
        let next = self.next.entry(None).or_default();
        let since = std::mem::replace(next, cursors.end);
        self.put(lines_since(None, since, cursors, |from| service.unclaimed(from)));
    }

    /// Teams may have been removed, and others may come under their IDs.
    pub(crate) fn forget_removed(&mut self, service: &Service) {
        self.next.retain(|id, _| id.is_none_or(|id| service.team(id).is_some()));
    }

    /// Another service has come, with journals of its own: what is in them by now was not done here.
    pub(crate) fn replaced(&mut self, service: &Service) {
        let teams = service.team_ids().filter_map(|id| service.team(id));
        self.next = teams.map(|team| (Some(team.id()), team.next_cursor())).collect();
        self.next.insert(None, service.unclaimed_cursors().end);
    }

    /// Asks for all before to be in the file; the receiver hears when it is.
    pub(crate) fn flush(&self) -> Receiver<()> {
        let (done, heard) = mpsc::sync_channel(1);
        let _ = self.writer.send(Piece::Flush(done)); // a writer that has failed has said so
        heard
    }

    fn put(&self, lines: String) {
        if !lines.is_empty() {
            let _ = self.writer.send(Piece::Lines(lines)); // as above
        }
    }
}

/// The entries from `since` on; those that are gone by now in a line of their own.
fn lines_since<'a, I: Iterator<Item = Record<'a>>>(
    team: Option<TeamId>,
    since: u64,
    cursors: Range<u64>,
    journal: impl Fn(u64) -> I,
) -> String {
    let mut text = String::new();
    if cursors.start > since {
        let evicted = Evicted { team, event: "evicted", entries: cursors.start - since };
        text = json::line(&evicted) + "\n";
    }
    for record in journal(since).filter(|record| record.cursor >= since) {
        text.push_str(&json::line(&Line { team, record }));
        text.push('\n');
    }
    text
}

/// An entry, and whose.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
    #[serde(flatten)]
    record: Record<'a>,
}

/// Entries that were gone before they were written down: they have made room for newer ones, or a reset has dropped them.
#[derive(Serialize)]
struct Evicted {
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
    event: &'static str,
    entries: u64,
}

/// Writes pieces until nobody has any more. One that cannot be written is the last.
fn write(mut file: File, path: &Path, pieces: &Receiver<Piece>) {
    for piece in pieces {
        match piece {
            Piece::Flush(done) => _ = done.send(()), // who waits no more need not hear of it
            Piece::Lines(lines) => {
                if let Err(error) = file.write_all(lines.as_bytes()) {
                    error!(path = %path.display(), %error, "the journal cannot be written down any more: this file ends here");
                    return;
                }
            }
        }
    }
}
