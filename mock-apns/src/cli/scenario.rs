//! `mock-apns scenario`: the library of bad days, and a double that starts on one.

use std::{ffi::OsString, fs, io::Write as _, path::Path, process::ExitCode};

use mock_apns_core::Scenario;

use super::{MISUSED, args::ScenarioCommand, fail};
use crate::scenarios::{self, ReadyScenario};

/// `environment` has the names of the variables that are set.
pub(super) fn run(command: ScenarioCommand, environment: &[String]) -> ExitCode {
    match command {
        ScenarioCommand::List => {
            print(&scenarios::all().iter().map(in_a_line).collect::<String>());
            ExitCode::SUCCESS
        }
        ScenarioCommand::Show { name } => match scenarios::get(&name) {
            Some(ready) => {
                print(ready.toml());
                ExitCode::SUCCESS
            }
            None => fail(MISUSED, format_args!("there is no scenario {name:?}; there are {}", names())),
        },
        ScenarioCommand::Run { scenario, options } => {
            let program = [OsString::from("mock-apns"), "--scenario".into(), scenario];
            super::run(program.into_iter().chain(options), environment)
        }
    }
}

/// The scenario of this name, or else the one in this file.
pub(super) fn find(asked: &Path) -> Result<Scenario, String> {
    if let Some(ready) = asked.to_str().and_then(scenarios::get) {
        return Ok(ready.scenario());
    }
    let asked_for = asked.display();
    let text = fs::read_to_string(asked).map_err(|error| {
        format!(
            "--scenario {asked_for}: no scenario of this name, and no file ({error}); there are {}",
            names()
        )
    })?;
    scenarios::parse(&text).map_err(|error| format!("--scenario {asked_for}: {error}"))
}

fn in_a_line(ready: &ReadyScenario) -> String {
    format!("{:30} {}\n", ready.name(), ready.scenario().about)
}

fn names() -> String {
    let names: Vec<_> = scenarios::all().iter().map(ReadyScenario::name).collect();
    names.join(", ")
}

/// A reader that has gone away wants no more.
fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
