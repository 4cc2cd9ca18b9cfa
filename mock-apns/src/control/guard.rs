//! Who may ask: loopback by default, by a known name, from no other site, with the token if one was set.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap,
    header::{AUTHORIZATION, HOST, ORIGIN},
};

use super::error::{ApiError, ErrorCode};

/// What a request has to show before anything of it is looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// The bearer token, if one is wanted.
    pub(crate) token: Option<String>,
    /// Host names that are allowed beside localhost and addresses.
    pub(crate) host_names: Vec<String>,
}

/// Answers instead of the API when a request may not ask.
pub(super) async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.check(request.uri().path(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

impl Guard {
    fn check(&self, path: &str, headers: &HeaderMap) -> Result<(), ApiError> {
        let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        let host = text(HOST).unwrap_or_default();
        if !self.is_ours(host) {
            return Err(ApiError::new(
                ErrorCode::ForbiddenHost,
                format!("{host:?} is none of this double's names"),
            ));
        }
        // A browser tells with each request that a page of another site made it do. So a page cannot talk a developer's
        // browser into emptying a double, and there is no CORS that would let it read anything.
        if let Some(origin) = text(ORIGIN)
            && origin.split_once("://").map(|(_, origin)| origin) != Some(host)
        {
            return Err(ApiError::new(
                ErrorCode::ForbiddenOrigin,
                format!("the page that asks is of {origin:?}, and not of {host:?}"),
            ));
        }
        match &self.token {
            // Whoever waits for readiness has no business with secrets.
            Some(token) if !OPEN_PATHS.contains(&path) => check_token(token, text(AUTHORIZATION)),
            _ => Ok(()),
        }
    }

    /// Whether a Host is ours. A name that somebody else has pointed at this machine is not: that is how DNS rebinding
    /// makes a browser ask for a page of another site, and think that it is that site.
    fn is_ours(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let is_address =
            name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok();
        is_address
            || name.eq_ignore_ascii_case("localhost")
            || self.host_names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

fn check_token(token: &str, given: Option<&str>) -> Result<(), ApiError> {
    let given = given.and_then(|value| value.split_once(' '));
    let is_right = given.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case("bearer") && is_equal(token.as_bytes(), given.trim().as_bytes())
    });
    if is_right {
        return Ok(());
    }
    let what = if given.is_some() { "the bearer token is not the one" } else { "there is no bearer token" };
    Err(ApiError::new(ErrorCode::Unauthorized, what))
}

/// Looks at every byte, so that the time it takes tells nothing of the token.
fn is_equal(token: &[u8], given: &[u8]) -> bool {
    token.len() == given.len() && token.iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// What anyone may ask who may ask at all.
const OPEN_PATHS: &[&str] = &["/livez", "/readyz"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, headers: &[(&'static str, &str)]) -> Result<(), ErrorCode> {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        guard.check("/v1/info", &headers).map_err(|error| error.code)
    }

    #[test]
    fn only_our_own_names_and_addresses_are_answered() {
        let guard = Guard { token: None, host_names: vec!["apns.test".to_owned()] };
        for host in
            ["localhost:8197", "LOCALHOST", "127.0.0.1:8197", "[::1]:8197", "10.0.0.7", "apns.test:80"]
        {
            assert_eq!(check(&guard, &[("host", host)]), Ok(()), "{host}");
        }
        for host in ["evil.example:8197", "localhost.evil.example", "", "apns.test.evil.example"] {
            assert_eq!(check(&guard, &[("host", host)]), Err(ErrorCode::ForbiddenHost), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_refused_and_our_own_is_not() {
        let guard = Guard::default();
        let host = ("host", "localhost:8197");
        assert_eq!(check(&guard, &[host, ("origin", "http://localhost:8197")]), Ok(()));
        for origin in ["https://evil.example", "http://localhost:3000", "null"] {
            assert_eq!(
                check(&guard, &[host, ("origin", origin)]),
                Err(ErrorCode::ForbiddenOrigin),
                "{origin}"
            );
        }
    }

    #[test]
    fn a_token_is_asked_for_where_one_was_set() {
        let guard = Guard { token: Some("secret".to_owned()), ..Guard::default() };
        let host = ("host", "localhost");
        assert_eq!(check(&guard, &[host, ("authorization", "Bearer secret")]), Ok(()));
        assert_eq!(check(&guard, &[host]), Err(ErrorCode::Unauthorized));
        for wrong in ["Bearer secre", "Bearer secret1", "Basic secret", "secret", "Bearer "] {
            assert_eq!(
                check(&guard, &[host, ("authorization", wrong)]),
                Err(ErrorCode::Unauthorized),
                "{wrong}"
            );
        }
        let headers = [("host".parse().unwrap(), "localhost".parse().unwrap())].into_iter().collect();
        assert!(guard.check("/readyz", &headers).is_ok());
    }
}
