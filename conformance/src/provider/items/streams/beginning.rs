//! The beginning of a connection: C-10 and C-11.

use crate::provider::{
    evidence::{Connection, Evidence, Said, Side, What},
    item::{Acting, Finding, Item, Play, Stop, ensure},
    items::outcomes::all_accepted,
    protocol::Options,
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new("C-10", vec![Play::new("late-settings", late_settings, waits_for_settings)]),
        Item::new(
            "C-11",
            vec![
                Play::new("one-stream-said-late", said_late, one_at_a_time),
                Play::new("one-stream-for-long", for_long, one_at_a_time),
            ],
        ),
    ]
}

/// C-10: the server reads and says nothing for two seconds.
fn late_settings(stage: &mut Stage) -> Acting<'_> {
    Box::pin(many_at_once(
        stage,
        r#"{"name":"late","on":"connection","action":{"stall":{"reads":false,"for":"2s"}}}"#,
    ))
}

fn waits_for_settings(evidence: &Evidence) -> Result<(), Finding> {
    for (place, connection) in evidence.connections.iter().enumerate() {
        let is_first = |said: &&Said| said.side == Side::Double && matches!(said.what, What::Settings(_));
        let before = connection.said.iter().take_while(|said| !is_first(said));
        let mut early = before.filter(|said| matches!(said.what, What::Headers(_)));
        if let Some(second) = early.nth(1) {
            let got = format!("{}", 2 + early.count());
            return Err(Finding::wrong("one request at most before SETTINGS", got).at(place, second.at));
        }
    }
    all_accepted(evidence)
}

/// C-11: the server says after half a second that it allows one stream. Whoever does not wait for it has opened more by then, and
/// not only where its SETTINGS happen to be late.
fn said_late(stage: &mut Stage) -> Acting<'_> {
    Box::pin(many_at_once(
        stage,
        r#"{"name":"late","on":"connection","action":{"stall":{"reads":false,"for":"500ms"}}}"#,
    ))
}

/// C-11: the server says at once that it allows one stream, and reads nothing for half a second. It allows more as soon as it has read a
/// good provider token.
fn for_long(stage: &mut Stage) -> Acting<'_> {
    Box::pin(many_at_once(
        stage,
        r#"{"name":"slow","on":"connection","action":{"stall":{"writes":false,"for":"500ms"}}}"#,
    ))
}

fn one_at_a_time(evidence: &Evidence) -> Result<(), Finding> {
    let mut opened_at_first = 0;
    for (place, connection) in evidence.connections.iter().enumerate() {
        let until = allows_more(connection);
        for opened in connection.opened_streams().into_iter().take(until) {
            opened_at_first += 1;
            ensure(opened.open == 1, "one stream at a time until a push was answered", || opened.to_string())
                .map_err(|finding| finding.at(place, opened.at))?;
        }
    }
    ensure(opened_at_first > 0, "a stream while one is allowed", || "none".to_owned())?;
    all_accepted(evidence)
}

/// How many streams the provider had opened when the double first allowed more than one, by other SETTINGS than its first.
fn allows_more(connection: &Connection) -> usize {
    let mut settings = 0;
    let before = connection.said.iter().take_while(|said| {
        settings += usize::from(said.side == Side::Double && matches!(said.what, What::Settings(_)));
        settings < 2
    });
    before.filter(|said| said.side == Side::Provider && matches!(said.what, What::Headers(_))).count()
}

async fn many_at_once(stage: &mut Stage, fault: &str) -> Result<(), Stop> {
    stage.fault_for_everyone(fault)?;
    stage.configure(Options::default()).await?;
    stage.send_many(PUSHES, &stage.push()).await?;
    stage.results(PATIENCE).await?;
    Ok(())
}

/// More than one, and less than what any provider takes for the number of streams that it may open.
const PUSHES: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::{SETTINGS_MAX_CONCURRENT_STREAMS, sketch};

    fn request(stream: u32) -> (Side, What) {
        (Side::Provider, sketch::headers(stream, &[(":method", "POST")], true))
    }

    fn settings(streams: u32) -> (Side, What) {
        (Side::Double, What::Settings(vec![(SETTINGS_MAX_CONCURRENT_STREAMS, streams)]))
    }

    fn answer(stream: u32) -> (Side, What) {
        (Side::Double, sketch::headers(stream, &[(":status", "200")], true))
    }

    fn evidence(said: Vec<(Side, What)>) -> Evidence {
        Evidence { connections: vec![sketch::connection(said)], ..Evidence::default() }
    }

    #[test]
    fn one_request_before_settings_is_let_through_and_two_are_not() {
        let one = evidence(vec![request(1), settings(1), answer(1), request(3)]);
        assert_eq!(waits_for_settings(&one), Ok(()));
        let three = evidence(vec![request(1), request(3), request(5), settings(1)]);
        let Err(Finding::Wrong { got, .. }) = waits_for_settings(&three) else { panic!("they came before") };
        assert_eq!(got, "3");
    }

    #[test]
    fn more_streams_are_fine_once_they_are_allowed_and_not_before() {
        let acknowledged = (Side::Provider, What::SettingsAck);
        let mut said = vec![settings(1), acknowledged.clone(), request(1), settings(1000), answer(1)];
        said.extend([acknowledged.clone(), request(3), request(5)]);
        assert_eq!(one_at_a_time(&evidence(said)), Ok(()));
        let early = vec![settings(1), acknowledged, request(1), request(3), settings(1000)];
        let Err(Finding::Wrong { got, .. }) = one_at_a_time(&evidence(early)) else { panic!("one too many") };
        assert_eq!(got, "stream 3 as number 2 of 1");
    }
}
