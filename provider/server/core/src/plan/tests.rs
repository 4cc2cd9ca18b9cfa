use apns_provider_core::BundleId;
use proptest::{collection, prelude::*};

use super::*;
use crate::{
    audience::TagExpression,
    json,
    message::MessageRequest,
    problem::{Field, FieldErrors},
    schedule::{IfPassed, LocalTime},
    shard::Shard,
};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn message(body: &str) -> Composed {
    let request: MessageRequest = json::read(body.as_bytes()).unwrap();
    let message = request.check(Field::ROOT, NOW, &mut FieldErrors::default()).unwrap();
    message.compose(Field::ROOT, &BundleId::parse("com.example.tea").unwrap(), None).unwrap()
}

fn hello() -> Composed {
    message(r#"{"payload":{"aps":{"alert":"Hi"}},"ttl":60}"#)
}

fn everybody() -> Audience {
    Audience { who: Who::All, environment: None }
}

/// A device of the store.
#[derive(Clone, Debug)]
struct Stored {
    token: [u8; 32],
    environment: Environment,
    kind: Kind,
    zone: Option<TimeZoneName>,
}

fn stored(at: usize) -> Stored {
    let mut token = [0; 32];
    token[..8].copy_from_slice(&at.to_be_bytes());
    Stored { token, environment: Environment::Production, kind: Kind::Alert, zone: None }
}

fn candidate(at: usize, stored: &Stored) -> Candidate<'_> {
    let row = i64::try_from(at).unwrap() + 1;
    Candidate {
        device: DeviceId::new(row),
        token: &stored.token,
        environment: stored.environment,
        kind: stored.kind,
        number: RegistrationNumber::new(row),
        registered_at: NOW,
        locale: None,
        time_zone: stored.zone.as_ref(),
    }
}

/// Plans all of it, as a store would, and gives the shards and how far it came.
fn plan_all(plan: &Plan<'_>, devices: &[Stored]) -> (Vec<NewShard>, Progress) {
    let (mut progress, mut shards) = (plan.begin(), Vec::new());
    for _ in 0..1000 {
        let found: Vec<_> = match plan.want(&progress) {
            Want::After { after, limit } => {
                let rows = devices.iter().enumerate().map(|(at, stored)| candidate(at, stored));
                rows.filter(|it| it.device > after).take(limit).collect()
            }
            Want::WithTokens(tokens) => {
                let tokens: Vec<Vec<u8>> = tokens.iter().map(bytes_of).collect();
                let rows = devices.iter().enumerate().map(|(at, stored)| candidate(at, stored));
                rows.filter(|it| tokens.iter().any(|token| token == it.token)).collect()
            }
            Want::OfUsers(users) => {
                // Each user is called by the place of their one device.
                let at = |user: &UserId| user.as_str().parse().unwrap();
                users.iter().map(|user| candidate(at(user), &devices[at(user)])).collect()
            }
            Want::Nothing => break,
        };
        shards.extend(plan.step(&mut progress, &found));
    }
    assert!(progress.is_complete(), "{progress:?}");
    (shards, progress)
}

fn planned(shards: &[NewShard]) -> Vec<Vec<u8>> {
    shards
        .iter()
        .flat_map(|shard| {
            let read = Shard::read(shard.bytes.clone().into()).unwrap();
            assert_eq!(read.len(), shard.recipients);
            read.recipients().map(|recipient| recipient.token.to_vec()).collect::<Vec<_>>()
        })
        .collect()
}

fn now<'a>(message: &'a Composed, audience: &'a Audience) -> Plan<'a> {
    Plan { message, audience, schedule: &Schedule::Now, handed_in: NOW, pace: None }
}

#[test]
fn an_audience_is_walked_in_bounded_steps() {
    let devices: Vec<Stored> = (0..STEP_DEVICES * 2 + 1500).map(stored).collect();
    let (message, audience) = (hello(), everybody());
    let plan = now(&message, &audience);
    let (shards, progress) = plan_all(&plan, &devices);
    assert_eq!((shards.len(), progress.planned), (22, 21_500));
    assert!(shards.iter().zip(0..).all(|(shard, number)| shard.number == number));
    let tokens: Vec<Vec<u8>> = devices.iter().map(|device| device.token.to_vec()).collect();
    assert_eq!(planned(&shards), tokens, "each once, in order");
    let deadline = shards[0].deadline;
    assert_eq!(deadline.expiration.unwrap().as_secs(), NOW.as_secs() + 60);
}

