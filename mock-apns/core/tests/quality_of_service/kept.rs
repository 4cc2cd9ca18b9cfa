//! A service that is kept: what was recorded is replayed, and a snapshot is restored, to the byte.

use mock_apns_core::{Effect, Recorded, Service, Snapshot};
use proptest::{prelude::*, sample::Index, test_runner::TestCaseResult};
use serde_json::Value;

use crate::{
    common::verify,
    history::Run,
    run::run,
    step::{Step, histories},
};

#[test]
fn what_was_recorded_is_replayed_to_the_byte() {
    run(
        1_000,
        || (histories(25), histories(6)),
        |(history, more)| {
            let (mut run, mut twin) = (Run::new(), Run::new());
            run.service.start_recording();
            for step in &history {
                run.step(step);
                replay(&mut run.service, &mut twin.service);
            }
            prop_assert_eq!(twin.service.poll_effect(), None);
            let twin = run.with(twin.service);
            both_go_on(run, twin, &more)
        },
    );
}

#[test]
fn what_was_recorded_since_a_checkpoint_is_replayed_on_it() {
    run(
        500,
        || (histories(20), histories(20), histories(6)),
        |(before, since, more)| {
            let mut run = Run::new();
            run.steps(&before);
            let mut twin = Service::resume(&read(&json(&run.service.checkpoint())), verify).unwrap();
            prop_assert_eq!(json(&twin.checkpoint()), json(&run.service.checkpoint()));
            run.service.start_recording();
            run.steps(&since);
            replay(&mut run.service, &mut twin);
            let twin = run.with(twin);
            both_go_on(run, twin, &more)
        },
    );
}

#[test]
fn what_is_restored_goes_on_as_if_everyone_had_lost_their_connections() {
    run(
        500,
        || (histories(25), histories(8)),
        |(history, more)| {
            let mut run = Run::new();
            run.steps(&history);
            let twin = Service::restore(run.now, &read(&json(&run.service.snapshot())), verify).unwrap();
            run.all_leave();
            let snapshot = json(&run.service.snapshot());
            prop_assert_eq!(json(&twin.snapshot()), &snapshot[..]);
            // Once more, now that nobody is connected.
            let again = Service::restore(run.now, &read(&snapshot), verify).unwrap();
            prop_assert_eq!(json(&again.snapshot()), snapshot);
            // What was cancelled may wake the one and not the other.
            let early = run.service.poll_timeout();
            prop_assert!(twin.poll_timeout().is_none_or(|due| early.is_some_and(|early| early <= due)));
            let twin = run.with(twin);
            both_go_on(run, twin, &more)
        },
    );
}

/// A snapshot is read from outside: one that is not as it was written is refused, or the service works.
#[test]
fn a_snapshot_with_something_changed_is_refused_or_works() {
    run(
        1_000,
        || (histories(20), histories(10), prop::collection::vec((any::<Index>(), change()), 1..3)),
        |(history, more, changes)| {
            let mut run = Run::new();
            run.steps(&history);
            let mut value = serde_json::to_value(run.service.checkpoint()).unwrap();
            for (place, change) in changes {
                let mut count = 0;
                visit(&mut value, &mut |_| count += 1);
                let (wanted, mut at) = (place.index(count), 0);
                visit(&mut value, &mut |node| {
                    if at == wanted {
                        change.make(node);
                    }
                    at += 1;
                });
            }
            if let Ok(snapshot) = serde_json::from_value::<Snapshot>(value)
                && let Ok(service) = Service::resume(&snapshot, verify)
            {
                let taken = service.checkpoint();
                let again = Service::resume(&taken, verify).map(|again| json(&again.checkpoint()));
                prop_assert_eq!(again, Ok(json(&taken)));
                let mut changed = run.with(service);
                changed.steps(&more);
                let later = changed.service.checkpoint();
                prop_assert_eq!(Service::resume(&later, verify).map(drop), Ok(()));
                drop(Service::restore(run.now, &snapshot, verify).unwrap());
            }
            Ok(())
        },
    );
}

