//! C-58: since when a device token is dead, in milliseconds.

use serde_json::{Value, json};

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, ensure},
    protocol::Options,
    stage::{PATIENCE, Stage},
};

pub(super) fn plays() -> Vec<Play> {
    vec![Play::new("a-number-a-text-and-none", three_dead_tokens, told_as_a_time)]
}

/// A number, as documented; a text; nothing.
fn answers() -> [Value; 3] {
    let text = format!(r#"{{"reason":"Unregistered","timestamp":"{MILLIS}"}}"#);
    [
        json!({"status": 410, "timestamp": MILLIS}),
        json!({"status": 410, "body": {"text": text}}),
        json!({"status": 410, "no-timestamp": true}),
    ]
}

fn three_dead_tokens(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(answers().len())?;
        stage.configure(Options::default()).await?;
        for (answer, token) in answers().iter().zip(&tokens) {
            stage.answer_to(token, None, answer)?;
            stage.send(stage.push_to(token)).await?;
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn told_as_a_time(evidence: &Evidence) -> Result<(), Finding> {
    for id in 0..answers().len() as u64 {
        let reason = evidence.result(id).and_then(|report| report.reason.as_deref());
        let is_right = evidence.is_rejected(id, 410) && reason == Some("Unregistered");
        ensure(is_right, format!("push {id} rejected 410 Unregistered"), || evidence.told(id))?;
    }
    let timestamp = |id| evidence.result(id).and_then(|report| report.timestamp.clone());
    let millis = Some(Value::from(MILLIS));
    let (number, text, none) = (timestamp(0), timestamp(1), timestamp(2));
    ensure(number == millis, format!("timestamp {MILLIS} of a number"), || shown(number.as_ref()))?;
    // Only a number is documented. Whoever does not read a text, or tells it as it is, has not read it wrongly.
    let is_right = text.is_none() || text == millis || text == Some(MILLIS.to_string().into());
    ensure(is_right, format!("timestamp {MILLIS} of a text, or none"), || shown(text.as_ref()))?;
    ensure(none.is_none(), "no timestamp where there was none", || shown(none.as_ref()))
}

fn shown(timestamp: Option<&Value>) -> String {
    timestamp.map_or_else(|| "none".to_owned(), Value::to_string)
}

/// As seconds it would be in the year 55,840.
const MILLIS: u64 = 1_700_000_000_123;
