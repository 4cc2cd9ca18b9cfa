//! What stands for the placeholders of a request.

use super::Target;

/// The port that `:authority` leaves out (RFC 9110 section 4.2.2).
const HTTPS_PORT: &str = "443";

impl Target {
    /// A text with its placeholders filled; what is in braces and is none, or is not there, stays. `jwt` is the usual provider token.
    pub(crate) fn fill(&self, text: &str, jwt: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            filled.push_str(before);
            let value =
                behind.split_once('}').and_then(|(name, after)| Some((self.value(name, jwt)?, after)));
            if let Some((value, after)) = value {
                filled.push_str(&value);
                rest = after;
            } else {
                filled.push('{');
                rest = behind;
            }
        }
        filled + rest
    }

    fn value(&self, placeholder: &str, jwt: &str) -> Option<String> {
        let text = |key: String| self.texts.get(&key).cloned();
        match placeholder.split_once(':') {
            None => match placeholder {
                "token" => text("tokens.alert".to_owned()),
                "TOKEN" => text("tokens.alert".to_owned()).map(|token| token.to_ascii_uppercase()),
                "topic" => Some(self.topic.clone()),
                "authority" => Some(self.authority()),
                "authorization" => Some(format!("bearer {jwt}")),
                "jwt" => Some(jwt.to_owned()),
                _ => None,
            },
            Some(("token", name)) => text(format!("tokens.{name}")),
            Some(("topic", name)) => text(format!("topics.{name}")),
            Some(("authority", name)) => text(format!("authorities.{name}")),
            Some(_) => None,
        }
    }

    /// The name that the target is known by, and its port where that is not the usual one.
    fn authority(&self) -> String {
        let host = self.server_name.to_str();
        match self.address.rsplit_once(':') {
            Some((_, port)) if port != HTTPS_PORT => format!("{host}:{port}"),
            _ => host.into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rustls::{RootCertStore, pki_types::ServerName};

    use super::*;

    fn target(address: &str) -> Target {
        let texts = [("tokens.alert", "00fc"), ("tokens.voip", "aa"), ("topics.other", "b.c")];
        Target {
            name: "it".to_owned(),
            address: address.to_owned(),
            server_name: ServerName::try_from("api.example").unwrap(),
            roots: RootCertStore::empty(),
            topic: "a.b".to_owned(),
            control: None,
            texts: texts.map(|(key, text)| (key.to_owned(), text.to_owned())).into(),
            keys: BTreeMap::new(),
            certificates: BTreeMap::new(),
        }
    }

    #[test]
    fn placeholders_are_filled_and_nothing_else_changes() {
        let target = target("127.0.0.1:2197");
        for (text, filled) in [
            ("/3/device/{token}", "/3/device/00fc"),
            ("{TOKEN}{token:voip}", "00FCaa"),
            ("{topic}.voip {topic:other}", "a.b.voip b.c"),
            ("{authorization}, {jwt}", "bearer x.y.z, x.y.z"),
            ("{authority}", "api.example:2197"),
            (r#"{"aps":{}} {token:none} {not"#, r#"{"aps":{}} {token:none} {not"#),
        ] {
            assert_eq!(target.fill(text, "x.y.z"), filled);
        }
    }

    #[test]
    fn the_usual_port_is_left_out() {
        assert_eq!(target("api.example:443").fill("{authority}", ""), "api.example");
    }
}
