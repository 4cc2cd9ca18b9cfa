use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

/// JSON lines, one for each push, appended as they come.
#[derive(Debug)]
pub(super) struct ResultsFile {
    file: File,
}

impl ResultsFile {
    /// Opens it, or makes it. A last line that a killed run has torn is ended, so that the next one stands by
    /// itself.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
            if file.seek(SeekFrom::End(0))? > 0 {
                file.seek(SeekFrom::End(-1))?;
                let mut last = [0];
                file.read_exact(&mut last)?;
                if last != *b"\n" {
                    file.write_all(b"\n")?;
                }
            }
            Ok(file)
        };
        let file = open().map_err(|error| format!("--results {}: {error}", path.display()))?;
        Ok(Self { file })
    }

    /// These lines, in one write.
    pub(super) fn write(&mut self, lines: &str) -> Result<(), String> {
        self.file.write_all(lines.as_bytes()).map_err(|error| format!("the results file: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn it_is_appended_to_and_a_torn_line_does_not_spoil_the_next() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("results");
        ResultsFile::open(&path).unwrap().write("{}\n{\"li").unwrap();
        ResultsFile::open(&path).unwrap().write("{\"line\":3}\n").unwrap();
        ResultsFile::open(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n{\"li\n{\"line\":3}\n");
    }
}
