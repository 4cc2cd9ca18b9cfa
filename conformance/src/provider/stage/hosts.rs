//! A hosts file for one adapter, whose names lead where a play wants.

use std::{
    fmt::Write as _,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

/// A hosts file.
#[derive(Debug)]
pub(crate) struct Hosts {
    path: PathBuf,
    names: Vec<String>,
}

impl Hosts {
    /// Writes one in a folder. Beside the names, it knows localhost alone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write(folder: &Path, names: &[&str], addresses: &[IpAddr]) -> io::Result<Self> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let hosts = Self { path: folder.join("hosts"), names };
        hosts.lead_to(addresses)?;
        Ok(hosts)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on all names lead to these addresses. The file is written in place: it is mounted where it is looked at.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn lead_to(&self, addresses: &[IpAddr]) -> io::Result<()> {
        fs::write(&self.path, self.text(addresses))
    }

    fn text(&self, addresses: &[IpAddr]) -> String {
        let mut text = "127.0.0.1 localhost\n".to_owned();
        for address in addresses {
            let _ = writeln!(text, "{address} {}", self.names.join(" ")); // a String takes all
        }
        text
    }
}
