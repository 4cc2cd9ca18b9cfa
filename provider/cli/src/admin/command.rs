//! The command line that follows from the API's description.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::credential;
use super::operation::{Operation, Parameter};

pub(super) const SERVER: &str = "server";
pub(super) const KEY: &str = "key";
pub(super) const KEY_FILE: &str = "key-file";
pub(super) const JSON: &str = "json";
pub(super) const DATA: &str = "data";

/// The header that says which tenant an operator means, and the option for it.
const TENANT_HEADER: &str = "apns-tenant";
const TENANT: &str = "tenant";

/// A command for each group with one for each operation in it.
pub(super) fn with(command: Command, operations: &[Operation]) -> Command {
    let mut groups: Vec<&str> = Vec::new();
    for operation in operations {
        if !groups.contains(&operation.group.as_str()) {
            groups.push(&operation.group);
        }
    }
    let command = command.subcommand_required(true).arg_required_else_help(true).args(common());
    groups.into_iter().fold(command, |command, group| {
        let of_group = operations.iter().filter(|operation| operation.group == group);
        let names: Vec<&str> = of_group.clone().map(|operation| operation.name.as_str()).collect();
        let about = format!("{}: {}.", capital(&group.replace('-', " ")), names.join(", "));
        let of_group = of_group.map(one);
        command.subcommand(
            Command::new(group.to_owned())
                .about(about)
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommands(of_group),
        )
    })
}

/// What was chosen: group, name, and what was given to it.
pub(super) fn chosen(matches: &ArgMatches) -> Option<(&str, &str, &ArgMatches)> {
    let (group, matches) = matches.subcommand()?;
    let (name, matches) = matches.subcommand()?;
    Some((group, name, matches))
}

/// How the option of a parameter is called.
pub(super) fn option(parameter: &Parameter) -> &str {
    if parameter.name == TENANT_HEADER { TENANT } else { &parameter.name }
}

fn one(operation: &Operation) -> Command {
    let positional = operation.path_parameters.iter().map(|parameter| {
        Arg::new(parameter.name.clone())
            .help(parameter.description.clone())
            .value_name(parameter.name.to_ascii_uppercase())
            .required(true)
    });
    let options = operation.options.iter().map(|parameter| {
        let name = option(parameter).to_owned();
        let arg = Arg::new(name.clone()).long(name.clone()).help(parameter.description.clone());
        let arg = arg.value_name(name.to_ascii_uppercase());
        if name == TENANT { arg.env("APNS_PROVIDER_TENANT") } else { arg }
    });
    let body = operation.has_body.then(|| {
        Arg::new(DATA)
            .long(DATA)
            .value_name("JSON")
            .required(true)
            .help("What to send, as JSON; @FILE reads it from a file, @- from standard input")
    });
    let description = [operation.summary.as_str(), operation.description.as_str()].join("\n\n");
    let command = Command::new(operation.name.clone())
        .about(operation.summary.clone())
        .long_about(format!("{description}\n\n{} {}", operation.method, operation.path))
        .args(positional)
        .args(options)
        .args(body);
    if credential::is_it(operation) { credential::with_files(command) } else { command }
}

fn common() -> [Arg; 4] {
    [
        Arg::new(SERVER)
            .long(SERVER)
            .env("APNS_PROVIDER_SERVER")
            .value_name("URL")
            .default_value("http://127.0.0.1:8198")
            .help("Where the server is")
            .global(true),
        Arg::new(KEY)
            .long(KEY)
            .env("APNS_PROVIDER_API_KEY")
            .hide_env_values(true)
            .value_name("KEY")
            .help("API key; the operator's first one is printed by the first `serve`")
            .global(true),
        Arg::new(KEY_FILE)
            .long(KEY_FILE)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .conflicts_with(KEY)
            .help("File with the API key")
            .global(true),
        Arg::new(JSON)
            .long(JSON)
            .action(ArgAction::SetTrue)
            .help("Print what the server answers as it is: JSON on a line")
            .global(true),
    ]
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}
