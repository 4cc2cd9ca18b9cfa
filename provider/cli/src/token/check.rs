use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{inspected, is_refused, to_json, to_text};
use crate::{exit, options::KeyArgs, report};

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The token, with or without `bearer`; `-` reads standard input, where others do not see it.
    #[arg(value_name = "JWT|-", default_value = "-", hide_default_value = true)]
    token: String,

    /// Print it as one line of JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    key: KeyArgs,
}

pub(super) fn run(args: &CheckArgs) -> Result<ExitCode, String> {
    let key = args.key.auth_key()?;
    let inspection = inspected(&args.token)?;
    let mismatches = inspection.check(&key);
    if args.json {
        let mut json = to_json(&inspection);
        json["mismatches"] = json!(mismatches.iter().map(ToString::to_string).collect::<Vec<_>>());
        report::print(json)?;
    } else {
        let mut lines = to_text(&inspection);
        lines.extend(mismatches.iter().map(|mismatch| format!("differs    {mismatch}")));
        if mismatches.is_empty() {
            lines.push("signature  is this key's".to_owned());
        }
        report::print(lines.join("\n"))?;
    }
    let bad = is_refused(&inspection) || !mismatches.is_empty();
    Ok(ExitCode::from(if bad { exit::REJECTED } else { exit::ACCEPTED }))
}
