//! What GOAWAY leaves out is sent again, once, and nothing else: C-33 and C-34.

use std::time::Duration;

use super::{
    LATER_PUSHES, READ_BY, all_accepted, going_away, is_told_to_go, lines, no_stream_after, one_connection,
    warm_up,
};
use crate::provider::{
    evidence::{Evidence, GoingAway, Request},
    item::{Acting, Finding, Item, Play, ensure},
    protocol::Push,
    stage::{MOMENT, PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let graceful = Play::new("graceful", graceful_goaway, heeds_both);
    let apples = Play::new("as-apple-does", two_goaways_and_the_end, sends_again_once);
    let raised = Play::new("raised-again", raised_goaway, heeds_both);
    let replayed = Play::new("unprocessed", unprocessed_pushes, sends_again_once);
    vec![Item::new("C-33", vec![graceful, apples, raised]), Item::new("C-34", vec![replayed])]
}

/// C-33: GOAWAY with the last stream 2³¹−1, pushes, and half a second after it one that leaves the newest stream out.
fn graceful_goaway(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"over","match":{"connection":1,"stream":11},"times":1,
                "action":{"goaway":{"reason":"Shutdown","last-stream":"before","graceful":"500ms","then":"drain"}}}"#,
        )?;
        stage.fault(
            r#"{"name":"slow","match":{"connection":1,"stream":{"from":2}},"action":{"answer":{"delay":"2s"}}}"#,
        )?;
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        stage.send_numbered(10).await?;
        stage.until(PATIENCE, is_told_to_go).await?;
        stage.pass(READ_BY).await?;
        stage.send_numbered(LATER_PUSHES).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// C-33: GOAWAY with a reason, the same without one, the answer and the end, as Apple was seen to do.
fn two_goaways_and_the_end(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"over","match":{"connection":1,"stream":2},"times":1,"action":{"goaway":{"reason":"Shutdown"}}}"#,
        )?;
        stage.configure(one_connection()).await?;
        for _ in 0..4 {
            stage.send_numbered(1).await?;
            stage.results(PATIENCE).await?;
            stage.pass(MOMENT).await?; // the end is read before the next one
        }
        Ok(())
    })
}

/// C-33: GOAWAY that leaves the newest stream out, and then one with the last stream 2³¹−1.
fn raised_goaway(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"over","match":{"connection":1,"stream":11},"times":1,"action":{"goaway":{"last-stream":"before","then":"stay"}}}"#,
        )?;
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        stage.send_numbered(10).await?;
        stage.until(PATIENCE, is_told_to_go).await?;
        stage.fault(
            r#"{"name":"raised","on":"clock","match":{"connection":1,"from":"100ms"},"times":1,"action":{"frame":{"kind":"goaway-raised"}}}"#,
        )?;
        stage.pass(READ_BY).await?;
        stage.send_numbered(LATER_PUSHES).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// No new stream behind the first, and what counts is the lower number.
fn heeds_both(evidence: &Evidence) -> Result<(), Finding> {
    for going in going_away(evidence)? {
        no_stream_after(evidence, &going, going.at + READ_BY)?;
    }
    sends_again_once(evidence)
}

/// C-34: GOAWAY in the middle of what is under way; what is behind it was not processed.
fn unprocessed_pushes(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"over","match":{"connection":1,"stream":20},"times":1,
                "action":{"goaway":{"reason":"Shutdown","last-stream":"before","then":"drain"}}}"#,
        )?;
        stage.fault(
            r#"{"name":"slow","match":{"connection":1,"stream":{"from":2}},"action":{"answer":{"delay":"500ms"}}}"#,
        )?;
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        let expiration = Some(stage.date().as_secs() + EXPIRES_SECS);
        for _ in 0..40 {
            stage.send(Push { expiration, ..stage.numbered(200) }).await?;
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

pub(super) fn sends_again_once(evidence: &Evidence) -> Result<(), Finding> {
    let going = going_away(evidence)?;
    for (id, attempts) in evidence.attempts() {
        if let Err(finding) = is_sent_again_once(&going, id, &attempts) {
            let first = attempts.first().map_or((0, Duration::ZERO), |it| (it.connection, it.at));
            return Err(finding.at(first.0, first.1));
        }
    }
    all_accepted(evidence)
}

/// A push that GOAWAY does not promise to answer follows elsewhere, as it was; any other is on the wire once.
fn is_sent_again_once(going: &[GoingAway], id: u64, attempts: &[Request]) -> Result<(), Finding> {
    let lines = || lines(attempts);
    match attempts {
        [first, rest @ ..] if is_beyond(going, first) => {
            let [again] = rest else {
                return Err(Finding::wrong(
                    format!("push {id}, which was not processed, sent again once"),
                    lines(),
                ));
            };
            let is_elsewhere = again.connection != first.connection;
            ensure(is_elsewhere, format!("push {id} sent again on another connection"), lines)?;
            for name in ["apns-id", "apns-expiration"] {
                let (was, is) = (first.field(name), again.field(name));
                ensure(was == is, format!("push {id} sent again with the same {name}, {was:?}"), || {
                    format!("{is:?}")
                })?;
            }
            let is_same = first.whole_at.is_none() || first.body == again.body;
            ensure(is_same, format!("push {id} sent again with the same body"), || "another one".to_owned())
        }
        [] | [_] => Ok(()), // of one that was never sent, what became of it says more
        _ => Err(Finding::wrong(format!("push {id}, which was processed, on the wire once"), lines())),
    }
}

/// Whether a connection was told to go, and this request behind the last that is answered.
fn is_beyond(going: &[GoingAway], request: &Request) -> bool {
    going.iter().any(|it| it.connection == request.connection && request.stream > it.last)
}

/// When pushes expire that are compared: long after the play.
const EXPIRES_SECS: u64 = 3600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::{Field, Form, Headers};

    fn request(connection: usize, stream: u32, apns_id: &str) -> Request {
        let field =
            Field { name: "apns-id".to_owned(), value: apns_id.to_owned(), form: Form::WithoutIndexing };
        let headers = Headers {
            stream,
            fields: vec![field],
            table_sizes: Vec::new(),
            end: false,
            with_priority: false,
        };
        Request {
            connection,
            stream,
            at: Duration::ZERO,
            headers,
            body: b"{}".to_vec(),
            whole_at: Some(Duration::ZERO),
            cancelled: None,
            refused: None,
            answer: None,
        }
    }

    #[test]
    fn what_is_behind_the_last_stream_is_sent_again_once_elsewhere_as_it_was_and_nothing_else() {
        let going = [GoingAway { connection: 0, at: Duration::ZERO, last: 5 }];
        let first = || request(0, 7, "a");
        let changed = Request { body: b"{ }".to_vec(), ..request(1, 1, "a") };
        for (attempts, is_right) in [
            (vec![request(0, 5, "a")], true),
            (vec![request(1, 99, "a")], true),
            (vec![first(), request(1, 1, "a")], true),
            (vec![first()], false),
            (vec![first(), request(0, 9, "a")], false),
            (vec![first(), request(1, 1, "b")], false),
            (vec![first(), changed], false),
            (vec![first(), request(1, 1, "a"), request(1, 3, "a")], false),
            (vec![request(0, 5, "a"), request(1, 1, "a")], false),
        ] {
            assert_eq!(is_sent_again_once(&going, 1, &attempts).is_ok(), is_right, "{attempts:?}");
        }
    }
}
