//! Asking the server.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::ArgMatches;
use http::{Method, StatusCode, header::CONTENT_TYPE};
use reqwest::{Client, Url};

use super::{
    command::{DATA, KEY, KEY_FILE, SERVER, option},
    credential,
    operation::Operation,
};
use crate::options::input;

/// A request to the server.
#[derive(Debug)]
pub(super) struct Request {
    method: Method,
    url: Url,
    key: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// What it answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

impl Request {
    /// The request of an operation with what was given on the command line.
    pub(super) fn of(operation: &Operation, matches: &ArgMatches) -> Result<Self, String> {
        let server = given(matches, SERVER).unwrap_or_default();
        let mut url =
            Url::parse(server).map_err(|error| format!("--server {server:?} is no URL: {error}"))?;
        if url.host_str().is_none() || !["http", "https"].contains(&url.scheme()) {
            return Err(format!("--server {server:?} is no URL of a server; write http://host:port"));
        }
        fill(&mut url, operation, matches);
        let mut headers = Vec::new();
        for parameter in &operation.options {
            let Some(value) = given(matches, option(parameter)) else { continue };
            if parameter.is_header {
                headers.push((parameter.name.clone(), value.to_owned()));
            } else {
                url.query_pairs_mut().append_pair(&parameter.name, value);
            }
        }
        let body = match given(matches, DATA).filter(|_| operation.has_body) {
            Some(data) => Some(body(data)?),
            None if credential::is_it(operation) => credential::body(matches)?,
            None => None,
        };
        Ok(Self { method: operation.method.clone(), url, key: key(matches)?, headers, body })
    }

    /// Sends it, once: what has changed something is not sent again.
    pub(super) async fn send(self) -> Result<Answer, String> {
        let at = self.url.origin().ascii_serialization();
        let failed = |error: reqwest::Error| {
            let why = innermost(&error);
            format!("{at}: {why}; is a server there? `apns-provider serve` starts one")
        };
        let client = Client::builder()
            .tls_backend_preconfigured(apns_provider::web_tls())
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(failed)?;
        let mut request = client.request(self.method, self.url);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.text().await.map_err(failed)?;
        Ok(Answer { status, body })
    }
}

/// Puts what was given into the path; each parameter is one segment, whatever is in it.
fn fill(url: &mut Url, operation: &Operation, matches: &ArgMatches) {
    let parts = operation.path.split('/').filter(|part| !part.is_empty()).map(|part| {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        name.and_then(|name| given(matches, name)).unwrap_or(part)
    });
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(parts);
    }
}

fn given<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}

fn key(matches: &ArgMatches) -> Result<Option<String>, String> {
    let Some(file) = matches.try_get_one::<PathBuf>(KEY_FILE).ok().flatten() else {
        return Ok(given(matches, KEY).map(ToOwned::to_owned));
    };
    let bytes = input::read(file, "--key-file")?;
    let text =
        String::from_utf8(bytes).map_err(|_| format!("--key-file {}: it is no text", file.display()))?;
    Ok(Some(text.trim().to_owned()))
}

/// What `--data` says: JSON, which the server reads and judges.
fn body(data: &str) -> Result<Vec<u8>, String> {
    match data.strip_prefix('@') {
        Some(file) => input::read(Path::new(file), "--data"),
        None => Ok(data.as_bytes().to_vec()),
    }
}

/// What went wrong, without what it went wrong in.
fn innermost(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// Longer than the server itself waits for anything.
const PATIENCE: Duration = Duration::from_secs(40);

#[cfg(test)]
mod tests {
    use super::{
        super::{command::chosen, operation::operations, tests::matches},
        *,
    };

    fn request(arguments: &[&str]) -> Result<Request, String> {
        let matches = matches(arguments).unwrap();
        let (group, name, matches) = chosen(&matches).unwrap();
        let operations = operations();
        let operation = operations.iter().find(|it| it.group == group && it.name == name).unwrap();
        Request::of(operation, matches)
    }

    #[test]
    fn what_was_given_goes_where_the_description_says() {
        let arguments = "apps get com.example/../x --server http://h:1/base/ --key k --tenant acme";
        let of_app = request(&arguments.split(' ').collect::<Vec<_>>()).unwrap();
        assert_eq!(of_app.url.as_str(), "http://h:1/base/v1/apps/com.example%2F..%2Fx");
        assert_eq!((of_app.method, of_app.key.as_deref()), (Method::GET, Some("k")));
        assert_eq!(of_app.headers, [("apns-tenant".to_owned(), "acme".to_owned())]);
        let of_list = request(&["apps", "list", "--limit", "3", "--after", "a b"]).unwrap();
        assert_eq!(of_list.url.query(), Some("after=a+b&limit=3"));
        let of_put = request(&["tenants", "put", "acme", "--data", r#"{"a":1}"#]).unwrap();
        assert_eq!((of_put.method, of_put.body.as_deref()), (Method::PUT, Some(&br#"{"a":1}"#[..])));
    }

    #[test]
    fn what_cannot_be_asked_is_named() {
        let error = request(&["apps", "list", "--server", "localhost:8198"]).unwrap_err();
        assert!(error.contains("write http://host:port"), "{error}");
        let error = request(&["apps", "list", "--key-file", "/nowhere"]).unwrap_err();
        assert!(error.starts_with("--key-file /nowhere: "), "{error}");
        let error = request(&["tenants", "put", "a", "--data", "@/nowhere"]).unwrap_err();
        assert!(error.starts_with("--data /nowhere: "), "{error}");
    }
}
