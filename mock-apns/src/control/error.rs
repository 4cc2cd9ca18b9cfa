//! What the control API says when it cannot do what was asked: one shape, and a closed list of codes.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use mock_apns_core::{
    BundleIdError, ClockError, DeviceError, FilterError, ScenarioError, SettingError, TeamError, TeamId,
    fault::FaultError,
};
use serde::Serialize;
use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, Schema, schema::SchemaType},
};

use crate::TeamCreationError;

/// Declares [`ErrorCode`]: name, status, what it means, and what usually helps.
macro_rules! error_codes {
    ($($variant:ident $name:literal $status:ident $meaning:literal, $hint:literal;)*) => {
        /// Why the control API did not do what it was asked.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum ErrorCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl ErrorCode {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, which does not change.
            pub(super) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The status of the answer.
            pub(super) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// What it says, in one sentence.
            pub(super) const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do, unless something better is known.
            const fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }
        }
    };
}

error_codes! {
    BadJson "bad-json" BAD_REQUEST "The body is not JSON.", "Send one JSON object; the message says where it goes wrong.";
    BadField "bad-field" BAD_REQUEST "A field of the body is unknown, missing or of the wrong type.",
        "See /docs for the fields that there are.";
    BadParameter "bad-parameter" BAD_REQUEST
        "A parameter of the path or query is unknown, missing or of the wrong type.",
        "See /docs for the parameters that there are.";
    BadFilter "bad-filter" BAD_REQUEST "A filter cannot be read.", "docs/filters.md has the grammar, with examples.";
    BadCursor "bad-cursor" BAD_REQUEST "A cursor is none that was ever given out.",
        "Use a cursor as it came from this team, or leave it out to begin with the oldest.";
    BadValue "bad-value" BAD_REQUEST "What was asked for contradicts itself, or cannot be.",
        "The message says what can be.";
    BadTranscript "bad-transcript" BAD_REQUEST "The lines are not those of a journal.",
        "Send what GET /v1/journal has given, or the file of --record; the message says which line is wrong.";
    BadSnapshot "bad-snapshot" BAD_REQUEST "A snapshot is not what a double has made.",
        "Put back what GET /v1/snapshot has given, unchanged; to declare what is to be there by hand, use /v1/state.";
    Unauthorized "unauthorized" UNAUTHORIZED "The control API wants a bearer token.",
        "Send authorization: Bearer <token>, with the token that the double was started with.";
    ForbiddenHost "forbidden-host" FORBIDDEN "The Host of the request is none of this double's.",
        "Use the address that the double prints; allow another name with --control-host.";
    ForbiddenOrigin "forbidden-origin" FORBIDDEN "A page of another site has made a browser ask.",
        "The control API is for tests and terminals: pages of other sites are refused.";
    UnknownPath "unknown-path" NOT_FOUND "There is nothing at this path.", "See /docs for the paths that there are.";
    UnknownTeam "unknown-team" NOT_FOUND "There is no such team.", "GET /v1/teams lists those there are; POST /v1/teams makes one.";
    UnknownKey "unknown-key" NOT_FOUND "The team has no such key.", "GET /v1/keys lists those there are.";
    UnknownApp "unknown-app" NOT_FOUND "The team has no such app.", "GET /v1/apps lists those there are; POST /v1/apps adds one.";
    UnknownDevice "unknown-device" NOT_FOUND "The team has no such device.",
        "GET /v1/devices lists those there are; POST /v1/tokens adds one and registers an app on it.";
    UnknownToken "unknown-token" NOT_FOUND "The device token is none of the team's.",
        "GET /v1/tokens lists those there are. A token belongs to one team: is `team` right?";
    UnknownNotification "unknown-notification" NOT_FOUND "No push with this apns-id or apns-unique-id is written down.",
        "GET /v1/notifications lists those there are; the oldest make room for new ones.";
    UnknownConnection "unknown-connection" NOT_FOUND "There is no such connection.", "GET /v1/connections lists those there are.";
    UnknownFault "unknown-fault" NOT_FOUND "There is no such fault.", "GET /v1/faults lists those there are; those for everyone with everyone=true.";
    UnknownScenario "unknown-scenario" NOT_FOUND "There is no such scenario in the library.",
        "GET /v1/scenarios lists those there are; POST /v1/scenarios/play takes any other.";
    UnknownCertificate "unknown-certificate" NOT_FOUND "There is no certificate of this kind.",
        "GET /v1/certificates lists those there are.";
    UnknownClient "unknown-client" NOT_FOUND "There are no settings for this client.",
        "The message lists those there are.";
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED "The path is right and the method is not.",
        "See /docs for the methods that there are.";
    Conflict "conflict" CONFLICT "What is there does not go together with what was asked for.",
        "The message says what is there.";
    BodyTooLarge "body-too-large" PAYLOAD_TOO_LARGE "The body is larger than this path takes.",
        "The message says how large it may be.";
    TooManyWaits "too-many-waits" SERVICE_UNAVAILABLE "As many requests wait as may wait at once.",
        "End waits that nobody looks at, or wait for several things with one filter.";
    NotKept "not-kept" INTERNAL_SERVER_ERROR "It was done, and cannot be written into the data folder.",
        "Nothing more is answered until the double is started again: see its log, and whether the disk is full.";
    Internal "internal" INTERNAL_SERVER_ERROR "Something broke that should not.",
        "This is a bug of mock-apns: please report it, with the double's log.";
}

