//! What a device asks for.

use serde::Serialize;

use super::{MessageError, MessageProblem, fields::Fields};
use crate::{BundleId, DeviceState, Environment, NewTokens, TeamId, TokenKind, excerpt::excerpt};

/// A message of a device.
///
/// ```
/// use mock_apns_core::{DeviceRequest, FromDevice};
///
/// let message = FromDevice::parse(br#"{"type":"ack","delivery":7}"#)?;
/// assert_eq!(message.request, DeviceRequest::Acknowledge { delivery: 7 });
///
/// let error = FromDevice::parse(br#"{"type":"ack","delivery":"seven","id":3}"#).unwrap_err();
/// assert_eq!(error.id, Some(3));
/// assert_eq!(
///     error.to_string(),
///     r#"the message ack has "seven" for "delivery": it needs a whole number, not negative"#
/// );
/// # Ok::<(), mock_apns_core::MessageError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FromDevice {
    /// A number that the reply repeats, so that a client knows what was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What the device wants.
    #[serde(flatten)]
    pub request: DeviceRequest,
}

/// What a device can want. The names on the wire are those of the variants in kebab-case; `Acknowledge` is `ack`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum DeviceRequest {
    /// The first message: the device belongs to a team, and is in a state.
    Connect {
        /// The team; `None` means the first one that the service has.
        #[serde(skip_serializing_if = "Option::is_none")]
        team: Option<TeamId>,
        /// Online, or saving power.
        state: DeviceState,
    },
    /// An app is installed on the device.
    Install {
        /// The app.
        app: BundleId,
        /// The environment that this build of it belongs to.
        environment: Environment,
    },
    /// An app is removed.
    Uninstall {
        /// The app.
        app: BundleId,
        /// Its environment.
        environment: Environment,
    },
    /// An app wants its device token; installed first if it is not.
    Register {
        /// The app.
        app: BundleId,
        /// Its environment.
        environment: Environment,
        /// What the token is for.
        kind: TokenKind,
    },
    /// An app wants no more pushes of this kind.
    Unregister {
        /// The app.
        app: BundleId,
        /// Its environment.
        environment: Environment,
        /// What the token is for.
        kind: TokenKind,
    },
    /// The user lets the app show notifications, or no longer.
    Permission {
        /// The app.
        app: BundleId,
        /// Its environment.
        environment: Environment,
        /// Whether it may.
        allowed: bool,
    },
    /// The device begins or ends saving power.
    State {
        /// The new state.
        state: DeviceState,
    },
    /// An app starts a Live Activity, which gets a token of its own.
    StartActivity {
        /// The app.
        app: BundleId,
        /// Its environment.
        environment: Environment,
    },
    /// An app's Live Activity is over.
    EndActivity {
        /// The app.
        app: BundleId,
        /// Its environment.
        environment: Environment,
        /// The number that it was started with.
        activity: u32,
    },
    /// Every app of the device gets another token when it registers next.
    NewTokens {
        /// What made it so.
        cause: NewTokens,
    },
    /// A notification has arrived.
    #[serde(rename = "ack")]
    Acknowledge {
        /// The number that it was delivered with.
        delivery: u64,
    },
}

impl FromDevice {
    /// Reads a line. Environment, kind and state may be left out: they are sandbox, app and, in `connect`, online.
    pub fn parse(line: &[u8]) -> Result<Self, MessageError> {
        let mut fields = Fields::parse(line).map_err(|problem| MessageError { id: None, problem })?;
        let id = fields.optional("id").map_err(|problem| MessageError { id: None, problem })?;
        let request = request(fields).map_err(|problem| MessageError { id, problem })?;
        Ok(Self { id, request })
    }

    /// The line of this message, with its line break.
    pub fn to_line(&self) -> String {
        let json = serde_json::to_string(self).expect("a message has string keys and no values that fail");
        json + "\n"
    }
}

