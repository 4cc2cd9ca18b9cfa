//! Whatever happens, in whatever order: every push is finished once.

use std::{collections::BTreeMap, time::Duration};

use apns_provider_core::{Ambiguity, AmbiguousPushes, NotSent, Outcome, Outgoing, RetryPolicy, Room};
use proptest::prelude::*;

use crate::world::{World, accepted, policy, refused, secs};

#[derive(Clone, Debug)]
enum Step {
    Submit(u32),
    Open,
    Refuse,
    End(usize, usize, End),
    Goaway(usize, usize),
    Lose(usize),
    Room(usize, usize, usize),
    Pass(u64),
    Rotate,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Accepted,
    BadToken,
    Busy,
    Flooded,
    Expired,
    TooManyUpdates,
    Refused,
    Reset,
    NoAnswer,
    StreamRefused,
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop::sample::select(vec![
        End::Accepted,
        End::Accepted,
        End::Accepted,
        End::BadToken,
        End::Busy,
        End::Flooded,
        End::Expired,
        End::TooManyUpdates,
        End::Refused,
        End::Reset,
        End::NoAnswer,
        End::StreamRefused,
    ]);
    prop_oneof![
        4 => (1..60_u32).prop_map(Step::Submit),
        4 => Just(Step::Open),
        1 => Just(Step::Refuse),
        8 => (0..4_usize, 1..50_usize, end).prop_map(|(at, count, end)| Step::End(at, count, end)),
        1 => (0..4_usize, 0..20_usize).prop_map(|(at, answers)| Step::Goaway(at, answers)),
        1 => (0..4_usize).prop_map(Step::Lose),
        2 => (0..4_usize, 0..100_usize, 0..65_536_usize).prop_map(|(at, streams, window)| Step::Room(at, streams, window)),
        4 => (1..20_000_u64).prop_map(Step::Pass),
        1 => Just(Step::Rotate),
    ]
}

fn outcome(end: End) -> impl Fn(&Outgoing) -> Outcome {
    move |push| match end {
        End::Accepted => accepted(push),
        End::BadToken => refused(400, "BadDeviceToken")(push),
        End::Busy => refused(503, "ServiceUnavailable")(push),
        End::Flooded => refused(429, "TooManyRequests")(push),
        End::Expired => refused(403, "ExpiredProviderToken")(push),
        End::TooManyUpdates => refused(429, "TooManyProviderTokenUpdates")(push),
        End::Refused => refused(403, "InvalidProviderToken")(push),
        End::Reset => Outcome::Ambiguous(Ambiguity::StreamReset { code: 8 }),
        End::NoAnswer => Outcome::Ambiguous(Ambiguity::NoAnswer),
        End::StreamRefused => Outcome::NotSent(NotSent::StreamRefused),
    }
}

fn run(world: &mut World, step: &Step) {
    let pick = |world: &World, at: usize, is_open: bool| {
        let ids = world.ids(|connection| connection.is_open == is_open || !is_open);
        (!ids.is_empty()).then(|| ids[at % ids.len()])
    };
    match step {
        Step::Submit(count) => {
            world.submit_many(*count);
        }
        Step::Open => world.open_all(),
        Step::Refuse => world.refuse_all(),
        Step::End(at, count, end) => {
            for _ in 0..*count {
                let busy = world.ids(|connection| !connection.under_way.is_empty());
                let Some(id) = busy.get(at % busy.len().max(1)) else { return };
                world.end(*id, outcome(*end));
            }
        }
        Step::Goaway(at, answers) => {
            if let Some(id) = pick(world, *at, true) {
                let answers = world.connections[&id].under_way.len().min(*answers);
                world.goaway(id, answers);
            }
        }
        Step::Lose(at) => {
            if let Some(id) = pick(world, *at, true) {
                world.lose(id);
            }
        }
        Step::Room(at, streams, window) => {
            if let Some(id) = pick(world, *at, true) {
                world.connections.get_mut(&id).unwrap().room = Room { streams: *streams, window: *window };
                world.take(id);
                world.settle();
            }
        }
        Step::Pass(millis) => world.pass(Duration::from_millis(*millis), false),
        Step::Rotate => {
            world.dispatcher.rotate(world.now(), true);
            world.settle();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_push_is_finished_once_and_none_that_may_have_arrived_twice_is_sent_again(
        steps in prop::collection::vec(step(), 1..80), at_most_once: bool, connections in 1..4_usize,
    ) {
        let retry = if at_most_once {
            RetryPolicy::default().with_ambiguous_pushes(AmbiguousPushes::Report)
        } else {
            RetryPolicy::default()
        };
        let mut world = World::new(policy().with_connections(1..=connections).unwrap(), retry);
        for step in &steps {
            run(&mut world, step);
            let open = world.dispatcher.status().open;
            prop_assert!(open <= 2 * connections, "{open} connections"); // some may rest
        }
        // The world comes to its senses: all that is left is done, or gives up, within its time.
        for _ in 0..100 {
            for id in world.ids(|_| true) {
                world.connections.get_mut(&id).unwrap().room = crate::world::ROOM;
            }
            world.open_all();
            for id in world.ids(|connection| connection.is_open) {
                world.take(id);
                world.settle();
            }
            world.end_round(accepted);
            world.pass(secs(1), true);
        }
        let submitted = world.submit_many(0);
        prop_assert_eq!(world.outcomes.len(), usize::try_from(submitted).unwrap());
        if at_most_once {
            let mut times = BTreeMap::new();
            for (_, _, ticket) in &world.attempts {
                *times.entry(ticket).or_insert(0) += 1;
            }
            for (ticket, outcome) in &world.outcomes {
                let is_ambiguous = matches!(outcome, Outcome::Ambiguous(_));
                prop_assert!(!matches!(outcome, Outcome::Accepted(one) if one.ambiguous_before), "{}", ticket);
                prop_assert!(!is_ambiguous || times.contains_key(ticket));
            }
        }
    }
}
