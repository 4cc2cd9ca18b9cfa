//! `apns-provider token`: provider tokens by themselves. Nothing here contacts anything.

mod check;
mod inspect;
mod mint;

use std::{path::Path, process::ExitCode};

use apns_provider::{Clock as _, SystemClock};
use apns_provider_core::TokenInspection;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    dates::{date, span},
    options::read,
};

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Prints the provider token of the moment: the one that every process with this key sends now. It is a
    /// secret.
    Mint(mint::MintArgs),
    /// Says what a provider token contains and what APNs would hold against it; needs no key.
    Inspect(inspect::InspectArgs),
    /// Says whether a key has signed a provider token, beside what `inspect` says.
    Check(check::CheckArgs),
}

pub(super) fn run(command: &TokenCommand) -> Result<ExitCode, String> {
    match command {
        TokenCommand::Mint(args) => mint::run(args),
        TokenCommand::Inspect(args) => inspect::run(args),
        TokenCommand::Check(args) => check::run(args),
    }
}

/// The token that an argument names: itself, or `-` for standard input.
fn inspected(token: &str) -> Result<TokenInspection, String> {
    if token != "-" {
        return Ok(TokenInspection::new(token, SystemClock.now()));
    }
    let bytes = read(Path::new("-"), "the token")?;
    Ok(TokenInspection::new(&String::from_utf8_lossy(&bytes), SystemClock.now()))
}

/// Whether APNs would take it, as far as can be told without a key.
fn is_refused(inspection: &TokenInspection) -> bool {
    inspection.flaws().iter().any(|flaw| flaw.answer().is_some())
}

fn to_text(inspection: &TokenInspection) -> Vec<String> {
    let mut lines = Vec::new();
    let object = |object: Option<&serde_json::Map<String, Value>>| {
        object.map_or_else(|| "unreadable".to_owned(), |object| json!(object).to_string())
    };
    lines.push(format!("header     {}", object(inspection.header())));
    lines.push(format!("claims     {}", object(inspection.claims())));
    if let (Some(issued_at), Some(expires_at)) = (inspection.issued_at(), inspection.expires_at()) {
        let now = SystemClock.now();
        let age = match issued_at.saturating_since(now) {
            ahead if ahead.is_zero() => format!("{} ago", span(now.saturating_since(issued_at))),
            ahead => format!("in {}", span(ahead)),
        };
        lines.push(format!("issued at  {} ({age})", date(issued_at)));
        lines.push(format!("taken      until {}", date(expires_at)));
    }
    for flaw in inspection.flaws() {
        lines.push(match flaw.answer() {
            Some(reason) => format!("wrong      {flaw}; APNs answers {reason}"),
            None => format!("odd        {flaw}"),
        });
    }
    lines
}

fn to_json(inspection: &TokenInspection) -> Value {
    let flaws = inspection.flaws().iter().map(
        |flaw| json!({ "says": flaw.to_string(), "answer": flaw.answer().map(|reason| reason.to_string()) }),
    );
    json!({
        "header": inspection.header(),
        "claims": inspection.claims(),
        "issued-at": inspection.issued_at().map(date),
        "taken-until": inspection.expires_at().map(date),
        "flaws": flaws.collect::<Vec<_>>(),
        "refused": is_refused(inspection),
    })
}
