//! One push, accepted or refused: what came, what was answered, what became of it.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Event, ReceivedRequest, Record, RefusedPush, Status};
use crate::{
    FieldName, MessageId, Notification, RawJson, Reason, Rule, UniqueId, answer::STATUS_OK,
    rendering::Rendering,
};

/// One push with all that is known of it. It serialises to a JSON object with keys in kebab case.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Push<'a> {
    /// The cursor of the entry for which it was found: where a list of pushes goes on.
    pub cursor: u64,
    /// Its arrival: that it was accepted, or that it was refused.
    pub arrival: Record<'a>,
    subject: Subject<'a>,
    /// What became of it afterwards, in order.
    later: Vec<Record<'a>>,
}

/// What the service made of a push.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// It was answered 200.
    Accepted,
    /// It was answered otherwise.
    Refused {
        /// The answer's reason.
        reason: Reason,
        /// The rule that did not hold.
        rule: &'static Rule,
    },
}

#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    Accepted(&'a Arc<Notification>),
    Refused(&'a RefusedPush),
}

impl<'a> Push<'a> {
    /// The push that an entry is about, as if it had been found for it. Its end is told with [`end`](Self::end), unless
    /// this is it.
    pub(super) fn of(found: Record<'a>) -> Option<Self> {
        let mut life = found.life();
        let (subject, arrival) = match found.event {
            Event::Refused(refused) => (Subject::Refused(refused), found),
            Event::Notification { notification, .. } => (Subject::Accepted(notification), life.next()?),
            Event::GoAway { .. } | Event::Device { .. } | Event::Clock(_) | Event::Reset => return None,
        };
        let mut push = Self { cursor: found.cursor, arrival, subject, later: life.collect() };
        push.end(found);
        Some(push)
    }

    /// Takes down the end of it, if this entry is that.
    pub(super) fn end(&mut self, record: Record<'a>) {
        let is_known = self.later.last().is_some_and(|last| last.cursor >= record.cursor);
        if record.status().is_some_and(Status::is_final) && !is_known {
            self.later.push(record);
        }
    }

    /// The newest push of this `apns-id` or `apns-unique-id` among these entries; its cursor is that of its arrival.
    pub(crate) fn newest(records: impl Iterator<Item = Record<'a>>, id: &str) -> Option<Self> {
        // Of the entries about one push the last counts: that is its end, if it has one.
        let newest = records.filter(|record| record.has_id(id)).max_by_key(Record::arrival_cursor)?;
        Self::of(newest).map(|push| Self { cursor: push.arrival.cursor, ..push })
    }

    /// What the service made of it.
    pub fn verdict(&self) -> Verdict {
        match self.subject {
            Subject::Accepted(_) => Verdict::Accepted,
            Subject::Refused(refused) => Verdict::Refused { reason: refused.reason, rule: refused.rule },
        }
    }

    /// Why it was refused, if it was.
    pub fn reason(&self) -> Option<Reason> {
        match self.verdict() {
            Verdict::Accepted => None,
            Verdict::Refused { reason, .. } => Some(reason),
        }
    }

    /// What came over the wire.
    pub fn request(&self) -> &'a ReceivedRequest {
        match self.subject {
            Subject::Accepted(notification) => &notification.request,
            Subject::Refused(refused) => &refused.request,
        }
    }

    /// The `apns-id` of the answer.
    pub fn apns_id(&self) -> &'a MessageId {
        match self.subject {
            Subject::Accepted(notification) => &notification.apns_id,
            Subject::Refused(refused) => &refused.apns_id,
        }
    }

    /// The `apns-unique-id` of the answer, where there is one.
    pub fn apns_unique_id(&self) -> Option<&'a UniqueId> {
        match self.subject {
            Subject::Accepted(notification) => notification.apns_unique_id.as_ref(),
            Subject::Refused(refused) => refused.apns_unique_id.as_ref(),
        }
    }

    /// What has become of it, in order, from its arrival on: also what the journal has dropped since.
    ///
    /// Of a push that was made to wait again and again the first 64 times are told.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Record<'a>> {
        std::iter::once(&self.arrival).chain(&self.later)
    }

    /// What has become of it last; `None`: it was refused.
    pub fn status(&self) -> Option<Status> {
        self.last().status()
    }

    fn last(&self) -> &Record<'a> {
        self.later.last().unwrap_or(&self.arrival)
    }
}

