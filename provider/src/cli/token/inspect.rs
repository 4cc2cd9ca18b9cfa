use std::process::ExitCode;

use clap::Args;

use super::{inspected, is_refused, to_json, to_text};
use crate::cli::exit;

#[derive(Args, Debug)]
pub(in crate::cli) struct InspectArgs {
    /// The token, with or without `bearer`; `-` reads standard input, where others do not see it.
    #[arg(value_name = "JWT|-", default_value = "-", hide_default_value = true)]
    token: String,

    /// Print it as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[expect(clippy::print_stdout, reason = "what the token says is the command's result")]
pub(super) fn run(args: &InspectArgs) -> Result<ExitCode, String> {
    let inspection = inspected(&args.token)?;
    if args.json {
        println!("{}", to_json(&inspection));
    } else {
        println!("{}", to_text(&inspection).join("\n"));
        println!("signature  not checked: `token check` does, with the key");
    }
    Ok(ExitCode::from(if is_refused(&inspection) { exit::REJECTED } else { exit::ACCEPTED }))
}
