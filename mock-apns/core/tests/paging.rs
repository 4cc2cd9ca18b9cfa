//! Whoever reads a journal page by page, or waits for something in it, sees each push once and misses none, however
//! little the journal keeps: compared with what a journal that keeps everything has, gone through in the plainest way.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::{Bench, PHONE, TEAM, bundle_id, certificate, device};
use mock_apns_core::{DeviceState, Environment, Event, Filter, Pushes, Record, Settings, Team, TeamId};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Push {
        fields: &'static [(&'static str, &'static str)],
    },
    State(DeviceState),
    Permission(bool),
    Advance(Duration),
    /// One of the readers asks for the next page, of so many pushes.
    Read {
        reader: usize,
        limit: usize,
    },
    /// The journals keep so many entries from now on.
    Room(u32),
}

/// What each reader asks for.
const FILTERS: &[&str] = &[
    "",
    "type:alert",
    "status:200",
    "status:\"Delivered to Device\",\"Delivered to Device (From Storage)\"",
    "status:\"Stored - Device Offline\",\"Delivered to Device (From Storage)\"",
    "-status:200 event:notification",
    "event:refused",
    "-reason:none -event:device,clock",
    "event:device",
];

fn op() -> impl Strategy<Value = Op> {
    let background = [("apns-push-type", "background"), ("apns-priority", "5")].as_slice();
    let fields: Vec<&'static [(&'static str, &'static str)]> = vec![
        &[],
        &[],
        background,
        &[("apns-expiration", "0")],
        &[("apns-collapse-id", "score")],
        &[("apns-priority", "7")],
        &[("apns-topic", "com.unknown")],
    ];
    let states = vec![DeviceState::Online, DeviceState::Offline, DeviceState::PowerSaving];
    prop_oneof![
        8 => prop::sample::select(fields).prop_map(|fields| Op::Push { fields }),
        4 => prop::sample::select(states).prop_map(Op::State),
        1 => any::<bool>().prop_map(Op::Permission),
        1 => (1..50u64).prop_map(|hours| Op::Advance(Duration::from_hours(hours))),
        8 => (0..FILTERS.len(), prop_oneof![0..4usize, Just(usize::MAX)])
            .prop_map(|(reader, limit)| Op::Read { reader, limit }),
        1 => (10..40u32).prop_map(Op::Room),
    ]
}

/// The same happens in both but for what is kept.
struct Pair {
    small: Bench,
    whole: Bench,
}

impl Pair {
    fn new(room: u32) -> Self {
        let bench = |room: u32| {
            let mut settings = Settings::default();
            settings.set("journal-entries", &room.to_string()).unwrap();
            let mut bench = Bench::with_settings(settings);
            bench.connect_with(&CERTIFICATE.with(Clone::clone));
            bench
        };
        Self { small: bench(room), whole: bench(100_000) }
    }

    fn carry_out(&mut self, op: &Op) {
        for bench in [&mut self.small, &mut self.whole] {
            match op {
                Op::Push { fields } => {
                    let push = bench.push().without("authorization");
                    let push = fields.iter().fold(push, |push, (name, value)| push.with(name, value));
                    bench.answer(&push);
                }
                Op::State(state) => bench.team_at().set_device_state(&device(PHONE), *state).unwrap(),
                Op::Permission(allowed) => {
                    let app = bundle_id("com.example.app");
                    bench
                        .team_at()
                        .set_permission(&device(PHONE), &app, Environment::Sandbox, *allowed)
                        .unwrap();
                }
                Op::Advance(by) => drop(bench.team_at().advance_clock(*by)),
                Op::Read { .. } | Op::Room(_) => {}
            }
        }
        if let Op::Room(room) = op {
            self.small.set(TEAM, "journal-entries", &room.to_string());
        }
    }
}

fn team(bench: &Bench) -> &Team {
    bench.service.team(TeamId::parse(TEAM).unwrap()).unwrap()
}

