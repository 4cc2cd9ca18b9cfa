//! An explanation for a terminal: a line for each rule, and the whole story of those that do not hold.

use std::fmt;

use super::{Explanation, Outcome, Step};

impl fmt::Display for Explanation {
    /// The summary, then a line for each rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary())?;
        let width = self.steps.iter().map(|step| step.rule.id.len()).max().unwrap_or(0);
        let mut group = None;
        for step in &self.steps {
            if group.replace(step.rule.group) != Some(step.rule.group) {
                writeln!(f, "\n{}", step.rule.group.name())?;
            }
            write_step(f, step, width)?;
        }
        Ok(())
    }
}

fn write_step(f: &mut fmt::Formatter<'_>, step: &Step, width: usize) -> fmt::Result {
    let mark = match step.outcome {
        Outcome::Passed => "ok",
        Outcome::Failed { .. } => "FAILED",
        Outcome::NotReached => "-",
    };
    let rule = step.rule;
    match &step.looked_at {
        Some(looked_at) => writeln!(f, "  {mark:<6}  {:<width$}  {looked_at}", rule.id)?,
        None => writeln!(f, "  {mark:<6}  {}", rule.id)?,
    }
    if let Some(reason) = step.reason() {
        for (name, text) in [
            ("answer", format!("{} {}", reason.status(), reason.as_str()).as_str()),
            ("rule", rule.title),
            ("source", rule.source),
            ("usual mistake", rule.usual_mistake),
        ] {
            writeln!(f, "          {name:<13}  {text}")?;
        }
    }
    Ok(())
}
