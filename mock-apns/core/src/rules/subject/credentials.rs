//! What the rules of credentials look at.

use std::cmp::Ordering;

use super::{bytes, jwt, setting, shown};
use crate::{
    BundleId, FieldName, KeyScope, Team,
    rules::Checking,
    team::{KeyIndex, TeamIndex},
};

pub(super) fn certificate_environments(checking: &Checking<'_>) -> Option<String> {
    let certificate = checking.certificate()?;
    let environments: Vec<String> = certificate.environments.iter().map(ToString::to_string).collect();
    let goes_to = checking.environment;
    Some(format!("a certificate for {}; the push goes to {goes_to}", environments.join(" and ")))
}

/// What comes in place of a provider token is not told: a password may.
pub(super) fn authorization(checking: &Checking<'_>) -> String {
    if let Some(certificate) = checking.certificate() {
        let name = certificate.common_name.as_deref().unwrap_or("without a common name");
        return format!("a certificate, {}", shown(name.as_bytes()));
    }
    match (checking.bearer, checking.input.request.get(FieldName::Authorization)) {
        (Some(token), _) => format!("authorization is a bearer token of {}", bytes(token.len())),
        (None, None) => "no authorization, and no certificate".to_owned(),
        (None, Some(value)) if value.split(|&byte| byte == b'.').count() == 3 => {
            format!(
                "authorization is {} like a token, without bearer and a space before them",
                bytes(value.len())
            )
        }
        (None, Some(value)) => {
            format!("authorization is {}, not bearer, a space and a token", bytes(value.len()))
        }
    }
}

pub(super) fn base64(checking: &Checking<'_>, token: &[u8]) -> String {
    let has = |any: &[u8]| token.iter().any(|byte| any.contains(byte));
    let form = match (has(b"="), has(b"+/")) {
        (false, false) => "base64url without padding",
        (true, false) => "base64url with padding",
        (false, true) => "base64 of the standard alphabet",
        (true, true) => "base64 of the standard alphabet, with padding",
    };
    format!("{form}; {}", setting(checking, "standard-base64"))
}

pub(super) fn iat(checking: &Checking<'_>, token: &[u8]) -> String {
    format!("{}; {}", jwt::iat(token), setting(checking, "string-iat"))
}

pub(super) fn key_in_force(checking: &Checking<'_>) -> Option<String> {
    checking.verified?;
    Some(match checking.key() {
        Some(key) => format!("key {} is {}", key.id, if key.revoked { "revoked" } else { "in force" }),
        None => "the key's team was removed".to_owned(),
    })
}

pub(super) fn age(checking: &Checking<'_>) -> Option<String> {
    let (issued_at, now) = (checking.verified?.issued_at, checking.now());
    let distance = match issued_at.cmp(&now) {
        Ordering::Less => format!("{:?} ago", now.saturating_since(issued_at)),
        Ordering::Equal => "just now".to_owned(),
        Ordering::Greater => format!("{:?} ahead", issued_at.saturating_since(now)),
    };
    Some(format!("iat {}, {distance}", issued_at.as_secs()))
}

pub(super) fn key_environment(checking: &Checking<'_>) -> Option<String> {
    let key = checking.key()?;
    let scope = match &key.scope {
        KeyScope::Legacy => "both environments".to_owned(),
        KeyScope::Team { environment } | KeyScope::Topics { environment, .. } => environment.to_string(),
    };
    Some(format!("key {} for {scope}; the push goes to {}", key.id, checking.environment))
}

pub(super) fn connection_team(checking: &Checking<'_>) -> Option<String> {
    let own = team_id(checking, checking.verified?.key.team);
    Some(match checking.first_key() {
        Some(first) => {
            format!("team {own}; first on the connection was team {}", team_id(checking, first.team))
        }
        None => format!("team {own}, first on the connection"),
    })
}

pub(super) fn connection_key(checking: &Checking<'_>) -> Option<String> {
    let own = key_id(checking, checking.verified?.key);
    Some(match checking.first_key() {
        Some(first) => format!("key {own}; first on the connection was key {}", key_id(checking, first)),
        None => format!("key {own}, first on the connection"),
    })
}

pub(super) fn token_changes(checking: &Checking<'_>) -> Option<String> {
    let token = checking.verified?;
    let window = checking.token_update_window();
    let change = match checking.token_past().map(|past| past.allows(token, checking.now(), window)) {
        Some(true) => format!("not the second change within {window:?}"),
        Some(false) => format!("the second change within {window:?}"),
        None => "changes are not counted".to_owned(),
    };
    let (key, iat) = (key_id(checking, token.key), token.issued_at.as_secs());
    Some(format!("key {key}, iat {iat}: {change}; {}", setting(checking, "provider-token-updates")))
}

/// What the credentials may push to.
pub(super) fn scope(checking: &Checking<'_>) -> String {
    if let Some(certificate) = checking.certificate() {
        return format!("the certificate is for {}", shown(certificate.topics.join(", ").as_bytes()));
    }
    let owner = match (checking.topic_owner, checking.team().map(Team::id)) {
        (Some(owner), _) => format!("a topic of the team's app {}", owner.bundle_id),
        (None, Some(team)) => format!("no topic of an app of team {team}"),
        (None, None) => "the team was removed".to_owned(),
    };
    let allowed = match checking.key().map(|key| &key.scope) {
        Some(KeyScope::Topics { bundle_ids, .. }) => {
            shown(bundle_ids.iter().map(BundleId::as_str).collect::<Vec<_>>().join(", ").as_bytes())
        }
        _ => "all of the team's apps".to_owned(),
    };
    format!("{owner}; the key is for {allowed}")
}

fn team_id(checking: &Checking<'_>, team: TeamIndex) -> String {
    checking.input.teams.get(team).map_or_else(|| REMOVED.to_owned(), |team| team.id().to_string())
}

fn key_id(checking: &Checking<'_>, key: KeyIndex) -> String {
    checking.input.teams.key(key).map_or_else(|| REMOVED.to_owned(), |key| key.id.to_string())
}

/// In place of the ID of a team that was removed, or of its key.
const REMOVED: &str = "(removed)";
