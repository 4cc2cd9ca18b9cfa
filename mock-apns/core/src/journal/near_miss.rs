//! What came and was not what a filter asks for: the answer to a wait that has found nothing.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::Record;
use crate::{Difference, Filter};

/// A push that a filter does not find, by the entry about it that comes nearest. It serialises to a JSON object with the
/// differences as text, and displays as a line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NearMiss<'a> {
    /// The entry.
    pub record: Record<'a>,
    /// What the filter asks for and the entry has not; at least one.
    pub differences: Vec<Difference>,
}

impl<'a> NearMiss<'a> {
    /// The pushes that come nearest among these entries, which are given newest first. The nearest comes first, of those
    /// that are equally near the newest.
    pub(crate) fn nearest(
        newest_first: impl Iterator<Item = Record<'a>>,
        filter: &Filter,
        count: usize,
    ) -> Vec<Self> {
        let mut nearest: BTreeMap<u64, Candidate<'a>> = BTreeMap::new();
        for record in newest_first.take(NEAR_MISS_ENTRIES_MAX) {
            let Some(push) = record.arrival_cursor() else { continue };
            let candidate = Candidate { misses: filter.misses(&record), record };
            match nearest.entry(push) {
                Entry::Vacant(vacant) => drop(vacant.insert(candidate)),
                Entry::Occupied(mut known) if candidate.misses < known.get().misses => {
                    known.insert(candidate);
                }
                Entry::Occupied(_) => {}
            }
        }
        let mut candidates: Vec<Candidate<'a>> = nearest.into_values().collect();
        candidates.sort_by_key(|candidate| (candidate.misses, Reverse(candidate.record.cursor)));
        let missed = candidates.into_iter().filter(|candidate| !candidate.is_found_by(filter));
        missed
            .take(count)
            .map(|Candidate { record, .. }| Self { record, differences: filter.differences(&record) })
            .collect()
    }
}

impl fmt::Display for NearMiss<'_> {
    /// One line: the `apns-id`, and what differed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.record.ids().map_or("", |(apns_id, _)| apns_id.as_str());
        let differences: Vec<String> = self.differences.iter().map(ToString::to_string).collect();
        write!(f, "{id} ({})", differences.join("; "))
    }
}

impl Serialize for NearMiss<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cursor", &self.record.cursor)?;
        if let Some((apns_id, _)) = self.record.ids() {
            map.serialize_entry("apns-id", apns_id.as_str())?;
        }
        let differences = self.differences.iter().map(ToString::to_string);
        map.serialize_entry("differences", &differences.collect::<Vec<_>>())?;
        map.end()
    }
}

/// The nearest entry about a push, as far as was looked.
struct Candidate<'a> {
    misses: usize,
    record: Record<'a>,
}

impl Candidate<'_> {
    /// Whether the filter finds the push, if only by an entry that was not looked at.
    fn is_found_by(&self, filter: &Filter) -> bool {
        self.misses == 0 || self.record.life().any(|record| filter.matches(&record))
    }
}

