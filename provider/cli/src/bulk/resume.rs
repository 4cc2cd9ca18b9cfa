//! The file by which a run goes on where another one ended.
//!
//! ```text
//!   apns-provider bulk 1 0f3a…   which input it belongs to: a hash of its first two lines
//!   begun 2                      with --at-most-once: about to be sent
//!   again 2                      with --at-most-once: certainly not taken after all, and worth another run
//!   2                            done: accepted, or refused for good
//! ```
//!
//! It is only ever appended to, a whole record at a time: a process that is killed loses nothing that it had
//! written, and a last line that was torn is cut off by the next run.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use ring::digest::{SHA256, digest};

/// Lines of an input, as a bitmap: a million take 400 KB at most, and a record that is nonsense takes one
/// entry.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Lines {
    blocks: BTreeMap<u64, u64>,
}

impl Lines {
    pub(super) fn contains(&self, line: u64) -> bool {
        self.blocks.get(&(line / 64)).is_some_and(|block| block & (1 << (line % 64)) != 0)
    }

    fn insert(&mut self, line: u64) {
        *self.blocks.entry(line / 64).or_default() |= 1 << (line % 64);
    }

    fn remove(&mut self, line: u64) {
        if let Some(block) = self.blocks.get_mut(&(line / 64)) {
            *block &= !(1 << (line % 64));
        }
    }
}

/// What earlier runs have done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Past {
    /// These are not sent again.
    pub(super) done: Lines,
    /// Nobody knows of these, unless they are done.
    pub(super) begun: Lines,
    /// Whether there was an earlier run.
    pub(super) is_any: bool,
}

/// The open file. Nobody else writes to it meanwhile.
#[derive(Debug)]
pub(super) struct ResumeFile {
    file: File,
}

impl ResumeFile {
    /// Opens it, or makes it, for the input whose beginning this is.
    pub(super) fn open(path: &Path, input_beginning: &[u8]) -> Result<(Self, Past), String> {
        let told = |error: &dyn std::fmt::Display| format!("--resume {}: {error}", path.display());
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).append(true).create(true).open(path).map_err(|error| told(&error))?;
        file.try_lock().map_err(|_| told(&"another run writes to it"))?;
        let header = header(input_beginning);
        let past = read(&mut file, &header).map_err(|error| told(&error))?;
        let mut this = Self { file };
        if !past.is_any {
            this.write(&header)?;
        }
        Ok((this, past))
    }

    /// This line is about to be sent.
    pub(super) fn begin(&mut self, line: u64) -> Result<(), String> {
        self.write(&format!("{BEGUN}{line}\n"))
    }

    /// These lines are done, and these, which were begun, are to be sent again; in one write.
    pub(super) fn ended(&mut self, done: &[u64], again: &[u64]) -> Result<(), String> {
        let mut records = String::new();
        for (kind, lines) in [("", done), (AGAIN, again)] {
            for line in lines {
                let _ = writeln!(records, "{kind}{line}"); // to a String it never fails
            }
        }
        self.write(&records)
    }

    fn write(&mut self, records: &str) -> Result<(), String> {
        self.file.write_all(records.as_bytes()).map_err(|error| format!("the resume file: {error}"))
    }
}

fn header(input_beginning: &[u8]) -> String {
    let hash = digest(&SHA256, input_beginning);
    let number =
        hash.as_ref().iter().take(HASH_BYTES).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{MAGIC}{number:016x}\n")
}

/// Reads what is there, and cuts off a last line that was torn.
fn read(file: &mut File, header: &str) -> Result<Past, String> {
    let io = |error: std::io::Error| error.to_string();
    let mut past = Past::default();
    let mut whole = 0;
    let mut reader = BufReader::new(&mut *file);
    let mut record = String::new();
    loop {
        record.clear();
        let len = reader.by_ref().take(RECORD_BYTES_MAX).read_line(&mut record).map_err(io)?;
        if !record.ends_with('\n') {
            // Only what we have written is ever cut off.
            let is_ours =
                if whole == 0 { header.starts_with(&record) } else { (len as u64) < RECORD_BYTES_MAX };
            if is_ours {
                break;
            }
            return Err("it is no resume file".to_owned());
        }
        if whole == 0 {
            if !record.starts_with(MAGIC) {
                return Err("it is no resume file".to_owned());
            }
            if record != header {
                return Err("it belongs to another input: its first lines differ".to_owned());
            }
            past.is_any = true;
        } else if let Some(line) = record.strip_prefix(BEGUN) {
            past.begun.insert(number(line)?);
        } else if let Some(line) = record.strip_prefix(AGAIN) {
            past.begun.remove(number(line)?);
        } else {
            past.done.insert(number(&record)?);
        }
        whole += len as u64;
    }
    file.set_len(whole).map_err(io)?;
    file.seek(SeekFrom::End(0)).map_err(io)?;
    Ok(past)
}