fn request(mut fields: Fields) -> Result<DeviceRequest, MessageProblem> {
    let found: String = fields.required("type")?;
    let Some((name, read)) = TYPES.iter().find(|(name, _)| *name == found) else {
        let known = TYPES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return Err(MessageProblem::UnknownType { found: excerpt(&found), known });
    };
    fields.name(name);
    let request = read(&mut fields)?;
    fields.finish()?;
    Ok(request)
}

/// How the fields of one type are read.
type Read = fn(&mut Fields) -> Result<DeviceRequest, MessageProblem>;

/// Every type, and its fields.
const TYPES: &[(&str, Read)] = &[
    ("connect", |fields| {
        let (team, state) = (fields.optional("team")?, fields.optional("state")?);
        Ok(DeviceRequest::Connect { team, state: state.unwrap_or(DeviceState::Online) })
    }),
    ("install", |fields| {
        let (app, environment) = app(fields)?;
        Ok(DeviceRequest::Install { app, environment })
    }),
    ("uninstall", |fields| {
        let (app, environment) = app(fields)?;
        Ok(DeviceRequest::Uninstall { app, environment })
    }),
    ("register", |fields| {
        let ((app, environment), kind) = (app(fields)?, kind(fields)?);
        Ok(DeviceRequest::Register { app, environment, kind })
    }),
    ("unregister", |fields| {
        let ((app, environment), kind) = (app(fields)?, kind(fields)?);
        Ok(DeviceRequest::Unregister { app, environment, kind })
    }),
    ("permission", |fields| {
        let ((app, environment), allowed) = (app(fields)?, fields.required("allowed")?);
        Ok(DeviceRequest::Permission { app, environment, allowed })
    }),
    ("state", |fields| Ok(DeviceRequest::State { state: fields.required("state")? })),
    ("start-activity", |fields| {
        let (app, environment) = app(fields)?;
        Ok(DeviceRequest::StartActivity { app, environment })
    }),
    ("end-activity", |fields| {
        let ((app, environment), activity) = (app(fields)?, fields.required("activity")?);
        Ok(DeviceRequest::EndActivity { app, environment, activity })
    }),
    ("new-tokens", |fields| Ok(DeviceRequest::NewTokens { cause: fields.required("cause")? })),
    ("ack", |fields| Ok(DeviceRequest::Acknowledge { delivery: fields.required("delivery")? })),
];

fn app(fields: &mut Fields) -> Result<(BundleId, Environment), MessageProblem> {
    let app = fields.required("app")?;
    Ok((app, fields.optional("environment")?.unwrap_or(Environment::Sandbox)))
}

