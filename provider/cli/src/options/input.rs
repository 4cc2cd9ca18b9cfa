use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The bytes of a file that an option names, or of standard input for `-`.
pub(crate) fn read(file: &Path, option: &str) -> Result<Vec<u8>, String> {
    let bytes = if file == Path::new("-") {
        read_all(io::stdin().lock())
    } else {
        File::open(file).map_err(|error| error.to_string()).and_then(read_all)
    };
    bytes.map_err(|why| format!("{option} {}: {why}", file.display()))
}

fn read_all(from: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(format!("it has more than {BYTES_MAX} bytes"));
    }
    Ok(bytes)
}

/// Bytes of a payload, a token, a key or certificates at most: the longest, a system's bundle of roots, has a quarter of it, and a pipe
/// may have no end.
const BYTES_MAX: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_refused_and_not_cut() {
        let whole = io::repeat(b'x').take(BYTES_MAX);
        assert_eq!(read_all(whole).unwrap().len() as u64, BYTES_MAX);
        assert_eq!(read_all(io::repeat(b'x')).unwrap_err(), "it has more than 1048576 bytes");
        let error = read(Path::new("/dev/zero"), "--payload").unwrap_err();
        assert_eq!(error, "--payload /dev/zero: it has more than 1048576 bytes");
    }
}
