//! What a failing test leaves behind: the journals of its double, and the frames that were logged, where its message says.

use std::{
    env, fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    thread,
};

use mock_apns_core::Service;

use crate::{connections::Connections, journal_file};

/// Writes each team's journal to a file, a line of JSON for each entry, all of them to one that can be replayed, and each
/// connection's frames; returns the folder.
pub(crate) fn leave(service: &Service, connections: &Connections) -> io::Result<PathBuf> {
    let folder = target_folder().join("mock-apns").join(test_name());
    fs::create_dir_all(&folder)?;
    for id in service.team_ids() {
        let Some(team) = service.team(id) else { continue };
        write(&folder.join(format!("{id}.jsonl")), team.journal(0))?;
    }
    write(&folder.join("no-team.jsonl"), service.unclaimed(0))?;
    fs::write(folder.join("journal.jsonl"), journal_file::lines(service))?;
    for (name, entry) in connections.after(None) {
        let frames: Vec<String> = entry.frames().from(0).map(|(_, frame)| frame.text() + "\n").collect();
        if !frames.is_empty() {
            fs::write(folder.join(format!("connection-{name}-frames.txt")), frames.concat())?;
        }
    }
    Ok(folder)
}

fn write<'a>(path: &Path, records: impl Iterator<Item = mock_apns_core::Record<'a>>) -> io::Result<()> {
    let mut file = io::BufWriter::new(fs::File::create(path)?);
    for record in records {
        serde_json::to_writer(&mut file, &record)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

/// Cargo's target folder, which is marked as a cache; else the system's folder for what is temporary.
fn target_folder() -> PathBuf {
    let is_marked = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    let program = env::current_exe().ok();
    let marked = program.as_deref().and_then(|program| program.ancestors().find(is_marked));
    marked.map_or_else(env::temp_dir, Path::to_owned)
}

/// Rust's test harness calls the thread of a test by the test's name.
fn test_name() -> String {
    let name = thread::current().name().unwrap_or("unnamed").replace("::", "/");
    let harmless =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '/');
    name.chars().map(|character| if harmless(character) { character } else { '_' }).collect()
}