fn kind(fields: &mut Fields) -> Result<TokenKind, MessageProblem> {
    Ok(fields.optional("kind")?.unwrap_or(TokenKind::App))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<FromDevice, MessageError> {
        FromDevice::parse(line.as_bytes())
    }

    fn problem(line: &str) -> MessageProblem {
        parse(line).unwrap_err().problem
    }

    /// One request of each type.
    fn requests() -> Vec<DeviceRequest> {
        let app = BundleId::parse("com.example.app").unwrap();
        let (environment, kind) = (Environment::Production, TokenKind::Voip);
        let apps = |request: fn(BundleId, Environment) -> DeviceRequest| request(app.clone(), environment);
        vec![
            DeviceRequest::Connect {
                team: TeamId::parse("MOCKTEAM01").ok(),
                state: DeviceState::PowerSaving,
            },
            apps(|app, environment| DeviceRequest::Install { app, environment }),
            apps(|app, environment| DeviceRequest::Uninstall { app, environment }),
            DeviceRequest::Register { app: app.clone(), environment, kind },
            DeviceRequest::Unregister { app: app.clone(), environment, kind },
            apps(|app, environment| DeviceRequest::Permission { app, environment, allowed: false }),
            DeviceRequest::State { state: DeviceState::Online },
            apps(|app, environment| DeviceRequest::StartActivity { app, environment }),
            apps(|app, environment| DeviceRequest::EndActivity { app, environment, activity: 2 }),
            DeviceRequest::NewTokens { cause: NewTokens::OsReinstall },
            DeviceRequest::Acknowledge { delivery: u64::MAX },
        ]
    }

    #[test]
    fn what_a_client_writes_is_read_back() {
        let requests = requests();
        assert_eq!(requests.len(), TYPES.len());
        for (request, (name, _)) in requests.into_iter().zip(TYPES) {
            for id in [None, Some(1)] {
                let message = FromDevice { id, request: request.clone() };
                let line = message.to_line();
                assert!(line.contains(&format!("\"type\":\"{name}\"")), "{line}");
                assert_eq!(line.find('\n'), Some(line.len() - 1));
                assert_eq!(parse(line.trim_end()), Ok(message));
            }
        }
    }

    #[test]
    fn what_goes_without_saying_may_be_left_out() {
        let connect = parse(r#"{"type":"connect"}"#).unwrap();
        assert_eq!(connect.id, None);
        assert_eq!(connect.request, DeviceRequest::Connect { team: None, state: DeviceState::Online });
        let app = BundleId::parse("com.example.app").unwrap();
        let expected =
            DeviceRequest::Register { app, environment: Environment::Sandbox, kind: TokenKind::App };
        assert_eq!(parse(r#"{"type":"register","app":"com.example.app"}"#).unwrap().request, expected);
    }

    #[test]
    fn what_is_not_an_object_on_a_line_is_not_json_to_us() {
        for line in ["", "{", "{\"type\":\"ack\",\"del", "nonsense", "{}{}", &"[".repeat(10_000)] {
            assert!(matches!(problem(line), MessageProblem::NotJson { .. }), "{line}");
        }
        assert!(matches!(
            FromDevice::parse(b"{\"type\":\"\xff\"}").unwrap_err().problem,
            MessageProblem::NotJson { .. }
        ));
        for line in ["7", "null", "[]", "\"connect\""] {
            assert_eq!(problem(line), MessageProblem::NotAnObject);
        }
    }

    #[test]
    fn a_type_that_there_is_not_is_answered_with_those_that_there_are() {
        let message = problem(r#"{"type":"regster"}"#).to_string();
        assert!(message.contains("\"regster\"") && message.contains("register, unregister"), "{message}");
        let missing = problem("{}");
        assert!(matches!(missing, MessageProblem::MissingField { field: "type", .. }), "{missing}");
    }

    #[test]
    fn a_wrong_field_is_named_with_what_it_should_be() {
        for (line, named) in [
            (r#"{"type":"install"}"#, r#"install has no "app""#),
            (r#"{"type":"install","app":"two words"}"#, r#"has "two words" for "app""#),
            (r#"{"type":"install","app":"a.b","kind":"app"}"#, r#"install can have no "kind""#),
            (r#"{"type":"register","app":"a.b","kind":"alert"}"#, r#"one of "app", "voip""#),
            (r#"{"type":"register","app":"a.b","environment":"dev"}"#, r#"one of "sandbox", "production""#),
            (r#"{"type":"state","state":"offline"}"#, r#"one of "online", "power-saving""#),
            (r#"{"type":"permission","app":"a.b","allowed":"no"}"#, "true or false"),
            (r#"{"type":"ack","delivery":-1}"#, "has -1 for \"delivery\""),
            (r#"{"type":"ack","delivery":1.5}"#, "has 1.5"),
            (r#"{"type":"end-activity","app":"a.b","activity":4294967296}"#, "from 0 to 4294967295"),
            (r#"{"type":"connect","team":"short"}"#, "ten letters or digits"),
            (r#"{"type":"new-tokens","cause":null}"#, "has null for \"cause\""),
            (r#"{"type":"ack","delivery":1,"id":"one"}"#, "\"id\""),
        ] {
            let message = problem(line).to_string();
            assert!(message.contains(named), "{line}: {message}");
        }
    }

    #[test]
    fn the_id_is_kept_for_the_reply_and_a_long_value_is_not() {
        let line = format!(r#"{{"type":"install","app":"{}","id":9}}"#, "x".repeat(60_000));
        let error = parse(&line).unwrap_err();
        assert_eq!(error.id, Some(9));
        assert!(error.to_string().len() < 300, "{error}");
    }
}
