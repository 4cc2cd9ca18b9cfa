use std::process::ExitCode;

use apns_provider::{Clock as _, SystemClock};
use apns_provider_core::{TokenSource, UnixTime};
use clap::Args;
use serde_json::json;

use crate::{dates::date, exit, options::KeyArgs, report};

#[derive(Args, Debug)]
pub(crate) struct MintArgs {
    /// Print the token and its moments as one line of JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    key: KeyArgs,
}

pub(super) fn run(args: &MintArgs) -> Result<ExitCode, String> {
    let mut source = TokenSource::new(args.key.auth_key()?);
    let token = source.token(SystemClock.now()).map_err(|error| error.to_string())?;
    let (issued_at, next_at) = (token.issued_at(), token.issued_at().as_secs() + TokenSource::SLOT.as_secs());
    let next_at = UnixTime::from_secs(next_at);
    if args.json {
        report::print(
            json!({ "token": token.jwt(), "issued-at": date(issued_at), "used-until": date(next_at) }),
        )?;
    } else {
        report::print(token.jwt())?;
        let (issued_at, next_at) = (date(issued_at), date(next_at));
        report::note(&format!("issued at {issued_at}, used until {next_at}: then `mint` prints the next"));
    }
    Ok(ExitCode::from(exit::ACCEPTED))
}
