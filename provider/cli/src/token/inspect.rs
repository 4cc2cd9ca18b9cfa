use std::process::ExitCode;

use clap::Args;

use super::{inspected, is_refused, to_json, to_text};
use crate::{exit, report};

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// The token, with or without `bearer`; `-` reads standard input, where others do not see it.
    #[arg(value_name = "JWT|-", default_value = "-", hide_default_value = true)]
    token: String,

    /// Print it as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &InspectArgs) -> Result<ExitCode, String> {
    let inspection = inspected(&args.token)?;
    if args.json {
        report::print(to_json(&inspection))?;
    } else {
        let mut lines = to_text(&inspection);
        lines.push("signature  not checked: `token check` does, with the key".to_owned());
        report::print(lines.join("\n"))?;
    }
    Ok(ExitCode::from(if is_refused(&inspection) { exit::REJECTED } else { exit::ACCEPTED }))
}
