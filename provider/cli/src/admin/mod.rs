//! `apns-provider admin`: what a provider server's API can do, from a shell. Commands, options and their help follow from the API's own
//! description, so that there is no operation without a command, and none that is told otherwise.

mod command;
mod credential;
mod operation;
mod request;
mod shown;

use std::process::ExitCode;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::{exit, report, runtime};
use operation::operations;

/// What was asked for, as the API's description has it.
#[derive(Debug)]
pub(super) struct AdminArgs {
    matches: ArgMatches,
}

impl Args for AdminArgs {
    fn augment_args(command: Command) -> Command {
        command::with(command, &operations())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AdminArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { matches: matches.clone() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.matches = matches.clone();
        Ok(())
    }
}

/// Asks the server, and prints what it answers.
pub(super) fn run(args: &AdminArgs) -> Result<ExitCode, String> {
    let operations = operations();
    let (group, name, matches) = command::chosen(&args.matches).ok_or("name a command; --help lists them")?;
    let operation = operations
        .iter()
        .find(|operation| operation.group == group && operation.name == name)
        .ok_or_else(|| format!("there is no `admin {group} {name}`"))?;
    let request = request::Request::of(operation, matches)?;
    let answer = match runtime::for_one(request.send())? {
        Ok(answer) => answer,
        Err(why) => {
            report::note(&why);
            return Ok(ExitCode::from(exit::RETRYABLE));
        }
    };
    if answer.status.is_success() {
        let as_json = matches.get_flag(command::JSON);
        let text = if as_json { answer.body } else { shown::for_people(&answer.body) };
        if !text.is_empty() {
            report::print(text)?;
        }
        return Ok(ExitCode::from(exit::ACCEPTED));
    }
    report::note(&shown::refused(answer.status, &answer.body));
    let may_be_tried_again = answer.status.is_server_error() || answer.status.as_u16() == TOO_MANY;
    Ok(ExitCode::from(if may_be_tried_again { exit::RETRYABLE } else { exit::REJECTED }))
}

const TOO_MANY: u16 = 429;

#[cfg(test)]
mod tests {
    use super::{operation::Operation, *};

    /// As `apns-provider admin` is asked for it.
    pub(super) fn matches(arguments: &[&str]) -> Result<ArgMatches, clap::Error> {
        let command = command::with(Command::new("admin"), &operations());
        command.try_get_matches_from([&["admin"], arguments].concat())
    }

    #[test]
    fn the_command_line_is_sound_and_has_each_operation() {
        command::with(Command::new("admin"), &operations()).debug_assert();
        for Operation { group, name, path_parameters, has_body, .. } in operations() {
            let mut arguments = vec![group.as_str(), name.as_str()];
            arguments.extend(path_parameters.iter().map(|_| "x"));
            if has_body {
                arguments.extend(["--data", "{}"]);
            }
            let found = matches(&arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
            let (chosen_group, chosen, _) = command::chosen(&found).unwrap();
            assert_eq!((chosen_group, chosen), (group.as_str(), name.as_str()));
        }
    }

    #[test]
    fn what_is_missing_or_strange_is_named() {
        let error = |arguments: &[&str]| matches(arguments).unwrap_err().to_string();
        assert!(error(&["apps", "get"]).contains("<BUNDLE-ID>"));
        assert!(error(&["campaigns", "set-pace", "com.example.app", "x"]).contains("--data"));
        assert!(error(&["apps", "list", "--limits", "3"]).contains("--limit"));
    }
}
