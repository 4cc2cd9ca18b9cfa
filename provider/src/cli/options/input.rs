use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

/// The bytes of a file that an option names, or of standard input for `-`.
pub(in crate::cli) fn read(file: &Path, option: &str) -> Result<Vec<u8>, String> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().take(STDIN_BYTES_MAX).read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    bytes.map_err(|error| format!("{option} {}: {error}", file.display()))
}

/// Bytes that are read of standard input: a payload or a token has a few thousand, and a pipe may have no
/// end.
const STDIN_BYTES_MAX: u64 = 1024 * 1024;
