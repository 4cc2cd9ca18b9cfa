//! One push, accepted or refused: what came, what was answered, what became of it.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Event, ReceivedRequest, Record, RefusedPush, Status};
use crate::{
    FieldName, MessageId, Notification, RawJson, Reason, Rule, UniqueId,
    answer::STATUS_OK,
    bytes::lossy,
    fault::{FaultyPush, Firing},
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
pub enum Verdict<'a> {
    /// It was answered 200.
    Accepted,
    /// It was answered otherwise.
    Refused {
        /// The answer's reason.
        reason: Reason,
        /// The rule that did not hold.
        rule: &'static Rule,
    },
    /// A fault has fired at it, and the service did nothing with it.
    Faulted(&'a Firing),
}

#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    Accepted(&'a Arc<Notification>),
    Refused(&'a RefusedPush),
    Faulted(&'a Firing, &'a FaultyPush),
}

impl<'a> Push<'a> {
    /// The push that an entry is about, as if it had been found for it. Its end is told with [`end`](Self::end), unless
    /// this is it.
    pub(super) fn of(found: Record<'a>) -> Option<Self> {
        let mut life = found.life();
        let (subject, arrival) = match found.event {
            Event::Refused(refused) => (Subject::Refused(refused), found),
            Event::Notification { notification, .. } => (Subject::Accepted(notification), life.next()?),
            Event::Fault(firing) => (Subject::Faulted(firing, firing.swallowed()?), found),
            Event::GoAway { .. }
            | Event::Throttled { .. }
            | Event::Device { .. }
            | Event::Clock(_)
            | Event::Scenario(_)
            | Event::Reset => return None,
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
    pub fn verdict(&self) -> Verdict<'a> {
        match self.subject {
            Subject::Accepted(_) => Verdict::Accepted,
            Subject::Refused(refused) => Verdict::Refused { reason: refused.reason, rule: refused.rule },
            Subject::Faulted(firing, _) => Verdict::Faulted(firing),
        }
    }

    /// Why it was refused, if it was; also by a fault that has given a reason of Apple's.
    pub fn reason(&self) -> Option<Reason> {
        match self.subject {
            Subject::Accepted(_) => None,
            Subject::Refused(refused) => Some(refused.reason),
            Subject::Faulted(_, push) => push.reason.as_deref().and_then(Reason::from_wire),
        }
    }

    /// What came over the wire.
    pub fn request(&self) -> &'a ReceivedRequest {
        match self.subject {
            Subject::Accepted(notification) => &notification.request,
            Subject::Refused(refused) => &refused.request,
            Subject::Faulted(_, push) => &push.request,
        }
    }

    /// The `apns-id` of the answer.
    pub fn apns_id(&self) -> &'a MessageId {
        match self.subject {
            Subject::Accepted(notification) => &notification.apns_id,
            Subject::Refused(refused) => &refused.apns_id,
            Subject::Faulted(_, push) => &push.apns_id,
        }
    }

    /// The `apns-unique-id` of the answer, where there is one.
    pub fn apns_unique_id(&self) -> Option<&'a UniqueId> {
        match self.subject {
            Subject::Accepted(notification) => notification.apns_unique_id.as_ref(),
            Subject::Refused(refused) => refused.apns_unique_id.as_ref(),
            Subject::Faulted(_, push) => push.apns_unique_id.as_ref(),
        }
    }

    /// What has become of it, in order, from its arrival on: also what the journal has dropped since.
    ///
    /// Of a push that was made to wait again and again the first 64 times are told.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Record<'a>> {
        std::iter::once(&self.arrival).chain(&self.later)
    }

    /// What has become of it last; `None`: it was refused, or a fault has swallowed it.
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
        let text = |bytes: &[u8]| lossy(bytes).into_owned();
        let raw = request.fields().map(|(name, value)| [text(name), text(&value)]);
        map.serialize_entry("raw-headers", &raw.collect::<Vec<_>>())?;
        map.serialize_entry("payload", &lossy(request.payload()))?;
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
            Subject::Refused(_) | Subject::Faulted(..) => {
                if let Some(token) = self.request().device_token() {
                    map.serialize_entry("token", &token)?;
                }
                self.request().text(FieldName::ApnsTopic)
            }
        };
        topic.map_or(Ok(()), |topic| map.serialize_entry("topic", &topic))
    }
}

impl Verdict<'_> {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused { .. } => "refused",
            Self::Faulted(_) => "faulted",
        }
    }
}

/// The answer, with the rule behind it.
struct Answered<'a>(Verdict<'a>);

impl Serialize for Answered<'_> {
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
            Verdict::Faulted(firing) => {
                let told = firing.push().map(|push| (push.status, push.reason.as_deref()));
                let (status, reason) = told.unwrap_or_default();
                if let Some(status) = status {
                    map.serialize_entry("status", &status)?;
                }
                if let Some(reason) = reason {
                    map.serialize_entry("reason", reason)?;
                }
                map.serialize_entry("fault", firing.fault())?;
                map.serialize_entry("action", &firing.action())?;
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
        Event::Fault(firing) => match firing.push().and_then(|push| push.status) {
            Some(status) => map.serialize_entry("status", &status),
            None => Ok(()),
        },
        Event::GoAway { .. }
        | Event::Throttled { .. }
        | Event::Device { .. }
        | Event::Clock(_)
        | Event::Scenario(_)
        | Event::Reset => Ok(()),
    }
}

#[cfg(test)]
mod tests;