impl Serialize for Push<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cursor", &self.cursor)?;
        map.serialize_entry("at", &self.arrival.at)?;
        map.serialize_entry("apns-id", self.apns_id().as_str())?;
        if let Some(unique_id) = self.apns_unique_id() {
            map.serialize_entry("apns-unique-id", unique_id.as_str())?;
        }
        let verdict = self.verdict();
        map.serialize_entry("verdict", verdict.name())?;
        map.serialize_entry("answer", &Answered(verdict))?;
        self.serialize_request(&mut map)?;
        self.serialize_destination(&mut map)?;
        map.serialize_entry("history", &self.history().map(Step).collect::<Vec<_>>())?;
        serialize_status(&mut map, self.last())?;
        if let Some(Rendering { shown, warnings }) = self.last().rendering() {
            map.serialize_entry("shown", &shown)?;
            map.serialize_entry("warnings", &warnings)?;
        }
        map.end()
    }
}

impl Push<'_> {
    fn serialize_request<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let request = self.request();
        map.serialize_entry("connection", &request.connection())?;
        map.serialize_entry("stream", &request.stream())?;
        map.serialize_entry("headers", &Headers(request))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let raw = request.fields().map(|(name, value)| [text(name), text(&value)]);
        map.serialize_entry("raw-headers", &raw.collect::<Vec<_>>())?;
        map.serialize_entry("payload", &String::from_utf8_lossy(request.payload()))?;
        if let Some(json) = RawJson::parse(request.payload()) {
            map.serialize_entry("json", &json)?;
        }
        Ok(())
    }

    /// Where it went to; of a refused one what it said of that.
    fn serialize_destination<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let topic = match self.subject {
            Subject::Accepted(notification) => {
                map.serialize_entry("number", &notification.number)?;
                self.arrival.serialize_destination(map)?;
                self.arrival.destination().map(|to| to.kind.topic(to.bundle_id).into())
            }
            Subject::Refused(refused) => {
                if let Some(token) = refused.device_token() {
                    map.serialize_entry("token", &token)?;
                }
                refused.request.text(FieldName::ApnsTopic)
            }
        };
        topic.map_or(Ok(()), |topic| map.serialize_entry("topic", &topic))
    }
}

impl Verdict {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused { .. } => "refused",
        }
    }
}

/// The answer, with the rule behind it.
struct Answered(Verdict);

impl Serialize for Answered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            Verdict::Accepted => map.serialize_entry("status", &STATUS_OK)?,
            Verdict::Refused { reason, rule } => {
                map.serialize_entry("status", &reason.status())?;
                map.serialize_entry("reason", reason.as_str())?;
                map.serialize_entry("rule", rule.id)?;
                map.serialize_entry("usual-mistake", rule.usual_mistake)?;
            }
        }
        map.end()
    }
}

/// The fields that APNs reads, each as it came first.
struct Headers<'a>(&'a ReceivedRequest);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let present = |name: &FieldName| Some((name.as_str(), self.0.text(*name)?));
        serializer.collect_map(FieldName::ALL.iter().filter_map(present))
    }
}

/// One step of a history.
struct Step<'a, 'r>(&'r Record<'a>);

impl Serialize for Step<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cursor", &self.0.cursor)?;
        map.serialize_entry("at", &self.0.at)?;
        serialize_status(&mut map, self.0)?;
        if let Event::Notification { cause: Some(cause), .. } = self.0.event {
            map.serialize_entry("because", &cause)?;
        }
        map.end()
    }
}