/// How many of a journal's newest entries are looked at for near misses. The service stands still meanwhile; and what
/// somebody waits for and misses came a moment ago.
pub const NEAR_MISS_ENTRIES_MAX: usize = 2_000;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        DeviceState, Timestamp,
        bench::{Bench, PHONE, device},
    };

    /// What is told of the pushes that a filter nearly finds: the beginning of the payload, then the differences.
    fn told(bench: &mut Bench, filter: &str, after: Option<u64>, count: usize) -> Vec<String> {
        let team = bench.team_at();
        let misses = team.team().near_misses(&Filter::parse(filter).unwrap(), after, count);
        let told = misses.iter().map(|miss| {
            let differences: Vec<String> = miss.differences.iter().map(ToString::to_string).collect();
            assert_eq!(differences.is_empty(), Filter::parse(filter).unwrap().matches(&miss.record));
            let push = team.team().push(miss.record.ids().unwrap().0.as_str()).unwrap();
            format!("{}: {}", String::from_utf8_lossy(push.request().payload()), differences.join("; "))
        });
        told.collect()
    }

    /// An alert is delivered, a background push is stored, another alert refused.
    fn bench() -> Bench {
        let mut bench = Bench::new();
        bench.answer(&bench.push().with_body(r#"{"a":1}"#));
        bench.team_at().set_device_state(&device(PHONE), DeviceState::Offline).unwrap();
        let background = bench.push().with("apns-push-type", "background").with("apns-priority", "5");
        bench.answer(&background.with_body(r#"{"b":2}"#));
        bench.answer(&bench.push().with("apns-topic", "com.unknown").with_body(r#"{"c":3}"#));
        bench
    }

    #[test]
    fn the_nearest_comes_first_and_of_equals_the_newest() {
        let stored = "status: asked \"Discarded - Expired\", has Stored - Device Offline";
        let delivered = "status: asked \"Discarded - Expired\", has Delivered to Device";
        let refused = "status: asked \"Discarded - Expired\", has 400";
        let all = [
            format!(r#"{{"a":1}}: {delivered}"#),
            format!(r#"{{"c":3}}: {refused}; topic: asked com.example.app, has com.unknown"#),
            format!(r#"{{"b":2}}: type: asked alert, has background; {stored}"#),
        ];
        let filter = "type:alert status:\"Discarded - Expired\" topic:com.example.app";
        assert_eq!(told(&mut bench(), filter, None, 9), all);
        assert_eq!(told(&mut bench(), filter, None, 2), all[..2]);
        assert!(told(&mut bench(), filter, None, 0).is_empty());
    }

    #[test]
    fn of_a_push_the_entry_is_told_that_comes_nearest_and_of_equals_the_last() {
        for (filter, expected) in [
            ("status:410 type:background", "status: asked 410, has Stored - Device Offline"),
            ("status:200 type:alert device:phone", "type: asked alert, has background"),
        ] {
            let told = told(&mut bench(), filter, Some(6), 1);
            assert_eq!(told, [format!(r#"{{"b":2}}: {expected}"#)], "{filter}");
        }
    }

    #[test]
    fn what_the_filter_finds_is_no_near_miss_even_if_the_found_entry_is_before_the_cursor() {
        let mut bench = bench();
        assert_eq!(told(&mut bench, "type:alert,background", None, 9), [""; 0]);
        let received = told(&mut bench, "status:200", None, 9);
        assert_eq!(received, [r#"{"c":3}: status: asked 200, has 400"#]);
        let cursor = bench.team_at().team().push_cursor("type:background status:200");
        assert_eq!(told(&mut bench, "status:200", Some(cursor), 9), received);
    }

    #[test]
    fn only_what_came_behind_the_cursor_is_told() {
        let mut bench = bench();
        let last = bench.team_at().team().next_cursor() - 1;
        assert_eq!(told(&mut bench, "type:mdm", Some(last - 1), 9).len(), 1);
        assert_eq!(told(&mut bench, "type:mdm", Some(last), 9).len(), 0);
        assert_eq!(told(&mut bench, "type:mdm", Some(u64::MAX), 9).len(), 0);
    }

    #[test]
    fn it_is_written_as_a_cursor_an_id_and_the_differences_as_text_and_told_in_a_line() {
        let mut bench = bench();
        let filter = Filter::parse("event:refused type:voip collapse:score").unwrap();
        let team = bench.team_at();
        let nearest = team.team().near_misses(&filter, None, 1);
        let (apns_id, _) = nearest[0].record.ids().unwrap();
        let expected = json!({
            "cursor": nearest[0].record.cursor,
            "apns-id": apns_id.as_str(),
            "differences": ["type: asked voip, has alert", "collapse: asked score, has nothing of the kind"],
        });
        assert_eq!(serde_json::to_value(&nearest).unwrap(), Value::Array(vec![expected]));
        let differences = "type: asked voip, has alert; collapse: asked score, has nothing of the kind";
        assert_eq!(nearest[0].to_string(), format!("{} ({differences})", apns_id.as_str()));
    }

    #[test]
    fn only_the_newest_entries_are_looked_at() {
        let mut bench = bench();
        for number in 0..NEAR_MISS_ENTRIES_MAX as u64 {
            assert_eq!(told(&mut bench, "type:mdm", None, 1).len(), 1, "{number}");
            let now = Timestamp::from_secs(2_000_000_000 + number);
            bench.team_at().set_clock(now).unwrap();
        }
        assert_eq!(told(&mut bench, "type:mdm", None, 1).len(), 0);
    }

    impl crate::Team {
        /// The cursor of the first entry that a filter finds.
        fn push_cursor(&self, filter: &str) -> u64 {
            self.pushes(&Filter::parse(filter).unwrap(), None, 1).pushes[0].cursor
        }
    }
}
