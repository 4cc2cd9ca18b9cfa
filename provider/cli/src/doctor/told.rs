//! The steps for a person, for a program and for a script.

use std::process::ExitCode;

use apns_provider::doctor::{Step, Subject, Verdict};
use serde_json::{Value, json};

use crate::exit;

pub(super) fn to_text(steps: &[Step]) -> String {
    let mut lines = Vec::new();
    for step in steps {
        let verdict = match step.verdict {
            Verdict::Failed => "FAILED",
            verdict => verdict.as_str(),
        };
        lines.push(format!("{verdict:<8} {:<13} {}", step.subject.as_str(), step.says));
        let numbered = step.causes.iter().zip(1..);
        lines.extend(numbered.map(|(cause, number)| format!("{:>23} {cause}", format!("{number}."))));
    }
    lines.join("\n")
}

pub(super) fn to_json(steps: &[Step]) -> Value {
    let told = steps.iter().map(|Step { subject, verdict, says, causes }| {
        json!({ "step": subject.as_str(), "verdict": verdict.as_str(), "says": says, "causes": causes })
    });
    json!({ "well": first_failed(steps).is_none(), "steps": told.collect::<Vec<_>>() })
}

pub(super) fn exit_code(steps: &[Step]) -> ExitCode {
    ExitCode::from(first_failed(steps).map_or(exit::ACCEPTED, code))
}

fn first_failed(steps: &[Step]) -> Option<Subject> {
    steps.iter().find(|step| step.verdict == Verdict::Failed).map(|step| step.subject)
}

/// The exit code when this has failed: trouble on the way may pass, what is set up wrong does not.
fn code(failed: Subject) -> u8 {
    match failed {
        Subject::Dns | Subject::Tcp | Subject::Settings | Subject::Answer => exit::RETRYABLE,
        Subject::DeviceToken => exit::REJECTED,
        _ => exit::MISCONFIGURED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(subject: Subject, verdict: Verdict, says: &str, causes: &[&str]) -> Step {
        let causes = causes.iter().map(|cause| (*cause).to_owned()).collect();
        Step { subject, verdict, says: says.to_owned(), causes }
    }

    #[test]
    fn causes_stand_under_their_step_and_the_first_failure_decides() {
        let steps = [
            step(Subject::Dns, Verdict::Ok, "127.0.0.1", &[]),
            step(Subject::Tcp, Verdict::Failed, "refused", &["Nobody listens.", "A firewall."]),
            step(Subject::Proxy, Verdict::Skipped, "not reached", &[]),
            step(Subject::PushTopic, Verdict::Failed, "400 TopicDisallowed", &[]),
        ];
        assert_eq!(
            to_text(&steps),
            "ok       dns           127.0.0.1\n\
             FAILED   tcp           refused\n\
            \x20                    1. Nobody listens.\n\
            \x20                    2. A firewall.\n\
             skipped  proxy         not reached\n\
             FAILED   topic         400 TopicDisallowed"
        );
        assert_eq!(exit_code(&steps), ExitCode::from(exit::RETRYABLE));
        let json = to_json(&steps);
        assert_eq!((&json["well"], &json["steps"][1]["verdict"]), (&json!(false), &json!("failed")));
        assert_eq!(exit_code(&steps[2..]), ExitCode::from(exit::MISCONFIGURED));
        assert_eq!(exit_code(&[]), ExitCode::SUCCESS);
    }
}
