//! The end at each phase of a request: C-40.

use std::time::Duration;

use super::{READ_BY, all_have_results, looking, one_connection, told, warm_up};
use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Item, Play, Stop},
    protocol::{Ambiguous, Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let judge = says_what_is_true;
    let plays = vec![
        Play::new("close-notify-before-settings", |stage| before_settings(stage, "close-notify"), judge),
        Play::new("fin-before-settings", |stage| before_settings(stage, "fin"), judge),
        Play::new("reset-before-settings", |stage| before_settings(stage, "reset"), judge),
        Play::new("close-notify-after-headers", |stage| in_request(stage, "close-notify", 0), judge),
        Play::new("fin-after-headers", |stage| in_request(stage, "fin", 0), judge),
        Play::new("reset-after-headers", |stage| in_request(stage, "reset", 0), judge),
        Play::new("close-notify-amid-data", |stage| in_request(stage, "close-notify", 100), judge),
        Play::new("fin-amid-data", |stage| in_request(stage, "fin", 100), judge),
        Play::new("reset-amid-data", |stage| in_request(stage, "reset", 100), judge),
        Play::new("close-notify-before-the-answer", |stage| before_the_answer(stage, "close-notify"), judge),
        Play::new("fin-before-the-answer", |stage| before_the_answer(stage, "fin"), judge),
        Play::new("reset-before-the-answer", |stage| before_the_answer(stage, "reset"), judge),
    ];
    vec![Item::new("C-40", plays)]
}

/// The first connection ends when it has been there for a while and the double has not said a word.
fn before_settings<'a>(stage: &'a mut Stage, how: &'static str) -> Acting<'a> {
    Box::pin(async move {
        stage.fault_for_everyone(
            r#"{"name":"mute","on":"connection","times":1,"action":{"stall":{"reads":false}}}"#,
        )?;
        stage.configure(options()).await?;
        stage.send_numbered(1).await?;
        stage.until(PATIENCE, |evidence| !evidence.connections.is_empty()).await?;
        stage.pass(READ_BY).await?; // who does not wait for SETTINGS has sent by now, and it was read
        stage.fault_for_everyone(&format!(
            r#"{{"name":"end","on":"clock","match":{{"from":"1ms"}},"times":1,"action":{{"close":{{"how":"{how}"}}}}}}"#
        ))?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// The connection ends when the fields of a push have come and, of its body, what a window of so many bytes lets through.
fn in_request<'a>(stage: &'a mut Stage, how: &'static str, window: usize) -> Acting<'a> {
    Box::pin(async move {
        stage.fault(&format!(
            r#"{{"name":"narrow","match":{{"connection":1,"stream":1}},"times":1,"action":{{"settings":{{"initial-window-size":{window}}}}}}}"#
        ))?;
        stage.configure(options()).await?;
        warm_up(stage).await?;
        stage.send(stage.numbered(BODY_BYTES)).await?;
        let has_come = |evidence: &Evidence| {
            let cut = evidence.requests().into_iter().find(|it| it.connection == 0 && it.stream > 1);
            cut.is_some_and(|it| it.whole_at.is_some() || it.body.len() >= window)
        };
        if !stage.until(COMES_BY, has_come).await? {
            let why = "it opens no stream before its whole body fits the window";
            return Err(Stop::NotApplicable(why.to_owned()));
        }
        stage.fault(&format!(
            r#"{{"name":"end","on":"clock","match":{{"connection":1,"from":"1ms"}},"times":1,"action":{{"close":{{"how":"{how}"}}}}}}"#
        ))?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// The connection ends when a push has come whole.
fn before_the_answer<'a>(stage: &'a mut Stage, how: &'static str) -> Acting<'a> {
    Box::pin(async move {
        stage.fault(&format!(
            r#"{{"name":"end","match":{{"connection":1,"stream":2}},"times":1,"action":{{"close":{{"how":"{how}"}}}}}}"#
        ))?;
        stage.configure(options()).await?;
        warm_up(stage).await?;
        stage.send_numbered(1).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// What is ambiguous is to be reported, where that can be told.
fn options() -> Options {
    Options { ambiguous: Some(Ambiguous::Report), ..one_connection() }
}

fn says_what_is_true(evidence: &Evidence) -> Result<(), Finding> {
    all_have_results(evidence)?;
    let results = evidence.results();
    for (id, attempts) in evidence.attempts() {
        let Some((_, report)) = results.get(&id) else { continue };
        if let Some(expected) = is_untrue(report.outcome, &attempts) {
            return Err(looking(
                evidence,
                id,
                expected.to_owned(),
                format!("push {id}: {}", told(Some(report))),
            ));
        }
    }
    Ok(())
}

/// What should be said of a push in place of this outcome, if that is not true.
fn is_untrue(outcome: Outcome, attempts: &[Request]) -> Option<&'static str> {
    let is_answered = attempts.iter().any(|it| it.answer.is_some());
    let may_be_processed = attempts.iter().any(|it| it.whole_at.is_some() && it.answer.is_none());
    match outcome {
        Outcome::Accepted => (!is_answered).then_some("nothing accepted that was not answered"),
        Outcome::NotSent => {
            may_be_processed.then_some("not `not-sent` of a push that came whole: ambiguous, or sent again")
        }
        Outcome::Ambiguous => attempts.is_empty().then_some("`not-sent` of a push of which nothing was sent"),
        Outcome::Rejected | Outcome::Expired | Outcome::Invalid => {
            (!is_answered).then_some("a push whose connection ends not sent, ambiguous, or sent again")
        }
    }
}

/// More than the narrowest window takes.
const BODY_BYTES: usize = 1000;
/// How soon what fits the window has come.
const COMES_BY: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::{Answer, Headers};

    fn attempt(is_whole: bool, is_answered: bool) -> Request {
        let headers = Headers {
            stream: 1,
            fields: Vec::new(),
            table_sizes: Vec::new(),
            end: false,
            with_priority: false,
        };
        Request {
            connection: 0,
            stream: 1,
            at: Duration::ZERO,
            headers,
            body: Vec::new(),
            whole_at: is_whole.then_some(Duration::ZERO),
            cancelled: None,
            refused: None,
            answer: is_answered.then_some(Answer {
                at: Duration::ZERO,
                status: 200,
                body: Vec::new(),
                whole_at: Some(Duration::ZERO),
            }),
        }
    }

    #[test]
    fn what_came_whole_and_was_not_answered_is_ambiguous_or_sent_again() {
        let (cut, whole, answered) = (attempt(false, false), attempt(true, false), attempt(true, true));
        for (outcome, attempts, is_true) in [
            (Outcome::NotSent, vec![], true),
            (Outcome::NotSent, vec![cut.clone()], true),
            (Outcome::NotSent, vec![whole.clone()], false),
            (Outcome::Ambiguous, vec![], false),
            (Outcome::Ambiguous, vec![cut.clone()], true),
            (Outcome::Ambiguous, vec![whole.clone()], true),
            (Outcome::Accepted, vec![whole.clone()], false),
            (Outcome::Accepted, vec![whole.clone(), answered], true),
            (Outcome::Rejected, vec![whole], false),
            (Outcome::Invalid, vec![cut], false),
        ] {
            assert_eq!(is_untrue(outcome, &attempts).is_none(), is_true, "{outcome:?} {attempts:?}");
        }
    }
}
