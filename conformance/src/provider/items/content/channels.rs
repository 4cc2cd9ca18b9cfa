//! C-67: broadcasts, and the channels that they go to. The double has no channels: faults answer for them.

use mock_apns::Environment;
use serde_json::{Value, json};

use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Play, Stop, ensure},
    protocol::{Broadcast, Channel, ChannelDeed, Event, Instruction, Options, Outcome, Report},
    stage::{PATIENCE, Stage},
};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("broadcasts", broadcasts, they_are_apples).needing(&["broadcast"]),
        Play::new("channels", channels, on_connections_of_their_own).needing(&["channel"]),
    ]
}

/// Priority and expiration; the last is none of a broadcast.
const BROADCASTS: [(Option<u8>, Option<u64>); 4] =
    [(None, None), (Some(5), Some(0)), (Some(1), Some(LATER)), (Some(7), None)];

fn broadcasts(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let answer = json!({"status": 200, "body": "none", "headers": {"apns-unique-id": UNIQUE_ID}});
        answer_unknown_paths(stage, "broadcasts", "sandbox", None, &answer)?;
        stage.configure(Options::default()).await?;
        stage.send(stage.push()).await?;
        stage.results(PATIENCE).await?;
        for (number, (priority, expiration)) in BROADCASTS.into_iter().enumerate() {
            let id = broadcast_id(number);
            let broadcast = Broadcast {
                id: id.clone(),
                bundle_id: stage.push().topic,
                channel_id: CHANNEL.to_owned(),
                timestamp: TIMESTAMP,
                content_state: content_state(),
                priority,
                expiration,
            };
            stage.tell(&Instruction::Broadcast(broadcast)).await?;
            stage.until(PATIENCE, |evidence| result(evidence, &id).is_some()).await?;
        }
        Ok(())
    })
}

fn they_are_apples(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    let sent: Vec<&Request> = requests.iter().filter(|it| !is_push(it)).collect();
    let good = BROADCASTS.len() - 1;
    for number in 0..good {
        let told = result(evidence, &broadcast_id(number));
        let is_accepted = told.is_some_and(|report| report.outcome == Outcome::Accepted);
        ensure(is_accepted, format!("broadcast {number} accepted"), || said(told))?;
    }
    let told = result(evidence, &broadcast_id(good));
    let is_invalid = told.is_some_and(|report| report.outcome == Outcome::Invalid);
    ensure(is_invalid, "a broadcast at priority 7 invalid", || said(told))?;
    ensure(sent.len() == good, format!("{good} broadcasts on the wire"), || format!("{}", sent.len()))?;
    for (request, (priority, expiration)) in sent.into_iter().zip(BROADCASTS) {
        check(request, priority, expiration).map_err(|finding| finding.at(request.connection, request.at))?;
    }
    Ok(())
}

fn check(request: &Request, priority: Option<u8>, expiration: Option<u64>) -> Result<(), Finding> {
    is(request, ":method", "POST")?;
    is(request, ":path", &format!("/4/broadcasts/apps/{BUNDLE_ID}"))?;
    is(request, "apns-channel-id", CHANNEL)?;
    let push_type = request.field("apns-push-type").unwrap_or_default();
    let is_right = push_type.eq_ignore_ascii_case("liveactivity"); // Apple's pages have several spellings
    ensure(is_right, "apns-push-type: liveactivity", || push_type.to_owned())?;
    let told = request.field("apns-priority").and_then(|text| text.parse().ok());
    let is_right =
        told.is_some_and(|told| [1, 5, 10].contains(&told)) && (priority.is_none() || told == priority);
    ensure(is_right, format!("apns-priority, which is required: {}", said(priority)), || said(told))?;
    let told: Option<u64> = request.field("apns-expiration").and_then(|text| text.parse().ok());
    let is_right = told.is_some() && (expiration.is_none() || told == expiration);
    ensure(is_right, format!("apns-expiration, which is required: {}", said(expiration)), || said(told))?;
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let aps = &body["aps"];
    let is_right =
        aps["timestamp"] == TIMESTAMP && aps["event"] == "update" && aps["content-state"] == content_state();
    ensure(is_right, "aps with timestamp, event update and content-state", || body.to_string())
}

fn said<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// A channel is created, read, listed and deleted, between two pushes. The double's port for production is that of the channels.
fn channels(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options::default()).await?;
        stage.send(stage.push()).await?;
        stage.results(PATIENCE).await?;
        let channel_id = CHANNEL.to_owned();
        let deeds = [
            ChannelDeed::Create { stores: true },
            ChannelDeed::Read { channel_id: channel_id.clone() },
            ChannelDeed::List,
            ChannelDeed::Delete { channel_id },
        ];
        let port = stage.mock.production().port();
        for (what, (status, body, headers)) in deeds.into_iter().zip(channel_answers()) {
            let id = name(&what);
            let answer = json!({"status": status, "body": body, "headers": headers});
            answer_unknown_paths(stage, id, "production", Some(1), &answer)?;
            let channel = Channel { id: id.to_owned(), port, bundle_id: stage.push().topic, what };
            stage.tell(&Instruction::Channel(channel)).await?;
            stage.until(PATIENCE, |evidence| done(evidence, id).is_some()).await?;
        }
        stage.send(stage.push()).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// As Apple's page has them: status, body and fields of the answers to the four.
fn channel_answers() -> [(u16, Value, Value); 4] {
    let channel = json!({"message-storage-policy": 1, "push-type": "LiveActivity"}).to_string();
    let list = json!({"channels": [CHANNEL]}).to_string();
    [
        (201, json!("none"), json!({"apns-channel-id": CHANNEL})),
        (200, json!({"text": channel}), json!({})),
        (200, json!({"text": list}), json!({})),
        (204, json!("none"), json!({})),
    ]
}

