//! Reading a request: its path, its query, its body, each into a type that cannot be wrong.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    extract::{FromRequest, FromRequestParts, Request},
};
use futures::StreamExt as _;
use http::{
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use mock_apns_core::{Filter, FilterError};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use tokio::time::timeout;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use super::error::{ApiError, ErrorCode};

/// Bytes of a body, unless the path says otherwise: a team with a thousand devices fits.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that are read and dropped of a body that is too large, and for how long: most clients read the answer only
/// when they are done sending.
const DROPPED_BYTES_MAX: u64 = 256 * 1024 * 1024;
const DROPPED_FOR_MAX: Duration = Duration::from_secs(10);
/// Time between two parts of a body. A client that sends one at all does not pause for long.
const PART_MAX: Duration = Duration::from_secs(30);

/// The body, as JSON whatever its content type: curl and others send one that nobody chose. No body is `{}`.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = read(request, BODY_BYTES_MAX).await?;
        from_json(if body.is_empty() { b"{}" } else { &body }).map(Self)
    }
}

/// Reads a body of at most `bytes_max` bytes.
pub(super) async fn read(request: Request, bytes_max: usize) -> Result<Vec<u8>, ApiError> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let announced: u64 = announced.unwrap_or(0);
    let mut stream = request.into_body().into_data_stream();
    if announced <= bytes_max as u64
        && let Some(body) = collect(&mut stream, bytes_max).await?
    {
        return Ok(body);
    }
    drain(stream).await;
    let how_large = if announced > 0 { format!("{announced} bytes") } else { "longer".to_owned() };
    Err(ApiError::new(
        ErrorCode::BodyTooLarge,
        format!("the body is {how_large}, and may be {bytes_max} bytes"),
    ))
}

/// The whole body, unless it is too large.
async fn collect(stream: &mut BodyDataStream, bytes_max: usize) -> Result<Option<Vec<u8>>, ApiError> {
    let mut body = Vec::new();
    let late = |_| {
        ApiError::new(
            ErrorCode::BadJson,
            format!("the body did not go on for {PART_MAX:?} before it was complete"),
        )
    };
    while let Some(chunk) = timeout(PART_MAX, stream.next()).await.map_err(late)? {
        let chunk = chunk.map_err(|error| {
            ApiError::new(ErrorCode::BadJson, format!("the body ended before it was complete: {error}"))
        })?;
        if body.len() + chunk.len() > bytes_max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

async fn drain(mut stream: BodyDataStream) {
    let dropping = async {
        let mut dropped = 0;
        while let Some(Ok(chunk)) = stream.next().await {
            dropped += chunk.len() as u64;
            if dropped > DROPPED_BYTES_MAX {
                return;
            }
        }
    };
    let _ = timeout(DROPPED_FOR_MAX, dropping).await; // whoever is slower reads no answer
}

/// Reads a body of at most `bytes_max` bytes that is TOML, if its content type says so, or else JSON.
pub(super) async fn from_body<T: DeserializeOwned>(
    request: Request,
    bytes_max: usize,
) -> Result<T, ApiError> {
    let content_type = request.headers().get(CONTENT_TYPE);
    let is_toml = content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/toml"));
    let body = read(request, bytes_max).await?;
    if is_toml { from_toml(&body) } else { from_json(&body) }
}

/// Reads TOML, and tells the line that is wrong.
pub(super) fn from_toml<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let bad = |error: &dyn std::fmt::Display| {
        ApiError::new(ErrorCode::BadField, error.to_string().trim_end().to_owned())
    };
    let text = std::str::from_utf8(body).map_err(|error| bad(&error))?;
    toml::from_str(text).map_err(|error| bad(&error))
}

/// Reads JSON, and names the field that is wrong.
pub(super) fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        let (code, place) = match error.classify() {
            serde_json::error::Category::Data if path != "." => {
                (ErrorCode::BadField, format!("field {path}: "))
            }
            serde_json::error::Category::Data => (ErrorCode::BadField, String::new()),
            _ => (ErrorCode::BadJson, "the body is not JSON: ".to_owned()),
        };
        ApiError::new(code, format!("{place}{error}"))
    })?;
    reader
        .end()
        .map_err(|error| ApiError::new(ErrorCode::BadJson, format!("the body is not JSON: {error}")))?;
    Ok(read)
}

