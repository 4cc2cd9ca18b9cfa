//! Whatever happens, in whatever order: each recipient ends once.

use proptest::{collection, prelude::*};

use super::{
    world::{World, any_outcome, app},
    *,
};
use crate::{message::Deadline, notification::Delivery};

/// What happens next; the numbers choose which of those there are.
#[derive(Clone, Copy, Debug)]
enum Step {
    Answer(u16),
    End(u16, u8),
    EndMany(u8),
    Pass(u16),
    PassLong(u8),
    Store(bool),
    Add(u8, u8),
    Cancel(u16),
    Pause(u16),
    PauseApp(u8),
    Mended(u8),
    Kill(u8),
    Start,
    Drain(u8),
    SetDate(i8),
    Wake(u8),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => any::<u16>().prop_map(Step::Answer),
        12 => any::<(u16, u8)>().prop_map(|(at, outcome)| Step::End(at, outcome)),
        4 => any::<u8>().prop_map(Step::EndMany),
        6 => (0..3000_u16).prop_map(Step::Pass),
        1 => any::<u8>().prop_map(Step::PassLong),
        1 => any::<bool>().prop_map(Step::Store),
        3 => any::<(u8, u8)>().prop_map(|(kind, count)| Step::Add(kind, count)),
        1 => any::<u16>().prop_map(Step::Cancel),
        1 => any::<u16>().prop_map(Step::Pause),
        1 => any::<u8>().prop_map(Step::PauseApp),
        1 => any::<u8>().prop_map(Step::Mended),
        1 => any::<u8>().prop_map(Step::Kill),
        1 => Just(Step::Start),
        1 => any::<u8>().prop_map(Step::Drain),
        1 => any::<i8>().prop_map(Step::SetDate),
        2 => any::<u8>().prop_map(Step::Wake),
    ]
}

fn config() -> WorkerConfig {
    WorkerConfig {
        in_engine_max: 40,
        claimed_max: 1000,
        unsaved_max: 60,
        batch_max: 7,
        shards_max: 30,
        ..WorkerConfig::default()
    }
}

fn pick(number: impl Into<usize>, count: usize) -> Option<usize> {
    number.into().checked_rem(count)
}

fn take(world: &mut World, step: Step) {
    let alive = world.alive();
    match step {
        Step::Answer(number) => {
            let Some(life) = pick(number, alive.len()).map(|at| alive[at]) else { return };
            let Some(at) = pick(number / 7, world.workers[life].asked.len()) else { return };
            world.answer(life, at);
        }
        Step::End(at, outcome) => {
            let Some(at) = pick(at, world.in_engine.len()) else { return };
            let sent = world.in_engine[at].clone();
            world.end(&sent, any_outcome(outcome));
        }
        Step::EndMany(outcome) => {
            world.end_all(|sent| any_outcome(outcome.wrapping_add(sent.position.to_le_bytes()[0])));
        }
        Step::Pass(millis) => world.pass(Duration::from_millis(millis.into())),
        Step::PassLong(secs) => world.pass(Duration::from_secs(secs.into())),
        Step::Store(works) => world.store_works = works,
        Step::Add(kind, count) => add(world, kind, count),
        Step::Cancel(at) => {
            if let Some(at) = pick(at, world.shards.len()) {
                world.cancel(at);
            }
        }
        Step::Pause(at) => {
            let Some(at) = pick(at, world.shards.len()) else { return };
            world.shards[at].is_paused = true;
            let notification = world.shards[at].key.notification;
            world.tell_all(|| Input::Stop(Stop::PauseCampaign(notification)));
        }
        Step::PauseApp(number) => {
            let source = app(i64::from(number % 3));
            world.tell_all(|| Input::Stop(Stop::PauseApp(source.app)));
        }
        Step::Mended(number) => world.tell_all(|| Input::Mended(app(i64::from(number % 3)))),
        Step::Kill(number) => {
            if let Some(life) = pick(number, alive.len()) {
                world.kill(alive[life]);
            }
        }
        Step::Start if alive.len() < 3 => {
            world.start_worker();
        }
        Step::Start => {}
        Step::Drain(number) => {
            let Some(life) = pick(number, alive.len()) else { return };
            let by = world.elapsed + Duration::from_secs(number.into());
            world.tell(alive[life], Input::Drain { by });
        }
        Step::SetDate(minutes) => world.date_is_off_ms = i64::from(minutes) * 60_000,
        Step::Wake(number) => world.wake(Lane::ALL[usize::from(number % 3)]),
    }
}

fn add(world: &mut World, kind: u8, count: u8) {
    if world.shards.len() >= 60 {
        return;
    }
    let lane = Lane::ALL[usize::from(kind % 3)];
    let at = world.add(app(i64::from(kind / 3 % 3)), lane, u16::from(count % 60) + 1);
    let row = &mut world.shards[at];
    if kind.is_multiple_of(5) {
        row.delivery = Delivery::AtMostOnce;
    }
    if kind.is_multiple_of(7) {
        let worthless_at = UnixTime::from_secs(world::BEGIN.as_secs() + u64::from(count) * 4);
        row.deadline = Deadline { expiration: None, worthless_at: Some(worthless_at) };
    }
}

fn run(steps: &[Step]) -> World {
    let mut world = World::new(config());
    world.engine_keeps_time = true;
    for step in steps {
        take(&mut world, *step);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The world looks, at every push, that it is not in the engine already, that its outcome was not known to whoever sends it, and
    /// that what is to be sent once at most was not sent before; and at every turn, that what a worker keeps is bounded.
    #[test]
    fn each_recipient_ends_once_whatever_happens(steps in collection::vec(any_step(), 0..400)) {
        let mut world = run(&steps);
        world.heal();
        for row in &world.shards {
            prop_assert_eq!(row.finals.len(), usize::from(row.recipients.len()));
            prop_assert!(row.waiting.is_empty() && row.marked.is_empty());
        }
        for life in world.alive() {
            let status = world.workers[life].worker.status(world.now());
            prop_assert_eq!((status.shards, status.to_send, status.in_engine), (0, [0; 3], [0; 3]));
        }
    }

    #[test]
    fn the_same_story_twice_is_the_same(steps in collection::vec(any_step(), 0..200)) {
        let told = |world: &World| {
            let sent: Vec<_> = world.sent.iter().map(|sent| (sent.life, sent.apns_id)).collect();
            let finals: Vec<_> = world.shards.iter().map(|row| row.finals.clone()).collect();
            (sent, finals, world.elapsed)
        };
        prop_assert_eq!(told(&run(&steps)), told(&run(&steps)));
    }
}
