//! What an entry of the journal has of each key. `None`: such an entry has nothing of the kind.

use std::borrow::Cow;

use super::{
    status::StatusIs,
    text::Words,
    word::{EventKind, OrNone},
};
use crate::{
    BundleId, DeviceChange, DeviceId, Environment, Event, FieldName, Priority, PushType, Reason, Record,
    Timestamp, TokenKind, UniqueId, fault::FaultName,
};

pub(super) fn token(record: &Record<'_>) -> Option<String> {
    match record.event {
        Event::Device {
            change: DeviceChange::Registered { token, .. } | DeviceChange::ActivityStarted { token, .. },
            ..
        } => Some(token.clone()),
        Event::Refused(_) | Event::Fault(_) => {
            record.request_turned_away()?.device_token().map(|token| token.to_ascii_lowercase())
        }
        _ => record.device_token().map(|token| token.to_string()),
    }
}

/// Of a push that was accepted it is the one that goes with its device token: with a certificate, which may have a topic
/// of its own, there need be no `apns-topic`.
pub(super) fn topic(record: &Record<'_>) -> Option<String> {
    if let Some(request) = record.request_turned_away() {
        return request.text(FieldName::ApnsTopic).map(Cow::into_owned);
    }
    record.destination().map(|to| to.kind.topic(to.bundle_id))
}

pub(super) fn app<'a>(record: &Record<'a>) -> Option<&'a BundleId> {
    build(record).map(|(app, _)| app)
}

pub(super) fn environment(record: &Record<'_>) -> Option<Environment> {
    build(record).map(|(_, environment)| environment)
}

pub(super) fn device<'a>(record: &Record<'a>) -> Option<&'a DeviceId> {
    match record.event {
        Event::Device { device, .. } => Some(device),
        _ => record.destination().map(|to| to.device),
    }
}

pub(super) fn kind(record: &Record<'_>) -> Option<TokenKind> {
    match record.event {
        Event::Device { change, .. } => match change {
            DeviceChange::Registered { kind, .. } | DeviceChange::Unregistered { kind, .. } => Some(*kind),
            DeviceChange::ActivityStarted { .. } | DeviceChange::ActivityEnded { .. } => {
                Some(TokenKind::LiveActivity)
            }
            _ => None,
        },
        _ => record.destination().map(|to| to.kind),
    }
}

pub(super) fn push_type(record: &Record<'_>) -> Option<OrNone<PushType>> {
    match record.request_turned_away() {
        Some(request) if request.field(FieldName::ApnsPushType).is_none() => Some(OrNone(None)),
        Some(request) => request.push_type().map(|it| OrNone(Some(it))),
        None => record.notification().map(|it| OrNone(it.push_type)),
    }
}

pub(super) fn priority(record: &Record<'_>) -> Option<OrNone<Priority>> {
    match record.request_turned_away() {
        Some(request) if request.field(FieldName::ApnsPriority).is_none() => Some(OrNone(None)),
        Some(request) => request.priority().map(|it| OrNone(Some(it))),
        None => record.notification().map(|it| OrNone(it.priority)),
    }
}

pub(super) fn collapse_id<'a>(record: &Record<'a>) -> Option<&'a [u8]> {
    match record.request_turned_away() {
        Some(request) => request.field(FieldName::ApnsCollapseId),
        None => record.notification()?.collapse_id.as_deref(),
    }
}

pub(super) fn ids<'a>(record: &Record<'a>) -> Option<Vec<&'a str>> {
    let (apns_id, unique_id) = record.ids()?;
    Some([apns_id.as_str()].into_iter().chain(unique_id.map(UniqueId::as_str)).collect())
}

pub(super) fn reason(record: &Record<'_>) -> Option<OrNone<Reason>> {
    match record.event {
        Event::Notification { .. } => Some(OrNone(None)),
        Event::Refused(refused) => Some(OrNone(Some(refused.reason))),
        Event::GoAway { reason, .. } => Some(OrNone(Some(reason))),
        Event::Fault(firing) => {
            let reason = firing.push()?.reason.as_deref();
            reason.map_or(Some(OrNone(None)), |reason| Some(OrNone(Some(Reason::from_wire(reason)?))))
        }
        Event::Throttled { .. }
        | Event::Device { .. }
        | Event::Clock(_)
        | Event::Scenario(_)
        | Event::Reset => None,
    }
}

pub(super) fn status(record: &Record<'_>) -> Option<StatusIs> {
    match record.event {
        Event::Notification { status, .. } => Some(StatusIs::Delivery(status)),
        Event::Refused(refused) => Some(StatusIs::Answer(refused.reason.status())),
        Event::Fault(firing) => firing.push()?.status.map(StatusIs::Answer),
        Event::GoAway { .. }
        | Event::Throttled { .. }
        | Event::Device { .. }
        | Event::Clock(_)
        | Event::Scenario(_)
        | Event::Reset => None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a row of the table of keys, where others may have nothing")]
pub(super) fn event(record: &Record<'_>) -> Option<EventKind> {
    Some(match record.event {
        Event::Notification { .. } => EventKind::Notification,
        Event::Refused(_) => EventKind::Refused,
        Event::GoAway { .. } => EventKind::GoAway,
        Event::Fault(_) => EventKind::Fault,
        Event::Throttled { .. } => EventKind::Throttled,
        Event::Device { .. } => EventKind::Device,
        Event::Clock(_) => EventKind::Clock,
        Event::Scenario(_) => EventKind::Scenario,
        Event::Reset => EventKind::Reset,
    })
}

pub(super) fn fault<'a>(record: &Record<'a>) -> Option<&'a FaultName> {
    match record.event {
        Event::Fault(firing) => Some(firing.fault()),
        _ => None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a row of the table of keys, where others may have nothing")]
pub(super) fn cursor(record: &Record<'_>) -> Option<u64> {
    Some(record.cursor)
}

#[expect(clippy::unnecessary_wraps, reason = "a row of the table of keys, where others may have nothing")]
pub(super) fn at(record: &Record<'_>) -> Option<Timestamp> {
    Some(record.at)
}

pub(super) fn words<'a>(record: &Record<'a>) -> Option<Words<'a>> {
    Words::of(record)
}

/// The app and the environment of its build.
fn build<'a>(record: &Record<'a>) -> Option<(&'a BundleId, Environment)> {
    let Event::Device { change, .. } = record.event else {
        return record.destination().map(|to| (to.bundle_id, to.environment));
    };
    match change {
        DeviceChange::Installed { app, environment }
        | DeviceChange::Uninstalled { app, environment }
        | DeviceChange::Permission { app, environment, .. }
        | DeviceChange::Registered { app, environment, .. }
        | DeviceChange::Unregistered { app, environment, .. }
        | DeviceChange::ActivityStarted { app, environment, .. }
        | DeviceChange::ActivityEnded { app, environment, .. } => Some((app, *environment)),
        DeviceChange::Added
        | DeviceChange::Removed
        | DeviceChange::Connected
        | DeviceChange::Disconnected
        | DeviceChange::State { .. }
        | DeviceChange::NewTokens { .. } => None,
    }
}
