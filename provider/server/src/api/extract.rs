//! Reading a request: its path, its query, its body, each into a type that cannot be wrong.

use std::time::Duration;

use apns_provider_core::{BundleId, UnixTime};
use apns_provider_server_core::{
    idempotency::RequestHash,
    ids::IdempotencyKey,
    json,
    problem::{Code, Problem},
};
use axum::extract::{FromRequest, FromRequestParts, Request};
use futures::StreamExt as _;
use http::{Method, header::CONTENT_LENGTH, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use super::error::{ApiError, ApiResult};
use crate::store::Idempotency;

/// Bytes of a body with a few names in it.
pub(super) const SMALL: usize = 16 * 1024;
/// Time between two parts of a body. A client that sends one at all does not pause for long.
const PART_MAX: Duration = Duration::from_secs(10);

/// A body of at most so many bytes, as JSON whatever its content type. No body is `{}`.
#[derive(Debug)]
pub(super) struct Json<T, const BYTES_MAX: usize = SMALL>(pub(super) T);

impl<T: DeserializeOwned, S: Sync, const BYTES_MAX: usize> FromRequest<S> for Json<T, BYTES_MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let Bytes(body) = Bytes::<BYTES_MAX>::from_request(request, state).await?;
        Ok(Self(json::read(&body)?))
    }
}

/// A body of at most so many bytes, as it came.
#[derive(Debug)]
pub(super) struct Bytes<const BYTES_MAX: usize>(pub(super) Vec<u8>);

impl<S: Sync, const BYTES_MAX: usize> FromRequest<S> for Bytes<BYTES_MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> ApiResult<Self> {
        let announced: Option<u64> =
            request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(len) = announced
            && len > BYTES_MAX as u64
        {
            return Err(too_large(&format!("{len} bytes"), BYTES_MAX));
        }
        let mut stream = request.into_body().into_data_stream();
        let mut body = Vec::new();
        let late = |_| {
            ApiError::new(Code::BadJson, format!("the body did not go on for {PART_MAX:?} before its end"))
        };
        while let Some(chunk) = timeout(PART_MAX, stream.next()).await.map_err(late)? {
            let chunk = chunk
                .map_err(|error| ApiError::new(Code::BadJson, format!("the body broke off: {error}")))?;
            if body.len() + chunk.len() > BYTES_MAX {
                return Err(too_large("longer", BYTES_MAX));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self(body))
    }
}

fn too_large(how_large: &str, bytes_max: usize) -> ApiError {
    ApiError::new(Code::BodyTooLarge, format!("the body is {how_large}, and may be {bytes_max} bytes"))
}

/// The query. Parameters that the operation does not have are refused by name.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        from_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn from_query<T: DeserializeOwned>(query: &str) -> ApiResult<T> {
    let parser = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(parser).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if path == "." {
            return ApiError::new(Code::BadParameter, error.to_string());
        }
        Problem::of_parameter(&path, error).into()
    })
}

/// What stands in the path where the route has names.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError::new(Code::BadParameter, rejection.body_text())),
        }
    }
}

/// By what a request that is sent again is known: a header, and what it asks for.
#[derive(Debug)]
pub(super) struct Idempotent {
    key: Option<IdempotencyKey>,
    method: Method,
    path: String,
}

impl Idempotent {
    /// If it has a key: that, and what it asks for with this body.
    pub(super) fn with(self, body: &[u8]) -> Option<Idempotency> {
        let request = RequestHash::of(self.method.as_str(), &self.path, body);
        self.key.map(|key| Idempotency { key, request })
    }
}

impl<S: Sync> FromRequestParts<S> for Idempotent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let key =
            values.next().map(|value| IdempotencyKey::parse(&String::from_utf8_lossy(value.as_bytes())));
        if values.next().is_some() {
            return Err(Problem::of_parameter(IDEMPOTENCY_KEY, "it is there twice; give one").into());
        }
        let key = parameter(IDEMPOTENCY_KEY, key.transpose())?;
        Ok(Self { key, method: parts.method.clone(), path: parts.uri.path().to_owned() })
    }
}

pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A parameter, or the problem that names it.
pub(super) fn parameter<T, E: std::fmt::Display>(name: &str, value: Result<T, E>) -> ApiResult<T> {
    value.map_err(|why| Problem::of_parameter(name, why).into())
}

pub(super) fn bundle_id(text: &str) -> ApiResult<BundleId> {
    parameter("bundle-id", BundleId::parse(text))
}

/// A number that was given out as a name; another text names nothing.
pub(super) fn row(text: &str) -> Option<i64> {
    text.parse().ok().filter(|row| *row > 0)
}

/// Where a list goes on: what a page's `next` was.
pub(super) fn cursor<T>(text: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> ApiResult<Option<T>> {
    let Some(text) = text else { return Ok(None) };
    let bad = || ApiError(Problem::plain(Code::BadCursor));
    read(text).map(Some).ok_or_else(bad)
}

/// What to go on with, if the page is full: then there may be more.
pub(super) fn next<T>(page: &[T], limit: Limit, name: impl FnOnce(&T) -> String) -> Option<String> {
    page.last().filter(|_| page.len() >= limit.get()).map(name)
}

/// Which part of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// The `next` of the page before; left out, the list begins.
    pub(super) after: Option<String>,
    /// How many to list at most, 1 to 1000.
    #[serde(default)]
    #[param(inline)]
    pub(super) limit: Limit,
}

/// How many there are on a page at most.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "usize")]
pub(super) struct Limit(usize);

impl Limit {
    const DEFAULT: usize = 100;
    const MAX: usize = crate::store::PAGE_MAX;

    pub(super) const fn get(self) -> usize {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(Self::DEFAULT)
    }
}

impl TryFrom<usize> for Limit {
    type Error = String;

    fn try_from(limit: usize) -> Result<Self, String> {
        if (1..=Self::MAX).contains(&limit) {
            return Ok(Self(limit));
        }
        Err(format!("{limit} is not 1 to {}", Self::MAX))
    }
}

impl PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .default(Some(Self::DEFAULT.into()))
            .minimum(Some(1))
            .maximum(Some(Self::MAX));
        limit.into()
    }
}

impl ToSchema for Limit {}

/// A moment as it is written in answers: `2026-12-01T09:15:09.123Z`.
pub(super) fn moment(at: UnixTime) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let timestamp = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    format!("{timestamp:.3}")
}

/// An answer without a body.
pub(super) const DONE: http::StatusCode = http::StatusCode::NO_CONTENT;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_parameter_is_named() {
        let wrong = |query| from_query::<Page>(query).unwrap_err().0;
        assert!(wrong("colour=1").message().contains("unknown field `colour`"));
        for (query, told) in [
            ("limit=0", "limit: 0 is not 1 to 1000"),
            ("limit=1001", "limit: 1001 is not 1 to 1000"),
            ("limit=-1", "limit: invalid digit found in string"),
        ] {
            let problem = wrong(query);
            assert_eq!((problem.message(), problem.fields()[0].field.as_str()), (told, "limit"));
        }
    }

    #[test]
    fn moments_are_written_for_people_and_programs() {
        assert_eq!(moment(UnixTime::from_millis(1_700_000_000_120)), "2023-11-14T22:13:20.120Z");
        assert!(moment(UnixTime::from_millis(u64::MAX)).starts_with("9999-"));
    }
}
