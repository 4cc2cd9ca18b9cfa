//! What users would notice: which entries a filter finds, what it says of those it does not find, and that what is
//! written out reads back.

mod differences;
mod finding;
mod mistakes;
mod writing;

use std::time::Duration;

use super::*;
use crate::{
    DeviceState, Event,
    bench::{Bench, HOUR, NOW, PHONE, VOIP_TOKEN, device},
};

const ID: &str = "123e4567-e89b-12d3-a456-42665544000f";

/// A team to which something of every kind has happened: four pushes are accepted and delivered, one is refused.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.answer(&bench.push().with("apns-id", ID));
    let background = bench.push().with("apns-push-type", "background").with("apns-priority", "5");
    bench.answer(&background.with_body(r#"{"aps":{"content-available":1},"was":"\u00c4nderung \"bald\""}"#));
    bench.answer(&bench.push().with("apns-topic", "com.example.second"));
    bench.now = NOW.saturating_add(Duration::from_mins(1));
    let plain = bench.push().without("apns-push-type").with("apns-collapse-id", "score: 4,2");
    bench.answer(&plain.with_body(r#"{"aps":{"alert":{"loc-key":"GREETING"}}}"#));
    let call = bench.push().with(":path", &format!("/3/device/{VOIP_TOKEN}")).with("apns-push-type", "voip");
    bench.answer(&call.with("apns-topic", "com.example.app.voip").with_body("{}"));
    bench.team_at().set_device_state(&device(PHONE), DeviceState::Offline).unwrap();
    bench.team_at().advance_clock(HOUR);
    bench
}

/// What is told of the entries that a filter finds: `1+` when the first push was received, `1!` when it was delivered.
fn found(bench: &mut Bench, filter: &str) -> String {
    let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let team = bench.team_at();
    let found = team.team().journal(0).filter(|record| {
        assert_eq!(filter.matches(record), filter.differences(record).is_empty(), "{filter}");
        filter.matches(record)
    });
    let told = found.map(|record| match record.event {
        Event::Notification { notification, status, .. } => {
            let mark = if status == crate::Status::Received { '+' } else { '!' };
            format!("{}{mark}", notification.number)
        }
        Event::Refused(_) => "refused".to_owned(),
        Event::GoAway { .. } => "goaway".to_owned(),
        Event::Fault(_) => "fault".to_owned(),
        Event::Throttled { how, .. } => how.as_str().to_owned(),
        Event::Device { .. } => "device".to_owned(),
        Event::Clock(_) => "clock".to_owned(),
        Event::Scenario(_) => "scenario".to_owned(),
        Event::Reset => "reset".to_owned(),
    });
    told.collect::<Vec<_>>().join(" ")
}
