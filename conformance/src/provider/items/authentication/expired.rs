//! C-25: ExpiredProviderToken.

use std::time::Duration;

use super::{
    super::super::{
        evidence::{Evidence, Request},
        item::{Acting, Finding, Play, Stop, ensure},
        protocol::{Options, Push},
        stage::{MOMENT, PATIENCE, Stage},
    },
    at, attempts, connections_in_use, first_uses,
};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("once", on_the_connections_of_the_moment, each_is_tried_once_more_elsewhere)
            .needing(&["key"]),
        Play::new("for-ever", on_all_connections, there_is_no_loop).needing(&["key"]),
    ]
}

/// 500 pushes under way on connections that find the token expired; those that are opened later do not.
fn on_the_connections_of_the_moment(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        begin(stage).await?;
        let to = stage.look(connections_in_use);
        stage.fault(&format!(
            r#"{{"name":"expired","match":{{"connection":{{"to":{to}}}}},"action":{{"answer":
                {{"status":403,"reason":"ExpiredProviderToken","delay":"500ms"}}}}}}"#
        ))?;
        send_each(stage, UNDER_WAY).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn each_is_tried_once_more_elsewhere(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    let refused = requests.iter().filter(|request| is_expired(request)).count();
    if refused == 0 {
        return Err(Finding::NotApplicable("it has opened another connection for each push".to_owned()));
    }
    attempts_are_few(evidence, &requests)
}

/// 403 for everything, and after what was under way some pushes more.
fn on_all_connections(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        begin(stage).await?;
        stage.fault(
            r#"{"name":"expired","action":{"answer":
                {"status":403,"reason":"ExpiredProviderToken","delay":"100ms"}}}"#,
        )?;
        send_each(stage, FOR_EVER).await?;
        stage.results(SETTLING).await?;
        stage.mark(REFUSED);
        for _ in 0..MORE {
            stage.send(stage.push()).await?;
            stage.pass(PACE).await?;
        }
        stage.pass(MOMENT).await
    })
}

fn there_is_no_loop(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    let mark = evidence.mark(REFUSED).unwrap_or(Duration::MAX);
    let (under_way, later): (Vec<_>, Vec<_>) = requests.into_iter().partition(|request| request.at < mark);
    ensure(under_way.iter().any(is_expired), "pushes that are refused", || "none".to_owned())?;
    attempts_are_few(evidence, &under_way)?;
    let expected = format!("an open breaker: at most {PROBES_MAX} of {MORE} more pushes sent");
    let few = ensure(later.len() <= PROBES_MAX, expected, || format!("{} requests", later.len()));
    few.map_err(|finding| at(finding, later.first()))
}

/// One new token at most, and each push once more at most, on another connection.
fn attempts_are_few(evidence: &Evidence, requests: &[Request]) -> Result<(), Finding> {
    let tokens = first_uses(requests);
    if let [_, _, third, ..] = tokens[..] {
        let wrong = Finding::wrong("1 new provider token at most", format!("{}", tokens.len() - 1));
        return Err(wrong.at(third.connection, third.at));
    }
    let first_push = evidence.sent.values().next().map(|sent| sent.device_token.as_str());
    let mut attempts = attempts(requests);
    attempts.retain(|device_token, _| Some(*device_token) != first_push);
    for attempts in attempts.values() {
        match attempts[..] {
            [first, second] if first.connection == second.connection => {
                let wrong = Finding::wrong("the second attempt on another connection", "on the same one");
                return Err(wrong.at(second.connection, second.at));
            }
            [_, _, third, ..] => {
                let got = format!("{} attempts", attempts.len());
                let wrong = Finding::wrong("each push sent again once at most", got);
                return Err(wrong.at(third.connection, third.at));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A first push that goes well.
async fn begin(stage: &mut Stage) -> Result<(), Stop> {
    stage.configure(Options { deadline_ms: Some(DEADLINE_MS), ..Options::default() }).await?;
    stage.send(stage.push()).await?;
    stage.results(PATIENCE).await.map(drop)
}

/// A push to each of so many devices.
async fn send_each(stage: &mut Stage, count: usize) -> Result<(), Stop> {
    for device_token in stage.device_tokens(count)? {
        stage.send(Push { device_token, ..stage.push() }).await?;
    }
    Ok(())
}

fn is_expired(request: &Request) -> bool {
    request.status() == Some(403)
}

const UNDER_WAY: usize = 500;
const FOR_EVER: usize = 50;
/// Pushes after all were refused, and the pauses between them.
const MORE: usize = 20;
const PACE: Duration = Duration::from_millis(100);
/// What may go out of them to see whether it is over.
const PROBES_MAX: usize = 5;
/// What is held back need not be waited for; attempts that are under way end long before.
const DEADLINE_MS: u64 = 4000;
/// How long results are waited for that may never come, because nothing is sent.
const SETTLING: Duration = Duration::from_secs(6);
const REFUSED: &str = "all were refused";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        evidence::{Said, Side, What},
        items::authentication::testing::{answer_with, connection, push_with, token},
    };

    /// One push on each of these connections, one after the other, each refused with 403; and what is found.
    fn found(connections: &[usize], tokens: &[i64]) -> Option<String> {
        let mut said: Vec<Vec<Said>> = vec![Vec::new(); 4];
        for (number, (on, issued_at)) in connections.iter().zip(tokens).enumerate() {
            let at = Duration::from_millis(u64::try_from(number).unwrap());
            let stream = i64::try_from(number).unwrap();
            let headers = push_with(stream, &token(*issued_at));
            said[*on].push(Said { at, side: Side::Provider, what: What::Headers(headers) });
            let answer = What::Headers(answer_with(stream, "403"));
            said[*on].push(Said { at, side: Side::Double, what: answer });
        }
        let evidence =
            Evidence { connections: said.into_iter().map(connection).collect(), ..Evidence::default() };
        match each_is_tried_once_more_elsewhere(&evidence) {
            Err(Finding::Wrong { got, .. }) => Some(got),
            _ => None,
        }
    }

    #[test]
    fn one_attempt_more_on_another_connection_is_right_with_or_without_a_new_token() {
        assert_eq!(found(&[0], &[1]), None);
        assert_eq!(found(&[0, 1], &[1, 1]), None);
        assert_eq!(found(&[0, 1], &[1, 2]), None);
    }

    #[test]
    fn more_than_that_is_seen() {
        assert_eq!(found(&[0, 0], &[1, 1]).as_deref(), Some("on the same one"));
        assert_eq!(found(&[0, 1, 2], &[1, 1, 1]).as_deref(), Some("3 attempts"));
        assert_eq!(found(&[0, 1, 2], &[1, 2, 3]).as_deref(), Some("2"), "new tokens");
    }
}