fn number(record: &str) -> Result<u64, String> {
    let record = record.trim_end();
    record.parse().map_err(|_| format!("it has a record that is none: {record:?}"))
}

const MAGIC: &str = "apns-provider bulk 1 ";
const BEGUN: &str = "begun ";
const AGAIN: &str = "again ";
/// Bytes of the hash that stand in the header, eight at most: enough to notice that it is another input.
const HASH_BYTES: usize = 8;
/// Bytes of a record at most.
const RECORD_BYTES_MAX: u64 = 64;

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const INPUT: &[u8] = b"device_token\naa\n";

    fn reopened(path: &Path) -> Past {
        ResumeFile::open(path, INPUT).unwrap().1
    }

    fn refusal(path: &Path, input: &[u8]) -> String {
        ResumeFile::open(path, input).unwrap_err()
    }

    #[test]
    fn what_was_done_is_known_to_the_next_run() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("resume");
        let (mut file, past) = ResumeFile::open(&path, INPUT).unwrap();
        assert_eq!(past, Past::default());
        file.begin(9).unwrap();
        file.ended(&[2, 64, 1_000_000], &[]).unwrap();
        drop(file);
        let past = reopened(&path);
        for (line, done) in [(2, true), (3, false), (9, false), (64, true), (65, false), (1_000_000, true)] {
            assert_eq!(past.done.contains(line), done, "{line}");
        }
        assert!(past.begun.contains(9) && past.is_any);
    }

    #[test]
    fn what_was_not_taken_after_all_may_be_sent_again_until_it_is_begun_again() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("resume");
        let (mut file, _) = ResumeFile::open(&path, INPUT).unwrap();
        for line in [2, 3, 4] {
            file.begin(line).unwrap();
        }
        file.ended(&[], &[2, 3, 200]).unwrap();
        file.begin(3).unwrap();
        drop(file);
        let past = reopened(&path);
        let begun = [2, 3, 4, 200].map(|line| past.begun.contains(line));
        assert_eq!(begun, [false, true, true, false]);
    }

    #[test]
    fn a_torn_last_line_is_cut_off() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("resume");
        let (mut file, _) = ResumeFile::open(&path, INPUT).unwrap();
        file.ended(&[2], &[]).unwrap();
        drop(file);
        // 123 was to be written; 12 is not done.
        fs::write(&path, fs::read_to_string(&path).unwrap() + "12").unwrap();
        let (mut file, past) = ResumeFile::open(&path, INPUT).unwrap();
        assert!(past.done.contains(2) && !past.done.contains(12));
        file.ended(&[3], &[]).unwrap();
        drop(file);
        let past = reopened(&path);
        assert!(past.done.contains(3) && !past.done.contains(123));
        // Torn within the header: nothing was done.
        fs::write(&path, "apns-prov").unwrap();
        assert_eq!(reopened(&path), Past::default());
    }

    #[test]
    fn another_file_and_another_run_are_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("resume");
        let open = ResumeFile::open(&path, INPUT).unwrap();
        assert!(refusal(&path, INPUT).contains("another run"));
        drop(open);
        assert!(refusal(&path, b"device_token\nbb\n").contains("another input"));
        fs::write(&path, "my diary\n").unwrap();
        assert!(refusal(&path, INPUT).contains("no resume file"));
        fs::write(&path, "x".repeat(1000)).unwrap();
        assert!(refusal(&path, INPUT).contains("no resume file"));
        assert_eq!(fs::read(&path).unwrap().len(), 1000, "it is left alone");
        fs::write(&path, "short").unwrap();
        assert!(refusal(&path, INPUT).contains("no resume file"));
        assert_eq!(fs::read(&path).unwrap(), b"short");
    }
}
