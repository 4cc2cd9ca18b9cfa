//! What the rules of the device token look at.

use super::quoted;
use crate::{Team, TokenStatus, device_token::TokenIdentity, rules::Checking};

/// What the device token stands for.
pub(super) fn identity(checking: &Checking<'_>) -> String {
    let digits = quoted(checking.device_token_digits);
    match (token(checking), checking.team()) {
        (Some((team, token)), _) => {
            let (kind, app) = (token.kind, team.bundle_id(token.app));
            let (device, environment) = (team.device_id(token.device).as_str(), token.environment);
            format!("{digits}: kind {kind} of app {app} on device {device}, {environment}")
        }
        (None, Some(team)) => format!("{digits}: of no app on a device of team {}", team.id()),
        (None, None) => format!("{digits}: the team was removed"),
    }
}

pub(super) fn environment(checking: &Checking<'_>) -> Option<String> {
    let (of, goes_to) = (checking.identity?.environment, checking.environment);
    Some(format!("a device token for {of}; the push goes to {goes_to}"))
}

pub(super) fn and_topic(checking: &Checking<'_>) -> Option<String> {
    let (team, token) = token(checking)?;
    let own = format!("a device token of kind {} of app {}", token.kind, team.bundle_id(token.app));
    let topic = checking.topic?.as_str();
    Some(match checking.topic_owner {
        Some(owner) => format!("{own}; {topic} is for kind {} of app {}", owner.kind, owner.bundle_id),
        None => format!("{own}; {topic} is of no app of the team"),
    })
}

pub(super) fn status(checking: &Checking<'_>) -> Option<String> {
    Some(match checking.token_status? {
        TokenStatus::Active => "active".to_owned(),
        TokenStatus::Unregistered { since } => format!("unregistered since {since} (milliseconds)"),
        TokenStatus::Expired { since } => format!("expired since {since} (milliseconds)"),
    })
}

pub(super) fn rate(checking: &Checking<'_>) -> Option<String> {
    let (team, token) = token(checking)?;
    let (limit, now) = (team.settings().flood_limit(), checking.now());
    if limit.burst == 0 {
        return Some("the setting device-token-burst is 0: no limit".to_owned());
    }
    let full_at = team.installation(&token).1.flood(token.kind, token.activity);
    let wait = limit.next_at(full_at, now).saturating_since(now);
    let next = if wait.is_zero() { "now".to_owned() } else { format!("in {wait:?}") };
    let (burst, refill) = (limit.burst, limit.refill);
    Some(format!("device-token-burst {burst}, device-token-refill {refill:?}; the next is taken {next}"))
}

/// The device token, and the team whose it is.
fn token<'a>(checking: &Checking<'a>) -> Option<(&'a Team, TokenIdentity)> {
    checking.team().zip(checking.identity)
}
