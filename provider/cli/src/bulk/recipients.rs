//! The lines of the file, one after the other: the whole of it is never in memory.

use std::{
    error::Error,
    io::{self, BufRead, Read},
};

use apns_provider_core::DeviceToken;
use serde_json::{Map, Value};

/// One line of the file.
#[derive(Debug)]
pub(super) struct Line {
    /// Its number in the file, from 1; a CSV file's header is line 1.
    pub(super) number: u64,
    /// Bytes of the file up to its end.
    pub(super) bytes: u64,
    /// Whom it is for, or what is wrong with it.
    pub(super) recipient: Result<Recipient, String>,
}

/// Whom to push to, and what fills the payload's placeholders.
#[derive(Debug)]
pub(super) struct Recipient {
    pub(super) device_token: DeviceToken,
    pub(super) values: Map<String, Value>,
}

/// Reads lines until the file ends or cannot be read.
pub(super) enum Recipients<R> {
    /// With a header row.
    Csv { reader: Box<csv::Reader<Allowance<R>>>, columns: Vec<String>, record: csv::StringRecord },
    /// One JSON object a line.
    Json { reader: R, number: u64, bytes: u64 },
}

impl<R: BufRead> Recipients<R> {
    /// JSON lines if the first character is `{`, else CSV. `Err` says why it is neither.
    pub(super) fn open(mut reader: R) -> Result<Self, String> {
        let beginning = reader.fill_buf().map_err(|error| error.to_string())?;
        if beginning.is_empty() {
            return Err("it is empty".to_owned());
        }
        if beginning.trim_ascii_start().starts_with(b"{") {
            return Ok(Self::Json { reader, number: 0, bytes: 0 });
        }
        let reader = Allowance { reader, bytes_left: LINE_BYTES_MAX };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(reader);
        let columns = match reader.headers() {
            Ok(header) => header.iter().map(str::to_owned).collect::<Vec<_>>(),
            Err(error) => return Err(told(&error, 1)),
        };
        if !columns.iter().any(|column| is_device_token(column)) {
            return Err(format!("its first line has no column device_token, but {}", columns.join(", ")));
        }
        Ok(Self::Csv { reader: Box::new(reader), columns, record: csv::StringRecord::new() })
    }

    /// The columns that every line has, if that is known beforehand.
    pub(super) fn columns(&self) -> Option<&[String]> {
        match self {
            Self::Csv { columns, .. } => Some(columns),
            Self::Json { .. } => None,
        }
    }

    fn next_csv(
        reader: &mut csv::Reader<Allowance<R>>,
        columns: &[String],
        record: &mut csv::StringRecord,
    ) -> Result<Option<Line>, String> {
        let before = reader.position().line();
        reader.get_mut().bytes_left = LINE_BYTES_MAX;
        let read = reader.read_record(record);
        let bytes = reader.position().byte();
        let line = |position: Option<&csv::Position>, recipient| {
            let number = position.map_or(before, csv::Position::line);
            Some(Line { number, bytes, recipient })
        };
        match read {
            Ok(false) => Ok(None),
            Ok(true) => {
                let fields = columns.iter().zip(record.iter());
                let values = fields.map(|(column, field)| (column.clone(), Value::from(field))).collect();
                Ok(line(record.position(), recipient(values)))
            }
            Err(error) if error.is_io_error() => Err(told(&error, before)),
            Err(error) => Ok(line(error.position(), Err(error.to_string()))),
        }
    }

    fn next_json(reader: &mut R, number: &mut u64, bytes: &mut u64) -> io::Result<Option<Line>> {
        let mut text = Vec::new();
        loop {
            text.clear();
            let read = reader.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut text)?;
            if read == 0 {
                return Ok(None);
            }
            *number += 1;
            *bytes += read as u64;
            let mut is_too_long = false;
            while read == LINE_BYTES_MAX && text.last() != Some(&b'\n') {
                is_too_long = true;
                text.clear();
                let more = reader.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut text)?;
                *bytes += more as u64;
                if more == 0 {
                    break;
                }
            }
            if !is_too_long && text.trim_ascii().is_empty() {
                continue;
            }
            let recipient = if is_too_long {
                Err(format!("it has more than {LINE_BYTES_MAX} bytes"))
            } else {
                let read = serde_json::from_slice(&text);
                read.map_err(|error| format!("it is no JSON object ({error})")).and_then(recipient)
            };
            return Ok(Some(Line { number: *number, bytes: *bytes, recipient }));
        }
    }
}

/// What is read for one record of a CSV file: the whole of one with an open quotation mark would be in memory otherwise. The CSV reader
/// reads a little ahead, so a record that is a little longer may pass.
#[derive(Debug)]
pub(super) struct Allowance<R> {
    reader: R,
    bytes_left: usize,
}

/// A record has used up its allowance.
#[derive(Debug, thiserror::Error)]
#[error("a record has more than {LINE_BYTES_MAX} bytes")]
struct TooLong;

impl<R: Read> Read for Allowance<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // Once it is used up, the end of the file may still come.
        let len = into.len().min(self.bytes_left.max(1));
        let read = self.reader.read(&mut into[..len])?;
        self.bytes_left = self.bytes_left.checked_sub(read).ok_or_else(|| io::Error::other(TooLong))?;
        Ok(read)
    }
}