#[test]
fn a_step_that_fills_exactly_is_followed_by_an_empty_one() {
    let devices: Vec<Stored> = (0..STEP_DEVICES).map(stored).collect();
    let (message, audience) = (hello(), everybody());
    let (shards, progress) = plan_all(&now(&message, &audience), &devices);
    assert_eq!((shards.len(), progress.planned), (10, 10_000));
}

#[test]
fn c74_a_users_devices_in_both_environments_are_in_two_shards() {
    let devices = [stored(0), stored(1), Stored { environment: Environment::Sandbox, ..stored(2) }];
    let (message, audience) = (hello(), everybody());
    let (shards, _) = plan_all(&now(&message, &audience), &devices);
    let found: Vec<_> = shards.iter().map(|shard| (shard.environment, shard.recipients)).collect();
    assert_eq!(found, [(Environment::Production, 2), (Environment::Sandbox, 1)]);
    let production = Audience { environment: Some(Environment::Production), ..everybody() };
    let (shards, progress) = plan_all(&now(&message, &production), &devices);
    assert_eq!((shards.len(), progress.left_out), (1, 1));
}

#[test]
fn tokens_of_another_kind_get_nothing() {
    let devices = [stored(0), Stored { kind: Kind::Voip, ..stored(1) }];
    let (message, audience) = (hello(), everybody());
    let (shards, progress) = plan_all(&now(&message, &audience), &devices);
    assert_eq!((shards.len(), progress.planned, progress.left_out), (1, 1, 1));
}

#[test]
fn recipients_are_split_by_when_it_is_that_time_where_they_are() {
    let zone = |name| Some(TimeZoneName::parse(name).unwrap());
    let devices = [
        Stored { zone: zone("Asia/Tokyo"), ..stored(0) },
        Stored { zone: zone("Europe/Zurich"), ..stored(1) },
        Stored { zone: zone("Europe/Paris"), ..stored(2) },
        stored(3),
        Stored { zone: zone("Pacific/Auckland"), ..stored(4) },
    ];
    let schedule = Schedule::LocalTime {
        at: LocalTime::parse("2023-11-15T09:00").unwrap(),
        fallback: TimeZoneName::parse("UTC").unwrap(),
        if_passed: IfPassed::Skip,
    };
    let (message, audience) = (hello(), everybody());
    let plan = Plan { schedule: &schedule, ..now(&message, &audience) };
    let (shards, progress) = plan_all(&plan, &devices);
    // 2023-11-15T00:00:00Z is 1700006400; in Auckland it was nine before the notification was handed in.
    let found: Vec<_> = shards
        .iter()
        .map(|it| {
            (
                it.not_before.as_secs() - 1_700_006_400,
                it.recipients,
                it.deadline.expiration.unwrap().as_secs(),
            )
        })
        .collect();
    let expires = |hours: u64| 1_700_006_400 + hours * 3600 + 60;
    assert_eq!(found, [(0, 1, expires(0)), (8 * 3600, 2, expires(8)), (9 * 3600, 1, expires(9))]);
    assert_eq!(progress.left_out, 1);
}

#[test]
fn tokens_that_nobody_registered_are_taken_at_their_word() {
    let token = |at: u8| DeviceToken::from_bytes(&[at; 32]).unwrap();
    let known = Stored { token: [1; 32], ..stored(0) };
    let audience =
        Audience { who: Who::Tokens(vec![token(1), token(2)]), environment: Some(Environment::Sandbox) };
    let sandbox = Stored { environment: Environment::Sandbox, ..known };
    let message = hello();
    let (shards, progress) = plan_all(&now(&message, &audience), &[sandbox]);
    assert_eq!((shards.len(), progress.planned), (1, 2));
    let shard = Shard::read(shards[0].bytes.clone().into()).unwrap();
    let rows: Vec<_> = shard.recipients().map(|recipient| recipient.device).collect();
    assert_eq!(rows, [Some(DeviceId::new(1)), None]);
}

