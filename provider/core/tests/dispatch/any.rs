//! Whatever happens, in whatever order: every push is finished once.

use std::time::Duration;

use apns_provider_core::{
    Ambiguity, AmbiguousPushes, ConnectionId, NotSent, Outcome, Outgoing, Reason, RetryPolicy, Room,
};
use proptest::prelude::*;

use crate::world::{World, accepted, policy, refused, secs};

#[derive(Clone, Debug)]
enum Step {
    Submit(u32),
    Open,
    Refuse,
    End(usize, usize, End),
    Goaway(usize, usize, Why),
    Lose(usize, bool),
    GiveBack(usize),
    WearOut(usize),
    Room(usize, usize, usize),
    Pass(u64),
    Rotate(bool),
    Prewarm(usize),
    Close,
    Abandon,
}

/// What a GOAWAY says.
#[derive(Clone, Copy, Debug)]
enum Why {
    Nothing,
    Calm,
    Credential,
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
    let why = prop::sample::select(vec![Why::Nothing, Why::Nothing, Why::Calm, Why::Credential]);
    prop_oneof![
        4 => (1..60_u32).prop_map(Step::Submit),
        4 => Just(Step::Open),
        1 => Just(Step::Refuse),
        8 => (0..4_usize, 1..50_usize, end).prop_map(|(at, count, end)| Step::End(at, count, end)),
        1 => (0..4_usize, 0..20_usize, why).prop_map(|(at, answers, why)| Step::Goaway(at, answers, why)),
        1 => (0..4_usize, any::<bool>()).prop_map(|(at, answered)| Step::Lose(at, answered)),
        1 => (0..4_usize).prop_map(Step::GiveBack),
        1 => (0..4_usize).prop_map(Step::WearOut),
        2 => (0..4_usize, 0..100_usize, 0..65_536_usize).prop_map(|(at, streams, window)| Step::Room(at, streams, window)),
        4 => (1..20_000_u64).prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Rotate),
        1 => (0..6_usize).prop_map(Step::Prewarm),
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
    let pick = |world: &World, at: usize| -> Option<ConnectionId> {
        let ids = world.ids(|connection| connection.is_open);
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
        Step::Goaway(at, answers, why) => {
            if let Some(id) = pick(world, *at) {
                let answers = world.connections[&id].under_way.len().min(*answers);
                let reason = matches!(why, Why::Credential).then_some(Reason::BadCertificateEnvironment);
                world.goaway_because(id, answers, reason.as_ref(), matches!(why, Why::Calm));
            }
        }
        Step::Lose(at, has_answered) => {
            if let Some(id) = pick(world, *at) {
                let why = NotSent::NoConnection { why: "reset".into() };
                world.lose_because(id, (!has_answered).then_some(&why));
            }
        }
        Step::GiveBack(at) => {
            if let Some(id) = pick(world, *at) {
                world.give_back(id);
            }
        }
        Step::WearOut(at) => {
            if let Some(id) = pick(world, *at) {
                world.dispatcher.worn_out(world.now(), id);
                world.settle();
            }
        }
        Step::Room(at, streams, window) => {
            if let Some(id) = pick(world, *at) {
                world.connections.get_mut(&id).unwrap().room = Room { streams: *streams, window: *window };
                world.take(id);
                world.settle();
            }
        }
        Step::Pass(millis) => world.pass(Duration::from_millis(*millis), false),
        Step::Rotate(by_token) => {
            world.dispatcher.rotate(world.now(), *by_token);
            world.settle();
        }
        Step::Prewarm(count) => {
            world.dispatcher.prewarm(world.now(), *count);
            world.settle();
        }
        Step::Close => {
            world.dispatcher.close(world.now());
            world.settle();
        }
        Step::Abandon => {
            world.dispatcher.abandon(world.now());
            world.settle();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_push_is_finished_once_and_none_that_may_have_arrived_twice_is_sent_again(
        mut steps in prop::collection::vec(step(), 1..80), end in prop::option::of((any::<bool>(), 0..80_usize)),
        at_most_once: bool, by_token: bool, connections in 1..4_usize,
    ) {
        if let Some((is_patient, at)) = end {
            let at = at.min(steps.len());
            steps.insert(at, if is_patient { Step::Close } else { Step::Abandon });
        }
        let retry = if at_most_once {
            RetryPolicy::default().with_ambiguous_pushes(AmbiguousPushes::Report)
        } else {
            RetryPolicy::default()
        };
        let mut world = World::with(policy().with_connections(1..=connections).unwrap(), retry, by_token);
        let mut openings_left = usize::MAX;
        for step in &steps {
            run(&mut world, step);
            if matches!(step, Step::Abandon) {
                openings_left = world.openings.len();
            }
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
        prop_assert!(world.openings.len() <= openings_left, "a connection is opened after all was given up");
        if at_most_once {
            for (at, (_, _, ticket)) in world.attempts.iter().enumerate() {
                let before = world.ambiguous.get(ticket).is_some_and(|attempts| *attempts <= at);
                prop_assert!(!before, "{} was sent again", ticket);
            }
        }
    }
}
