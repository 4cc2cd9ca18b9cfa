//! Problems as answers: one shape, whatever went wrong.

use std::{collections::BTreeMap, time::Duration};

use apns_provider_server_core::problem::{Code, FieldError, Problem};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, Schema, schema::SchemaType},
};

use crate::{secrets::VaultError, store::StoreError};

/// A problem that a request ends with.
#[derive(Debug)]
pub(super) struct ApiError(pub(super) Problem);

pub(super) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Problem::new(code, message.into()))
    }

    /// Something that the caller has no part in: the log says what.
    pub(super) fn internal(why: &dyn std::error::Error) -> Self {
        tracing::error!(error = %why, "a request could not be answered");
        Self(Problem::plain(Code::Internal))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after_secs();
        let mut response = (status, Json(self.0)).into_response();
        if let Some(secs) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, secs.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// A full disk is answered as 503 and not as 507: a caller can do nothing but come back, and 503 with `Retry-After` is what programs
/// come back after.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Behind(_) | StoreError::Conflict(_) | StoreError::Unreachable(_) => Code::StoreBehind,
            StoreError::Closed => Code::Draining,
            StoreError::Full(_) => Code::StoreFull,
            _ => return Self::internal(&error),
        };
        tracing::warn!(%error, "the store did not do what it was asked");
        let pause = if error.is_full() { FULL_PAUSE } else { BEHIND_PAUSE };
        Self(Problem::plain(code).with_retry_after(pause))
    }
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> Self {
        Self::internal(&error)
    }
}

/// A database that does not keep up has caught up, or been restarted, in about this time.
const BEHIND_PAUSE: Duration = Duration::from_secs(2);
/// Somebody has to make room.
const FULL_PAUSE: Duration = Duration::from_mins(1);

/// The one shape of an error.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
struct ErrorBody {
    error: ErrorObject,
}

/// What was wrong, where, and what to do.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorObject)]
#[serde(rename_all = "kebab-case")]
struct ErrorObject {
    /// Of a closed list; it does not change.
    #[schema(schema_with = code_schema)]
    code: &'static str,
    /// What was wrong, with names and values; for people.
    message: String,
    /// What to do about it; for people.
    hint: String,
    /// The fields or parameters that were wrong, if some were: twenty at most.
    #[schema(value_type = Option<Vec<ErrorField>>)]
    fields: Vec<FieldError>,
    /// When to come back, if that helps: as the header `retry-after`.
    retry_after_secs: Option<u64>,
}

/// A field or parameter that was wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorField)]
struct ErrorField {
    /// Where it stands, such as `audience.users[3]`.
    field: String,
    /// What is wrong with it and what would be right.
    message: String,
}

fn code_schema() -> Schema {
    let names = Code::ALL.iter().map(|code| code.as_str());
    let meanings: Vec<_> =
        Code::ALL.iter().map(|code| format!("* `{}`: {}", code.as_str(), code.meaning())).collect();
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(SchemaType::new(utoipa::openapi::Type::String))
        .enum_values(Some(names))
        .description(Some(meanings.join("\n")))
        .into()
}

/// Every operation answers errors alike: they are documented once.
impl IntoResponses for ApiError {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let schema = Ref::from_schema_name(ErrorBody::name());
        let response = ResponseBuilder::new()
            .description("It could not be done; nothing was changed, unless the code is `timed-out`.")
            .content("application/json", ContentBuilder::new().schema(Some(schema)).build())
            .build();
        [("default".to_owned(), RefOr::T(response))].into()
    }
}

/// The schemas that every operation's error needs.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![
        (ErrorBody::name().into_owned(), ErrorBody::schema()),
        (ErrorField::name().into_owned(), ErrorField::schema()),
    ];
    ErrorBody::schemas(&mut schemas);
    schemas
}