/// The query. Parameters that the operation does not have are refused by name.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        from_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn from_query<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let parser = serde_urlencoded::Deserializer::new(url_parser(query));
    serde_path_to_error::deserialize(parser).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!("parameter {path}: ") };
        ApiError::new(ErrorCode::BadParameter, format!("{place}{}", error.into_inner()))
    })
}

fn url_parser(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

/// What stands in the path where the route has names.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError::new(ErrorCode::BadParameter, rejection.body_text())),
        }
    }
}

/// A filter that was asked with. It is refused with an error of its own, and not as a field of the wrong type.
#[derive(Debug)]
pub(super) struct FilterText(pub(super) Result<Filter, FilterError>);

impl Default for FilterText {
    fn default() -> Self {
        Self(Ok(Filter::default()))
    }
}

impl<'de> Deserialize<'de> for FilterText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Filter::parse(&text)))
    }
}

/// How many there are on a page at most.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "usize")]
pub(super) struct Limit(usize);

impl Limit {
    /// More than this are no page: a client that wants all of them asks for the next.
    const MAX: usize = 1000;
    const DEFAULT: usize = 100;

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

/// An answer without a body.
pub(super) const DONE: http::StatusCode = http::StatusCode::NO_CONTENT;

/// A body that is a file of this media type.
pub(super) fn file(media_type: &'static str, contents: impl Into<Body>) -> http::Response<Body> {
    let mut response = http::Response::new(contents.into());
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    response
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    struct Wanted {
        team_id: Option<mock_apns_core::TeamId>,
        count: Option<u32>,
    }

    fn refused(body: &str) -> (ErrorCode, String) {
        let error = from_json::<Wanted>(body.as_bytes()).unwrap_err();
        (error.code, error.to_string())
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (body, code, named) in [
            (r#"{"colour":1}"#, ErrorCode::BadField, "unknown field `colour`, expected `team-id` or `count`"),
            (
                r#"{"count":"one"}"#,
                ErrorCode::BadField,
                "field count: invalid type: string \"one\", expected u32",
            ),
            (r#"{"team-id":"short"}"#, ErrorCode::BadField, "field team-id: \"short\" is not a team ID"),
            (r#"{"count":1"#, ErrorCode::BadJson, "EOF"),
            (r#"{"count":1} {}"#, ErrorCode::BadJson, "trailing"),
            ("hello", ErrorCode::BadJson, "line 1 column 1"),
        ] {
            let (found, message) = refused(body);
            assert_eq!(found, code, "{body}: {message}");
            assert!(message.contains(named), "{body}: {message}");
        }
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        for (query, named) in [
            ("colour=1", "unknown field `colour`"),
            ("count=one", "parameter count: invalid digit"),
            ("team-id=short", "\"short\" is not a team ID"),
        ] {
            let message = from_query::<Wanted>(query).unwrap_err().to_string();
            assert!(message.contains(named), "{query}: {message}");
        }
        assert_eq!(from_query::<Wanted>("count=3").unwrap().count, Some(3));
    }

    #[derive(Debug, Deserialize)]
    struct Page {
        #[serde(default)]
        limit: Limit,
    }

    #[test]
    fn a_page_has_100_unless_1_to_1000_are_asked_for() {
        for (query, limit) in [("", 100), ("limit=1", 1), ("limit=1000", 1000)] {
            assert_eq!(from_query::<Page>(query).unwrap().limit.get(), limit, "{query}");
        }
        for (query, told) in [
            ("limit=0", "parameter limit: 0 is not 1 to 1000"),
            ("limit=1001", "parameter limit: 1001 is not 1 to 1000"),
            ("limit=-1", "parameter limit: invalid digit found in string"),
        ] {
            assert_eq!(from_query::<Page>(query).unwrap_err().to_string(), told);
        }
    }
}