/// As in the journal: a delivery status by its name, the refusal by the status of its answer.
fn serialize_status<M: SerializeMap>(map: &mut M, record: &Record<'_>) -> Result<(), M::Error> {
    match record.event {
        Event::Notification { status, .. } => map.serialize_entry("status", &status),
        Event::Refused(refused) => map.serialize_entry("status", &refused.reason.status()),
        Event::GoAway { .. } | Event::Device { .. } | Event::Clock(_) | Event::Reset => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        DeviceState, Filter, Pushes, Settings,
        bench::{Bench, NOW, PHONE, TOKEN, certificate, device},
        journal::team_journal::WAITS_MAX,
    };

    const ID: &str = "123e4567-e89b-12d3-a456-42665544000f";

    fn json_of(bench: &mut Bench, id: &str) -> Value {
        serde_json::to_value(bench.team_at().team().push(id).unwrap()).unwrap()
    }

    #[test]
    fn an_accepted_push_tells_all_of_itself() {
        let mut bench = Bench::new();
        bench.answer(&bench.push());
        let push = bench.push().with("apns-id", ID).and("x-trace", "é").and("x-trace", "2");
        let answer = bench.answer(&push.with_body("{\"aps\":\n{\"alert\":\"Hello\"}}"));
        let path = format!("/3/device/{TOKEN}");
        let told = json_of(&mut bench, ID);
        let authorization = told["headers"]["authorization"].clone();
        let (kept, secret) = authorization.as_str().unwrap().rsplit_once('.').unwrap();
        assert!(secret == "…" && bench.push().value("authorization").starts_with(kept));
        let expected = json!({
            "cursor": 6,
            "at": NOW,
            "apns-id": ID,
            "apns-unique-id": answer.apns_unique_id.unwrap().as_str(),
            "verdict": "accepted",
            "answer": { "status": 200 },
            "connection": 0,
            "stream": 3,
            "headers": {
                ":method": "POST", ":path": path, ":scheme": "https", ":authority": "localhost:2197",
                "authorization": authorization, "apns-topic": "com.example.app", "apns-push-type": "alert",
                "apns-id": ID,
            },
            "raw-headers": [
                [":method", "POST"], [":scheme", "https"], [":path", path], [":authority", "localhost:2197"],
                ["authorization", authorization], ["apns-topic", "com.example.app"], ["apns-push-type", "alert"],
                ["apns-id", ID], ["x-trace", "é"], ["x-trace", "2"],
            ],
            "payload": "{\"aps\":\n{\"alert\":\"Hello\"}}",
            "json": { "aps": { "alert": "Hello" } },
            "number": 2,
            "device": "phone",
            "app": "com.example.app",
            "environment": "sandbox",
            "kind": "app",
            "token": TOKEN,
            "topic": "com.example.app",
            "history": [
                { "cursor": 6, "at": NOW, "status": "Received by APNs" },
                { "cursor": 7, "at": NOW, "status": "Delivered to Device" },
            ],
            "status": "Delivered to Device",
            "shown": told["shown"],
            "warnings": [],
        });
        assert_eq!(told, expected);
        assert_eq!(told["shown"]["body"], "Hello");
        let text = serde_json::to_string(&bench.team_at().team().push(ID).unwrap()).unwrap();
        assert!(!text.contains('\n'), "{text}");
    }

    #[test]
    fn a_refused_push_tells_the_rule_and_what_it_said() {
        let mut bench = Bench::new();
        let push = bench.push().with("apns-id", ID).with(":path", "/3/device/ABCD").without("apns-topic");
        bench.answer(&push.without("authorization").with_body(b"{\xff".to_vec()));
        let (team, found) = bench.service.push(ID).unwrap();
        assert_eq!((team, found.status()), (None, None));
        let Verdict::Refused { rule, .. } = found.verdict() else { panic!("{found:?}") };
        let told = serde_json::to_value(&found).unwrap();
        let expected = json!({
            "cursor": 0,
            "at": NOW,
            "apns-id": ID,
            "verdict": "refused",
            "answer": {
                "status": 403, "reason": "MissingProviderToken", "rule": "provider-token-is-present",
                "usual-mistake": rule.usual_mistake,
            },
            "connection": 0,
            "stream": 1,
            "headers": {
                ":method": "POST", ":path": "/3/device/ABCD", ":scheme": "https", ":authority": "localhost:2197",
                "apns-push-type": "alert", "apns-id": ID,
            },
            "raw-headers": told["raw-headers"],
            "payload": "{\u{fffd}",
            "token": "ABCD",
            "history": [{ "cursor": 0, "at": NOW, "status": 403 }],
            "status": 403,
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn every_answers_unique_id_finds_its_push() {
        let mut bench = Bench::with_setting("apns-unique-id", "always");
        for push in [bench.push(), bench.push().with("apns-priority", "7")] {
            let unique_id = bench.answer(&push).apns_unique_id.unwrap();
            let told = json_of(&mut bench, &unique_id.as_str().to_uppercase());
            assert_eq!(told["apns-unique-id"], unique_id.as_str());
        }
    }

    #[test]
    fn of_pushes_with_one_id_the_newest_is_found_even_if_more_has_become_of_an_older_one_since() {
        let mut bench = Bench::new();
        bench.team_at().set_device_state(&device(PHONE), DeviceState::Offline).unwrap();
        bench.answer(&bench.push().with("apns-id", ID));
        bench.answer(&bench.push().with("apns-id", ID).with("apns-priority", "7"));
        bench.team_at().set_device_state(&device(PHONE), DeviceState::Online).unwrap();
        let told = json_of(&mut bench, ID);
        assert_eq!((&told["verdict"], &told["cursor"]), (&json!("refused"), &told["history"][0]["cursor"]));
    }

    /// A journal of ten entries, and a push that was stored, of which eleven devices' changes have left its end alone.
    fn long_stored() -> Bench {
        let mut settings = Settings::default();
        settings.set("journal-entries", "10").unwrap();
        let mut bench = Bench::with_settings(settings);
        bench.connect_with(&certificate("universal"));
        bench.team_at().set_device_state(&device(PHONE), DeviceState::Offline).unwrap();
        bench.answer(&bench.push().with("apns-id", ID));
        for _ in 0..11 {
            bench.team_at().advance_clock(Duration::from_secs(1));
        }
        assert!(bench.team_at().team().push(ID).is_none());
        bench.team_at().set_device_state(&device(PHONE), DeviceState::Online).unwrap();
        bench
    }

    #[test]
    fn a_history_is_whole_when_the_journal_has_dropped_its_beginning() {
        let mut bench = long_stored();
        let told = json_of(&mut bench, ID);
        let statuses: Vec<&str> =
            told["history"].as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect();
        let whole = ["Received by APNs", "Stored - Device Offline", "Delivered to Device (From Storage)"];
        assert_eq!(statuses, whole);
        assert_eq!((&told["at"], &told["cursor"]), (&json!(NOW), &told["history"][0]["cursor"]));
    }

    #[test]
    fn a_wait_finds_a_push_that_came_long_before_and_a_list_does_not_show_it_again() {
        let mut bench = long_stored();
        let team = bench.team_at();
        let team = team.team();
        let find = |filter: &str| -> Pushes<'_> {
            team.pushes(&Filter::parse(filter).unwrap(), Some(team.oldest_cursor()), 9)
        };
        let [delivered, everything] =
            [find("status:\"Delivered to Device (From Storage)\""), find("")].map(|page| page.pushes.len());
        assert_eq!((delivered, everything), (1, 0));
        assert_eq!(team.evicted(), team.oldest_cursor());
    }

    #[test]
    fn what_a_push_was_waiting_for_is_forgotten_with_its_end() {
        let mut bench = long_stored();
        let number = bench.team_at().team().push(ID).unwrap().arrival.notification().unwrap().number;
        for expected in [1, 0] {
            assert_eq!(bench.team_at().team().journal.waits(number).len(), expected);
            for _ in 0..11 {
                bench.team_at().advance_clock(Duration::from_secs(1));
            }
        }
    }

    /// A device connects, is sent the push and is gone without a word, a hundred times.
    #[test]
    fn a_push_that_waits_again_and_again_takes_bounded_memory() {
        let mut bench = Bench::new();
        bench.team_at().set_device_state(&device(PHONE), DeviceState::Offline).unwrap();
        bench.answer(&bench.push().with("apns-id", ID));
        for _ in 0..100 {
            let connection = bench.service.device_connected(NOW, device(PHONE));
            bench.service.device_line(NOW, connection, br#"{"type":"connect"}"#);
            bench.service.device_disconnected(NOW, connection);
        }
        let team = bench.team_at();
        let stored = team.team().delivery_log(ID).filter(|it| it.status().is_some_and(Status::is_wait));
        assert_eq!(stored.count(), 101);
        assert_eq!(team.team().push(ID).unwrap().history().count(), 1 + WAITS_MAX);
    }
}