#[test]
fn named_users_are_read_some_at_a_time() {
    let devices: Vec<Stored> = (0..1200).map(stored).collect();
    let users = (0..1200).map(|at| UserId::parse(&at.to_string()).unwrap()).collect();
    let audience = Audience { who: Who::Users(users), environment: None };
    let message = hello();
    let plan = now(&message, &audience);
    let Want::OfUsers(first) = plan.want(&plan.begin()) else { panic!() };
    assert_eq!(first.len(), STEP_USERS);
    let (shards, progress) = plan_all(&plan, &devices);
    assert_eq!((shards.len(), progress.planned), (3, 1200));
}

#[test]
fn a_slow_campaign_has_small_shards() {
    let devices: Vec<Stored> = (0..120).map(stored).collect();
    let (message, audience) = (hello(), everybody());
    let plan = Plan { pace: Some(Pace::new(10).unwrap()), ..now(&message, &audience) };
    let (shards, _) = plan_all(&plan, &devices);
    assert_eq!(shards.iter().map(|shard| shard.recipients).collect::<Vec<_>>(), [50, 50, 20]);
}

#[test]
fn nobody_is_an_audience_too() {
    let message = hello();
    let audience = Audience { who: Who::Tags(TagExpression::default()), environment: None };
    let (shards, progress) = plan_all(&now(&message, &audience), &[]);
    assert_eq!((shards.len(), progress.planned), (0, 0));
    let plan = now(&message, &audience);
    let mut done = progress;
    assert_eq!(plan.step(&mut done, &[]), [], "another step does nothing");
    assert_eq!(done, progress);
}

#[test]
fn a_planner_that_died_goes_on_where_it_was() {
    let devices: Vec<Stored> = (0..STEP_DEVICES + 5).map(stored).collect();
    let (message, audience) = (hello(), everybody());
    let plan = now(&message, &audience);
    let candidates: Vec<_> = devices.iter().enumerate().map(|(at, it)| candidate(at, it)).collect();
    let mut progress = plan.begin();
    let first = plan.step(&mut progress, &candidates[..STEP_DEVICES]);
    let kept = serde_json::to_string(&progress).unwrap();
    let mut lost = progress;
    plan.step(&mut lost, &candidates[STEP_DEVICES..]); // dies before it is stored
    let mut progress: Progress = serde_json::from_str(&kept).unwrap();
    let again = plan.step(&mut progress, &candidates[STEP_DEVICES..]);
    assert_eq!((first.len(), again[0].number, again[0].recipients), (10, 10, 5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_device_that_fits_is_planned_once_and_no_other(
        kinds in collection::vec((any::<bool>(), any::<bool>(), 0..4_usize), 0..2500), wants: Option<bool>,
    ) {
        let environment = |is_sandbox| if is_sandbox { Environment::Sandbox } else { Environment::Production };
        let zones = [None, Some("Asia/Tokyo"), Some("Europe/Zurich"), Some("America/New_York")]
            .map(|name| name.map(|name| TimeZoneName::parse(name).unwrap()));
        let devices: Vec<Stored> = kinds.iter().enumerate().map(|(at, (is_voip, is_sandbox, zone))| Stored {
            kind: if *is_voip { Kind::Voip } else { Kind::Alert },
            environment: environment(*is_sandbox),
            zone: zones[*zone].clone(),
            ..stored(at)
        }).collect();
        let schedule = Schedule::LocalTime {
            at: LocalTime::parse("2023-11-16T09:00").unwrap(),
            fallback: TimeZoneName::parse("UTC").unwrap(),
            if_passed: IfPassed::Send,
        };
        let audience = Audience { who: Who::All, environment: wants.map(environment) };
        let message = hello();
        let plan = Plan { schedule: &schedule, ..now(&message, &audience) };
        let (shards, progress) = plan_all(&plan, &devices);
        let fits = |device: &&Stored| {
            device.kind == Kind::Alert && audience.environment.is_none_or(|it| it == device.environment)
        };
        let mut expected: Vec<Vec<u8>> = devices.iter().filter(fits).map(|it| it.token.to_vec()).collect();
        let mut found = planned(&shards);
        expected.sort();
        found.sort();
        prop_assert_eq!(progress.planned + progress.left_out, devices.len() as u64);
        prop_assert_eq!(found, expected);
    }
}