/// What was wrong, where, and what to do.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) code: ErrorCode,
    message: String,
    hint: Option<String>,
}

pub(super) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error, of a part of what was asked for.
    pub(super) fn at(mut self, path: &str) -> Self {
        self.message = format!("{path}: {}", self.message);
        self
    }

    pub(super) fn unknown_team(id: TeamId) -> Self {
        Self::new(ErrorCode::UnknownTeam, format!("there is no team {id}"))
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// The one shape of an error.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
struct ErrorBody {
    error: ErrorObject,
}

/// What was wrong, where, and what to do.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorObject)]
struct ErrorObject {
    /// Of a closed list; it does not change.
    #[schema(schema_with = code_schema)]
    code: &'static str,
    /// What was wrong, with names and values; for people.
    message: String,
    /// What to do about it; for people.
    hint: String,
}

fn code_schema() -> Schema {
    let names = ErrorCode::ALL.iter().map(|code| code.as_str());
    let meanings: Vec<_> =
        ErrorCode::ALL.iter().map(|code| format!("* `{}`: {}", code.as_str(), code.meaning())).collect();
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(SchemaType::new(utoipa::openapi::schema::Type::String))
        .enum_values(Some(names))
        .description(Some(meanings.join("\n")))
        .into()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { code, message, hint } = self;
        let hint = hint.unwrap_or_else(|| code.hint().to_owned());
        let body = ErrorBody { error: ErrorObject { code: code.as_str(), message, hint } };
        (code.status(), Json(body)).into_response()
    }
}

/// Every operation answers errors alike: they are documented once.
impl IntoResponses for ApiError {
    fn responses() -> std::collections::BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let schema = Ref::from_schema_name(ErrorBody::name());
        let response = ResponseBuilder::new()
            .description("It could not be done; nothing was changed.")
            .content("application/json", ContentBuilder::new().schema(Some(schema)).build())
            .build();
        [("default".to_owned(), RefOr::T(response))].into()
    }
}

/// The schemas that every operation's error needs.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(ErrorBody::name().into_owned(), ErrorBody::schema())];
    ErrorBody::schemas(&mut schemas);
    schemas
}

impl From<DeviceError> for ApiError {
    fn from(error: DeviceError) -> Self {
        let code = match error {
            DeviceError::UnknownDevice(_) => ErrorCode::UnknownDevice,
            DeviceError::UnknownApp(_) => ErrorCode::UnknownApp,
            DeviceError::DuplicateDevice(_) | DeviceError::TokenInUse(_) => ErrorCode::Conflict,
            _ => ErrorCode::BadValue,
        };
        Self::new(code, error.to_string())
    }
}

impl From<TeamError> for ApiError {
    fn from(error: TeamError) -> Self {
        Self::new(ErrorCode::Conflict, error.to_string())
    }
}

impl From<TeamCreationError> for ApiError {
    fn from(error: TeamCreationError) -> Self {
        let code = match error {
            TeamCreationError::App(_) => ErrorCode::BadValue,
            TeamCreationError::Team(_) | TeamCreationError::TooMany => ErrorCode::Conflict,
            _ => ErrorCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}

impl From<BundleIdError> for ApiError {
    fn from(error: BundleIdError) -> Self {
        Self::new(ErrorCode::BadValue, error.to_string())
    }
}

impl From<FaultError> for ApiError {
    fn from(error: FaultError) -> Self {
        let code = match error {
            FaultError::Duplicate(_) | FaultError::TooMany => ErrorCode::Conflict,
            FaultError::NoSuchTeam(_) => ErrorCode::UnknownTeam,
            _ => ErrorCode::BadValue,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ScenarioError> for ApiError {
    fn from(error: ScenarioError) -> Self {
        match error {
            ScenarioError::Setting(error) => Self::from(error).at("settings"),
            ScenarioError::Fault { at, error } => Self::from(error).at(&format!("faults[{at}]")),
            ScenarioError::FaultForEveryone { at, error } => {
                Self::from(error).at(&format!("faults-for-everyone[{at}]"))
            }
            ScenarioError::TooMany => Self::new(ErrorCode::Conflict, error.to_string()),
            _ => Self::new(ErrorCode::BadValue, error.to_string()),
        }
    }
}

impl From<ClockError> for ApiError {
    fn from(error: ClockError) -> Self {
        Self::new(ErrorCode::Conflict, error.to_string())
    }
}

impl From<SettingError> for ApiError {
    fn from(error: SettingError) -> Self {
        let code = match error {
            SettingError::UnknownName(_) => ErrorCode::BadField,
            SettingError::BadValue { .. } | SettingError::UnknownProfile(_) => ErrorCode::BadValue,
        };
        Self::new(code, error.to_string())
            .hint("GET /v1/settings lists them all, with the values that each takes.")
    }
}

impl From<FilterError> for ApiError {
    fn from(error: FilterError) -> Self {
        Self::new(ErrorCode::BadFilter, error.to_string())
    }
}

/// A key or certificate that cannot be made or read.
impl From<apns_certs::Error> for ApiError {
    fn from(error: apns_certs::Error) -> Self {
        Self::new(ErrorCode::BadValue, error.to_string())
    }
}
