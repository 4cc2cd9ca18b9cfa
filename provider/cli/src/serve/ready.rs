use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::told::url;

/// A file that tells programs where a server is that is ready; there while it runs.
#[derive(Debug)]
pub(super) struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Writes it as a whole: who waits for it never reads a part of it.
    pub(super) fn write(path: &Path, address: SocketAddr, first_key: Option<&str>) -> Result<Self, String> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let beside = path.with_file_name(name);
        let _ = fs::remove_file(&beside); // left by a process that was killed
        let text =
            json!({ "version": env!("CARGO_PKG_VERSION"), "url": url(address), "first-key": first_key });
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(ONLY_ITS_OWNER)
            .open(&beside)
            .and_then(|mut file| writeln!(file, "{text}"))
            .and_then(|()| fs::rename(&beside, path))
            .map_err(|error| format!("--ready-file {}: {error}", path.display()))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // already gone is as good
    }
}

/// The key in it may do anything.
const ONLY_ITS_OWNER: u32 = 0o600;