/// Why a CSV file cannot be read any further than the record that begins in this line.
fn told(error: &csv::Error, line: u64) -> String {
    match error.kind() {
        csv::ErrorKind::Io(error)
            if error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<TooLong>) =>
        {
            format!(
                "line {line} has more than {LINE_BYTES_MAX} bytes: is there a quotation mark that is not closed?"
            )
        }
        _ => error.to_string(),
    }
}

impl<R: BufRead> Iterator for Recipients<R> {
    /// `Err`: the file cannot be read any further.
    type Item = Result<Line, String>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Csv { reader, columns, record } => Self::next_csv(reader, columns, record).transpose(),
            Self::Json { reader, number, bytes } => {
                Self::next_json(reader, number, bytes).map_err(|error| error.to_string()).transpose()
            }
        }
    }
}

fn recipient(values: Map<String, Value>) -> Result<Recipient, String> {
    let token = values.iter().find(|(name, _)| is_device_token(name)).map(|(_, token)| token);
    let Some(Value::String(token)) = token else {
        return Err("it has no device-token, which is a text of hexadecimal digits".to_owned());
    };
    let device_token = DeviceToken::from_hex(token.trim()).map_err(|error| error.to_string())?;
    Ok(Recipient { device_token, values })
}

fn is_device_token(name: &str) -> bool {
    matches!(name, "device-token" | "device_token")
}

/// Bytes of a line; what fills a payload has five thousand at most.
const LINE_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// A recipient's token and value `n`.
    type Said = Result<(String, Value), String>;

    /// The lines' numbers, and their recipients.
    fn lines(file: &str) -> Vec<(u64, Said)> {
        let lines = Recipients::open(file.as_bytes()).unwrap().map(|line| {
            let line = line.unwrap();
            let said = line.recipient.map(|mut it| {
                (it.device_token.as_str().to_owned(), it.values.remove("n").unwrap_or_default())
            });
            (line.number, said)
        });
        lines.collect()
    }

    #[expect(clippy::unnecessary_wraps, reason = "compared with what may be an error")]
    fn well(token: &str, n: impl Into<Value>) -> Said {
        Ok((token.to_owned(), n.into()))
    }

    #[test]
    fn csv_has_a_header_and_lines_are_numbered_as_an_editor_does() {
        let file = "\u{feff}n, device_token\n1,AA\n\n\"two\nlines\",bb\n3,zz\n4\n5,cc\n";
        let lines = lines(file);
        assert_eq!(lines[0], (2, well("aa", "1")));
        assert_eq!(lines[1].1, well("bb", "two\nlines"));
        assert!(lines[2].1.as_ref().unwrap_err().contains("hexadecimal"), "{lines:?}");
        assert!(lines[3].1.as_ref().unwrap_err().contains("fields"), "{lines:?}");
        assert_eq!(lines[4], (8, well("cc", "5")));
    }

    #[test]
    fn json_lines_keep_the_kind_of_their_values() {
        let file =
            "{\"device-token\":\"aa\",\"n\":1}\r\n\n{\"device_token\":\"bb\"}\nnonsense\n{\"n\":1}\n[]";
        let lines = lines(file);
        assert_eq!(lines[0], (1, well("aa", 1)));
        assert_eq!(lines[1], (3, well("bb", Value::Null)));
        let errors: Vec<(u64, bool)> =
            lines[2..].iter().map(|(number, said)| (*number, said.is_err())).collect();
        assert_eq!(errors, [(4, true), (5, true), (6, true)]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_in_pieces() {
        let long = "x".repeat(3 * LINE_BYTES_MAX);
        let file = format!("{{\"device-token\":\"{long}\"}}\n{{\"device-token\":\"aa\"}}\n");
        let lines = lines(&file);
        assert!(lines[0].1.as_ref().unwrap_err().contains("more than"), "{:?}", lines[0].0);
        assert_eq!(lines[1], (2, well("aa", Value::Null)));
    }

    #[test]
    fn a_csv_record_that_does_not_end_is_told_by_its_line_and_the_rest_is_not_read() {
        let rest = "aa,not closed\n".repeat(1_000_000);
        let file = format!("device_token,n\naa,1\nbb,\"{rest}");
        let mut reader = file.as_bytes();
        let said: Vec<_> = Recipients::open(&mut reader).unwrap().take(2).collect();
        assert_eq!(said[0].as_ref().unwrap().number, 2);
        let error = said[1].as_ref().unwrap_err();
        assert!(error.contains("line 3 has more than 65536 bytes"), "{error}");
        assert!(reader.len() > rest.len() - 2 * LINE_BYTES_MAX, "{} bytes are left", reader.len());
        // A header, too.
        let error = Recipients::open("x,".repeat(LINE_BYTES_MAX).as_bytes()).err().unwrap();
        assert!(error.contains("line 1 has more than"), "{error}");
    }

    #[test]
    fn a_csv_record_may_be_as_long_as_a_line_and_there_is_no_limit_for_all_together() {
        let long = "x".repeat(LINE_BYTES_MAX - "aa,".len());
        for end in ["\n", ""] {
            let file = format!("device_token,n\n{}aa,{long}{end}", format!("aa,{}\n", &long[1..]).repeat(40));
            let lines = lines(&file);
            assert_eq!((lines.len(), lines.iter().all(|(_, said)| said.is_ok())), (41, true));
        }
    }

    #[test]
    fn a_file_without_device_tokens_is_refused_at_once() {
        let refused = |file: &str| Recipients::open(file.as_bytes()).err().unwrap();
        assert!(refused("token,name\naa,b\n").contains("device_token"));
        assert_eq!(refused(""), "it is empty");
    }
}
