//! What of the core's types is stored as JSON and has no form of its own.

use apns_provider_core::DeviceToken;
use apns_provider_server_core::{
    audience::{Audience, TagExpression, Who},
    device::Environment,
    ids::UserId,
};
use serde::{Deserialize, Serialize};

use super::StoreError;

/// An audience. What is stored is never changed, and read by later versions.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct StoredAudience {
    who: StoredWho,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum StoredWho {
    All,
    Tags(TagExpression),
    Tokens(Vec<String>),
    Users(Vec<UserId>),
}

/// The audience to store.
pub(super) fn write_audience(audience: &Audience) -> String {
    let who = match &audience.who {
        Who::All => StoredWho::All,
        Who::Tags(tags) => StoredWho::Tags(tags.clone()),
        Who::Tokens(tokens) => StoredWho::Tokens(tokens.iter().map(|it| it.as_str().to_owned()).collect()),
        Who::Users(users) => StoredWho::Users(users.clone()),
    };
    write_json(&StoredAudience { who, environment: audience.environment })
}

/// Reads what was stored.
pub(super) fn read_audience(text: &str) -> Result<Audience, StoreError> {
    let StoredAudience { who, environment } = read_json("an audience", text)?;
    let token = |hex: &String| {
        DeviceToken::from_hex(hex).map_err(|why| StoreError::damaged("an audience's token", why))
    };
    let who = match who {
        StoredWho::All => Who::All,
        StoredWho::Tags(tags) => Who::Tags(tags),
        StoredWho::Tokens(tokens) => Who::Tokens(tokens.iter().map(token).collect::<Result<_, _>>()?),
        StoredWho::Users(users) => Who::Users(users),
    };
    Ok(Audience { who, environment })
}

/// Something of texts and numbers as JSON.
pub(super) fn write_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a struct of texts and numbers has a JSON form")
}

/// Reads it again.
pub(super) fn read_json<'a, T: Deserialize<'a>>(what: &str, text: &'a str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|why| StoreError::damaged(what, why))
}

#[cfg(test)]
mod tests {
    use apns_provider_server_core::ids::Tag;

    use super::*;

    #[test]
    fn every_audience_is_read_as_it_was_written() {
        let tag = |name: &str| Tag::parse(name).unwrap();
        let tags =
            TagExpression { any: [tag("a"), tag("b")].into(), none: [tag("c")].into(), ..Default::default() };
        for who in [
            Who::All,
            Who::Tags(tags),
            Who::Tokens(vec![DeviceToken::from_hex("00ff").unwrap()]),
            Who::Users(vec![UserId::parse("ada").unwrap()]),
        ] {
            for environment in [None, Some(Environment::Sandbox)] {
                let audience = Audience { who: who.clone(), environment };
                assert_eq!(read_audience(&write_audience(&audience)), Ok(audience));
            }
        }
        assert!(matches!(read_audience("{}"), Err(StoreError::Damaged(_))));
    }
}