fn on_connections_of_their_own(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    for request in &requests {
        let environment = evidence.connections.get(request.connection).map(|it| it.environment);
        let expected = if is_push(request) { Environment::Sandbox } else { Environment::Production };
        let what = if is_push(request) { "pushes" } else { "channel management" };
        ensure(environment == Some(expected), format!("{what} on connections of their own"), || {
            format!("{} on another", request.field(":path").unwrap_or_default())
        })
        .map_err(|finding| finding.at(request.connection, request.at))?;
    }
    let asked: Vec<&Request> = requests.iter().filter(|it| !is_push(it)).collect();
    ensure(asked.len() == CHANNEL_REQUESTS.len(), "four requests about channels", || {
        format!("{}", asked.len())
    })?;
    for (request, (name, method, path, with_channel)) in asked.iter().zip(CHANNEL_REQUESTS) {
        let at = |finding: Finding| finding.at(request.connection, request.at);
        is(request, ":method", method).map_err(at)?;
        is(request, ":path", path).map_err(at)?;
        if with_channel {
            is(request, "apns-channel-id", CHANNEL).map_err(at)?;
        }
        let told = done(evidence, name);
        let is_done = told.is_some_and(|(status, id)| {
            (200..300).contains(&status) && (name == "delete" || id == Some(CHANNEL))
        });
        ensure(is_done, format!("{name}: done, with the channel's id"), || {
            told.map_or_else(|| "nothing said".to_owned(), |(status, id)| format!("{status}, {}", said(id)))
        })?;
    }
    creates(asked[0])?;
    have_ids(&asked)
}

fn creates(request: &Request) -> Result<(), Finding> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let push_type = body["push-type"].as_str().unwrap_or_default();
    let is_right = body["message-storage-policy"] == 1 && push_type.eq_ignore_ascii_case("LiveActivity");
    ensure(is_right, "a channel of Live Activities that stores messages created", || body.to_string())
}

/// An `apns-request-id` each, in the form of Apple's.
fn have_ids(asked: &[&Request]) -> Result<(), Finding> {
    let mut ids: Vec<&str> = asked.iter().filter_map(|it| it.field("apns-request-id")).collect();
    let shown = ids.join(", ");
    let are_right = ids.iter().all(|id| is_canonical(id));
    ids.sort_unstable();
    ids.dedup();
    ensure(
        are_right && ids.len() == asked.len(),
        "a canonical apns-request-id of its own for each request",
        || shown,
    )
}

/// A UUID in lower case, 8-4-4-4-12.
fn is_canonical(id: &str) -> bool {
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    parts == [8, 4, 4, 4, 12] && id.bytes().all(is_hex)
}

fn is(request: &Request, name: &str, value: &str) -> Result<(), Finding> {
    let told = request.field(name);
    ensure(told == Some(value), format!("{name}: {value}"), || said(told))
}

fn is_push(request: &Request) -> bool {
    request.device_token().is_some()
}

/// Requests that are no pushes are answered so: to the double their paths are unknown, and nobody's.
fn answer_unknown_paths(
    stage: &mut Stage,
    name: &str,
    environment: &str,
    times: Option<u32>,
    answer: &Value,
) -> Result<(), Stop> {
    let matching = json!({"environment": environment, "filter": "reason:BadPath"});
    let mut fault = json!({"name": name, "match": matching, "action": {"answer": answer}});
    if let Some(times) = times {
        fault["times"] = times.into();
    }
    stage.fault_for_everyone(&fault.to_string())
}

fn broadcast_id(number: usize) -> String {
    format!("broadcast-{number}")
}

/// What was reported of what is no push.
fn result<'a>(evidence: &'a Evidence, wanted: &str) -> Option<&'a Report> {
    evidence.reported.iter().find_map(|reported| match &reported.event {
        Event::Result(report) if report.id == wanted => Some(&**report),
        _ => None,
    })
}

/// Status and channel of what was done about channels.
fn done<'a>(evidence: &'a Evidence, wanted: &str) -> Option<(u16, Option<&'a str>)> {
    evidence.reported.iter().find_map(|reported| match &reported.event {
        Event::ChannelDone { id, status, channel_id } if id == wanted => {
            Some((status.unwrap_or_default(), channel_id.as_deref()))
        }
        _ => None,
    })
}

fn name(deed: &ChannelDeed) -> &'static str {
    match deed {
        ChannelDeed::Create { .. } => "create",
        ChannelDeed::Read { .. } => "read",
        ChannelDeed::List => "list",
        ChannelDeed::Delete { .. } => "delete",
    }
}

fn content_state() -> Value {
    json!({"score": 1})
}

/// The deed; method and path of its request, and whether it names a channel.
const CHANNEL_REQUESTS: [(&str, &str, &str, bool); 4] = [
    ("create", "POST", CHANNELS, false),
    ("read", "GET", CHANNELS, true),
    ("list", "GET", "/1/apps/com.example.app/all-channels", false),
    ("delete", "DELETE", CHANNELS, true),
];
const CHANNELS: &str = "/1/apps/com.example.app/channels";
/// The ready-made app.
const BUNDLE_ID: &str = "com.example.app";
/// As in Apple's example.
const CHANNEL: &str = "dHN0LXNyY2gtY2hubA==";
const UNIQUE_ID: &str = "f3a1b1c2-0000-4000-8000-000000000001";
const TIMESTAMP: u64 = 1_700_000_000;
/// In the year 2096.
const LATER: u64 = 4_000_000_000;