#[test]
fn recorded_bytes_with_something_changed_are_refused_or_are_replayed() {
    run(
        200,
        || (histories(8), any::<Index>(), any::<u8>()),
        |(history, place, byte)| {
            let (mut run, mut twin) = (Run::new(), Run::new());
            run.service.start_recording();
            run.steps(&history);
            while let Some(recorded) = run.service.poll_recorded() {
                let mut bytes = recorded.to_bytes();
                let at = place.index(bytes.len());
                prop_assert!(Recorded::from_bytes(&bytes[..at]).is_err());
                bytes[at] = byte;
                if let Ok(recorded) = Recorded::from_bytes(&bytes) {
                    twin.service.redo(recorded);
                }
            }
            Ok(())
        },
    );
}

/// Both are equal, do the same, and are equal again.
fn both_go_on(mut run: Run, mut twin: Run, more: &[Step]) -> TestCaseResult {
    prop_assert_eq!(json(&twin.service.checkpoint()), json(&run.service.checkpoint()));
    for step in more {
        let (expected, effects): (Vec<Effect>, Vec<Effect>) = (run.step(step), twin.step(step));
        prop_assert_eq!(effects, expected, "{:?}", step);
    }
    prop_assert_eq!(json(&twin.service.checkpoint()), json(&run.service.checkpoint()));
    Ok(())
}

/// All that was recorded, by way of bytes.
fn replay(from: &mut Service, to: &mut Service) {
    while let Some(recorded) = from.poll_recorded() {
        let read = Recorded::from_bytes(&recorded.to_bytes()).unwrap();
        assert_eq!(read, recorded);
        to.redo(read);
    }
}

fn json(snapshot: &Snapshot) -> String {
    serde_json::to_string(snapshot).unwrap()
}

fn read(json: &str) -> Snapshot {
    serde_json::from_str(json).unwrap()
}

/// What is done to a value in a snapshot.
#[derive(Clone, Debug)]
enum Change {
    Number(u64),
    Text(&'static str),
    Nothing,
    Flip,
    RemoveFirst,
    RepeatLast,
    Reverse,
}

/// Small ones, those at the limits of types, and counts that are believed, and are not.
const NUMBERS: &[u64] = &[0, 1, 2, 3, 65_535, (1 << 32) - 1, 1 << 32, 1 << 51, (1 << 53) - 1, u64::MAX];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => prop::sample::select(NUMBERS.to_vec()).prop_map(Change::Number),
        1 => prop::sample::select(vec!["", "sandbox", "00", "TEAM000001", "phone"]).prop_map(Change::Text),
        1 => Just(Change::Nothing),
        1 => Just(Change::Flip),
        2 => Just(Change::RemoveFirst),
        2 => Just(Change::RepeatLast),
        1 => Just(Change::Reverse),
    ]
}

impl Change {
    fn make(&self, node: &mut Value) {
        match (self, node) {
            (Self::Number(number), node @ Value::Number(_)) => *node = (*number).into(),
            (Self::Text(text), node @ Value::String(_)) => *node = (*text).into(),
            (Self::Nothing, node) => *node = Value::Null,
            (Self::Flip, Value::Bool(value)) => *value = !*value,
            (Self::RemoveFirst, Value::Array(list)) if !list.is_empty() => drop(list.remove(0)),
            (Self::RemoveFirst, Value::Object(map)) => {
                let first = map.keys().next().cloned();
                first.and_then(|first| map.remove(&first));
            }
            (Self::RepeatLast, Value::Array(list)) => list.extend(list.last().cloned()),
            (Self::Reverse, Value::Array(list)) => list.reverse(),
            _ => {}
        }
    }
}

/// Every value within a value, and itself.
fn visit(value: &mut Value, visitor: &mut impl FnMut(&mut Value)) {
    visitor(value);
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| visit(value, visitor)),
        Value::Object(map) => map.values_mut().for_each(|value| visit(value, visitor)),
        _ => {}
    }
}
