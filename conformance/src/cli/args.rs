//! What both suites are told alike.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{named, text};
use crate::{
    Differences, Selectable, Selection, Shard,
    report::{self, Report},
};

#[derive(Args, Clone, Debug)]
pub(super) struct SelectionArgs {
    /// Ids of cases; `*` stands for anything.
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<String>,
    /// Cases with this tag; may be given several times.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Cases that rest on this row of the spec; `*` stands for anything. May be given several times.
    #[arg(long, value_name = "ROW")]
    row: Vec<String>,
    /// One part of several: `2/5` is the second of five.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Shuffles the cases; the same seed gives the same order.
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
}

#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// Where the target is known to differ, and why.
    #[arg(long, value_name = "FILE")]
    pub(super) differences: Option<PathBuf>,
    /// Ends with the first failure.
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Writes a report for CI servers.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Writes a report for programs.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes a report for a page.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

impl SelectionArgs {
    /// What is selected of all.
    pub(super) fn of<C: Selectable>(&self, all: Vec<C>) -> Result<Vec<C>, String> {
        let Self { ids, tag, row, shard, seed } = self.clone();
        let cases = Selection { ids, tags: tag, rows: row, shard, seed }.of(all);
        if cases.is_empty() {
            return Err("no case is selected; `apns-conformance list` has all of them".to_owned());
        }
        Ok(cases)
    }
}

impl ReportArgs {
    /// The differences of the file that is named, or else of this list.
    pub(super) fn differences(
        &self,
        otherwise: &str,
        is_case: impl Fn(&str) -> bool,
    ) -> Result<Differences, String> {
        read_differences(self.differences.as_deref(), otherwise, is_case)
    }

    /// Writes the files that are asked for.
    pub(super) fn write(&self, report: &Report<'_>) -> Result<(), String> {
        let each: [(_, fn(&Report<'_>) -> String); 3] =
            [(&self.junit, report::junit), (&self.json, report::json), (&self.markdown, report::markdown)];
        for (path, format) in each {
            if let Some(path) = path {
                fs::write(path, format(report)).map_err(|error| named(Some(path), &text(error)))?;
            }
        }
        Ok(())
    }
}

/// The differences of a file, or else of this list.
pub(super) fn read_differences(
    path: Option<&Path>,
    otherwise: &str,
    is_case: impl Fn(&str) -> bool,
) -> Result<Differences, String> {
    let list = match path {
        Some(path) => fs::read_to_string(path).map_err(|error| named(Some(path), &error))?,
        None => otherwise.to_owned(),
    };
    Differences::parse(&list, is_case).map_err(|error| named(path, &error))
}
