//! The journals as lines of JSON, and a file in which they are written down as they grow.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
};

use mock_apns_core::{Record, Service, TeamId};
use rustc_hash::FxHashMap;
use serde::Serialize;
use tracing::error;

use crate::json;

/// Pieces of the file that wait for the disk, each of what one batch of work has brought. If there are more, the double waits too: it
/// is slower then, and nothing is lost.
const PIECES_MAX: usize = 1024;

/// Every journal from its beginning, as far as it is still there: a line of JSON for each entry, with its team.
pub(crate) fn lines(service: &Service) -> String {
    let mut text = String::new();
    for id in service.team_ids() {
        let Some(team) = service.team(id) else { continue };
        add_lines(&mut text, Some(id), team.oldest_cursor(), team.journal(0));
    }
    add_lines(&mut text, None, service.unclaimed_cursors().start, service.unclaimed(0));
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
        let file = File::create(path)?;
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
        let lines =
            new_lines(Some(id), next, team.oldest_cursor(), team.next_cursor(), |from| team.journal(from));
        self.put(lines);
    }

    /// Writes down what was added to what concerns no team.
    pub(crate) fn unclaimed_changed(&mut self, service: &Service) {
        let cursors = service.unclaimed_cursors();
        let next = self.next.entry(None).or_default();
        let lines = new_lines(None, next, cursors.start, cursors.end, |from| service.unclaimed(from));
        self.put(lines);
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

fn new_lines<'a, I: Iterator<Item = Record<'a>>>(
    team: Option<TeamId>,
    next: &mut u64,
    oldest: u64,
    end: u64,
    journal: impl Fn(u64) -> I,
) -> String {
    let mut text = String::new();
    if oldest > *next && end > *next {
        let evicted = Evicted { team, event: "evicted", entries: oldest - *next };
        text = json::line(&evicted) + "\n";
    }
    add_lines(&mut text, team, *next, journal(*next));
    *next = end;
    text
}

fn add_lines<'a>(
    text: &mut String,
    team: Option<TeamId>,
    from: u64,
    records: impl Iterator<Item = Record<'a>>,
) {
    for record in records.filter(|record| record.cursor >= from) {
        text.push_str(&json::line(&Line { team, record }));
        text.push('\n');
    }
}

/// An entry, and whose.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
    #[serde(flatten)]
    record: Record<'a>,
}

/// Entries that had made room for newer ones before they were written down: one batch of work has brought more than there is room
/// for, or a reset has dropped them.
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
