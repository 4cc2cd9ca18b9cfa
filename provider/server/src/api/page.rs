//! The operator's page: four files of the binary. They tell nothing; what the page shows, it asks the API for, with the key of whoever
//! looks at it.

use axum::{Router, response::IntoResponse as _, routing::get};
use http::{
    HeaderName,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};

use super::Api;

/// The page, and what it loads.
pub(super) fn routes() -> Router<Api> {
    FILES.iter().fold(Router::new(), |router, (path, kind, text)| {
        let answer = async move || ([(CONTENT_TYPE, *kind)], HEADERS, *text).into_response();
        router.route(path, get(answer))
    })
}

/// Path, kind and text of each.
const FILES: [(&str, &str, &str); 4] = [
    ("/", "text/html; charset=utf-8", include_str!("../page/index.html")),
    ("/page.css", "text/css; charset=utf-8", include_str!("../page/page.css")),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("../page/page.js")),
    ("/show.js", "text/javascript; charset=utf-8", include_str!("../page/show.js")),
];

/// The page holds an API key: nothing but its own script runs in it, it talks to nobody else, and no other page frames it. After an
/// update of the server the next look at it is at the new one.
const HEADERS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-cache"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];
