//! What can be done to a service, at random: sensible or not.

use proptest::prelude::*;

use crate::{
    call::{BUILDS, Call, DEVICES, Place},
    common::{self, NOW},
    model::Model,
    op::{Op, calls, ops},
};

/// One thing that is done to a service.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Call(Call),
    More(More),
}

/// What calls to the model do not have.
#[derive(Clone, Debug)]
pub(crate) enum More {
    /// A push with a provider token of a team's, issued so many seconds ago.
    WithToken {
        other_team: bool,
        age: u64,
        forged: bool,
    },
    NobodysPush,
    DeviceConnects(usize),
    DeviceSays(prop::sample::Index, String),
    DeviceLeaves(prop::sample::Index),
    ProviderLeaves(prop::sample::Index),
    AllLeave,
    Set(&'static str, &'static str),
    Bury(prop::sample::Index, u64),
    RemoveDevice(usize),
    AddDevice(usize),
    Give(Place, u8),
    StartActivity(Place),
    EndActivity(Place, u32),
    UpdateActivity {
        index: prop::sample::Index,
        event: &'static str,
        timestamp: u32,
    },
    AddKey(&'static str),
    RevokeKey(&'static str),
    AddApp(&'static str),
    ResetTeam,
    ResetAll,
    RemoveTeam(bool),
    AddTeam(bool),
    SetClock(u64),
    FollowMachine,
    /// The machine's clock goes, backwards perhaps, and somebody looks, or the service is woken, or nobody looks.
    Machine(i64, Look),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Look {
    Nobody,
    AtTeam,
    Woken,
}

/// Random histories with so many operations on devices, and as many others.
pub(crate) fn histories(count: usize) -> impl Strategy<Value = Vec<Step>> {
    (ops(1..count), prop::collection::vec((any::<prop::sample::Index>(), more()), 1..count))
        .prop_map(|(ops, more)| mixed(&ops, more))
}

/// The others at their places among what the operations come to.
fn mixed(ops: &[Op], more: Vec<(prop::sample::Index, More)>) -> Vec<Step> {
    let mut steps: Vec<Step> = calls(ops, Model::new(NOW, 0)).into_iter().map(Step::Call).collect();
    for (index, more) in more {
        steps.insert(index.index(steps.len() + 1), Step::More(more));
    }
    steps
}

fn more() -> impl Strategy<Value = More> {
    let index = || any::<prop::sample::Index>();
    let device = || 0..DEVICES;
    let look = prop::sample::select(vec![Look::Nobody, Look::AtTeam, Look::Woken]);
    let events = prop::sample::select(vec!["update", "update", "end"]);
    prop_oneof![
        4 => (any::<bool>(), 0..3u64, prop::bool::weighted(0.2))
            .prop_map(|(other_team, age, forged)| More::WithToken { other_team, age, forged }),
        1 => Just(More::NobodysPush),
        3 => device().prop_map(More::DeviceConnects),
        6 => (index(), line()).prop_map(|(connection, line)| More::DeviceSays(connection, line)),
        1 => index().prop_map(More::DeviceLeaves),
        1 => index().prop_map(More::ProviderLeaves),
        1 => Just(More::AllLeave),
        4 => setting().prop_map(|(name, value)| More::Set(name, value)),
        1 => (index(), 0..3000u64).prop_map(|(token, ago)| More::Bury(token, ago)),
        1 => device().prop_map(More::RemoveDevice),
        2 => device().prop_map(More::AddDevice),
        2 => (place(), 0..3u8).prop_map(|(place, byte)| More::Give(place, byte)),
        2 => place().prop_map(More::StartActivity),
        1 => (place(), 1..3u32).prop_map(|(place, activity)| More::EndActivity(place, activity)),
        3 => (index(), events, 0..9u32)
            .prop_map(|(index, event, timestamp)| More::UpdateActivity { index, event, timestamp }),
        1 => prop::sample::select(vec!["ANOTHERKEY", common::KEY]).prop_map(More::AddKey),
        1 => prop::sample::select(vec!["ANOTHERKEY", common::KEY]).prop_map(More::RevokeKey),
        1 => prop::sample::select(vec!["com.example.app", "com.example.app.voip"]).prop_map(More::AddApp),
        1 => Just(More::ResetTeam),
        1 => Just(More::ResetAll),
        1 => any::<bool>().prop_map(More::RemoveTeam),
        2 => any::<bool>().prop_map(More::AddTeam),
        1 => (0..9_000_000u64).prop_map(More::SetClock),
        1 => Just(More::FollowMachine),
        4 => (-2_000..9_000_000i64, look).prop_map(|(by, look)| More::Machine(by, look)),
    ]
}

fn setting() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        ("journal-entries", "10"),
        ("journal-entries", "25"),
        ("device-token-burst", "2"),
        ("background-pushes-per-hour", "1"),
        ("unacknowledged-pushes", "1"),
        ("unregistered-delay", "60"),
        ("provider-token-updates", "per-key"),
        ("device-token-length", "varied"),
        ("apns-unique-id", "always"),
        ("body-not-json", "accept"),
        ("errors-before-fewer-streams", "2"),
        ("errors-before-disconnect", "5"),
        ("short-connections-before-block", "1"),
    ])
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (1..5u32).prop_map(|delivery| format!(r#"{{"type":"ack","delivery":{delivery}}}"#)),
        1 => Just(r#"{"type":"connect","state":"power-saving"}"#.to_owned()),
        1 => Just(r#"{"type":"connect","team":"TEAM000002"}"#.to_owned()),
        1 => Just(r#"{"type":"state","state":"power-saving"}"#.to_owned()),
        1 => Just(r#"{"type":"register","app":"com.example.app","environment":"sandbox","kind":"live-activity"}"#.to_owned()),
        1 => Just(r#"{"type":"uninstall","app":"com.example.app","environment":"sandbox"}"#.to_owned()),
        1 => Just(r#"{"type":"new-tokens","cause":"restore"}"#.to_owned()),
        1 => Just("nonsense".to_owned()),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    (0..DEVICES, 0..BUILDS).prop_map(|(device, build)| Place { device, build })
}
