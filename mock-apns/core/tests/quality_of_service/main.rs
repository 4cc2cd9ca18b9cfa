//! What becomes of pushes: the double beside a [`Model`] of Apple's rules that has nothing in common with it.
//!
//! ```text
//!   Op ─── resolve ───▶ Call ──┬──▶ Double ──▶ Outcome ──┐
//!   at random           exact  └──▶ Model  ──▶ Outcome ──┴── the same?
//! ```

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod app;
mod call;
#[path = "../common/mod.rs"]
mod common;
mod double;
mod history;
mod kept;
mod look;
mod model;
mod op;
mod run;
mod step;

use std::collections::BTreeMap;

use call::{Call, DEVICES};
use common::{HOUR, NOW};
use double::Double;
use look::{Look, looks};
use mock_apns_core::{DeviceState, Event, PushType, Status, Timestamp};
use model::Model;
use op::{Op, background_ops, calls, ops};
use proptest::{prelude::*, test_runner::TestCaseResult};
use run::run;

#[test]
fn ten_thousand_sequences_end_as_the_rules_say() {
    run(10_000, || ops(1..41), |ops| compare(&ops, 0));
}

#[test]
fn sequences_end_as_the_rules_say_when_410_comes_late() {
    run(1_000, || ops(1..41), |ops| compare(&ops, 600));
}

#[test]
fn the_same_seed_gives_the_same_journal_to_the_byte() {
    run(
        500,
        || ops(1..41),
        |ops| {
            let calls = calls(&ops, Model::new(NOW, 0));
            prop_assert_eq!(whole_journal(&calls), whole_journal(&calls));
            Ok(())
        },
    );
}

#[test]
fn when_somebody_looks_changes_nothing() {
    run(
        1_000,
        || (ops(1..41), looks()),
        |(ops, looks)| {
            let calls = calls(&ops, Model::new(NOW, 0));
            let expected = journal(&calls, &[Look::Advanced]);
            prop_assert_eq!(journal(&calls, &looks), expected, "{:?}", calls);
            Ok(())
        },
    );
}

/// When a push waits for the budget, and which, is the double's own affair. The budget is kept, and nothing is lost by it.
#[test]
fn a_budget_of_background_pushes_is_kept_and_loses_none() {
    const PER_HOUR: u32 = 2;
    run(
        500,
        || background_ops(1..41),
        |ops| {
            let mut double = Double::with_setting("background-pushes-per-hour", PER_HOUR);
            let end = online().chain([Call::Advance(HOUR.as_millis() as u64)]);
            for call in calls(&ops, Model::new(NOW, 0)).into_iter().chain(end) {
                double.call(call);
            }
            each_ends_once(&double)?;
            budget_is_kept(&double, PER_HOUR as usize)
        },
    );
}

/// The double and the model, call by call, until every device has taken what waited for it.
fn compare(ops: &[Op], unregistered_delay: u32) -> TestCaseResult {
    let mut double = Double::with_setting("unregistered-delay", unregistered_delay);
    let new_model = || Model::new(NOW, unregistered_delay);
    let mut model = new_model();
    let mut counters: BTreeMap<Status, u64> = Status::ALL.iter().map(|status| (*status, 0)).collect();
    for call in calls(ops, new_model()).into_iter().chain(online()) {
        let expected = model.call(call);
        for line in &expected.lines {
            *counters.entry(line.status).or_default() += 1;
        }
        prop_assert_eq!(double.call(call), expected, "the double and the model at {:?}", call);
    }
    for (status, count) in counters {
        prop_assert_eq!(double.team().counters().get(status), count, "{}", status);
    }
    Ok(())
}

fn online() -> impl Iterator<Item = Call> {
    (0..DEVICES).map(|device| Call::State(device, DeviceState::Online))
}

/// The journal's lines, as they are written.
fn whole_journal(calls: &[Call]) -> String {
    let mut double = Double::with_setting("unregistered-delay", 0);
    for &call in calls {
        double.call(call);
    }
    let lines = double.team().journal(0).map(|record| serde_json::to_string(&record).unwrap() + "\n");
    lines.collect()
}

/// What the journal says of everything but clocks, when time goes by in these ways, one after the other.
fn journal(calls: &[Call], looks: &[Look]) -> Vec<String> {
    let mut double = Double::with_setting("unregistered-delay", 0);
    let mut looks = looks.iter().cycle();
    for &call in calls {
        if let (Call::Advance(by), Some(look)) = (call, looks.next()) {
            look.pass(&mut double, by);
        } else {
            double.call(call);
        }
    }
    double.team_at(); // brings to pass what nobody has seen
    let records = double.team().journal(0).filter(|record| !matches!(record.event, Event::Clock(_)));
    records
        .map(|mut record| {
            record.cursor = 0; // counts clocks too
            serde_json::to_string(&record).unwrap()
        })
        .collect()
}

/// Every push was received, and then one thing became of it in the end.
fn each_ends_once(double: &Double) -> TestCaseResult {
    let mut past: BTreeMap<u64, Vec<Status>> = BTreeMap::new();
    for record in double.team().journal(0) {
        if let Event::Notification { notification, status, .. } = record.event {
            past.entry(notification.number).or_default().push(status);
        }
    }
    for (number, statuses) in past {
        let ends: Vec<bool> = statuses.iter().map(|status| status.is_final()).collect();
        prop_assert_eq!(statuses.first(), Some(&Status::Received), "{}", number);
        prop_assert_eq!(
            ends.iter().position(|is_final| *is_final),
            Some(ends.len() - 1),
            "{}: {:?}",
            number,
            statuses
        );
    }
    Ok(())
}

/// No app gets more in an hour than what it may save up, and what comes to it meanwhile: each an hour's budget.
fn budget_is_kept(double: &Double, per_hour: usize) -> TestCaseResult {
    let mut delivered: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    for record in double.team().journal(0) {
        let Event::Notification { notification, status, .. } = record.event else { continue };
        if notification.push_type == Some(PushType::Background)
            && matches!(status, Status::Delivered | Status::DeliveredFromStorage)
        {
            let token = record.device_token().unwrap();
            delivered.entry(token.to_string()).or_default().push(record.at);
        }
    }
    for (token, times) in delivered {
        for hour in times.windows(2 * per_hour + 1) {
            prop_assert!(hour[2 * per_hour] > hour[0].saturating_add(HOUR), "{}: {:?}", token, hour);
        }
    }
    Ok(())
}