/// The cursor of the first entry about each push that the filter finds, and everything that is known of the push.
fn plainly(whole: &Team, filter: &Filter) -> BTreeMap<u64, Vec<u64>> {
    let mut pushes: BTreeMap<u64, Vec<Record<'_>>> = BTreeMap::new();
    let mut numbers: BTreeMap<u64, u64> = BTreeMap::new();
    for record in whole.journal(0) {
        let push = match record.event {
            Event::Refused(_) => record.cursor,
            Event::Notification { notification, .. } => {
                *numbers.entry(notification.number).or_insert(record.cursor)
            }
            _ => continue,
        };
        pushes.entry(push).or_default().push(record);
    }
    let found = pushes.into_values().filter_map(|records| {
        let first = records.iter().find(|record| filter.matches(record))?.cursor;
        Some((first, records.iter().map(|record| record.cursor).collect()))
    });
    found.collect()
}

#[derive(Clone, Default)]
struct Reader {
    after: Option<u64>,
    seen: Vec<u64>,
    lost: u64,
}

impl Reader {
    fn read(&mut self, page: &Pushes<'_>) {
        self.lost += page.evicted;
        self.seen.extend(page.pushes.iter().map(|push| push.arrival.cursor));
        self.after = page.next;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn each_push_is_read_once(ops in prop::collection::vec(op(), 1..120), room in 10..60u32) {
        let mut pair = Pair::new(room);
        let mut readers = vec![Reader::default(); FILTERS.len()];
        for op in &ops {
            pair.carry_out(op);
            let Op::Read { reader, limit } = op else { continue };
            let (small, whole) = (team(&pair.small), team(&pair.whole));
            prop_assert_eq!(small.next_cursor(), whole.next_cursor());
            let filter = Filter::parse(FILTERS[*reader]).unwrap();
            let reader = &mut readers[*reader];
            let page = small.pushes(&filter, reader.after, *limit);

            let begin = reader.after.map_or(0, |after| after + 1);
            prop_assert_eq!(page.evicted, small.oldest_cursor().saturating_sub(begin));
            let expected = plainly(whole, &filter);
            let behind = expected.range(begin.max(small.oldest_cursor())..);
            let (listed, more): (Vec<_>, bool) =
                (behind.clone().take(*limit).collect(), behind.count() > *limit);
            prop_assert!(page.pushes.iter().map(|push| &push.cursor).eq(listed.iter().map(|it| it.0)));
            for (push, (_, cursors)) in page.pushes.iter().zip(&listed) {
                prop_assert!(push.history().map(|record| &record.cursor).eq(cursors.iter()));
            }
            let newest = small.next_cursor().checked_sub(1);
            let last = page.pushes.last().map(|push| push.cursor).or(reader.after);
            prop_assert_eq!(page.next, if more { last } else { newest });
            reader.read(&page);
        }
        for (reader, filter) in readers.iter_mut().zip(FILTERS) {
            let filter = Filter::parse(filter).unwrap();
            reader.read(&team(&pair.small).pushes(&filter, reader.after, usize::MAX));
            let mut once = reader.seen.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), reader.seen.len(), "{} shows a push twice: {:?}", filter, reader.seen);
            let all = plainly(team(&pair.whole), &filter).len();
            prop_assert!(once.len() == all || reader.lost > 0, "{} has lost one", filter);
        }
    }

    #[test]
    fn behind_any_cursor_is_what_is_behind_it_in_the_whole_list(ops in prop::collection::vec(op(), 1..60), room in 10..60u32) {
        let mut pair = Pair::new(room);
        for op in &ops {
            pair.carry_out(op);
        }
        let small = team(&pair.small);
        for filter in FILTERS {
            let filter = Filter::parse(filter).unwrap();
            let cursors = |after| {
                let page = small.pushes(&filter, after, usize::MAX);
                page.pushes.iter().map(|push| push.cursor).collect::<Vec<u64>>()
            };
            let all = cursors(None);
            for after in 0..=small.next_cursor() {
                let behind: Vec<u64> = all.iter().copied().filter(|cursor| *cursor > after).collect();
                prop_assert_eq!(cursors(Some(after)), behind, "{} after {}", &filter, after);
            }
        }
    }
}

// Certificates are dear, and always the same.
thread_local! {
    static CERTIFICATE: Vec<u8> = certificate("universal");
}
