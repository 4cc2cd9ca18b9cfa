//! Random sequences of calls. An operation speaks of what there is when its turn comes: the newest token but one, a
//! millisecond before the next expiration.

use std::{ops::Range, time::Duration};

use mock_apns_core::{DeviceState, NewTokens};
use proptest::prelude::*;

use crate::{
    call::{BUILDS, Call, DEVICES, Place, Push, Token},
    model::Model,
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Push {
        place: Place,
        token: TokenChoice,
        alert: bool,
        priority: Option<u8>,
        expiration: Expiration,
        collapse_id: Option<&'static str>,
    },
    State(usize, DeviceState),
    Install(Place),
    Uninstall(Place),
    Register(Place),
    Unregister(Place),
    NewTokens(usize, NewTokens),
    Permission(Place, bool),
    Advance(Duration),
    /// To the time at which the next push expires that waits, or a millisecond beside it.
    AdvanceToExpiry {
        beside: i64,
    },
}

/// Which of the tokens that a place was given: the newest, or one of all.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TokenChoice {
    Newest,
    Any(prop::sample::Index),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expiration {
    Absent,
    Zero,
    SecondsAgo(u64),
    InSeconds(u64),
}

/// The longest that a sequence takes: the provider's certificates are in force for thirteen months.
const TIME_MAX: Duration = Duration::from_hours(380 * 24);

/// So many operations of all kinds.
pub(crate) fn ops(count: Range<usize>) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), count)
}

/// Mostly background pushes for one app on one device, within hours.
pub(crate) fn background_ops(count: Range<usize>) -> impl Strategy<Value = Vec<Op>> {
    let place = || Just(Place { device: 0, build: 0 });
    let op = prop_oneof![
        10 => push(place(), prop::bool::weighted(0.2)),
        2 => state().prop_map(|state| Op::State(0, state)),
        1 => place().prop_map(Op::Uninstall),
        1 => place().prop_map(Op::Install),
        1 => place().prop_map(Op::Register),
        4 => (0..2400u64).prop_map(|seconds| Op::Advance(Duration::from_secs(seconds))),
    ];
    prop::collection::vec(op, count)
}

/// What operations come to, one after the other.
pub(crate) fn calls(ops: &[Op], mut model: Model) -> Vec<Call> {
    let end = model.now + TIME_MAX.as_millis() as u64;
    let resolved = ops.iter().map(|op| {
        let call = op.resolve(&model, end);
        model.call(call);
        call
    });
    resolved.collect()
}

impl Op {
    fn resolve(self, model: &Model, end: u64) -> Call {
        match self {
            Self::Push { place, token, alert, priority, expiration, collapse_id } => {
                let nth = match token {
                    TokenChoice::Newest => model.tokens(place),
                    TokenChoice::Any(index) => index.index(model.tokens(place)) + 1,
                };
                let token = Token { place, nth };
                Call::Push(Push {
                    token,
                    alert,
                    priority,
                    expiration: expiration.at(model.now / 1000),
                    collapse_id,
                })
            }
            Self::State(device, state) => Call::State(device, state),
            Self::Install(place) => Call::Install(place),
            Self::Uninstall(place) => Call::Uninstall(place),
            Self::Register(place) => Call::Register(place),
            Self::Unregister(place) => Call::Unregister(place),
            Self::NewTokens(device, cause) => Call::NewTokens(device, cause),
            Self::Permission(place, allowed) => Call::Permission(place, allowed),
            Self::Advance(by) => Call::Advance((by.as_millis() as u64).min(end - model.now)),
            Self::AdvanceToExpiry { beside } => {
                let to = model.next_expiry().map_or(model.now, |at| at.saturating_add_signed(beside));
                Call::Advance(to.clamp(model.now, end) - model.now)
            }
        }
    }
}

impl Expiration {
    fn at(self, now: u64) -> Option<u64> {
        match self {
            Self::Absent => None,
            Self::Zero => Some(0),
            Self::SecondsAgo(seconds) => Some(now - seconds),
            Self::InSeconds(seconds) => Some(now + seconds),
        }
    }
}

fn op() -> impl Strategy<Value = Op> {
    let device = || 0..DEVICES;
    let cause = prop::sample::select(vec![NewTokens::Restore, NewTokens::OsReinstall, NewTokens::System]);
    prop_oneof![
        9 => push(place(), prop::bool::weighted(0.7)),
        6 => (device(), state()).prop_map(|(device, state)| Op::State(device, state)),
        2 => place().prop_map(Op::Uninstall),
        2 => place().prop_map(Op::Install),
        2 => place().prop_map(Op::Register),
        1 => place().prop_map(Op::Unregister),
        1 => (device(), cause).prop_map(|(device, cause)| Op::NewTokens(device, cause)),
        2 => (place(), any::<bool>()).prop_map(|(place, allowed)| Op::Permission(place, allowed)),
        2 => duration().prop_map(Op::Advance),
        1 => (-1..=1i64).prop_map(|beside| Op::AdvanceToExpiry { beside }),
    ]
}

fn push(
    place: impl Strategy<Value = Place>,
    alert: impl Strategy<Value = bool>,
) -> impl Strategy<Value = Op> {
    let token = prop_oneof![2 => Just(TokenChoice::Newest), 1 => any::<prop::sample::Index>().prop_map(TokenChoice::Any)];
    let priority = prop::sample::select(vec![None, Some(10), Some(5), Some(1)]);
    let collapse_id = prop::sample::select(vec![None, None, Some("a"), Some("b")]);
    (place, token, alert, priority, expiration(), collapse_id).prop_map(
        |(place, token, alert, priority, expiration, collapse_id)| Op::Push {
            place,
            token,
            alert,
            priority,
            expiration,
            collapse_id,
        },
    )
}

/// The first device and the first build more often than the others, so that things meet.
fn place() -> impl Strategy<Value = Place> {
    let device = prop::sample::select(vec![0, 0, 1]);
    let build = prop::sample::select(vec![0, 0, 1, 2]);
    const { assert!(DEVICES == 2 && BUILDS == 3, "each is named above") };
    (device, build).prop_map(|(device, build)| Place { device, build })
}

fn state() -> impl Strategy<Value = DeviceState> {
    prop::sample::select(vec![
        DeviceState::Offline,
        DeviceState::Offline,
        DeviceState::PowerSaving,
        DeviceState::PowerSaving,
        DeviceState::Online,
    ])
}

fn expiration() -> impl Strategy<Value = Expiration> {
    prop_oneof![
        4 => Just(Expiration::Absent),
        1 => Just(Expiration::Zero),
        1 => (0..=2u64).prop_map(Expiration::SecondsAgo),
        3 => (1..3600u64).prop_map(Expiration::InSeconds),
        1 => (1..40u64 * DAY).prop_map(Expiration::InSeconds),
        1 => prop::sample::select(vec![30 * DAY - 1, 30 * DAY, 30 * DAY + 1]).prop_map(Expiration::InSeconds),
    ]
}

/// Milliseconds, seconds within an hour, or as long as a month.
fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..3000u64).prop_map(Duration::from_millis),
        (1..3600u64).prop_map(Duration::from_secs),
        (1..31 * DAY).prop_map(Duration::from_secs),
    ]
}

/// In seconds.
const DAY: u64 = 24 * 3600;
